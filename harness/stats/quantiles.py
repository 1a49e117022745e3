"""Latency percentiles with bounds that hold at every look, and their fixed-sample labels. No I/O.

If Q is the p-quantile, 1{Y < Q} has mean at most p and 1{Y <= Q} at least p; the counts of
`harness.stats.counts` then say which order statistics bound Q (cf. Howard & Ramdas 2022).

A job that still runs is known to take at least its elapsed time; a lost one never ends. Lower
bounds count a running job at its elapsed time, upper bounds at infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

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
)
from harness.stats.counts import least_successes_to_pass, most_successes_to_fail


class DurationState(StrEnum):
    """How much is known of one job's duration."""

    FINISHED = "finished"
    RUNNING = "running"
    """Not ended; its seconds are those elapsed so far."""
    LOST = "lost"
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
    cdf = bdtr(np.arange(n, dtype=np.float64), n, p)  # cdf[k - 1] = P(S <= k - 1), k = 1..n
    lower = np.flatnonzero(cdf <= side)
    upper = np.flatnonzero(cdf >= 1.0 - side)
    return (
        int(lower[-1]) + 1 if lower.size else None,
        int(upper[0]) + 1 if upper.size else None,
    )


def quantile_bounds(
    seconds: npt.ArrayLike,
    states: Sequence[str] | npt.NDArray[np.str_] | None = None,
    *,
    p: float,
    alpha_total: float,
) -> QuantileBounds:
    """Anytime-valid bounds of the p-quantile; arguments as for `durations`."""
    return bounds_between(*durations(seconds, states), p, cs_ranks, alpha_total)


def fixed_quantile_bounds(
    seconds: npt.ArrayLike,
    states: Sequence[str] | npt.NDArray[np.str_] | None = None,
    *,
    p: float,
    alpha_total: float,
) -> QuantileBounds:
    """Bounds of the p-quantile for one planned look: a label; arguments as for `durations`."""
    return bounds_between(*durations(seconds, states), p, fixed_ranks, alpha_total)


def below_limit(
    seconds: npt.ArrayLike,
    states: Sequence[str] | npt.NDArray[np.str_] | None = None,
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
    seconds: npt.ArrayLike, states: Sequence[str] | npt.NDArray[np.str_] | None
) -> tuple[FloatArray, FloatArray]:
    """The least and the most that each job can take, shape (n,) each.

    seconds: duration of a finished job, elapsed time of a running one, ignored for a lost one.
    states: a `DurationState` per job; None: all finished.
    Raises StatsInputError on NaN, negative seconds (clock skew is a finding, not data) or an
    unknown state.
    """
    known = real_array("seconds", seconds)
    if states is None:
        words = np.full(known.size, DurationState.FINISHED.value)
    else:
        words = np.asarray([str(state) for state in states], dtype=np.str_)
    if words.size != known.size:
        raise StatsInputError("states", f"has {words.size} values, seconds has {known.size}")
    strange = ~np.isin(words, [state.value for state in DurationState])
    if strange.any():
        raise StatsInputError("states", f"holds {str(words[strange][0])!r}, which is no state")
    lost = words == DurationState.LOST.value
    negative = np.flatnonzero((known < 0.0) & ~lost)
    if negative.size:
        raise StatsInputError("seconds", f"[{int(negative[0])}] is negative")
    least = np.where(lost, np.inf, known)
    most = np.where(words == DurationState.FINISHED.value, known, np.inf)
    return least, most


def bounds_between(
    least: FloatArray,
    most: FloatArray,
    p: float,
    ranks: Callable[[int, float, float], tuple[int | None, int | None]],
    alpha_total: float,
) -> QuantileBounds:
    """Bounds of the p-quantile; for several of one latency, `durations` need be asked but once.

    least, most: as `durations` gives them. ranks: `cs_ranks` or `fixed_ranks`.
    """
    lower, upper = ranks(int(least.size), p, alpha_total)
    return QuantileBounds(
        p=p,
        value=_product_limit(least, most, p),
        low=0.0 if lower is None else float(np.sort(least)[lower - 1]),
        high=math.inf if upper is None else float(np.sort(most)[upper - 1]),
    )


def _product_limit(least: FloatArray, most: FloatArray, p: float) -> float:
    """Smallest t by which a share p has ended; equals an order statistic when all have."""
    every = np.sort(least)
    times, deaths = np.unique(least[np.isfinite(most)], return_counts=True)
    at_risk = every.size - np.searchsorted(every, times, side="left")
    ended = 1.0 - np.cumprod(1.0 - deaths / at_risk)
    # Rounding of the product must not push the estimate to the next order statistic.
    reached = np.flatnonzero(ended >= p - 1e-9)
    return float(times[reached[0]]) if reached.size else math.inf
