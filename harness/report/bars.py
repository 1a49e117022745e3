"""Places shares on drawn bars: pixels from the left, and what the drawing says in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.assessment import Interval
from harness.gates.shown import share
from harness.report.wording import interval as interval_words

BAR_WIDTH = 190
_EDGE = 4

Scale = tuple[float, float]
"""Shares at the left and the right end of a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A drawn interval; positions in pixels from the left, inside BAR_WIDTH."""

    low: float
    high: float
    value: float | None
    threshold: float | None
    words: str
    """What the drawing says, for those who cannot see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumbbell:
    """Two shares on one line; positions as for `Bar`."""

    old: float
    new: float
    words: str


def interval_bar(
    value: float | None, found: Interval, threshold: float | None, scale: Scale
) -> Bar:
    """An interval of shares with its value and, if there is one, its threshold."""
    known = value if value is not None and math.isfinite(value) else None
    words = f"Interval {interval_words(found)}"
    if known is not None:
        words += f", value {share(known)}"
    if threshold is not None:
        words += f", threshold {share(threshold)}"
    return Bar(
        low=place(found.low, scale),
        high=place(found.high, scale),
        value=None if known is None else place(known, scale),
        threshold=None if threshold is None else place(threshold, scale),
        words=words,
    )


def dumbbell(old: float, new: float) -> Dumbbell:
    """Both shares in [0, 1] on a line from 0 to 100 %."""
    return Dumbbell(
        old=place(old, (0.0, 1.0)),
        new=place(new, (0.0, 1.0)),
        words=f"Old {share(old)}, new {share(new)}",
    )


def place(value: float, scale: Scale) -> float:
    """Pixels from the left; a value off the scale stands at its end."""
    start, end = scale
    inside = min(max(value, start), end)
    return round(_EDGE + (BAR_WIDTH - 2 * _EDGE) * (inside - start) / (end - start), 1)


def common_scale(shares: Iterable[float]) -> Scale:
    """From a whole tenth below the lowest of the `shares` to 1."""
    lowest = min(shares, default=0.0)
    return max(0.0, math.floor(10.0 * lowest - 0.2) / 10.0), 1.0
