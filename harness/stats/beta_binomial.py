"""Robbins' mixture for agreeing jobs: an anytime-valid cross-check by another formula. No I/O.

With a uniform prior (Robbins 1970), P((n+1) Binom(s; n, m) <= alpha at any n) <= alpha if m is the
true share, so {m : (n+1) Binom(s; n, m) > alpha} is a confidence sequence. Two-sided only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from harness.stats.checks import check_alpha, check_counts, check_inner_share


def log_beta_binomial(n: int, s: int, m: float) -> float:
    """Log evidence of `s` successes in `n` jobs against "the mean is exactly m", 0 < m < 1."""
    n, s = check_counts(n, s)
    return _log_e(n, s, check_inner_share("m", m))


def beta_binomial_interval(n: int, s: int, *, alpha_total: float) -> tuple[float, float]:
    """Confidence sequence for the mean after `s` successes in `n` jobs; n = 0 gives (0, 1)."""
    n, s = check_counts(n, s)
    level = -math.log(check_alpha("alpha_total", alpha_total))
    if n == 0:
        return 0.0, 1.0

    def excess(m: float) -> float:
        return _log_e(n, s, m) - level

    # The evidence is least at m = s/n, and there below 0, hence one root on each side.
    return (
        0.0 if s == 0 else _root(excess, 0.0, s / n),
        1.0 if s == n else _root(excess, s / n, 1.0),
    )


def _log_e(n: int, s: int, m: float) -> float:
    return float(betaln(s + 1, n - s + 1) - xlogy(s, m) - xlog1py(n - s, -m))


def _root(excess: Callable[[float], float], least: float, most: float) -> float:
    low, high = max(least, 1e-300), min(most, 1.0 - 1e-16)
    if excess(low) * excess(high) > 0.0:  # at a level so small that not even this is rejected
        return least if least == 0.0 else most
    return float(brentq(excess, low, high, xtol=1e-14))
