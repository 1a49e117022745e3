"""Notices that a mean which passed has fallen since (Shiryaev-Roberts e-detector); no I/O.

Per node R_j <- (1 + R_j)(1 + c_j((1-x)/(1-m) - 1)), M = mean_j R_j, alarm at M >= A: while the
mean is at least m, the mean time to a false alarm is at least A jobs.
Source: Shin, Ramdas & Rinaldo (2023).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

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
"""Jobs of a span (see `_Detected`): the boldest node loses e^-7.4 at a hit, so that 1/F of 64 hits
is still a number, and of 96 none."""
_ROUNDED = 1e-6
"""Far more than M may be off for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detected:
    """R after each of n jobs, in parts.

    R_n = F_n (R_0 + sum_{k<=n} 1/F_{k-1}) with F_k the product of the first k factors. The jobs are
    cut into spans so short that within one F and 1/F are numbers of their own, no logs. The last
    span may have room for more jobs than there are.
    """

    n: int
    gains: FloatArray
    """log F, shape (spans, _SPAN, J)."""
    shrunk: FloatArray
    """1/F, of the same shape."""
    begun: FloatArray
    """The sum, of the same shape."""
    before: FloatArray
    """log R before each span, shape (spans, J)."""

    def logs(self, jobs: npt.NDArray[np.intp]) -> FloatArray:
        """log R after these jobs, counted from 0, shape (k, J)."""
        span, place = np.divmod(jobs, _SPAN)
        gains = self.gains[span, place]
        log_r: FloatArray = np.logaddexp(
            np.log(self.begun[span, place]) + gains, gains + self.before[span]
        )
        return log_r

    def means(self) -> FloatArray:
        """M after each job, shape (n,), infinite where it is too large; cheaper than by logs."""
        with np.errstate(over="ignore", divide="ignore"):
            r = (self.begun + np.exp(self.before)[:, None]) / self.shrunk
            means: FloatArray = r.mean(axis=-1)
        return means.reshape(-1)[: self.n]


def log_shiryaev_roberts(x: npt.ArrayLike, m: float) -> FloatArray:
    """Log of the detector M for "the mean is now below m" after each job, shape (n,)."""
    found = [log_mixture(after.logs(np.arange(after.n))) for _, after in _detections(x, m)]
    return np.concatenate(found) if found else np.zeros(0)


def drift_alarm(x: npt.ArrayLike, m: float, *, since: int = 1, alarm: float = ALARM) -> int | None:
    """Number of the first job, from job `since` on, at which the alarm sounds; else None.

    Pending jobs are given at their best case: an alarm is never raised by waiting.
    """
    since = check_count("since", since, least=1)
    level = math.log(alarm)
    for start, after in _detections(x, m):
        # Most jobs need no logs, which are dear: these are left to what rounding may decide.
        near = np.flatnonzero(after.means() >= alarm * (1.0 - _ROUNDED))
        near = near[near + start >= since - 1]
        hits = np.flatnonzero(log_mixture(after.logs(near)) >= level) if near.size else near
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
    return _detected(state, misses, miss_rate).logs(np.arange(misses.size))


def _detections(x: npt.ArrayLike, m: float) -> Iterator[tuple[int, _Detected]]:
    """R after each job, block by block, with the number of jobs before it."""
    misses = 1.0 - unit_array("x", x)
    miss_rate = 1.0 - check_inner_share("m", m)
    state = no_detection()
    for start in range(0, misses.size, _BLOCK):
        after = _detected(state, misses[start : start + _BLOCK], miss_rate)
        state = after.logs(np.array([after.n - 1]))[0]
        yield start, after


def _detected(state: FloatArray, misses: FloatArray, miss_rate: float) -> _Detected:
    values, index = np.unique(misses, return_inverse=True)
    logs = factor_logs(values, miss_rate, None)
    spans = -(-misses.size // _SPAN)
    flat = np.zeros((spans * _SPAN, state.size))
    flat[: misses.size] = logs[index]
    gains = flat.reshape(spans, _SPAN, state.size)
    _accumulate(gains)
    shrunk = np.exp(-gains)
    sums = shrunk[:, :-1].copy()
    _accumulate(sums)
    begun = np.ones_like(shrunk)
    begun[:, 1:] += sums
    whole = gains[:, -1].copy()
    own = np.log(begun[:, -1].copy()) + whole
    before = np.empty_like(own)
    for span in range(spans):
        before[span] = state
        state = np.logaddexp(own[span], whole[span] + state)
    return _Detected(n=misses.size, gains=gains, shrunk=shrunk, begun=begun, before=before)


def _accumulate(spans: FloatArray) -> None:
    """Sum along the jobs of each span, in place; several times faster than `np.cumsum`."""
    for place in range(1, spans.shape[1]):
        spans[:, place] += spans[:, place - 1]
