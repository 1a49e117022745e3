"""Whether values of one side tend to be larger: Mann-Whitney and Hodges-Lehmann, a label. No I/O.

For one look planned in advance and for unpaired samples. It compares distributions, *not* medians;
jobs that both sides ran are paired, where `harness.stats.paired` asks the same more sharply and
holds at every look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from harness.stats.checks import FloatArray, StatsInputError, check_alpha, real_array

EXACT_UP_TO = 10_000
"""Largest product of the sample sizes for which the exact distribution is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSum:
    """How `y` compares with `x`."""

    u: float
    """Pairs in which y is larger, ties counting half."""
    effect: float
    """That as a share of all pairs: 1/2 if neither tends to be larger."""
    p_value: float
    """Two-sided, of "both have the same distribution"."""
    shift: float
    """Hodges & Lehmann 1963: the median of all differences y - x."""
    low: float
    high: float
    """Interval of the shift."""
    exact: bool
    """False where ties or size make it a normal approximation (tie and continuity corrected)."""


def mann_whitney(x: npt.ArrayLike, y: npt.ArrayLike, *, alpha_total: float) -> RankSum:
    """Compare two unpaired samples at one planned look.

    x, y: shapes (m,) and (n,), at least one finite value each.
    Raises StatsInputError on an empty sample, NaN or infinity.
    """
    xs, ys = _sample("x", x), _sample("y", y)
    tail = check_alpha("alpha_total", alpha_total) / 2.0
    pairs = xs.size * ys.size
    below = np.searchsorted(xs, ys, side="left")
    u = float((below + np.searchsorted(xs, ys, side="right")).sum()) / 2.0
    ties = np.unique(np.concatenate((xs, ys)), return_counts=True)[1].astype(np.float64)
    exact = bool((ties == 1).all()) and pairs <= EXACT_UP_TO
    if exact:
        cdf = u_distribution(xs.size, ys.size)
        p = min(1.0, 2.0 * float(min(cdf[int(u)], cdf[pairs - int(u)])))
        least = int(np.searchsorted(cdf, tail))
    else:
        spread = _spread(xs.size, ys.size, ties)
        off = max(0.0, abs(u - pairs / 2.0) - 0.5)
        p = 1.0 if spread == 0.0 else min(1.0, 2.0 * float(ndtr(-off / spread)))
        least = math.ceil(pairs / 2.0 + spread * float(ndtri(tail)) - 0.5)
    rank = min(max(1, least), (pairs + 1) // 2)
    middle = _difference(xs, ys, (pairs + 1) // 2)
    if pairs % 2 == 0:
        middle = (middle + _difference(xs, ys, pairs // 2 + 1)) / 2.0
    return RankSum(
        u=u,
        effect=u / pairs,
        p_value=p,
        shift=middle,
        low=_difference(xs, ys, rank),
        high=_difference(xs, ys, pairs - rank + 1),
        exact=exact,
    )


@lru_cache(maxsize=64)
def u_distribution(m: int, n: int) -> FloatArray:
    """P(U <= u) for u = 0..mn without ties, if both samples have the same distribution.

    Built by adding the m + n values in their order: one of the second sample that follows j of
    the first adds j. Only sums, so nothing cancels (Mann & Whitney 1947).
    """
    fewer, more = min(m, n), max(m, n)
    ways: FloatArray = np.zeros((fewer + 1, m * n + 1))
    ways[0, 0] = 1.0
    for placed in range(1, fewer + more + 1):
        for mine in range(min(placed, fewer), 0, -1):
            others = placed - mine
            if others <= more:
                ways[mine, others:] += ways[mine - 1, : m * n + 1 - others]
    cdf: FloatArray = np.cumsum(ways[fewer]) / ways[fewer].sum()
    cdf.setflags(write=False)
    return cdf


def _difference(xs: FloatArray, ys: FloatArray, rank: int) -> float:
    """The difference y - x of that rank (from 1) among all pairs, without listing them."""
    low, high = float(ys[0] - xs[-1]), float(ys[-1] - xs[0])
    low = math.nextafter(low, -math.inf)
    rounding = 4.0 * math.ulp(max(abs(low), abs(high)))
    # Keeps: fewer than `rank` differences are <= low, at least `rank` are <= high.
    while high - low > rounding:
        middle = low + (high - low) / 2.0
        if int(np.searchsorted(ys, xs + middle, side="right").sum()) >= rank:
            high = middle
        else:
            low = middle
    # To the difference itself, which halving meets only within rounding.
    near = np.clip(np.searchsorted(ys, xs + high, side="right") - 1, 0, None)
    found = ys[near] - xs
    return float(found[np.argmin(np.abs(found - high))])


def _spread(m: int, n: int, ties: FloatArray) -> float:
    total = m + n
    tied = float((ties**3 - ties).sum()) / (total * (total - 1))
    return math.sqrt(max(0.0, m * n / 12.0 * (total + 1 - tied)))


def _sample(argument: str, values: npt.ArrayLike) -> FloatArray:
    array = np.sort(real_array(argument, values))
    if not array.size:
        raise StatsInputError(argument, "is empty; there is nothing to compare")
    if np.isinf(array).any():
        raise StatsInputError(argument, "holds infinity; a job that never ended has no duration")
    return array
