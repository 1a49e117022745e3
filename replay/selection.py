"""Which recorded submissions a run is about, and in what order; reads no plan and no payload.

Reads a journal as of one moment. The same words on the same moment give the same answer, so that
a run can be continued, repeated and compared by its words alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl

from harness.errors import ReplayError
from harness.resources import sql_queries

if TYPE_CHECKING:
    from harness.journal.reader import Reader

OUTCOMES = ("submitted", "failed", "skipped", "in_flight", "missing")
"""What `Selection.outcomes` may hold. The last two mean the same: the record holds no outcome."""

_UNFINISHED = "in_flight"

Pair = tuple[str, str]
"""Job and directory host; the host is empty where the control's row has no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The words that say what a run is about; all of them must hold."""

    jobs: tuple[str, ...] = ()
    """Only these; all where empty."""
    since: datetime | None = None
    """Only what the control began at this moment or later."""
    until: datetime | None = None
    """Only what the control began before this moment."""
    outcomes: tuple[str, ...] = ()
    """Only what the control ended so, of OUTCOMES; all where empty."""
    pairs: tuple[Pair, ...] | None = None
    """Only these, all where None: what a comparison singled out."""
    sample: int | None = None
    """So many jobs, by chance; a larger sample of the same seed holds the smaller one."""
    limit: int | None = None
    """So many submissions, those among them that cannot be replayed."""
    seed: int | None = None
    """Draws the sample (0 where None), and shuffles; without it the control's order of jobs."""

    def to_payload(self) -> dict[str, Any]:
        """As an event holds it; `of_payload` reads it back."""
        pairs = self.pairs
        return {
            "jobs": list(self.jobs),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "outcomes": list(self.outcomes),
            "pairs": None
            if pairs is None
            else {"jobs": [job for job, _ in pairs], "directories": [host for _, host in pairs]},
            "sample": self.sample,
            "limit": self.limit,
            "seed": self.seed,
        }

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Selection:
        """Read what `to_payload` wrote; a word that an older event lacks was not given."""
        pairs = payload.get("pairs")
        return cls(
            jobs=tuple(payload.get("jobs") or ()),
            since=_moment(payload.get("since")),
            until=_moment(payload.get("until")),
            outcomes=tuple(payload.get("outcomes") or ()),
            pairs=None
            if pairs is None
            else tuple(zip(pairs["jobs"], pairs["directories"], strict=True)),
            sample=payload.get("sample"),
            limit=payload.get("limit"),
            seed=payload.get("seed"),
        )

    def conflict_with(self, other: Selection) -> tuple[str, object, object] | None:
        """The first word given here that `other` has otherwise: name, value here, value there."""
        nothing = Selection()
        for one in fields(self):
            here, there = getattr(self, one.name), getattr(other, one.name)
            if here != getattr(nothing, one.name) and here != there:
                return one.name, here, there
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One selected submission."""

    job_id: str
    directory: str
    began_at: datetime | None
    """When the control began it, else when its job was created, where the record tells."""

    @property
    def pair(self) -> Pair:
        """Job and directory host."""
        return self.job_id, self.directory


class Keys:
    """What is selected, once each, in the order of the run.

    Holds columns: of a large journal most keys are never looked at one by one.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        """frame: job_id, directory and began."""
        self._frame = frame

    def __len__(self) -> int:
        return self._frame.height

    def chunk(self, first: int, size: int) -> list[Key]:
        """The keys from place `first` on, at most `size`."""
        return [
            Key(
                job_id=job_id,
                directory=directory,
                began_at=began.astimezone(UTC) if began is not None else None,
            )
            for job_id, directory, began in self._frame.slice(first, size).iter_rows()
        ]

    def without(self, pairs: Iterable[Pair]) -> Keys:
        """All but these."""
        done = _frame_of(pairs)
        if done.is_empty():
            return self
        on = ["job_id", "directory"]
        return Keys(self._frame.join(done, on=on, how="anti", maintain_order="left"))

    def only(self, pairs: Iterable[Pair]) -> Keys:
        """Those of these that are selected."""
        on = ["job_id", "directory"]
        return Keys(self._frame.join(_frame_of(pairs), on=on, how="semi", maintain_order="left"))

    def by_time(self) -> Keys:
        """In the order in which the control began them; those without a time come last."""
        return Keys(self._frame.sort("began", nulls_last=True, maintain_order=True))

    def places(self, pairs: Iterable[Pair]) -> dict[Pair, int]:
        """The place of each of these that is selected."""
        on = ["job_id", "directory"]
        found = self._frame.with_row_index("place").join(_frame_of(pairs), on=on, how="semi")
        return {
            (job_id, directory): place
            for place, job_id, directory in found.select("place", *on).iter_rows()
        }

    def first_began(self) -> datetime | None:
        """The earliest time among them."""
        first = self._frame["began"].min()
        return first.astimezone(UTC) if isinstance(first, datetime) else None


def select_keys(reader: Reader, selection: Selection) -> Keys:
    """Return what these words select.

    Raises ReplayError if a word is none, a job is not in the record, the record has no submission
    of the control at all, or the words leave none.
    """
    _check(selection)
    queries = sql_queries("views/select_replayable.sql")
    if selection.jobs:
        known = {job_id for (job_id,) in reader.rows(queries["select_recorded_jobs"])}
        if unknown := sorted(set(selection.jobs) - known):
            raise ReplayError(
                f"jobs = {', '.join(unknown)}: the journal holds no submission of the control "
                "for it. Give ids of recorded jobs."
            )
    outcomes = {_UNFINISHED if word == "missing" else word for word in selection.outcomes}
    frame = reader.frame(
        queries["select_recorded"],
        outcomes=sorted(outcomes),
        since=selection.since,
        until=selection.until,
    )
    if selection.jobs:
        frame = frame.filter(pl.col("job_id").is_in(list(selection.jobs)))
    if selection.pairs is not None:
        on = ["job_id", "directory"]
        frame = frame.join(_frame_of(selection.pairs), on=on, how="semi", maintain_order="left")
    if frame.is_empty():
        raise _nothing(reader, selection)
    if selection.sample is not None:
        jobs = _sample(frame["job_id"].unique(), selection.sample, seed=selection.seed or 0)
        frame = frame.filter(pl.col("job_id").is_in(jobs))
    if selection.seed is not None:
        places = list(range(frame.height))
        Random(selection.seed).shuffle(places)
        frame = frame[places[: selection.limit]]
    return Keys(frame.head(selection.limit) if selection.limit else frame)


def _nothing(reader: Reader, selection: Selection) -> ReplayError:
    query = sql_queries("views/select_replayable.sql")["select_recorded_jobs"]
    if not reader.rows(query):
        return ReplayError(
            "The journal holds no submission of the control. Record production first: shadow record"
        )
    return ReplayError(
        f"{_words(selection)}: no recorded submission of the control is so. "
        "Leave one of these out, or give another."
    )


def _frame_of(pairs: Iterable[Pair]) -> pl.DataFrame:
    columns = {"job_id": pl.String, "directory": pl.String}
    return pl.DataFrame(list(pairs), schema=columns, orient="row").unique()


def _check(selection: Selection) -> None:
    for name in ("limit", "sample"):
        value = getattr(selection, name)
        if value is not None and value < 1:
            raise ReplayError(f"{name} = {value}: give at least 1.")
    if unknown := [word for word in selection.outcomes if word not in OUTCOMES]:
        raise ReplayError(f"outcome = {unknown[0]} is no outcome. Give one of {_list(OUTCOMES)}.")
    since, until = selection.since, selection.until
    if since is not None and until is not None and until <= since:
        raise ReplayError(
            f"until = {until.isoformat()} is not after since = {since.isoformat()}. "
            "Give a later one."
        )


def _sample(jobs: Iterable[str], size: int, *, seed: int) -> list[str]:
    """The jobs with the lowest hashes: each job is as likely, and a larger size only adds."""

    def place(job_id: str) -> bytes:
        return hashlib.blake2b(f"{seed}:{job_id}".encode(), digest_size=8).digest()

    return sorted(jobs, key=place)[:size]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _words(selection: Selection) -> str:
    """What was given, as a person would write it."""
    told = []
    for name, value in selection.to_payload().items():
        if name == "pairs" and value is not None:
            told.append(f"{len(value['jobs'])} pairs of the comparison")
        elif isinstance(value, list) and value:
            told.append(f"{name} = {','.join(value[:3])}{' …' if len(value) > 3 else ''}")
        elif value not in (None, [], {}) and name not in ("sample", "limit", "seed"):
            told.append(f"{name} = {value}")
    return ", ".join(told)


def _list(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
