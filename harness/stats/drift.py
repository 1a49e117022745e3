"""Notices that a mean which passed has fallen since (Shiryaev-Roberts e-detector); no I/O.

Per node R_j <- (1 + R_j)(1 + c_j((1-x)/(1-m) - 1)), M = mean_j R_j, alarm at M >= A: while the
mean is at least m, the mean time to a false alarm is at least A jobs.
Source: Shin, Ramdas & Rinaldo (2023).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.stats.betting import NODE_COUNT, factor_logs, log_mixture
from harness.stats.checks import (
    FloatArray,
    check_count,
    check_inner_share,
    unit_array,
)

ALARM = 1000.0
"""Mean number of jobs to a false alarm."""
_BLOCK = 4096
"""Jobs per vectorised step; also keeps the sums of logs small enough to lose no digits."""


def log_shiryaev_roberts(x: npt.ArrayLike, m: float) -> FloatArray:
    """Log of the detector M for "the mean is now below m" after each job, shape (n,)."""
    values = unit_array("x", x)
    m = check_inner_share("m", m)
    state = no_detection()
    found: list[FloatArray] = []
    for start in range(0, values.size, _BLOCK):
        states = detect(state, 1.0 - values[start : start + _BLOCK], 1.0 - m)
        state = states[-1]
        found.append(log_mixture(states))
    return np.concatenate(found) if found else np.zeros(0)


def drift_alarm(x: npt.ArrayLike, m: float, *, since: int = 1, alarm: float = ALARM) -> int | None:
    """Number of the first job, from job `since` on, at which the alarm sounds; else None.

    Pending jobs are given at their best case: an alarm is never raised by waiting.
    """
    since = check_count("since", since, least=1)
    hits = np.flatnonzero(log_shiryaev_roberts(x, m)[since - 1 :] >= math.log(alarm))
    return int(hits[0]) + since if hits.size else None


def no_detection() -> FloatArray:
    """log R per node before the first job, shape (J,)."""
    return np.full(NODE_COUNT, -np.inf)


def detect(state: FloatArray, misses: FloatArray, miss_rate: float) -> FloatArray:
    """log R per node after each further job, shape (n, J), from log R before them. Not validated.

    misses: 1 - x, shape (n,); miss_rate: 1 - m. R_n = F_n (R_0 + sum_{k<=n} 1/F_{k-1}) with F_k
    the product of the first k factors, hence one cumulative sum in logs.
    """
    gains = np.cumsum(factor_logs(misses, miss_rate, None), axis=0)
    starts = np.concatenate((np.zeros((1, state.size)), -gains[:-1]))
    starts[0] = np.logaddexp(state, 0.0)
    grown: FloatArray = gains + np.logaddexp.accumulate(starts, axis=0)
    return grown
