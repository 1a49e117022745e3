"""A mean over all jobs from jobs of several kinds whose true shares are known. No I/O.

Each kind has its own confidence sequence at its part of the error; their weighted sum holds for
the whole (union bound), whatever mix of kinds was sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt

from harness.stats.betting import betting_interval
from harness.stats.checks import StatsInputError, check_alpha, check_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Jobs of one kind, in the control's order, and the share of all jobs that are of it."""

    weight: float
    low: npt.ArrayLike
    """Shape (n,), worst case of each job, in [0, 1]."""
    high: npt.ArrayLike | None = None
    """Best case; None: all have settled."""


def stratified_interval(strata: Sequence[Stratum], *, alpha_total: float) -> tuple[float, float]:
    """sum W_h [L_h, U_h] with each stratum at alpha_total / H, valid at every look.

    A stratum without jobs contributes [0, 1]. Raises StatsInputError unless there is a stratum and
    the weights add up to 1.
    """
    check_alpha("alpha_total", alpha_total)
    weights = [check_share("weight", stratum.weight) for stratum in strata]
    if not math.isclose(sum(weights), 1.0, abs_tol=1e-9):
        raise StatsInputError("weights", f"add up to {sum(weights):.6g}, not to 1")
    ends = [
        betting_interval(stratum.low, stratum.high, alpha_total=alpha_total / len(strata))
        for stratum in strata
    ]
    return (
        sum(weight * low for weight, (low, _) in zip(weights, ends, strict=True)),
        min(1.0, sum(weight * high for weight, (_, high) in zip(weights, ends, strict=True))),
    )


def overlap(intervals: Sequence[tuple[float, float]]) -> bool:
    """Whether every two intervals have a point in common; if not, what they measure differs."""
    return not intervals or max(low for low, _ in intervals) <= min(high for _, high in intervals)
