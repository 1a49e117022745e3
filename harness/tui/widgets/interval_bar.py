"""A share drawn in characters: its interval, its value and the threshold it must reach."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

TRACK, INTERVAL, VALUE, THRESHOLD, BOTH = "·", "━", "●", "┃", "◆"
"""BOTH stands where value and threshold fall on one place."""
LEGEND = f"{INTERVAL} interval  {VALUE} value  {THRESHOLD} required"

_STYLES = {
    TRACK: "$secondary 40%",
    INTERVAL: "$secondary",
    VALUE: "$foreground bold",
    THRESHOLD: "$accent bold",
    BOTH: "$accent bold",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is drawn; shares in [0, 1] on the scale from `start` to `end`."""

    low: float
    high: float
    value: float | None
    threshold: float
    start: float
    end: float


def draw_bar(bar: Bar, width: int) -> str:
    """The bar in `width` characters. What lies outside the scale is drawn at its end."""
    if width < 1:
        return ""

    def place(share: float) -> int:
        inside = min(max(share, bar.start), bar.end)
        return round((width - 1) * (inside - bar.start) / (bar.end - bar.start))

    low, high, threshold = place(bar.low), place(bar.high), place(bar.threshold)
    chars = [INTERVAL if low <= at <= high else TRACK for at in range(width)]
    chars[threshold] = THRESHOLD
    if bar.value is not None:
        at = place(bar.value)
        chars[at] = BOTH if at == threshold else VALUE
    return "".join(chars)


class IntervalBar(Widget):
    """Draws a `Bar` over its width, or words where there is nothing to draw."""

    DEFAULT_CSS = "IntervalBar { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self._bar: Bar | None = None
        self._words = ""

    def show(self, bar: Bar | None, words: str) -> None:
        """Draw `bar` with `words` behind it; without a bar, the words alone."""
        if (bar, words) != (self._bar, self._words):
            self._bar, self._words = bar, words
            self.refresh(layout=True)

    def render(self) -> Content:
        """Paint it."""
        if self._bar is None:
            return Content.styled(self._words, "$secondary")
        drawn = draw_bar(self._bar, self.size.width - len(self._words) - 2)
        return Content.assemble(
            *((char, _STYLES[char]) for char in drawn), (f" {self._words}", "$secondary")
        )
