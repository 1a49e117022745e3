"""Numbers, times and intervals as the report words them, for every format alike. Pure text.

Bounds are rounded outward, so that no text claims more than its number.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from harness.assessment import Estimate, Interval
from harness.gates.shown import NO_EVIDENCE
from harness.gates.wording import confidence, percent_down, percent_up

NO_BOUND = "not enough jobs"


def moment(value: datetime | None) -> str:
    """``23 Nov 2026, 08:30:00 UTC``."""
    if value is None:
        return "never"
    return value.astimezone(UTC).strftime("%d %b %Y, %H:%M:%S UTC").lstrip("0")


def duration(seconds: float | None) -> str:
    """``4.2 s``, ``3 min 32 s``, ``2 h 5 min``, ``3 d 4 h``; a dash where there is none."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {small}"
    return f"{whole // 60} min {whole % 60} s"


def bound(seconds: float | None) -> str:
    """A bound of a percentile; never the largest value seen where none exists."""
    return NO_BOUND if seconds is None or not math.isfinite(seconds) else duration(seconds)


def span(low: float | None, high: float | None) -> str:
    """``78.1 s to 2 min 2 s``, or what is known of it."""
    if low is None and high is None:
        return NO_BOUND
    if high is None:
        return f"at least {duration(low)}; no upper bound yet"
    if low is None:
        return f"at most {duration(high)}"
    return f"{duration(low)} to {duration(high)}"


def interval(value: Interval | None) -> str:
    """``90.2 to 98.8 %``, rounded outward; other scales as plain numbers."""
    if value is None:
        return "–"
    if value.low >= 0.0 and value.high <= 1.0:
        return f"{percent_down(value.low).removesuffix(' %')} to {percent_up(value.high)}"
    high = f"{value.high:,.4g}" if math.isfinite(value.high) else "no upper bound"
    return f"{value.low:,.4g} to {high}"


def headline(estimate: Estimate) -> str:
    """What may be said of an estimate whenever anybody looks."""
    if estimate.value is None:
        return NO_EVIDENCE
    sure = confidence(estimate.headline.alpha_total / 2.0)
    return (
        f"at least {percent_down(estimate.headline.low)}, at {sure} confidence, "
        f"however often you look"
    )


def label(value: Interval, n: int) -> str:
    """The fixed-sample interval under the name that says when it holds."""
    if n == 0:
        return NO_EVIDENCE
    sure = confidence(value.alpha_total)
    return f"{interval(value)} if you had looked once ({value.method}, {sure} two-sided)"


def number(value: float) -> str:
    """``200``, ``1.5``: a factor without digits it does not need."""
    return f"{value:,.6g}"


def rehearsal(time_scale: float) -> str | None:
    """The warning that a rehearsal must carry; None in production."""
    if time_scale == 1.0:
        return None
    return (
        f"Rehearsal at {number(time_scale)} times the speed of production. The decision rates "
        "the rehearsed week; it says nothing about production."
    )
