"""Clusters of a journal that grows, brought up to date by the jobs that changed. Pure.

They are those that `find_clusters` finds in the whole comparison. What it counts in all compared
cells is kept as counts by combination of values; what it searches, as decision lists that are
searched again only from where they would choose otherwise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.assess.live.counts import Counts, Vocabulary
from harness.assess.live.decision_list import DecisionList, Members, Row, Universe
from harness.assess.live.features import settled_pairs, with_causes, with_features
from harness.assessment import Cluster
from harness.compare.clusters import (
    EXAMPLES,
    KEYS,
    SHARED,
    Described,
    cluster_id,
    description_base,
    of_whole_jobs,
    rank_clusters,
)
from harness.compare.comparison import Comparison, difference_id, numbered_cells_of
from harness.compare.descriptions import (
    CELL_FEATURES,
    FEATURES,
    JOB,
    JOB_FEATURES,
    STEP,
    Best,
    IntArray,
    Term,
    about_place,
    combinations,
    scores,
)
from harness.compare.kinds import LATENCY

_UNKNOWN = datetime.fromtimestamp(0, UTC)
_OF_CELLS = (*CELL_FEATURES, *JOB_FEATURES)
_BY_CELL = sorted(
    {about_place(features) for features in combinations(whole_jobs=False)} - {()}
)  # fmt: skip
_BY_JOB = combinations(whole_jobs=True)
_COLUMNS = ("universe", "stage", *_OF_CELLS)
"""Of the codes that are kept of every compared cell."""

Group = tuple[str, str, str, str | None]
"""Mode, kind, field and cause."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    """What is kept of a job. cells: codes by `_COLUMNS`; differences: each with its group."""

    cells: npt.NDArray[np.int32]
    differences: list[tuple[Group, Row]] = field(default_factory=list)
    settled: dict[str, int] = field(default_factory=dict)
    """By mode."""
    disagreeing: list[tuple[str, str]] = field(default_factory=list)
    """Mode and directory."""
    charges: list[tuple[frozenset[int], int]] = field(default_factory=list)


class LiveClusters:
    """Clusters of everything that `replace` was given."""

    def __init__(self) -> None:
        self._vocabularies: defaultdict[str, Vocabulary] = defaultdict(Vocabulary)
        self._universes: dict[int, Universe] = {}
        self._lists: dict[Group, DecisionList] = {}
        self._jobs: dict[str, _Job] = {}
        self._settled: Counter[str] = Counter()
        self._charges: Counter[tuple[frozenset[int], int]] = Counter()
        self._uncharged: set[str] = set()
        self._found: tuple[Cluster, ...] | None = None

    def replace(self, jobs: Collection[str], comparison: Comparison) -> None:
        """Forget these jobs; `comparison` is theirs from now on. Costs what they cost."""
        self._forget([job for job in jobs if job in self._jobs])
        pairs = comparison.pairs
        compared = pairs.filter(pairs["excluded_by"].is_null())
        cells = with_features(numbered_cells_of(compared, comparison.rules), compared)
        self._add_cells(cells)
        self._add_differences(cells.filter(cells["differs"]), compared)
        self._add_settled(settled_pairs(pairs))
        self._found = None

    def clusters(self) -> tuple[Cluster, ...]:
        """As `find_clusters` ranks them."""
        if self._found is None:
            self._check()
            self._charge()
            self._found = self._ranked()
        return self._found

    def members(self) -> pl.DataFrame:
        """As `Clustering.members`, in no order; costs what all differences cost."""
        self.clusters()
        rows = [
            (mode, row.job_id, row.directory, of_field, cluster_id(self._terms(group, best)))
            for group, decisions in self._lists.items()
            for mode, _, of_field, _ in [group]
            for best, members in decisions.described()
            for row in members.rows.values()
        ]
        return pl.DataFrame(
            rows, schema=dict.fromkeys((*KEYS, "cluster"), pl.String), orient="row"
        )  # fmt: skip

    def _add_cells(self, cells: pl.DataFrame) -> None:
        if cells.is_empty():
            return
        universes = cells["mode"] + "\x1f" + cells["field"]
        texts = {**cells.to_dict(), "universe": universes, "stage": cells["job_stage"]}
        codes = np.column_stack([self._encode(name, texts[name]) for name in _COLUMNS])
        jobs = Vocabulary()
        owners = jobs.encode(cells["job_id"])
        self._count(codes, owners, 1)
        by_job = codes[np.argsort(owners, kind="stable")].astype(np.int32)
        ends = np.cumsum(np.bincount(owners)[1:])
        for job, of_job in zip(jobs.texts, np.split(by_job, ends[:-1]), strict=True):
            # A copy, or the cells of all jobs would be kept as long as those of one.
            self._jobs[job] = _Job(cells=of_job.copy())

    def _count(self, codes: IntArray, owners: IntArray, times: int) -> None:
        """Count cells more or less often. owners: a number for the job of each."""
        of_universe, of_stage = codes[:, 0], codes[:, 1]
        for number in np.unique(of_universe).tolist():
            here = np.flatnonzero(of_universe == number)
            universe = self._universe(number)
            universe.cells.add(self._by_feature(codes[here], _OF_CELLS), times)
            one_a_job = here[np.unique(owners[here], return_index=True)[1]]
            universe.jobs.add(self._by_feature(codes[one_a_job], JOB_FEATURES), times)
            for stage in np.unique(of_stage[here]).tolist():
                there = here[of_stage[here] == stage]
                counts = universe.stages[self._vocabularies["stage"].text(stage)]
                counts.add(self._by_feature(codes[there], JOB_FEATURES), times)

    def _add_differences(self, cells: pl.DataFrame, pairs: pl.DataFrame) -> None:
        if cells.is_empty():
            return
        differing = with_causes(cells, pairs)
        codes = np.column_stack([self._encode(name, differing[name]) for name in (*FEATURES, JOB)])
        columns = ("mode", "kind", "field", "cause", "job_id", "directory", "created_at", "seen_at")
        for values, of in zip(differing.select(columns).iter_rows(), codes.tolist(), strict=True):
            mode, kind, name, cause, job, directory, created_at, seen_at = values
            group: Group = (mode, kind, name, cause)
            row = Row(
                job_id=job,
                directory=directory,
                codes=tuple(of),
                order=(created_at is None, created_at or _UNKNOWN, job, directory),
                seen_at=seen_at,
            )
            decisions = self._list(group)
            decisions.universe.steps[of[FEATURES.index(STEP)]] += 1
            decisions.add(row)
            self._jobs[job].differences.append((group, row))

    def _add_settled(self, settled: pl.DataFrame) -> None:
        for mode, job, directory, agrees in settled.iter_rows():
            if job not in self._jobs:
                self._jobs[job] = _Job(cells=np.zeros((0, len(_COLUMNS)), dtype=np.int32))
            kept = self._jobs[job]
            if mode not in kept.settled:
                kept.settled[mode] = 0
                self._settled[mode] += 1
            kept.settled[mode] += 1
            if not agrees:
                kept.disagreeing.append((mode, directory))
                self._uncharged.add(job)

    def _forget(self, jobs: Sequence[str]) -> None:
        if not jobs:
            return
        kept = [self._jobs.pop(job) for job in jobs]
        codes = np.concatenate([one.cells for one in kept]).astype(np.int64)
        self._count(codes, np.repeat(np.arange(len(kept)), [len(one.cells) for one in kept]), -1)
        for one in kept:
            self._take_back(one)
            for group, row in one.differences:
                decisions = self._list(group)
                steps, step = decisions.universe.steps, row.codes[FEATURES.index(STEP)]
                steps[step] -= 1
                if not steps[step]:
                    del steps[step]
                decisions.remove(row)
            for mode in one.settled:
                self._settled[mode] -= 1
        self._uncharged.difference_update(jobs)

    def _check(self) -> None:
        """Ask every decision list whether it still holds."""
        for group in [group for group, found in self._lists.items() if not found.described()]:
            del self._lists[group]
        lists = list(self._lists.values())
        asked = [decisions.candidates() for decisions in lists]
        flat = [some for places in asked for candidates in places for some in candidates]
        saved, first = scores(flat), 0
        for decisions, places in zip(lists, asked, strict=True):
            of_places = []
            for candidates in places:
                size = sum(some.k.size for some in candidates)
                of_places.append(saved[first : first + size])
                first += size
            for row in decisions.check(places, of_places):
                self._uncharged.add(row.job_id)

    def _charge(self) -> None:
        """Tell of the disagreeing pairs of jobs that changed which descriptions hold them."""
        for job in self._uncharged:
            one = self._jobs[job]
            self._take_back(one)
            holders: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
            for (mode, _, name, _), row in one.differences:
                if name != LATENCY:
                    holders[mode, row.directory].add(row.home.number)
            for pair in one.disagreeing:
                if pair in holders:
                    charge = frozenset(holders[pair]), one.settled[pair[0]]
                    self._charges[charge] += 1
                    one.charges.append(charge)
        self._uncharged.clear()

    def _take_back(self, one: _Job) -> None:
        for charge in one.charges:
            self._charges[charge] -= 1
            if not self._charges[charge]:
                del self._charges[charge]
        one.charges = []

    def _ranked(self) -> tuple[Cluster, ...]:
        described: list[Described] = []
        at: dict[int, int] = {}
        for group, decisions in self._lists.items():
            for best, members in decisions.described():
                at[members.number] = len(described)
                described.append(self._described(group, decisions.universe, best, members))
        charges = {
            (frozenset(at[number] for number in holders), n): pairs
            for (holders, n), pairs in self._charges.items()
        }
        return rank_clusters(described, charges, self._settled)

    def _described(
        self, group: Group, universe: Universe, best: Best | None, members: Members
    ) -> Described:
        mode, kind, name, cause = group
        terms = self._terms(group, best)
        size = len(members.rows)
        first_seen, last_seen = (at and at.astimezone(UTC) for at in members.seen)
        job = next(iter(members.jobs)) if len(members.jobs) == 1 else None
        counts = universe.stages[cause or ""] if of_whole_jobs(kind, cause) else universe.cells
        return Described(
            terms=terms,
            size=size,
            compared=_matching(counts, best),
            jobs=len(members.jobs),
            directories=len(members.directories),
            first_seen=first_seen,
            last_seen=last_seen,
            shared=dict(self._shared(members, {term for term, _ in terms})),
            of_job=None if job is None else self._cells_of(job, mode, name),
            examples=tuple(
                difference_id(mode, row.job_id, row.directory, name)
                for row in members.first(EXAMPLES)
            ),
        )

    def _shared(self, members: Members, told: set[str]) -> Iterator[Term]:
        """What all of them have in common besides their description."""
        steps = self._vocabularies[STEP]
        of: dict[str, Sequence[str | None]] = {
            STEP: [steps.text(code) if code else None for code in members.steps],
            "directory": list(members.directories),
            JOB: list(members.jobs),
        }
        for name in SHARED:
            value = of[name][0]
            if name not in told and len(of[name]) == 1 and value is not None:
                yield name, value

    def _cells_of(self, job: str, mode: str, name: str) -> int:
        (number,) = self._encode("universe", pl.Series([f"{mode}\x1f{name}"]))
        return int(np.count_nonzero(self._jobs[job].cells[:, 0] == number))

    def _terms(self, group: Group, best: Best | None) -> tuple[Term, ...]:
        mode, kind, name, cause = group
        where = best.terms if best else ()
        return tuple(sorted((*description_base(mode, kind, name, cause), *where)))

    def _list(self, group: Group) -> DecisionList:
        if group not in self._lists:
            mode, kind, name, cause = group
            (number,) = self._encode("universe", pl.Series([f"{mode}\x1f{name}"]))
            self._lists[group] = DecisionList(
                self._universe(int(number)),
                whole_jobs=of_whole_jobs(kind, cause),
                name=self._text,
            )
        return self._lists[group]

    def _universe(self, number: int) -> Universe:
        if number not in self._universes:
            self._universes[number] = Universe(
                cells=Counts(_BY_CELL),
                jobs=Counts(_BY_JOB),
                stages=defaultdict(partial(Counts, _BY_JOB)),
            )
        return self._universes[number]

    def _text(self, feature: str, code: int) -> str:
        return self._vocabularies[feature].text(code)

    def _encode(self, name: str, texts: pl.Series) -> IntArray:
        return self._vocabularies[name].encode(texts)

    def _by_feature(self, codes: IntArray, names: Sequence[str]) -> dict[str, IntArray]:
        return {name: codes[:, _COLUMNS.index(name)] for name in names}


def _matching(counts: Counts, best: Best | None) -> int:
    """Compared cells that match what a description says of the place."""
    places = about_place(best.features) if best else ()
    if best is None or not places:
        return counts.total
    codes = tuple(np.array([code]) for code in best.codes[: len(places)])
    return int(counts.of(places, codes)[0])
