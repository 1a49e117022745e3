"""Whether the jobs in the shadow are like all jobs: their share, and their mix. No I/O.

The share sampled is a headline: its confidence sequence holds at every look. The comparison of
mixes is a label, right for one planned look: it is a hint where to look, and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from harness.stats.betting import betting_interval, running_interval
from harness.stats.checks import StatsInputError, bounds_pair, check_inner_share

_LEAST_EXPECTED = 5.0
"""Below it the chi-square approximation is poor (Cochran 1954), so rare labels are pooled."""
OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledShare:
    """The share of jobs that were in the shadow, beside the share that should have been."""

    declared: float
    value: float | None
    low: float
    high: float
    n: int
    outside: bool
    """Whether the declared share is proved wrong, however often anybody has looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixComparison:
    """Sampled against unsampled jobs by one label (Pearson's chi-square of independence)."""

    chi_square: float
    degrees: int
    p_value: float
    rows: tuple[tuple[str, int, int], ...]
    """Label, jobs in the sample, jobs outside it; rare labels pooled."""


def sampled_share(
    low: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    *,
    declared: float,
    alpha_total: float,
    n_min: int = 30,
) -> SampledShare:
    """Compare the share sampled with the share declared.

    low, high: shape (n,), 1 for a job that was in the shadow, in the control's order; a job of
    which it is not known yet has low 0 and high 1. n_min: fewer jobs exclude
    nothing, as with a gate.
    """
    worst, best = bounds_pair(low, high)
    declared = check_inner_share("declared", declared)
    # A share that some number of jobs has excluded stays excluded, whatever came later.
    ends = running_interval(worst, best, alpha_total=alpha_total, n_min=n_min)
    outside = not ends[0] <= declared <= ends[1]
    known = worst[worst == best]
    value = float(known.mean()) if known.size else None
    if worst.size < n_min or (value is not None and not ends[0] <= value <= ends[1]):
        # Few jobs, or a share that has moved: what all prefixes leave in common describes nothing.
        ends = betting_interval(worst, best, alpha_total=alpha_total)
    return SampledShare(
        declared=declared, value=value, low=ends[0], high=ends[1], n=int(worst.size),
        outside=outside,
    )  # fmt: skip


def compare_mix(labels: Sequence[str], sampled: Sequence[bool]) -> MixComparison | None:
    """Whether a label has to do with being sampled; None where that cannot be judged.

    labels, sampled: one per job. Labels of which fewer than 5 jobs are expected on either side are
    pooled, smallest first; None where fewer than two groups are left or one side is empty.
    """
    if len(labels) != len(sampled):
        raise StatsInputError("labels", f"has {len(labels)} values, sampled has {len(sampled)}")
    inside = Counter(label for label, taken in zip(labels, sampled, strict=True) if taken)
    outside = Counter(label for label, taken in zip(labels, sampled, strict=True) if not taken)
    total, taken = len(labels), inside.total()
    if not 0 < taken < total:
        return None
    rows = _pooled(inside, outside, min(taken, total - taken) / total)
    if len(rows) < 2:
        return None
    counts = np.array([[a, b] for _, a, b in rows], dtype=np.float64)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / total
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    degrees = len(rows) - 1
    return MixComparison(
        chi_square=chi_square,
        degrees=degrees,
        p_value=float(chdtrc(degrees, chi_square)),
        rows=rows,
    )


def _pooled(
    inside: Counter[str], outside: Counter[str], smaller_side: float
) -> tuple[tuple[str, int, int], ...]:
    """Rows of which each has enough expected jobs on the smaller side."""
    sizes = inside + outside
    large = [n for n in sizes if sizes[n] * smaller_side >= _LEAST_EXPECTED]
    rare = sorted((n for n in sizes if n not in large), key=lambda n: (sizes[n], n))
    # What the rare ones amount to may still be too few; then the smallest large one joins them.
    while rare and len(large) > 1 and sum(sizes[n] for n in rare) * smaller_side < _LEAST_EXPECTED:
        smallest = min(large, key=lambda n: (sizes[n], n))
        large.remove(smallest)
        rare.append(smallest)
    rows = [(name, inside[name], outside[name]) for name in sorted(large)]
    if rare:
        rows.append((OTHERS, sum(inside[n] for n in rare), sum(outside[n] for n in rare)))
    return tuple(rows)
