"""The events of a replay run, and what the journal already holds of one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from harness.journal.reader import Reader
from harness.model import EventDraft, EventKind, Outcome
from harness.resources import sql_queries
from replay.sandbox.conditions import Condition
from replay.sandbox.visit import Escape
from replay.select import Excluded
from replay.submission import Finished

_ESCAPES_EACH = 100
"""Different attempts of one submission that get an event each; the rest are one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What counts of one submission that has its event."""

    job_id: str
    directory: str
    excluded: bool = False
    agrees: bool = False
    """The worker claims what the control's record says."""
    unconfirmed: bool = False
    """It claims "submitted" for what the site never accepted."""
    crashed: bool = False
    overloaded: bool = False
    """It timed out while the machine was starved, which says little about the worker."""
    claimed: str | None = None
    error_text: str | None = None
    accepted: int = 0
    """Listings that the site stored."""

    @property
    def key(self) -> tuple[str, str]:
        """Job and directory host."""
        return self.job_id, self.directory

    @property
    def differs(self) -> bool:
        """The claim is not the control's, or not what the site saw: worth a second look."""
        seen = (self.claimed == Outcome.SUBMITTED) == (self.accepted > 0)
        return not self.excluded and not (self.agrees and seen)

    @classmethod
    def of(
        cls,
        key: tuple[str, str],
        *,
        condition: str | None,
        claimed: str | None,
        accepted: int | None,
        crashed: bool | None,
        error_text: str | None = None,
        overloaded: bool = False,
    ) -> Ended:
        """From the words of an event; condition None means that it was excluded."""
        submitted = claimed == Outcome.SUBMITTED
        return cls(
            job_id=key[0],
            directory=key[1],
            excluded=condition is None,
            agrees=condition is not None and submitted == (condition == Condition.ACCEPTED),
            unconfirmed=submitted and not accepted,
            crashed=bool(crashed),
            overloaded=overloaded,
            claimed=claimed,
            error_text=error_text,
            accepted=accepted or 0,
        )

    @classmethod
    def of_finished(cls, done: Finished) -> Ended:
        """From what an engine hands back."""
        return cls.of(
            done.of.key,
            condition=done.of.condition,
            claimed=done.claim.status,
            accepted=done.visit.observation.accepted,
            crashed=done.crashed,
            error_text=done.claim.error_text,
            overloaded=done.overloaded,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the journal holds of one run."""

    started: Mapping[str, Any] | None
    """Payload of its first start, None if the run is new."""
    starts: int
    ended: tuple[Ended, ...]
    again: Mapping[tuple[str, str], bool]
    """What was done again, and whether it ended otherwise."""
    escapes: int
    finished: bool


def read_run(reader: Reader, run: str) -> RunRecord:
    """Read a run as of the reader's moment."""
    queries = sql_queries("views/select_replayable.sql")
    source = source_of(run)
    starts = reader.rows(queries["select_run_starts"], source=source)
    rows = reader.rows(queries["select_run_submissions"], source=source)
    return RunRecord(
        started=json.loads(starts[0][0]) if starts else None,
        starts=len(starts),
        ended=tuple(
            Ended.of(
                (job_id, directory),
                condition=None if excluded is not None else condition,
                claimed=claimed,
                accepted=accepted,
                crashed=crashed,
                error_text=error_text,
                overloaded=overloaded,
            )
            for (
                job_id,
                directory,
                excluded,
                condition,
                claimed,
                error_text,
                accepted,
                crashed,
                overloaded,
            ) in rows
        ),
        again={
            (job_id, directory): bool(flaky)
            for job_id, directory, flaky in reader.rows(
                queries["select_run_repeats"], source=source
            )
        },
        escapes=reader.rows(queries["count_run_escapes"], source=source)[0][0],
        finished=reader.rows(queries["count_run_ends"], source=source)[0][0] > 0,
    )


def source_of(run: str) -> str:
    """The source of a run's events."""
    return f"replay:{run}"


def started(run: str, payload: Mapping[str, Any], *, number: int) -> EventDraft:
    """A start; number: 0 for the first, one more at each time the run is resumed."""
    return _draft(run, EventKind.REPLAY_STARTED, f"started:{number}", {"run": run, **payload})


def finished(run: str, payload: Mapping[str, Any]) -> EventDraft:
    """The end of a run in which every submission has its event."""
    return _draft(run, EventKind.REPLAY_FINISHED, "finished", {"run": run, **payload})


def machine(run: str, name: str, facts: Mapping[str, Any]) -> EventDraft:
    """A machine that carries out parts of a run, and what it does so with; once for all the same.

    facts: those of its place, as a start has them.
    """
    digest = hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()
    payload = {"run": run, "machine": name, **facts}
    return _draft(run, EventKind.REPLAY_MACHINE, f"machine:{name}:{digest}", payload)


def excluded(run: str, submission: Excluded) -> EventDraft:
    """A submission that is not replayed."""
    payload = {"run": run, "excluded": submission.reason}
    return _submission(run, submission.key, payload)


def submission(run: str, done: Finished) -> EventDraft:
    """A submission that has its outcome."""
    payload = {
        "run": run,
        "excluded": None,
        "condition": done.of.condition,
        "plan_source": done.of.order.plan_source,
        **_outcome(done),
        "overloaded": done.overloaded,
        "escapes": len(done.visit.escapes),
    }
    return _submission(run, done.of.key, payload)


def again(run: str, done: Finished, *, first: Ended, evidence: bool) -> EventDraft:
    """A submission that differed and was done again. first: how it ended before.

    It is flaky if it ended otherwise; what timed out on a starved machine shows nothing.
    """
    job_id, directory = done.of.key
    payload = {
        "run": run,
        "condition": done.of.condition,
        "flaky": is_flaky(first, done),
        "overloaded": done.overloaded,
        "evidence": evidence,
        "first": {
            "claimed": first.claimed,
            "error_text": first.error_text,
            "accepted": first.accepted,
        },
        **_outcome(done),
    }
    return _draft(
        run,
        EventKind.REPLAY_AGAIN,
        f"{job_id}:{directory}:again",
        payload,
        job_id=job_id,
        directory=directory,
    )


def is_flaky(first: Ended, done: Finished) -> bool:
    """Whether worker or site ended otherwise than the first time, on a machine that kept up."""
    before = (first.claimed, first.accepted > 0)
    after = (str(done.claim.status), done.visit.observation.accepted > 0)
    return before != after and not done.overloaded


def _outcome(done: Finished) -> dict[str, Any]:
    seen = done.visit.observation
    return {
        "claimed": asdict(done.claim),
        "observed": {
            "posts": seen.posts,
            "accepted": seen.accepted,
            "values": seen.values,
            "url": seen.url,
        },
        "crashed": done.crashed,
    }


def received(run: str, done: Finished) -> Iterator[EventDraft]:
    """One event for each post that the site received of a submission, in their order."""
    job_id, directory = done.of.key
    for number, post in enumerate(done.visit.observation.received, start=1):
        yield _draft(
            run,
            EventKind.REPLAY_RECEIVED,
            f"{job_id}:{directory}:post:{number}",
            {"run": run, "number": number, **asdict(post)},
            job_id=job_id,
            directory=directory,
        )


def escapes(run: str, tried: Sequence[Escape]) -> Iterator[EventDraft]:
    """One event for each different attempt, with how often it was made.

    A submission that is done again after a kill makes the same attempts: the same keys. Step and
    layer may come out otherwise then, so they are no part of the key; the first of each is told.
    """
    firsts: dict[tuple[str | None, ...], Escape] = {}
    counts: Counter[Escape] = Counter()
    for escape in tried:
        identity = (escape.job_id, escape.directory, escape.kind, escape.url)
        counts[firsts.setdefault(identity, escape)] += 1
    rest = counts.total()
    for number, (escape, times) in enumerate(counts.items(), start=1):
        count = rest if number == _ESCAPES_EACH else times
        rest -= count
        digest = hashlib.blake2b(escape.url.encode(), digest_size=8).hexdigest()
        yield _draft(
            run,
            EventKind.REPLAY_ESCAPE,
            f"{escape.job_id or '-'}:{escape.directory or '-'}:escape:{escape.kind}:{digest}",
            {
                "run": run,
                "kind": escape.kind,
                "url": escape.url,
                "step": escape.step,
                "layer": escape.layer,
                "count": count,
            },
            job_id=escape.job_id,
            directory=escape.directory,
        )
        if not rest:
            return


def _submission(run: str, key: tuple[str, str], payload: Mapping[str, Any]) -> EventDraft:
    job_id, directory = key
    return _draft(
        run,
        EventKind.REPLAY_SUBMISSION,
        f"{job_id}:{directory}",
        payload,
        job_id=job_id,
        directory=directory,
    )


def _draft(
    run: str,
    kind: EventKind,
    key: str,
    payload: Mapping[str, Any],
    *,
    job_id: str | None = None,
    directory: str | None = None,
) -> EventDraft:
    source = source_of(run)
    return EventDraft(
        source=source,
        kind=kind,
        key=f"{source}:{key}",
        occurred_at=datetime.now(UTC),
        payload=payload,
        job_id=job_id,
        directory=directory,
    )
