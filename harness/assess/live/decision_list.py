"""The decision list of one group of differences, kept while they come and go. Pure.

`harness.compare.descriptions` finds such a list by searching it: the description that saves most
takes its differences, and the search goes on with the rest. Which description saves most depends on
counts alone. So each place of the list keeps the counts of what is left there, and after a change
asks them once more. Where every place would choose as it did, the list is what a search would find,
and nothing is searched; from the first place that would choose otherwise, it is.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import count
from math import prod
from typing import Any

import numpy as np

from harness.assess.live.counts import Counts, Features
from harness.compare.descriptions import (
    FEATURES,
    JOB,
    LEAST,
    MOST_PRODUCT,
    STEP,
    Best,
    Candidates,
    FloatArray,
    IntArray,
    about_place,
    best_of,
    combinations,
    counts_jobs,
    naming_bits,
    scores,
)

_PLACE_OF = {name: place for place, name in enumerate((*FEATURES, JOB))}
_STEP = _PLACE_OF[STEP]
_JOB = _PLACE_OF[JOB]
_SHIFT = 32
"""A combination of two codes is one number: the first code shifted by so many bits, the second."""

Order = tuple[bool, datetime, str, str]
"""Whether the creation of the job is unknown, its time, job and directory."""


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """One difference. codes: of `FEATURES` and of its job, in this order; 0 for no value."""

    job_id: str
    directory: str
    codes: tuple[int, ...]
    order: Order
    seen_at: datetime | None
    home: Members = field(init=False)


_numbers = count()


class Members:
    """The differences that have one description, and what is told of them."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.number = next(_numbers)
        self.rows: dict[Order, Row] = {}
        self.jobs: Counter[str] = Counter()
        self.directories: Counter[str] = Counter()
        self.steps: Counter[int] = Counter()
        for row in rows:
            self._count(row)
        self._order = sorted(self.rows)
        self._seen = sorted(row.seen_at for row in self.rows.values() if row.seen_at is not None)

    def add(self, row: Row) -> None:
        """Take a difference."""
        self._count(row)
        insort(self._order, row.order)
        if row.seen_at is not None:
            insort(self._seen, row.seen_at)

    def remove(self, row: Row) -> None:
        """Give it back."""
        del self.rows[row.order]
        del self._order[bisect_left(self._order, row.order)]
        if row.seen_at is not None:
            del self._seen[bisect_left(self._seen, row.seen_at)]
        for counts, what in self._counted(row):
            counts[what] -= 1
            if not counts[what]:
                del counts[what]

    def first(self, some: int) -> list[Row]:
        """Those of the jobs that were created first."""
        return [self.rows[order] for order in self._order[:some]]

    @property
    def seen(self) -> tuple[datetime | None, datetime | None]:
        """When the first and the last of them happened."""
        return (self._seen[0], self._seen[-1]) if self._seen else (None, None)

    def _count(self, row: Row) -> None:
        row.home = self
        self.rows[row.order] = row
        for counts, what in self._counted(row):
            counts[what] += 1

    def _counted(self, row: Row) -> tuple[tuple[Counter[Any], str | int], ...]:
        return (
            (self.jobs, row.job_id),
            (self.directories, row.directory),
            (self.steps, row.codes[_STEP]),
        )


class _Cases:
    """How many cases have each combination of values of some features; which have enough."""

    __slots__ = ("counts", "enough", "first", "second")

    def __init__(self, features: Features) -> None:
        self.first = _PLACE_OF[features[0]]
        self.second = _PLACE_OF[features[1]] if len(features) > 1 else None
        self.counts: dict[int, int] = {}
        self.enough: set[int] = set()

    def fill(self, codes: IntArray) -> None:
        """Count many at once. codes: one row a case."""
        keys = codes[:, self.first]
        named = keys > 0
        if self.second is not None:
            named &= codes[:, self.second] > 0
            keys = (keys << _SHIFT) + codes[:, self.second]
        distinct, cases = np.unique(keys[named], return_counts=True)
        self.counts = dict(zip(distinct.tolist(), cases.tolist(), strict=True))
        self.enough = set(distinct[cases >= LEAST].tolist())

    def add(self, codes: Sequence[int], times: int) -> None:
        """Count one case more or less; one that lacks a value is none."""
        key = codes[self.first]
        if not key:
            return
        if self.second is not None:
            if not codes[self.second]:
                return
            key = (key << _SHIFT) + codes[self.second]
        cases = self.counts.get(key, 0) + times
        if cases:
            self.counts[key] = cases
        else:
            del self.counts[key]
        if cases >= LEAST:
            self.enough.add(key)
        else:
            self.enough.discard(key)

    def found(self) -> tuple[IntArray, tuple[IntArray, ...]]:
        """How many cases, and the codes, of each combination that has enough."""
        keys = np.fromiter(self.enough, dtype=np.int64, count=len(self.enough))
        cases = np.array([self.counts[key] for key in self.enough], dtype=np.int64)
        if self.second is None:
            return cases, (keys,)
        return cases, (keys >> _SHIFT, keys & ((1 << _SHIFT) - 1))


@dataclass(slots=True, kw_only=True, eq=False)
class Universe:
    """All compared cells of one field of one mode, counted.

    stages: cells by how far their job got. steps: differences by step.
    """

    cells: Counts
    jobs: Counts
    stages: defaultdict[str, Counts]
    steps: Counter[int] = field(default_factory=Counter)

    def values(self, feature: str) -> int:
        """How many values of a feature there are."""
        if feature == STEP:
            return len(self.steps) - (0 in self.steps)
        return self.cells.values(feature)


@cache
def _kinds_of_cases(whole_jobs: bool) -> tuple[tuple[Features, bool, bool], ...]:
    """The combinations, whether jobs are counted, and whether a step is among the features."""
    return tuple(
        (features, counts_jobs(features), STEP in features)
        for features in combinations(whole_jobs=whole_jobs)
    )


class _Place:
    """One place of a decision list: the counts of what is left there, and what it chooses."""

    def __init__(self, rows: Sequence[Row], *, whole_jobs: bool) -> None:
        self.best: Best | None = None
        self.members = Members()
        self._kinds = _kinds_of_cases(whole_jobs)
        self._size = len(rows)
        codes = np.array([row.codes for row in rows], dtype=np.int64).reshape(-1, _JOB + 1)
        jobs, steps = codes[:, _JOB], codes[:, _STEP]
        one_a_job = np.unique(jobs, return_index=True)[1]
        one_a_step = np.unique((jobs << _SHIFT) + steps, return_index=True)[1]
        self._jobs: Counter[int] = Counter(jobs.tolist())
        self._jobs_and_steps: Counter[tuple[int, int]] = Counter(
            zip(jobs.tolist(), steps.tolist(), strict=True)
        )
        self._steps: Counter[int] = Counter(steps.tolist())
        self._steps_of_jobs: Counter[int] = Counter(steps[one_a_step].tolist())
        self._cases: dict[Features, _Cases] = {}
        for features, by_job, stepped in self._kinds:
            cases = self._cases[features] = _Cases(features)
            of = (one_a_step if stepped else one_a_job) if by_job else slice(None)
            cases.fill(codes[of])

    def takes(self, row: Row) -> bool:
        """Whether its description is true of a difference; the last place takes everything."""
        best = self.best
        return best is None or all(
            row.codes[_PLACE_OF[name]] == code
            for name, code in zip(best.features, best.codes, strict=True)
        )

    def count(self, row: Row, times: int) -> None:
        """One difference more or less is left here."""
        job, step = row.codes[_JOB], row.codes[_STEP]
        self._size += times
        _bump(self._steps, step, times)
        new_job = _bump(self._jobs, job, times)
        new_step = _bump(self._jobs_and_steps, (job, step), times)
        if new_step:
            _bump(self._steps_of_jobs, step, times)
        for features, by_job, stepped in self._kinds:
            if not by_job or (new_step if stepped else new_job):
                self._cases[features].add(row.codes, times)

    def candidates(self, universe: Universe) -> list[Candidates]:
        """What might describe differences that are left here."""
        return [
            self._candidates(universe, features, by_job=by_job, stepped=stepped)
            for features, by_job, stepped in self._kinds
            if self._cases[features].enough
            and prod(universe.values(name) + 1 for name in features) <= MOST_PRODUCT
        ]

    def _candidates(
        self, universe: Universe, features: Features, *, by_job: bool, stepped: bool
    ) -> Candidates:
        k, codes = self._cases[features].found()
        everything = len(self._jobs) if by_job else self._size
        places = about_place(features)
        counts = universe.jobs if by_job else universe.cells
        n = counts.of(places, codes[: len(places)]) if places else np.full(k.size, counts.total)
        of_step = np.full(k.size, everything)
        if stepped:
            steps = self._steps_of_jobs if by_job else self._steps
            of_step = np.array([steps[step] for step in codes[-1].tolist()], dtype=np.int64)
        return Candidates(
            features=features, codes=codes, k=k, n=n, of_step=of_step, everything=everything,
            total=counts.total,
            bits=naming_bits(features, {name: universe.values(name) for name in features}),
        )  # fmt: skip


def _bump(counts: Counter[Any], what: int | tuple[int, int], times: int) -> bool:
    """Count one thing more or less; whether it is the first, or was the last."""
    counts[what] += times
    if not counts[what]:
        del counts[what]
        return True
    return times > 0 and counts[what] == 1


class DecisionList:
    """Descriptions of the differences of one kind and cause, in the order in which they take them.

    name: the text of a feature's code.
    """

    def __init__(
        self, universe: Universe, *, whole_jobs: bool, name: Callable[[str, int], str]
    ) -> None:
        self.universe = universe
        self._whole_jobs = whole_jobs
        self._name = name
        self._places = [_Place((), whole_jobs=whole_jobs)]

    def add(self, row: Row) -> None:
        """One difference more, with the first description that is true of it."""
        for place in self._places:
            place.count(row, 1)
            if place.takes(row):
                place.members.add(row)
                return

    def remove(self, row: Row) -> None:
        """One difference less."""
        for place in self._places:
            place.count(row, -1)
            if place.members is row.home:
                place.members.remove(row)
                return

    def described(self) -> list[tuple[Best | None, Members]]:
        """Every description that has a difference; None stands for no term about where."""
        return [(place.best, place.members) for place in self._places if place.members.rows]

    def candidates(self) -> list[list[Candidates]]:
        """What might describe the differences that are left at each place."""
        return [place.candidates(self.universe) for place in self._places]

    def check(
        self, candidates: Sequence[Sequence[Candidates]], saved: Sequence[FloatArray]
    ) -> list[Row]:
        """Search again from the first place that would choose otherwise.

        candidates, saved: of each place, what `candidates` gave and its `scores`. Returns the
        differences that may have another description now.
        """
        for number, place in enumerate(self._places):
            best = best_of(candidates[number], saved[number], self._name)
            if not _same(best, place.best):
                rows = [row for p in self._places[number:] for row in p.members.rows.values()]
                self._places[number:] = self._search(rows)
                return rows
        return []

    def _search(self, rows: Sequence[Row]) -> list[_Place]:
        places = []
        while True:
            place = _Place(rows, whole_jobs=self._whole_jobs)
            places.append(place)
            candidates = place.candidates(self.universe)
            place.best = best_of(candidates, scores(candidates), self._name)
            place.members = Members(row for row in rows if place.takes(row))
            if place.best is None:
                return places
            rows = [row for row in rows if not place.takes(row)]


def _same(one: Best | None, other: Best | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.features, one.codes) == (other.features, other.codes)
