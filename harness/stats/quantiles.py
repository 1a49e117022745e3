"""Latency percentiles with bounds that hold at every look, and their fixed-sample labels. No I/O.

If Q is the p-quantile, 1{Y < Q} has mean at most p and 1{Y <= Q} at least p; the counts of
`harness.stats.counts` then say which order statistics bound Q (cf. Howard & Ramdas 2022).

A job that still runs is known to take at least its elapsed time; a lost one never ends. Lower
bounds count a running job at its elapsed time, upper bounds at infinity.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_alpha,
    check_count,
    check_inner_share,
    real_array,
    same_length,
)
from harness.stats.counts import least_successes_to_pass, most_successes_to_fail

States: TypeAlias = npt.NDArray[np.int8]
"""A `DurationState` per job, shape (n,)."""
Ranks: TypeAlias = Callable[[int, float, float], tuple[int | None, int | None]]
"""Ranks (from 1) of the order statistics that bound the p-quantile, of n, p and alpha_total."""


class DurationState(IntEnum):
    """How much is known of one job's duration; a number, so that a million stand in an array."""

    FINISHED = 0
    RUNNING = 1
    """Not ended; its seconds are those elapsed so far."""
    LOST = 2
    """Failed to end or lost: its duration is infinite, its seconds are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileBounds:
    """A percentile in seconds; `low` is 0 and `high` infinite where no bound exists yet."""

    p: float
    value: float
    """Point estimate (product limit, Kaplan & Meier 1958); infinite where too few have ended."""
    low: float
    high: float


@lru_cache(maxsize=4096)
def cs_ranks(n: int, p: float, alpha_total: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the order statistics that bound the p-quantile at every look.

    None where no order statistic does: say "not enough jobs", never the minimum or maximum.
    """
    n = check_count("n", n)
    p = check_inner_share("p", p)
    side = check_alpha("alpha_total", alpha_total) / 2.0
    below = most_successes_to_fail(n, p, alpha=side)
    return None if below is None else below + 1, least_successes_to_pass(n, p, alpha=side)


@lru_cache(maxsize=4096)
def fixed_ranks(n: int, p: float, alpha_total: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) that bound the p-quantile for one planned look: a label."""
    n = check_count("n", n)
    p = check_inner_share("p", p)
    side = check_alpha("alpha_total", alpha_total) / 2.0
    if n == 0:
        return None, None
    # P(S <= k - 1) of k = 1..n rises with k.
    at_most = partial(_binomial_cdf, n=n, p=p)
    lower = bisect_right(range(n), side, key=at_most)
    upper = bisect_left(range(n), 1.0 - side, key=at_most)
    return lower or None, upper + 1 if upper < n else None


def _binomial_cdf(k: int, *, n: int, p: float) -> float:
    return float(bdtr(float(k), n, p))


def quantile_bounds(
    seconds: npt.ArrayLike,
    states: npt.ArrayLike | None = None,
    *,
    p: float,
    alpha_total: float,
) -> QuantileBounds:
    """Anytime-valid bounds of the p-quantile; arguments as for `durations`."""
    return Distribution.of(seconds, states).bounds(p, cs_ranks, alpha_total)


def fixed_quantile_bounds(
    seconds: npt.ArrayLike,
    states: npt.ArrayLike | None = None,
    *,
    p: float,
    alpha_total: float,
) -> QuantileBounds:
    """Bounds of the p-quantile for one planned look: a label; arguments as for `durations`."""
    return Distribution.of(seconds, states).bounds(p, fixed_ranks, alpha_total)


def below_limit(
    seconds: npt.ArrayLike,
    states: npt.ArrayLike | None = None,
    *,
    limit_s: float,
) -> tuple[FloatArray, FloatArray]:
    """Worst and best case of 1{duration < limit_s} per job, in the order given.

    "The p-quantile is below the limit" is the same decision as "the mean of this is above p".
    """
    if not limit_s > 0.0:
        raise StatsInputError("limit_s", f"= {limit_s!r} is not above 0")
    least, most = durations(seconds, states)
    return (most < limit_s).astype(np.float64), (least < limit_s).astype(np.float64)


def durations(
    seconds: npt.ArrayLike, states: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """The least and the most that each job can take, shape (n,) each.

    seconds: duration of a finished job, elapsed time of a running one, ignored for a lost one.
    states: a `DurationState` per job, best as `States`; None: all finished.
    Raises StatsInputError on NaN, negative seconds (clock skew is a finding, not data) or an
    unknown state.
    """
    known = real_array("seconds", seconds)
    codes = np.zeros(known.size) if states is None else real_array("states", states)
    same_length("states", codes, "seconds", known)
    strange = np.flatnonzero(~np.isin(codes, list(DurationState)))
    if strange.size:
        raise StatsInputError("states", f"holds {codes[strange[0]]:g}, which is no state")
    lost = codes == DurationState.LOST
    negative = np.flatnonzero((known < 0.0) & ~lost)
    if negative.size:
        raise StatsInputError("seconds", f"[{int(negative[0])}] is negative")
    least = np.where(lost, np.inf, known)
    most = np.where(codes == DurationState.FINISHED, known, np.inf)
    return least, most


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distribution:
    """Durations in order, and the share that had ended by each time; made once, asked often.

    least, most: ascending, shape (n,), as `durations` gives them. times: distinct ends, ascending.
    ended: share by each of them (product limit, Kaplan & Meier 1958); equal to the empirical
    distribution where all have ended.
    """

    least: FloatArray
    most: FloatArray
    times: FloatArray
    ended: FloatArray

    @classmethod
    def of(cls, seconds: npt.ArrayLike, states: npt.ArrayLike | None = None) -> Distribution:
        """Put durations in order; arguments and errors as for `durations`."""
        least, most = durations(seconds, states)
        ends = np.sort(least[np.isfinite(most)])
        every = ends if ends.size == least.size else np.sort(least)
        first = np.flatnonzero(np.diff(ends, prepend=-1.0))
        times, deaths = ends[first], np.diff(first, append=ends.size)
        at_risk = every.size - np.searchsorted(every, times, side="left")
        return cls(
            least=every,
            most=every if ends.size == least.size else np.sort(most),
            times=times,
            ended=np.asarray(1.0 - np.cumprod(1.0 - deaths / at_risk), np.float64),
        )

    def bounds(self, p: float, ranks: Ranks, alpha_total: float) -> QuantileBounds:
        """Bounds of the p-quantile. ranks: `cs_ranks` or `fixed_ranks`."""
        lower, upper = ranks(int(self.least.size), p, alpha_total)
        # Rounding of the product must not push the estimate to the next order statistic.
        reached = int(np.searchsorted(self.ended, p - 1e-9))
        return QuantileBounds(
            p=p,
            value=float(self.times[reached]) if reached < self.times.size else math.inf,
            low=0.0 if lower is None else float(self.least[lower - 1]),
            high=math.inf if upper is None else float(self.most[upper - 1]),
        )
