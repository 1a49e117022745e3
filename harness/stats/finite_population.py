"""The mean of N recorded jobs from those replayed so far, in a random order. No I/O, no chance.

The bets of `harness.stats.betting` against the mean that is left: after jobs with sum S, a mean m
of all N leaves (N m - S) / (N - i + 1) for the rest (Waudby-Smith & Ramdas 2024, sampling without
replacement). The order must have been drawn at random, with a declared seed, before anything was
seen. What is bounded is the mean of *these N jobs*, not of jobs to come; once all of them are
replayed it is known exactly.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from harness.stats.betting import NODES, log_mixture
from harness.stats.checks import (
    FloatArray,
    StatsInputError,
    check_alpha,
    check_count,
    check_share,
    unit_array,
)

_ROUNDING = 1e-12
"""A mean that is left of up to this, either side of 0, is 0 but for rounding."""


def prefix_log_e_plus_finite(x: npt.ArrayLike, m: float, *, population: int) -> FloatArray:
    """Log evidence against "the mean of all is at most m" after each job, shape (n,).

    x: shape (n,), the values of the jobs replayed so far, in the drawn order. population: N.
    Infinite from the job on at which a mean of m has become impossible.
    Raises StatsInputError if more jobs are given than there are.
    """
    values, population = _drawn(x, population)
    return _prefix(values, check_share("m", m), population)


def prefix_log_e_minus_finite(x: npt.ArrayLike, m: float, *, population: int) -> FloatArray:
    """Log evidence against "the mean of all is at least m" after each job, shape (n,)."""
    values = 1.0 - unit_array("x", x)
    return prefix_log_e_plus_finite(values, 1.0 - check_share("m", m), population=population)


def finite_interval(
    x: npt.ArrayLike, *, population: int, alpha_total: float
) -> tuple[float, float]:
    """Confidence sequence for the mean of all N after those replayed; exact once all are."""
    values, population = _drawn(x, population)
    level = math.log(2.0 / check_alpha("alpha_total", alpha_total))
    if values.size == population and population:
        return float(values.mean()), float(values.mean())
    return _lower(values, population, level), 1.0 - _lower(1.0 - values, population, level)


def _prefix(x: FloatArray, m: float, population: int) -> FloatArray:
    if not x.size:
        return np.zeros(0)
    before = np.concatenate(([0.0], np.cumsum(x)[:-1]))
    remaining = population - np.arange(x.size)
    left = (population * m - before) / remaining
    none_left = np.abs(left) <= _ROUNDING
    impossible = (left < -_ROUNDING) | (none_left & (x > _ROUNDING))
    gain = np.where(impossible | none_left, 0.0, x / np.where(left > _ROUNDING, left, 1.0) - 1.0)
    logs = log_mixture(np.cumsum(np.log1p(gain[:, None] * NODES), axis=0))
    return np.where(np.logical_or.accumulate(impossible), np.inf, logs)


def _lower(x: FloatArray, population: int, level: float) -> float:
    if not x.size:
        return 0.0
    # Below it the jobs seen are already too many; just above it every mean left is positive.
    least = float(x.sum()) / population

    def excess(m: float) -> float:
        return min(float(_prefix(x, m, population)[-1]), 1e9) - level

    start = least + _ROUNDING
    if start >= 1.0 or excess(start) < 0.0:
        return least
    return float(brentq(excess, start, 1.0, xtol=1e-12))


def _drawn(x: npt.ArrayLike, population: int) -> tuple[FloatArray, int]:
    values = unit_array("x", x)
    population = check_count("population", population)
    if values.size > population:
        raise StatsInputError("x", f"has {values.size} jobs, more than population = {population}")
    return values, population
