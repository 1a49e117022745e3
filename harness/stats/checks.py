"""Validates the input of every statistic; imports nothing but numpy.

NaN is never dropped in silence: a statistic over data with holes answers another question.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class StatsInputError(ValueError):
    """An argument of a statistic is outside its domain; `argument` is its name."""

    def __init__(self, argument: str, problem: str) -> None:
        blank = "" if problem.startswith("[") else " "
        super().__init__(f"{argument}{blank}{problem}")
        self.argument = argument


def unit_array(argument: str, values: npt.ArrayLike) -> FloatArray:
    """Return `values` as shape (n,) float64; raise StatsInputError unless all are in [0, 1]."""
    array = real_array(argument, values)
    outside = (array < 0.0) | (array > 1.0)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise StatsInputError(argument, f"[{at}] = {array[at]!r} is outside [0, 1]")
    return array


def real_array(argument: str, values: npt.ArrayLike) -> FloatArray:
    """Return `values` as shape (n,) float64; raise StatsInputError on NaN or another shape."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatsInputError(argument, f"is not a list of numbers: {error}") from error
    if array.ndim != 1:
        raise StatsInputError(argument, f"has shape {array.shape}; give one value per job")
    holes = np.isnan(array)
    if holes.any():
        raise StatsInputError(argument, f"[{int(np.flatnonzero(holes)[0])}] is NaN")
    return array


def bounds_pair(low: npt.ArrayLike, high: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    """Return the worst and best case of every job; `high` None means that all have settled."""
    worst = unit_array("low", low)
    if high is None:
        return worst, worst
    best = unit_array("high", high)
    same_length("high", best, "low", worst)
    crossed = np.flatnonzero(worst > best)
    if crossed.size:
        raise StatsInputError("low", f"[{int(crossed[0])}] is above high[{int(crossed[0])}]")
    return worst, best


def weight_array(weights: npt.ArrayLike | None, n: int) -> FloatArray | None:
    """Return weights in [0, 1], one per job, or None where every job counts the same."""
    if weights is None:
        return None
    array = unit_array("weights", weights)
    if array.size != n:
        raise StatsInputError("weights", f"has {array.size} values for {n} jobs")
    return array


def same_length(argument: str, array: FloatArray, other: str, reference: FloatArray) -> None:
    """Raise StatsInputError unless both arrays have one value per job."""
    if array.size != reference.size:
        raise StatsInputError(argument, f"has {array.size} values, {other} has {reference.size}")


def check_alpha(argument: str, value: float) -> float:
    """Return an error probability; raise StatsInputError unless it is in (0, 1)."""
    if not 0.0 < value < 1.0:  # also refuses NaN
        raise StatsInputError(argument, f"= {value!r} is outside (0, 1)")
    return float(value)


def check_share(argument: str, value: float) -> float:
    """Return a mean or share; raise StatsInputError unless it is in [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise StatsInputError(argument, f"= {value!r} is outside [0, 1]")
    return float(value)


def check_inner_share(argument: str, value: float) -> float:
    """Return a threshold or probability; raise StatsInputError unless it is in (0, 1)."""
    if not 0.0 < value < 1.0:
        raise StatsInputError(argument, f"= {value!r} is outside (0, 1)")
    return float(value)


def check_count(argument: str, value: int, *, least: int = 0) -> int:
    """Return a whole number; raise StatsInputError if it is less than `least`."""
    if math.isnan(value) or int(value) != value or value < least:
        raise StatsInputError(argument, f"= {value!r} is not a whole number of at least {least}")
    return int(value)


def check_counts(n: int, s: int) -> tuple[int, int]:
    """Return `s` successes of `n`; raise StatsInputError unless 0 <= s <= n."""
    n = check_count("n", n)
    s = check_count("s", s)
    if s > n:
        raise StatsInputError("s", f"= {s} is more than n = {n}")
    return n, s
