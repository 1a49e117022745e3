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
from harness.stats.checks import FloatArray, check_count, check_inner_share, unit_array

ALARM = 1000.0
"""Mean number of jobs to a false alarm."""


def log_shiryaev_roberts(x: npt.ArrayLike, m: float) -> FloatArray:
    """Log of the detector M for "the mean is now below m" after each job, shape (n,)."""
    values = unit_array("x", x)
    m = check_inner_share("m", m)
    distinct, index = np.unique(1.0 - values, return_inverse=True)
    gains = factor_logs(distinct, 1.0 - m, None)
    state: FloatArray = np.full(NODE_COUNT, -np.inf)
    states: FloatArray = np.empty((values.size, NODE_COUNT))
    for i, row in enumerate(index):
        state = np.logaddexp(0.0, state) + gains[row]
        states[i] = state
    return log_mixture(states) if values.size else np.zeros(0)


def drift_alarm(x: npt.ArrayLike, m: float, *, since: int = 1, alarm: float = ALARM) -> int | None:
    """Number of the first job, from job `since` on, at which the alarm sounds; else None.

    Pending jobs are given at their best case: an alarm is never raised by waiting.
    """
    since = check_count("since", since, least=1)
    hits = np.flatnonzero(log_shiryaev_roberts(x, m)[since - 1 :] >= math.log(alarm))
    return int(hits[0]) + since if hits.size else None
