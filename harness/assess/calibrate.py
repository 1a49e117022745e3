"""Plants known faults in what a journal holds and says which of them its criteria let through.

Reads the journal as of one moment and never writes to it; faults of events go into a journal
of their own in a temporary folder.
"""

from __future__ import annotations

import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness import __version__
from harness.assess.comparing import Compared, compare_journal
from harness.assess.criteria import Criteria
from harness.compare.calibration.causes import BLIND, Cause
from harness.compare.calibration.kinds import Effect
from harness.compare.calibration.plan import Conditions, plan
from harness.compare.calibration.rates import RateRun, at_rates
from harness.compare.calibration.run import run
from harness.compare.calibration.scoring import ENOUGH, RATES, Mutant, Scores, scored
from harness.journal.findings import detect
from harness.journal.planted import Planted, count_events, event_faults, places, scratch
from harness.journal.reader import Reader
from harness.model import LIVE
from harness.resources import sql_queries

MUTATIONS = 10_000
FINDING = "finding"
"""The field of a fault that a finding has to name."""
_EVENTS = 100_000
"""So many events the scratch journal holds at most: about ten seconds."""
_AT_EACH = 40
"""A fault of events is planted at most so often; each costs two copies of a job."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How much of what was planted the comparison and the findings caught."""

    scores: Scores
    runs: tuple[RateRun, ...]
    seed: int
    alpha: float
    """A visible rate is seen with probability 1 - alpha."""
    at_least: float
    """The score that was asked for."""
    pairs: int
    """Recorded pairs; `waiting` of them have no verdict yet, `differing` have a difference."""
    waiting: int
    differing: int
    journal_id: str
    seq: int
    as_of: datetime
    rules_version: str
    tool_version: str

    @property
    def sharp(self) -> bool | None:
        """Whether the comparison sees what it has to; None where there is nothing to plant in."""
        score = self.scores.score
        if score is None:
            return None
        return score >= self.at_least and not self.scores.blinding and not self.scores.false_alarms


def calibrate(
    reader: Reader,
    criteria: Criteria,
    *,
    mutations: int = MUTATIONS,
    seed: int = 0,
    rates: Sequence[float] = RATES,
    at_least: float = ENOUGH,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> Calibration:
    """Plant at least `mutations` faults, where the journal has places for so many.

    Same journal, moment, criteria and seed give the same result. Raises SettingsError for a rule
    that has expired.
    """
    progress("comparing what was recorded")
    compared = compare_journal(reader, criteria, now=now)
    comparison = compared.comparison
    conditions = _conditions(compared, criteria)
    progress("planting faults in pairs")
    planned = plan(comparison, conditions, mutations=mutations, seed=seed)
    submissions = reader.frame(sql_queries("views/select_submissions.sql")["select_submissions"])
    progress("judging them by the rules")
    mutants = run(planned, comparison, submissions, compared.jobs, conditions)
    progress("planting them at several rates")
    runs = at_rates(planned, comparison, submissions, compared.jobs, conditions, rates, seed=seed)
    progress("planting faults in events")
    # What is seen in events proves nothing of a comparison that has compared nothing.
    of_events, places_of_events = (
        _of_events(reader, criteria, compared, seed=seed) if mutants else ([], {})
    )
    alpha = criteria.alpha_total / 2
    verdicts = comparison.pairs["verdict_with_excluded"].to_list()
    return Calibration(
        scores=scored(
            [*mutants, *of_events], planned.places | places_of_events, alpha=alpha, rates=rates
        ),
        runs=runs,
        seed=seed,
        alpha=alpha,
        at_least=at_least,
        pairs=len(verdicts),
        waiting=verdicts.count("in_flight"),
        differing=len(verdicts) - verdicts.count("in_flight") - verdicts.count("agree"),
        journal_id=reader.journal_id(),
        seq=reader.as_of_seq,
        as_of=reader.as_of_time,
        rules_version=criteria.rules.digest,
        tool_version=__version__,
    )


def _conditions(compared: Compared, criteria: Criteria) -> Conditions:
    return Conditions(
        as_of=compared.until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
        blind=compared.blind,
    )


_Where = tuple[str | None, str | None]
_Found = dict[str | None, set[tuple[str, str, str | None, str]]]
"""Per job what is said of it: finding or verdict, mode, directory, detail or verdict."""


def _of_events(
    reader: Reader, criteria: Criteria, compared: Compared, *, seed: int
) -> tuple[list[Mutant], dict[str, tuple[int, int]]]:
    """What became of every fault of events, and the places and jobs of each kind."""
    scale = {"deadline_s": criteria.deadline_s, "time_scale": criteria.time_scale}
    already = _found(reader, compared, criteria)
    where = {}
    for fault in event_faults():
        free = places(reader, fault, until=compared.until, **scale)
        where[fault.id] = [place for place in free if not _named(already, fault.id, place)]
    planted = _chosen(where, count_events(reader), seed=seed)
    if not any(p.job_id for p in planted):
        return [], {}
    with (
        tempfile.TemporaryDirectory(prefix="shadow-calibrate-") as folder,
        scratch(reader, planted, Path(folder), until=compared.until) as (scratched, changed),
    ):
        found = _found(scratched, compared, criteria)
        # The copied journal brings along what tells of the record as a whole.
        found[None] -= already[None]
        verdicts = _verdicts(scratched, compared, criteria)
    return [_mutant(p, found, verdicts) for p in planted if p.mutant in changed], {
        f"event.{kind}": (len(free), len({job for job, _ in free} - {None}))
        for kind, free in where.items()
    }


def _found(reader: Reader, compared: Compared, criteria: Criteria) -> _Found:
    found: _Found = defaultdict(set)
    for finding in detect(
        reader,
        until=compared.until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
    ):
        for item in finding.evidence:
            found[item.job_id].add((finding.id, finding.mode, item.directory, item.detail))
    return found


def _named(found: _Found, finding: str, place: _Where) -> bool:
    """Whether a finding already names the place; of no job, one more of it can always be told."""
    job, directory = place
    return job is not None and any(
        name == finding and directory in (None, at) for name, _, at, _ in found.get(job, ())
    )


def _chosen(
    where: dict[str, list[_Where]], events: dict[str, int], *, seed: int
) -> tuple[Planted, ...]:
    """A sample of each kind, as far as the scratch journal has room; at least one of each."""
    planted: list[Planted] = []
    room = _EVENTS / (2 * len(where))
    for fault in event_faults():
        chance = random.Random(f"{seed}:{fault.id}")
        free = where[fault.id]
        left = room
        for job, directory in chance.sample(free, min(len(free), _AT_EACH)):
            left -= events.get(job or "", 1)
            if left < 0 and planted and planted[-1].fault is fault:
                break
            planted.append(
                Planted(mutant=len(planted) + 1, fault=fault, job_id=job, directory=directory)
            )
    return tuple(planted)


def _verdicts(reader: Reader, compared: Compared, criteria: Criteria) -> _Found:
    queries = sql_queries("views/select_submissions.sql")
    pairs = (
        _conditions(compared, criteria)
        .compared(
            reader.frame(queries["select_submissions"]),
            reader.frame(queries["select_jobs"]),
            criteria.rules,
        )
        .pairs
    )
    found: _Found = defaultdict(set)
    for job, mode, directory, verdict in pairs.select(
        "job_id", "mode", "directory", "verdict"
    ).iter_rows():
        found[job].add(("verdict", mode, directory, verdict))
    return found


def _mutant(planted: Planted, found: _Found, verdicts: _Found) -> Mutant:
    fault = planted.fault
    copy, twin = planted.copy, planted.twin
    if fault.innocent:
        said = [
            _without_details(found.get(job, ())) | set(verdicts.get(job, ()))
            for job in (copy, twin)
        ]
        shown = said[0] != said[1]
    else:
        place = planted.directory if planted.job_id is not None else None
        shown = any(name == fault.id and at == place for name, _, at, _ in found.get(copy, ()))
    return Mutant(
        kind=f"event.{fault.id}",
        field=FINDING,
        fault=fault.fault,
        effect=Effect.INNOCENT if fault.innocent else Effect.CHANGES,
        mode=LIVE,
        job_id=planted.job_id or "",
        directory=planted.directory,
        shown=shown,
        cause=None if fault.innocent or shown else Cause((), BLIND),
    )


def _without_details(
    found: Iterable[tuple[str, str, str | None, str]],
) -> set[tuple[str, str, str | None, str]]:
    return {(name, mode, directory, "") for name, mode, directory, _ in found}
