"""Hedged capital with predictable plug-in bets: a second opinion on a mean, never deciding. No I/O.

Waudby-Smith & Ramdas 2024 (JRSS-B 86), hedged capital with their plug-in bets:

    mu_t = (1/2 + sum x) / (t + 1),   var_t = (1/4 + sum_{i<=t} (x_i - mu_i)^2) / (t + 1)
    lambda_t = sqrt(2 log(2/alpha_bet) / (var_{t-1} t log(1 + t))),   var_0 = 1/4
    K+ = prod (1 + min(lambda_i, c/m)(x_i - m)),   K- = prod (1 - min(lambda_i, c/(1-m))(x_i - m))

A mean m is kept while max(K+, K-)/2 < 1/alpha_total. It needs other bets than
`harness.stats.betting` and holds at every look for the same reason, so the two check each other.
Unlike there, the order of the jobs matters.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from harness.stats.checks import (
    FloatArray,
    check_alpha,
    check_inner_share,
    check_share,
    unit_array,
)

ALPHA_BET = 0.05
"""A constant of the bets, not the level of the interval: else intervals would not be nested."""
CAP = 0.5
"""Largest bet as a share of the largest fair one (c); 3/4 is also common."""


def plug_in_bets(x: npt.ArrayLike) -> FloatArray:
    """The bet lambda_t on each job, made from the jobs before it; shape (n,)."""
    values = unit_array("x", x)
    t = np.arange(1, values.size + 1)
    means = (0.5 + np.cumsum(values)) / (t + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (t + 1)
    before = np.concatenate(([0.25], variances[:-1]))[: values.size]
    bets: FloatArray = np.sqrt(2.0 * math.log(2.0 / ALPHA_BET) / (before * t * np.log1p(t)))
    return bets


def log_capital_plus(x: npt.ArrayLike, m: float, *, cap: float = CAP) -> float:
    """Log of K+ after all jobs: evidence against "the mean is at most m"."""
    values = unit_array("x", x)
    return _log_capital(values, plug_in_bets(values), check_share("m", m), _cap(cap))


def log_capital_minus(x: npt.ArrayLike, m: float, *, cap: float = CAP) -> float:
    """Log of K- after all jobs: evidence against "the mean is at least m"."""
    return log_capital_plus(1.0 - unit_array("x", x), 1.0 - check_share("m", m), cap=cap)


def hedged_interval(
    x: npt.ArrayLike, *, alpha_total: float, cap: float = CAP
) -> tuple[float, float]:
    """Confidence sequence for the mean after all jobs; n = 0 gives (0, 1).

    x: shape (n,), in the control's order, each in [0, 1].
    """
    values = unit_array("x", x)
    level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
    bets = plug_in_bets(values)  # the same for 1 - x
    return _lower(values, bets, level, _cap(cap)), 1.0 - _lower(1.0 - values, bets, level, cap)


def _log_capital(x: FloatArray, bets: FloatArray, m: float, cap: float) -> float:
    largest = cap / m if m > 0.0 else math.inf
    return float(np.log1p(np.minimum(bets, largest) * (x - m)).sum())


def _lower(x: FloatArray, bets: FloatArray, level: float, cap: float) -> float:
    def excess(m: float) -> float:
        return _log_capital(x, bets, m, cap) - level

    # Each factor falls in m, so the means that are kept are an interval and the root is simple.
    return 0.0 if excess(0.0) < 0.0 else float(brentq(excess, 0.0, 1.0, xtol=1e-12))


def _cap(cap: float) -> float:
    return check_inner_share("cap", cap)
