"""The interval of all prefixes, kept up to date at a cost that does not grow with the jobs. No I/O.

The running lower end only rises: it is the smallest mean that no prefix rejects. So of all jobs so
far it needs the evidence at one mean, where it stands (J floats), and, for the moment when that is
rejected too, how often each value occurred. New jobs cost O(J) each, and a rise O(d J) for d
distinct values; the number of jobs that are there already does not enter.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import numpy.typing as npt

from harness.stats.betting import (
    NODE_COUNT,
    SMALLEST_M,
    XTOL,
    Headline,
    best_prefix,
    factor_logs,
    log_mixture,
    lowest_kept,
)
from harness.stats.checks import FloatArray, bounds_pair, check_alpha, check_count

_BLOCK = 4096


class RunningInterval:
    """`betting.headline` of a growing sequence; equal to it within the accuracy of a bound."""

    __slots__ = ("_above", "_below")

    def __init__(self, *, alpha_total: float, n_min: int = 1) -> None:
        level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
        n_min = check_count("n_min", n_min, least=1)
        self._below = _RunningBound(level, n_min)
        self._above = _RunningBound(level, n_min)

    def extend(self, x: npt.ArrayLike) -> None:
        """Count the next settled jobs, shape (n,), each in [0, 1]."""
        values, _ = bounds_pair(x, None)
        self._below.advance(values)
        self._above.advance(1.0 - values)

    def headline(self, low: npt.ArrayLike = (), high: npt.ArrayLike | None = None) -> Headline:
        """The interval to show after the settled jobs and these, which may be pending.

        low, high: worst and best case of the jobs after the settled ones; they are not kept.
        """
        worst, best = bounds_pair(low, high)
        below, above = self._below, self._above
        if worst.size:
            below, above = below.copy(), above.copy()
            below.advance(worst)
            above.advance(1.0 - best)
        moved = below.end > 1.0 - above.end
        if moved or below.n < below.n_min:
            return Headline(low=below.plain(), high=1.0 - above.plain(), not_stationary=moved)
        return Headline(low=below.end, high=1.0 - above.end, not_stationary=False)


class _RunningBound:
    """The running lower end of one side."""

    __slots__ = ("_counts", "_level", "_logs", "end", "n", "n_min")

    def __init__(self, level: float, n_min: int) -> None:
        self._level = level
        self.n_min = n_min
        self.n = 0
        self.end = 0.0
        self._counts: Counter[float] = Counter()
        self._logs: FloatArray = np.zeros(NODE_COUNT)
        """Log wealth of the bets against a mean of `end` after all jobs, shape (J,)."""

    def copy(self) -> _RunningBound:
        other = _RunningBound(self._level, self.n_min)
        other.n, other.end, other._logs = self.n, self.end, self._logs
        other._counts = self._counts.copy()
        return other

    def advance(self, x: FloatArray) -> None:
        for start in range(0, x.size, _BLOCK):
            self._block(x[start : start + _BLOCK])

    def plain(self) -> float:
        """The lower end after all jobs alone."""
        return self._lower(self._counts)

    def _block(self, x: FloatArray) -> None:
        before = self._counts
        skipped = min(max(0, self.n_min - 1 - self.n), x.size)
        while True:
            logs = factor_logs(x, max(self.end, SMALLEST_M), None)
            logs[0] += self._logs
            wealth = np.cumsum(logs, axis=0)
            best = best_prefix(log_mixture(wealth[skipped:]))
            if best.log_e < self._level:
                break
            # Rejected by that prefix; the end that it keeps may be rejected by another one.
            higher = self._lower(before + Counter(x[: skipped + best.n].tolist()))
            if higher <= self.end + XTOL:
                break
            self.end = higher
            self._logs = _wealth(before, higher)
        self._counts = before + Counter(x.tolist())
        self._logs = wealth[-1].copy()
        self.n += x.size

    def _lower(self, counts: Counter[float]) -> float:
        return lowest_kept(lambda m: float(log_mixture(_wealth(counts, m))) - self._level)


def _wealth(counts: Counter[float], m: float) -> FloatArray:
    if not counts:
        return np.zeros(NODE_COUNT)
    values = np.fromiter(counts.keys(), dtype=np.float64, count=len(counts))
    times = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
    wealth: FloatArray = (factor_logs(values, m, None) * times[:, None]).sum(axis=0)
    return wealth
