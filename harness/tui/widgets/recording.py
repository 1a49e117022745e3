"""How well production is recorded: lag, gaps, queues, workers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from harness.assessment import RecordingHealth
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import clock, duration, plain

_NAME_WIDTH = 11
_MOST_WORKERS = 2
_LONGEST_ID = 20


class RecordingPanel(Panel):
    """The health of the record in a few named lines."""

    BORDER_TITLE = "Recording"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = Cell(classes="table")

    def compose(self) -> ComposeResult:
        """One block of named lines."""
        yield self._table

    def show(self, recording: RecordingHealth) -> None:
        """Paint the health of the record."""
        loud = bool(recording.gaps) or recording.provisional or recording.complete_until is None
        self.set_class(loud, "-undecided")
        self.border_subtitle = f"{recording.events:,} events"
        lines = [
            ("complete to", *_complete(recording)),
            *([("gaps", *_gaps(recording))] if recording.gaps else []),
            ("queues", *_queues(recording)),
            *_workers(recording),
        ]
        self._table.show(
            Content("\n").join(
                Content.assemble((f"{name:<{_NAME_WIDTH}} ", "$secondary"), (text, style))
                for name, text, style in lines
            )
        )


def _complete(recording: RecordingHealth) -> tuple[str, str]:
    if recording.complete_until is None:
        return "▲ not proved: no sweep has finished", "$warning bold"
    text = f"{clock(recording.complete_until)} ({duration(recording.lag_s)} behind)"
    if recording.provisional:
        return f"▲ {text}, provisional", "$warning bold"
    return (text if recording.gaps else f"{text}, no gap"), ""


def _gaps(recording: RecordingHealth) -> tuple[str, str]:
    return f"▲ {len(recording.gaps)}, last: {plain(recording.gaps[-1])}", "$warning bold"


def _queues(recording: RecordingHealth) -> tuple[str, str]:
    def depth(value: int | None, word: str) -> str:
        return "not sampled" if value is None else f"{value:,} {word}"

    text = (
        f"{depth(recording.queue_depth, 'waiting')}, "
        f"dead letters: {depth(recording.dlq_depth, '').strip()}"
    )
    return (f"▲ {text}", "$error bold") if recording.dlq_depth else (text, "")


def _workers(recording: RecordingHealth) -> list[tuple[str, str, str]]:
    if not recording.workers:
        return [("workers", "none has been seen", "")]
    shown = [
        ("workers" if at == 0 else "", _worker(worker), "$warning" if " stale" in worker else "")
        for at, worker in enumerate(recording.workers[:_MOST_WORKERS])
    ]
    more = len(recording.workers) - _MOST_WORKERS
    return [*shown, ("", f"and {more} more", "$secondary")] if more > 0 else shown


def _worker(line: str) -> str:
    """A worker's line with its id cut to what tells it apart: many are 36 characters long."""
    name, _, rest = plain(line).partition(" ")
    return f"{name[:8]}… {rest}" if len(name) > _LONGEST_ID else f"{name} {rest}"
