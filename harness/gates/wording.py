"""Numbers as a manager reads them. Text only; judges nothing."""

from __future__ import annotations

import math

from harness.stats.outlook import Forecast, one_figure


def percent(share: float) -> str:
    """``97.3 %``; only all of them are ``100.0 %``, and only none ``0.0 %``."""
    shown = 100.0 * share
    if 0.0 < share < 1.0:
        shown = min(max(shown, 0.1), 99.9)
    return f"{shown:.1f} %"


def percent_down(share: float) -> str:
    """A lower bound as text: rounded down, so that the text never claims more than the number."""
    return f"{math.floor(1000.0 * share + 1e-9) / 10.0:.1f} %"


def percent_up(share: float) -> str:
    """An upper bound as text: rounded up."""
    return f"{math.ceil(1000.0 * share - 1e-9) / 10.0:.1f} %"


def threshold_percent(share: float) -> str:
    """A threshold without digits it does not have: ``95 %``, ``99.5 %``."""
    return f"{100.0 * share:.6g} %"


def confidence(alpha: float) -> str:
    """``95 %`` for alpha = 0.05."""
    return f"{100.0 * (1.0 - alpha):.4g} %"


def seconds(value: float) -> str:
    """``212 s``; tenths below ten seconds."""
    return f"{value:.1f} s" if value < 10.0 else f"{value:,.0f} s"


def counted(n: int, one: str, many: str | None = None) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(parts: tuple[str, ...] | list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """`text` with a capital and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def more_jobs(forecast: Forecast, *, least: int = 0) -> str | None:
    """``about 60 more jobs (20 to 200)``; None where the present course leads nowhere.

    least: jobs that are needed in any case. One figure only: it is a rough guess.
    """
    if math.isinf(forecast.jobs):
        return None
    middle = one_figure(max(forecast.jobs, least))
    low = one_figure(max(forecast.low, least))
    if math.isinf(forecast.high):
        return f"about {middle:,} more jobs (at best {low:,}, at worst no end in sight)"
    high = one_figure(max(forecast.high, least))
    if low == high:
        return f"about {middle:,} more jobs"
    return f"about {middle:,} more jobs ({low:,} to {high:,})"
