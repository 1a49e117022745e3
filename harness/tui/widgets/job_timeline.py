"""What happened to one job on both sides, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content

from harness.assessment import JobEvent
from harness.model import Side
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import clock_ms, duration, plain

LANES = ((Side.CONTROL.value, "old"), (Side.CANDIDATE.value, "new"), ("job", "job"))
"""What is drawn, and how it is called; replays came later and stand in the list only."""
_NAMES = {**dict(LANES), "replay": "replay", "other": "other"}
MOST_LISTED = 300
"""Events in the list; the axis draws every one that was read."""
ONE, FEW, MANY, SPAN = "•", "●", "█", "─"
_NAME_WIDTH = 5


def lane(times: Sequence[datetime], start: datetime, end: datetime, width: int) -> str:
    """One side's events over `width` characters from `start` to `end`.

    A line from its first to its last event; ``•`` one event, ``●`` two or three, ``█`` more.
    """
    if width < 1 or not times:
        return " " * max(0, width)
    whole = (end - start).total_seconds()
    counts = [0] * width
    for at in times:
        share = (at - start).total_seconds() / whole if whole > 0 else 0.0
        counts[min(width - 1, max(0, round(share * (width - 1))))] += 1
    first = next(place for place, n in enumerate(counts) if n)
    last = width - 1 - next(place for place, n in enumerate(reversed(counts)) if n)
    return "".join(
        _mark(n) if n else SPAN if first <= place <= last else " " for place, n in enumerate(counts)
    )


def _mark(events: int) -> str:
    return ONE if events == 1 else FEW if events < 4 else MANY


class TimeAxis(Cell):
    """The lanes of both sides above one scale."""

    def __init__(self) -> None:
        super().__init__(classes="axis")
        self._events: tuple[JobEvent, ...] = ()
        self._scale = 1.0

    def show_events(self, events: tuple[JobEvent, ...], scale: float) -> None:
        """Draw them; scale: how many seconds of production a recorded one counts."""
        self._events, self._scale = events, scale
        self._draw()

    def on_resize(self) -> None:
        """Share the new width."""
        self._draw()

    def _draw(self) -> None:
        drawn = dict(LANES)
        times = [event.occurred_at for event in self._events if event.lane in drawn]
        width = self.size.width - _NAME_WIDTH
        if not times or width < 10:
            self.show("Nothing has happened yet." if not times else "")
            return
        start, end = min(times), max(times)
        lines = [
            Content.assemble(
                (f"{name:<{_NAME_WIDTH}}", "$secondary"),
                (
                    lane([e.occurred_at for e in self._events if e.lane == key], start, end, width),
                    "$primary" if name == "new" else "",
                ),
            )
            for key, name in LANES
        ]
        whole = (end - start).total_seconds() * self._scale
        of_production = "" if self._scale == 1.0 else " of production"
        middle, last = f"+{duration(whole / 2)}", f"+{duration(whole)}{of_production}"
        ruler = f"{'0 s':<{width // 2 - len(middle) // 2}}{middle}"
        ruler = f"{ruler}{last:>{max(1, width - len(ruler))}}"
        lines.append(Content.styled(" " * _NAME_WIDTH + ruler, "$secondary"))
        self.show(Content("\n").join(lines))


class JobTimeline(Panel):
    """The axis, and below it every event with its moment."""

    BORDER_TITLE = f"Both timelines on one axis  {ONE} one event  {FEW} two, three  {MANY} more"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._axis = TimeAxis()
        self._rows = Grid(classes="timeline")
        self._shown: tuple[tuple[JobEvent, ...], float] | None = None

    def compose(self) -> ComposeResult:
        """The axis above the list."""
        yield self._axis
        yield self._rows

    def show(self, events: tuple[JobEvent, ...], before: int, scale: float) -> None:
        """Paint `events`. before: older ones that were not read."""
        if (events, scale) == self._shown:
            return
        self._shown = events, scale
        hidden = max(0, len(events) - MOST_LISTED)
        left = f", the oldest {hidden + before:,} left out" if hidden + before else ""
        self.border_subtitle = f"{len(events) + before:,} events{left}"
        self._axis.show_events(events, scale)
        self._rows.remove_children()
        cells = []
        for event in events[hidden:]:
            where = f"{plain(event.directory)}: " if event.directory else ""
            cells += [
                Cell(clock_ms(event.occurred_at), classes="time"),
                Cell(_NAMES.get(event.lane, plain(event.lane)), classes="side"),
                Cell(f"{where}{plain(event.text)}"),
                Cell(f"{event.seq:,}", classes="seq"),
            ]
        self._rows.mount(*cells)
