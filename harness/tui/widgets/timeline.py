"""The events behind one difference, oldest first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.content import Content

from harness.assessment import EventView
from harness.tui.axis import Axis, draw_axis, lane_of
from harness.tui.widgets.cell import Cell
from harness.tui.wording import clock_ms, plain

MOST_EVENTS = 200
"""Newest events shown; a submission has a handful, a looping one may have thousands."""


class Timeline(Vertical):
    """Both sides on one axis; then seq, time, whose event it is, and what happened."""

    BORDER_TITLE = "Timeline"

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._axis = Cell(classes="axis")
        self._rows = Grid(classes="timeline")
        self._shown: tuple[EventView, ...] | None = None

    def compose(self) -> ComposeResult:
        """The axis, and below it every event in words."""
        yield self._axis
        yield self._rows

    def on_resize(self) -> None:
        """The axis takes the new width."""
        self._draw()

    def _draw(self) -> None:
        drawn = draw_axis(self._shown or (), self._axis.size.width or self.size.width)
        self._axis.display = drawn is not None
        if drawn is not None:
            self._axis.show(_axis_content(drawn))

    def wait(self) -> None:
        """Forget the events of another difference."""
        self._shown = None
        self.border_subtitle = ""
        self._axis.show("")
        self._rows.remove_children()

    def show(self, events: tuple[EventView, ...]) -> None:
        """Paint `events`."""
        if events == self._shown:
            return
        self._shown = events
        self._draw()
        hidden = max(0, len(events) - MOST_EVENTS)
        self.border_subtitle = f"{len(events):,} events" + (
            f", the oldest {hidden:,} left out" if hidden else ""
        )
        self._rows.remove_children()
        for event in events[hidden:]:
            self._rows.mount(
                Cell(clock_ms(event.occurred_at), classes="time"),
                Cell(_side(event), classes="side"),
                Cell(plain(event.text)),
                Cell(f"{event.seq:,}", classes="seq"),
            )


def _axis_content(drawn: Axis) -> Content:
    return Content("\n").join(
        [
            Content.styled(drawn.control, "$primary"),
            Content.styled(drawn.axis, "$secondary"),
            Content.styled(drawn.candidate, "$primary"),
            Content.styled(drawn.times, "$secondary"),
        ]
    )


def _side(event: EventView) -> str:
    return "replay" if event.source.startswith("replay:") else lane_of(event)
