"""Jobs through both systems over the recorded time, drawn in characters."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from harness.assessment import Traffic, TrafficBin
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import clock

LEVELS = " ▁▂▃▄▅▆▇█"
_NAME_WIDTH = 10


def columns(values: Sequence[int], most: int, width: int, height: int = 1) -> list[str]:
    """`values` as columns of characters, `width` wide and `height` lines high, the top line first.

    most: the value that reaches the top. A value above nought is never drawn as nothing.
    """
    if not values or width < 1 or height < 1:
        return []
    full = len(LEVELS) - 1
    levels = []
    for place in range(width):
        value = values[place * len(values) // width]
        level = round(full * height * value / most) if most else 0
        levels.append(max(1, level) if value else 0)
    return [
        "".join(LEVELS[min(full, max(0, level - full * line))] for level in levels)
        for line in reversed(range(height))
    ]


class TrafficPanel(Panel):
    """Three rows of columns: created, ended by the old system, ended by the new one."""

    BORDER_TITLE = "Jobs over time"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows = Cell(classes="table")
        self._bins: tuple[TrafficBin, ...] = ()
        self._until = ""

    def compose(self) -> ComposeResult:
        """One block of aligned text."""
        yield self._rows

    def show(self, traffic: Traffic | None) -> None:
        """Draw what went through."""
        self._bins = traffic.bins if traffic else ()
        self._until = clock(traffic.until) if traffic and traffic.until else ""
        self._paint()

    def on_resize(self) -> None:
        """The columns share the new width."""
        self._paint()

    def _paint(self) -> None:
        bins = self._bins
        if not bins:
            self.border_subtitle = ""
            self._rows.show("Nothing is proved to have gone through yet.")
            return
        rows = {
            "created": [one.admitted for one in bins],
            "ended old": [one.control_ended for one in bins],
            "ended new": [one.candidate_ended for one in bins],
        }
        most = max(map(max, rows.values()))
        width = max(1, self._rows.size.width - _NAME_WIDTH)
        height = max(1, min(4, self.size.height // len(rows)))
        self.border_subtitle = f"at most {most:,} in a column, up to {self._until}"
        lines = []
        for name, values in rows.items():
            for at, drawn in enumerate(columns(values, most, width, height)):
                label = name if at == height - 1 else ""
                lines.append(
                    Content.assemble(
                        (f"{label:<{_NAME_WIDTH}}", "$secondary"),
                        (drawn, "$primary" if "new" in name else "$secondary"),
                    )
                )
        self._rows.show(Content("\n").join(lines))
