"""Intervals for one look planned in advance: labels beside the headline; never decide. No I/O."""

from __future__ import annotations

import math

from scipy.special import betaincinv, ndtri

from harness.stats.checks import StatsInputError, check_alpha, check_count, check_counts


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
    z = float(ndtri(1.0 - alpha_total / 2.0))
    p = s / n
    scale = 1.0 + z * z / n
    centre = (p + z * z / (2.0 * n)) / scale
    half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / scale
    low = 0.0 if s == 0 else max(0.0, centre - half)
    high = 1.0 if s == n else min(1.0, centre + half)
    return low, high


def clopper_pearson(s: int, n: int, *, alpha_total: float) -> tuple[float, float]:
    """Exact binomial interval (Clopper & Pearson 1934); n = 0 gives (0, 1)."""
    n, s = check_counts(n, s)
    tail = check_alpha("alpha_total", alpha_total) / 2.0
    low = 0.0 if s == 0 else float(betaincinv(s, n - s + 1, tail))
    high = 1.0 if s == n else float(betaincinv(s + 1, n - s, 1.0 - tail))
    return low, high


def zero_failure_bound(n: int, *, alpha: float) -> float:
    """Upper bound of a failure rate after 0 failures in n, one-sided: 1 - alpha^(1/n)."""
    n = check_count("n", n)
    check_alpha("alpha", alpha)
    return 1.0 if n == 0 else -math.expm1(math.log(alpha) / n)
