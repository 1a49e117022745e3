"""How far a percentile of the new side lies from that of the old one, at every look. No I/O.

Each side has its own confidence sequence at half of alpha_total, so both hold at once, and
difference and ratio lie between their opposite ends (union bound). Valid for paired and unpaired
jobs and for sides of unequal size; wide, because it uses nothing that jobs have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt

from harness.stats.checks import check_alpha
from harness.stats.quantiles import QuantileBounds, quantile_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileDifference:
    """New less old in seconds, and new over old; infinite ends (0 for a ratio) are no bounds."""

    p: float
    old: QuantileBounds
    new: QuantileBounds
    difference_low_s: float
    difference_high_s: float
    ratio_low: float
    ratio_high: float


def quantile_difference(
    old_s: npt.ArrayLike,
    new_s: npt.ArrayLike,
    old_states: npt.ArrayLike | None = None,
    new_states: npt.ArrayLike | None = None,
    *,
    p: float,
    alpha_total: float,
) -> QuantileDifference:
    """Bounds of the difference and ratio of the p-quantiles, together at 1 - alpha_total.

    old_s, new_s, states: as for `harness.stats.quantiles.durations`, one per job of that side.
    Raises StatsInputError naming the argument that is outside its domain.
    """
    half = check_alpha("alpha_total", alpha_total) / 2.0
    old = quantile_bounds(old_s, old_states, p=p, alpha_total=half)
    new = quantile_bounds(new_s, new_states, p=p, alpha_total=half)
    return QuantileDifference(
        p=p,
        old=old,
        new=new,
        difference_low_s=-math.inf if math.isinf(old.high) else new.low - old.high,
        difference_high_s=math.inf if math.isinf(new.high) else new.high - old.low,
        ratio_low=_ratio(new.low, old.high, unknown=0.0),
        ratio_high=_ratio(new.high, old.low, unknown=math.inf),
    )


def _ratio(above: float, below: float, *, unknown: float) -> float:
    if (math.isinf(above) and math.isinf(below)) or above == below == 0.0:
        return unknown
    return math.inf if below == 0.0 else above / below
