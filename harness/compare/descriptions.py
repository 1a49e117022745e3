"""Finds short descriptions that cover many differences and few agreements. Pure, deterministic.

A greedy decision list after the principle of minimum description length. Of a group of K
differences among N compared cells, a description that n compared cells match, k of them among the
differences, saves

    n · KL(k/n ‖ K'/N)  +  (N - n) · KL((K' - k)/(N - n) ‖ K'/N)  +  k · log2(K/K')      bits

(KL in bits): the first two parts because it tells where the differences are and where they are not,
the third because it tells which of them they are. K' is K, or with a term about the failing step
the differences at that step. It costs, in bits,

    Σ over its terms (log2(features) + log2(values of the feature))  +  log2(n + 1)

The description that saves most after its cost takes its differences away; the search goes on with
the rest until none saves anything. What then remains is described by its group alone.

Terms about the place must also be worth reading: at least half of what matches them differs so, or
at least PRECISION of it and LIFT times as large a share as elsewhere.

Several directories of one job share package, priority and hour, so terms about nothing but the job
are judged by counting jobs, not cells: one unlucky job of twelve directories is one case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int32]
"""Codes: those of two features together stay below MOST_PRODUCT."""
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Term = tuple[str, str]

PRECISION = 0.2
"""Least share that differs among what matches terms about the place."""
LIFT = 4.0
"""Below one half, the share that differs must be this many times that of elsewhere."""
LEAST = 3
"""Fewer cases are not described by a term of their own."""
MOST_PRODUCT = 4_000_000
"""Pairs of features with more combinations of values than this are not looked at together."""

STEP = "step"
JOB = "job"
RULES = "rules"
CELL_FEATURES = ("directory", "archetype", RULES)
JOB_FEATURES = ("package", "priority", "hour")
FEATURES = (*CELL_FEATURES, *JOB_FEATURES, STEP)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Universe:
    """All compared cells of one field of one mode, as codes.

    codes: per feature but `step`, and of the job, one code a cell, shape (n,); 0 for no value.
    names: per feature its values, sorted; code c is ``names[feature][c - 1]``.
    bare: the same cells where no rule touched any; what has been counted there is not again.
    """

    codes: Mapping[str, CodeArray]
    names: Mapping[str, Sequence[str]]
    bare: Universe | None = None
    _counts: dict[tuple[bool, tuple[str, ...]], IntArray] = field(default_factory=dict)
    _one_a_job: list[IntArray] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Compared cells."""
        return int(self.codes[JOB].size)

    def jobs(self) -> IntArray:
        """Position of the first cell of each job."""
        if self.bare is not None:
            return self.bare.jobs()
        if not self._one_a_job:
            first = np.full(int(self.codes[JOB].max(initial=0)) + 1, -1)
            # Of several assignments to one place the last one stays.
            first[self.codes[JOB][::-1]] = np.arange(self.size)[::-1]
            self._one_a_job.append(first[first >= 0])
        return self._one_a_job[0]

    def name(self, feature: str, code: int) -> str:
        """The text of a code."""
        return self.names[feature][code - 1]

    def width(self, name: str) -> int:
        """Codes that the feature has, 0 included."""
        return len(self.names[name]) + 1

    def counts(self, features: tuple[str, ...], *, by_job: bool) -> IntArray:
        """Cells (or jobs) of each combination of values, flat; one entry where no feature is."""
        if self.bare is not None and RULES not in features:
            return self.bare.counts(features, by_job=by_job)
        key = by_job, features
        if key not in self._counts:
            where = self.jobs() if by_job else slice(None)
            size = self.jobs().size if by_job else self.size
            self._counts[key] = (
                np.bincount(
                    _flat([self.codes[name][where] for name in features], self._widths(features)),
                    minlength=math.prod(self._widths(features)),
                )
                if features
                else np.array([size], dtype=np.int64)
            )
        return self._counts[key]

    def _widths(self, features: Sequence[str]) -> list[int]:
        return [self.width(name) for name in features]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """Differences with one description."""

    terms: tuple[Term, ...]
    """Sorted; none for what only the group describes."""
    members: IntArray
    """Positions in the universe."""
    matched: BoolArray
    """Which cells of the universe match the terms about the place, agreeing ones too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Combinations of values of some features, each with enough cases to be a description.

    codes: per feature one code a candidate, never 0. k: differences (or jobs of them) with these
    values. n: compared cells (or jobs) with those of them that are about the place. of_step:
    differences at the step of each, or all of them. everything: all differences. total: all
    compared cells (or jobs). bits: what it costs to name such a combination.
    """

    features: tuple[str, ...]
    codes: tuple[IntArray, ...]
    k: IntArray
    n: IntArray
    of_step: IntArray
    everything: int
    total: int
    bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The description that saves most."""

    saved: float
    features: tuple[str, ...]
    codes: tuple[int, ...]
    terms: tuple[Term, ...]
    """Sorted."""


def describe(
    universe: Universe, members: IntArray, steps: IntArray, *, whole_jobs: bool
) -> tuple[Described, ...]:
    """Part `members` into described sets; each is in exactly one, none is empty.

    members: positions in the universe, ascending. steps: their codes of `step`, 0 for none.
    whole_jobs: these differences come a job at a time, so only what tells jobs apart can describe
    them.
    """
    found: list[Described] = []
    left = np.arange(members.size)
    while left.size:
        rest = _Rest.of(universe, members[left], steps[left])
        candidates = [
            some for features in combinations(whole_jobs=whole_jobs)
            if (some := _candidates(rest, features)) is not None
        ]  # fmt: skip
        best = best_of(candidates, scores(candidates), universe.name)
        if best is None:
            break
        inside = np.ones(left.size, dtype=bool)
        for name, code in zip(best.features, best.codes, strict=True):
            inside &= rest.codes(name) == code
        found.append(_described(universe, best, members[left[inside]]))
        left = left[~inside]
    if left.size:
        everywhere = np.ones(universe.size, dtype=bool)
        found.append(Described(terms=(), members=members[left], matched=everywhere))
    return tuple(found)


def _described(universe: Universe, best: Best, members: IntArray) -> Described:
    matched = np.ones(universe.size, dtype=bool)
    for name, code in zip(best.features, best.codes, strict=True):
        if name != STEP:
            matched &= universe.codes[name] == code
    return Described(terms=best.terms, members=members, matched=matched)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rest:
    """The differences that have no description yet, and the jobs that they belong to."""

    universe: Universe
    members: IntArray
    steps: IntArray
    one_a_job: IntArray
    """Place in `members` of one difference for each job."""
    one_a_step: IntArray
    """Place of one for each job and step."""

    @classmethod
    def of(cls, universe: Universe, members: IntArray, steps: IntArray) -> _Rest:
        jobs = universe.codes[JOB][members].astype(np.int64)
        return cls(
            universe=universe,
            members=members,
            steps=steps,
            one_a_job=np.unique(jobs, return_index=True)[1],
            one_a_step=np.unique(jobs * universe.width(STEP) + steps, return_index=True)[1],
        )

    def codes(self, name: str) -> IntArray | CodeArray:
        """The code of each difference."""
        return self.steps if name == STEP else self.universe.codes[name][self.members]


def combinations(*, whole_jobs: bool) -> list[tuple[str, ...]]:
    """Single features, then two together; `step` is always the last of a combination."""
    if whole_jobs:
        return [(name,) for name in JOB_FEATURES] + [("package", "hour"), ("priority", "hour")]
    singles = [*CELL_FEATURES, *JOB_FEATURES]
    mixed = [
        (place, name) for place in ("directory", "archetype") for name in (*JOB_FEATURES, RULES)
    ]
    return [
        *[(name,) for name in (*singles, STEP)],
        *mixed, ("package", "hour"), ("priority", "hour"),
        *[(name, STEP) for name in singles],
    ]  # fmt: skip


def about_place(features: Sequence[str]) -> tuple[str, ...]:
    """The features that compared cells have too, not only differences."""
    return tuple(name for name in features if name != STEP)


def counts_jobs(features: Sequence[str]) -> bool:
    """Whether a description by these features is judged by counting jobs."""
    places = about_place(features)
    return bool(places) and all(name in JOB_FEATURES for name in places)


def naming_bits(features: Sequence[str], values: Mapping[str, int]) -> float:
    """What a description by these features costs. values: how many each feature has."""
    return sum(math.log2(len(FEATURES)) + math.log2(values[name] or 1) for name in features)


def _candidates(rest: _Rest, features: tuple[str, ...]) -> Candidates | None:
    """Those of these features; None where they have no value, or too many combinations of them."""
    universe = rest.universe
    places = about_place(features)
    widths = [universe.width(name) for name in features]
    if math.prod(widths) > MOST_PRODUCT or min(widths) == 1:
        return None
    by_job = counts_jobs(features)
    codes = [rest.codes(name) for name in features]
    everything = rest.one_a_job.size if by_job else rest.members.size
    if by_job:
        cases = rest.one_a_step if STEP in features else rest.one_a_job
        codes = [code[cases] for code in codes]
    k = np.bincount(_flat(codes, widths), minlength=math.prod(widths))
    at = np.flatnonzero(k >= LEAST)
    found = np.unravel_index(at, widths)
    # Code 0 is no value; nothing is described by what it has not.
    named = np.all([code > 0 for code in found], axis=0)
    at, of = at[named], tuple(code[named] for code in found)
    total = int(universe.counts((), by_job=by_job)[0])
    n = np.full(at.size, total)
    if places:
        n = universe.counts(places, by_job=by_job)[_flat(of[: len(places)], widths[: len(places)])]
    of_step = np.full(at.size, everything)
    if STEP in features:
        of_step = np.bincount(codes[-1], minlength=widths[-1])[of[-1]]
    return Candidates(
        features=features, codes=of, k=k[at], n=n, of_step=of_step, everything=everything,
        total=total,
        bits=naming_bits(features, {name: len(universe.names[name]) for name in features}),
    )  # fmt: skip


def scores(candidates: Sequence[Candidates]) -> FloatArray:
    """Bits that each candidate saves after its cost, those of one set after those of another.

    Minus infinity for one that is not worth reading.
    """
    if not candidates:
        return np.zeros(0)
    sizes = [some.k.size for some in candidates]

    def each(values: Sequence[float]) -> FloatArray:
        return np.repeat(np.array(values, dtype=np.float64), sizes)

    k, n, of_step = (
        np.concatenate([getattr(some, name) for some in candidates]).astype(np.float64)
        for name in ("k", "n", "of_step")
    )
    total, everything = (
        each([getattr(some, name) for some in candidates]) for name in ("total", "everything")
    )
    placed = each([bool(about_place(some.features)) for some in candidates]) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = of_step / total
        rate, elsewhere = k / n, np.nan_to_num((of_step - k) / (total - n))
        telling = (rate > usual) & (rate >= np.clip(LIFT * elsewhere, PRECISION, 0.5))
        where = np.where(
            telling, _parted(k, n, usual) + _parted(of_step - k, total - n, usual), 0.0
        )
        which = np.log2(everything / of_step)
        saved: FloatArray = where + k * which - np.log2(n + 1)
    saved[~telling & placed] = -np.inf
    saved[~np.isfinite(saved)] = -np.inf
    saved -= each([some.bits for some in candidates])
    return saved


def best_of(
    candidates: Sequence[Candidates], saved: FloatArray, name: Callable[[str, int], str]
) -> Best | None:
    """The candidate that saves most; of several, the shorter one, then the first by its text.

    saved: their `scores`. name: the text of a feature's code. None where none saves anything.
    """
    rounded = np.round(saved, 6)
    top = float(rounded.max(initial=-np.inf))
    if top <= 0:
        return None
    found: list[Best] = []
    first = 0
    for some in candidates:
        for at in np.flatnonzero(rounded[first : first + some.k.size] >= top):
            codes = tuple(int(code[at]) for code in some.codes)
            terms = ((feature, name(feature, code))
                     for feature, code in zip(some.features, codes, strict=True))  # fmt: skip
            found.append(
                Best(saved=top, features=some.features, codes=codes, terms=tuple(sorted(terms)))
            )
        first += some.k.size
    return min(found, key=lambda one: (len(one.terms), one.terms))


def _parted(k: FloatArray, n: FloatArray, usual: FloatArray) -> FloatArray:
    """n · KL(k/n ‖ usual) in bits; 0 where there is nothing."""
    differing = np.where(k > 0, k * np.log2(k / (n * usual)), 0.0)
    agreeing = np.where(n > k, (n - k) * np.log2((n - k) / (n * (1 - usual))), 0.0)
    both: FloatArray = differing + agreeing
    return both


def _flat(codes: Sequence[IntArray | CodeArray], widths: Sequence[int]) -> IntArray | CodeArray:
    flat = codes[0]
    for code, width in zip(codes[1:], widths[1:], strict=True):
        flat = flat * width + code
    return flat
