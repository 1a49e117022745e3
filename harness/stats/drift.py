"""Notices that a mean which passed has fallen since (Shiryaev-Roberts e-detector); no I/O.

Per node R_j <- (1 + R_j)(1 + c_j((1-x)/(1-m) - 1)), M = mean_j R_j, alarm at M >= A: while the
mean is at least m, the mean time to a false alarm is at least A jobs.
Source: Shin, Ramdas & Rinaldo (2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

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
"""Jobs per vectorised step."""
_SPAN = 64
"""Jobs of a span (see `_parts`): the boldest node loses e^-7.4 at a hit, so that 1/F of 64 hits is
still a number, and of 96 none."""

_Parts: TypeAlias = tuple[FloatArray, FloatArray]
"""See `_parts`; shape (n, J) each."""


def log_shiryaev_roberts(x: npt.ArrayLike, m: float) -> FloatArray:
    """Log of the detector M for "the mean is now below m" after each job, shape (n,)."""
    found = [log_mixture(_together(parts, slice(None))) for _, parts in _detections(x, m)]
    return np.concatenate(found) if found else np.zeros(0)


def drift_alarm(x: npt.ArrayLike, m: float, *, since: int = 1, alarm: float = ALARM) -> int | None:
    """Number of the first job, from job `since` on, at which the alarm sounds; else None.

    Pending jobs are given at their best case: an alarm is never raised by waiting.
    """
    since = check_count("since", since, least=1)
    level = math.log(alarm)
    for start, parts in _detections(x, m):
        # No mean is above the largest, and no sum of two above twice the larger: so most jobs need
        # no sum in logs, which is dear. 0.7 is log 2 and what rounding may add.
        near = np.flatnonzero(np.maximum(*parts).max(axis=1) >= level - 0.7)
        near = near[near + start >= since - 1]
        hits = np.flatnonzero(log_mixture(_together(parts, near)) >= level) if near.size else near
        if hits.size:
            return start + int(near[hits[0]]) + 1
    return None


def no_detection() -> FloatArray:
    """log R per node before the first job, shape (J,)."""
    return np.full(NODE_COUNT, -np.inf)


def detect(state: FloatArray, misses: FloatArray, miss_rate: float) -> FloatArray:
    """log R per node after each further job, shape (n, J), from log R before them. Not validated.

    misses: 1 - x, shape (n,); miss_rate: 1 - m.
    """
    return _together(_parts(state, misses, miss_rate), slice(None))


def _detections(x: npt.ArrayLike, m: float) -> Iterator[tuple[int, _Parts]]:
    """The parts of R after each job, block by block, with the number of jobs before it."""
    misses = 1.0 - unit_array("x", x)
    miss_rate = 1.0 - check_inner_share("m", m)
    state = no_detection()
    for start in range(0, misses.size, _BLOCK):
        parts = _parts(state, misses[start : start + _BLOCK], miss_rate)
        state = _together(parts, -1)
        yield start, parts


def _parts(state: FloatArray, misses: FloatArray, miss_rate: float) -> _Parts:
    """The logs of two parts of R after each job: begun in its own span, and carried into that.

    R_n = F_n (R_0 + sum_{k<=n} 1/F_{k-1}) with F_k the product of the first k factors. The jobs are
    cut into spans so short that within one F and 1/F are numbers of their own, no logs.
    """
    values, index = np.unique(misses, return_inverse=True)
    logs = factor_logs(values, miss_rate, None)
    spans = -(-misses.size // _SPAN)
    gains = np.zeros((spans * _SPAN, state.size))
    gains[: misses.size] = logs[index]
    gains = np.cumsum(gains.reshape(spans, _SPAN, state.size), axis=1)
    shrunk = np.exp(-gains)
    begun = np.ones_like(shrunk)
    begun[:, 1:] += np.cumsum(shrunk[:, :-1], axis=1)
    own = np.log(begun) + gains
    carried = np.empty_like(gains)
    for span in range(spans):
        carried[span] = gains[span] + state
        state = np.logaddexp(own[span, -1], carried[span, -1])
    whole = (spans * _SPAN, state.size)
    return own.reshape(whole)[: misses.size], carried.reshape(whole)[: misses.size]


def _together(parts: _Parts, rows: int | slice | npt.NDArray[np.intp]) -> FloatArray:
    own, carried = parts
    log_r: FloatArray = np.logaddexp(own[rows], carried[rows])
    return log_r
