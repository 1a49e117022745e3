"""Betting evidence for jobs that either agree or not: only (n, s) matters; no I/O.

The same process as `harness.stats.betting` on a 0/1 sequence, in O(J) whatever n.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from harness.stats.betting import NODES, log_mixture
from harness.stats.checks import (
    FloatArray,
    check_alpha,
    check_count,
    check_counts,
    check_inner_share,
    check_share,
)

_LOG_LOSS: FloatArray = np.log1p(-NODES)


def log_e_plus_counts(n: int, s: int, m: float) -> float:
    """Log evidence of `s` successes in `n` jobs against "the mean is at most m"."""
    n, s = check_counts(n, s)
    return _log_e(s, n - s, check_share("m", m))


def log_e_minus_counts(n: int, s: int, m: float) -> float:
    """Log evidence of `s` successes in `n` jobs against "the mean is at least m"."""
    n, s = check_counts(n, s)
    return _log_e(n - s, s, 1.0 - check_share("m", m))


def interval_counts(n: int, s: int, *, alpha_total: float) -> tuple[float, float]:
    """Confidence sequence for the mean after `s` successes in `n` jobs (plain interval)."""
    n, s = check_counts(n, s)
    level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
    return lower_bound_counts(n, s, level=level), 1.0 - lower_bound_counts(n, n - s, level=level)


def lower_bound_counts(n: int, s: int, *, level: float) -> float:
    """The smallest mean whose log evidence stays below `level`."""
    n, s = check_counts(n, s)
    if _log_e(s, n - s, 1e-12) < level:
        return 0.0
    return float(brentq(lambda m: _log_e(s, n - s, m) - level, 1e-12, 1.0, xtol=1e-12))


def least_successes_to_pass(n: int, m: float, *, alpha: float) -> int | None:
    """Smallest s of n with evidence >= 1/alpha that the mean is above m; None if none."""
    n = check_count("n", n)
    m = check_inner_share("m", m)
    level = -math.log(check_alpha("alpha", alpha))
    if _log_e(n, 0, m) < level:
        return None
    short, enough = -1, n
    while enough - short > 1:
        middle = (short + enough) // 2
        if _log_e(middle, n - middle, m) >= level:
            enough = middle
        else:
            short = middle
    return enough


def most_successes_to_fail(n: int, m: float, *, alpha: float) -> int | None:
    """Largest s of n with evidence >= 1/alpha that the mean is below m; None if none."""
    failures = least_successes_to_pass(n, 1.0 - check_inner_share("m", m), alpha=alpha)
    return None if failures is None else n - failures


def _log_e(s: int, f: int, m: float) -> float:
    if m <= 0.0:
        return math.inf if s else 0.0
    return float(log_mixture(s * np.log1p(NODES * ((1.0 - m) / m)) + f * _LOG_LOSS))
