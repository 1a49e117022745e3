"""The events behind one difference, oldest first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Grid, Vertical

from harness.assessment import EventView
from harness.tui.widgets.cell import Cell
from harness.tui.wording import clock_ms, plain

MOST_EVENTS = 200
"""Newest events shown; a submission has a handful, a looping one may have thousands."""

_SIDES = {
    "directory_submissions": "old",
    "queue_history": "new",
    "job_results": "new",
    "jobs": "job",
}


class Timeline(Vertical):
    """Seq, time, whose event it is, and what happened."""

    BORDER_TITLE = "Timeline"

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._rows = Grid(classes="timeline")
        self._shown: tuple[EventView, ...] | None = None

    def compose(self) -> ComposeResult:
        """A grid."""
        yield self._rows

    def wait(self) -> None:
        """Forget the events of another difference."""
        self._shown = None
        self.border_subtitle = ""
        self._rows.remove_children()

    def show(self, events: tuple[EventView, ...]) -> None:
        """Paint `events`."""
        if events == self._shown:
            return
        self._shown = events
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


def _side(event: EventView) -> str:
    if event.source.startswith("replay:"):
        return "replay"
    return _SIDES.get(event.kind, plain(event.kind))
