"""Intervals for one look planned in advance: labels beside the headline; never decide. No I/O."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_alpha,
    check_count,
    check_counts,
)


def wilson(s: float, n: int, *, alpha_total: float) -> tuple[float, float]:
    """Wilson's score interval for a share (Wilson 1927).

    s: successes of n; may be fractional where jobs count by their agreeing share.
    n = 0 gives (0, 1). Raises StatsInputError unless 0 <= s <= n.
    """
    n = check_count("n", n)
    check_alpha("alpha_total", alpha_total)
    if not 0.0 <= s <= n:
        raise StatsInputError("s", f"= {s!r} is outside [0, n = {n}]")
    if n == 0:
        return 0.0, 1.0
    low, high = wilson_bounds(np.asarray(s), np.asarray(n), alpha_total=alpha_total)
    return float(low), float(high)


def wilson_bounds(
    s: npt.ArrayLike, n: npt.ArrayLike, *, alpha_total: float
) -> tuple[FloatArray, FloatArray]:
    """Wilson's interval of many shares at once; `s` and `n` of one shape, 0 <= s <= n, n >= 1."""
    z = float(ndtri(1.0 - check_alpha("alpha_total", alpha_total) / 2.0))
    agreeing, total = np.asarray(s, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not bool(((agreeing >= 0.0) & (agreeing <= total) & (total >= 1.0)).all()):
        raise StatsInputError("s", "is outside [0, n], or n is below 1")
    p = agreeing / total
    scale = 1.0 + z * z / total
    centre = (p + z * z / (2.0 * total)) / scale
    half = z * np.sqrt(p * (1.0 - p) / total + z * z / (4.0 * total * total)) / scale
    return (
        np.where(agreeing == 0.0, 0.0, np.maximum(centre - half, 0.0)),
        np.where(agreeing == total, 1.0, np.minimum(centre + half, 1.0)),
    )


def clopper_pearson(s: int, n: int, *, alpha_total: float) -> tuple[float, float]:
    """Exact binomial interval (Clopper & Pearson 1934); n = 0 gives (0, 1)."""
    n, s = check_counts(n, s)
    tail = check_alpha("alpha_total", alpha_total) / 2.0
    low = 0.0 if s == 0 else float(betaincinv(s, n - s + 1, tail))
    high = 1.0 if s == n else float(betaincinv(s + 1, n - s, 1.0 - tail))
    return low, high


def jeffreys(s: int, n: int, *, alpha_total: float) -> tuple[float, float]:
    """Jeffreys' interval, quantiles of Beta(s + 1/2, n - s + 1/2) (Brown, Cai & DasGupta 2001).

    0 where nothing succeeded and 1 where everything did; n = 0 gives (0, 1).
    """
    n, s = check_counts(n, s)
    tail = check_alpha("alpha_total", alpha_total) / 2.0
    low = 0.0 if s == 0 else float(betaincinv(s + 0.5, n - s + 0.5, tail))
    high = 1.0 if s == n else float(betaincinv(s + 0.5, n - s + 0.5, 1.0 - tail))
    return low, high


def zero_failure_bound(n: int, *, alpha: float) -> float:
    """Upper bound of a failure rate after 0 failures in n, one-sided: 1 - alpha^(1/n)."""
    n = check_count("n", n)
    check_alpha("alpha", alpha)
    return 1.0 if n == 0 else -math.expm1(math.log(alpha) / n)
