"""One replay run: how far it is, how fast, and what it has found."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from harness.assessment import ReplayProgress
from harness.gates.wording import counted
from harness.tui.actions.port import Child
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import STEP_BINDINGS
from harness.tui.widgets.task_bar import ProgressLine
from harness.tui.wording import day_and_time, duration, plain

MOST_LINES = 8
"""Of what a failed run said last."""


class ReplayCard(Vertical, can_focus=True):
    """Progress, rate, remaining time, disagreements and escapes of one run."""

    BINDINGS: ClassVar[list[BindingType]] = [*STEP_BINDINGS]

    def __init__(self, run: ReplayProgress) -> None:
        super().__init__(classes="panel")
        self._progress = ProgressLine()
        self._counts = Cell()
        self._pace = Cell()
        self._found = Cell()
        self._said = Cell(classes="said")
        self._said.display = False
        self.run = run
        self.show(run)

    def compose(self) -> ComposeResult:
        """The bar and three lines of words."""
        yield self._progress
        yield self._counts
        yield self._pace
        yield self._found
        yield self._said

    def show(self, run: ReplayProgress) -> None:
        """Paint `run`."""
        self.run = run
        self.border_title = f"{plain(run.run)}  (worker: {plain(run.worker) or 'unknown'})"
        self.border_subtitle = "finished" if run.finished_at else "● running"
        closed = run.done + run.excluded
        self._progress.show(closed / run.selected if run.selected else None)
        self._counts.show(
            f"{run.done:,} replayed and {run.excluded:,} excluded "
            f"of {counted(run.selected, 'submission')}"
        )
        self._pace.show(_pace(run))
        self._found.show(_found(run))
        self.set_class(run.escapes > 0, "-no-go")

    def show_child(self, child: Child | None) -> None:
        """Paint what the process of the run says; None where another started it."""
        words = child_words(child) if child else Content("")
        self._said.display = child is not None
        self._said.show(words)
        if self.run.finished_at is None:
            stopped = child is not None and child.poll() is not None
            self.border_subtitle = "stopped: c continues it" if stopped else "● running"


class StartingCard(Vertical, can_focus=True):
    """A run of which the journal knows nothing yet, or which ended before its first event."""

    BINDINGS: ClassVar[list[BindingType]] = [*STEP_BINDINGS]

    def __init__(self, child: Child) -> None:
        super().__init__(classes="panel")
        self.child = child
        self.border_title = plain(child.name)
        self._said = Cell()
        self.show(child)

    def compose(self) -> ComposeResult:
        """What its process says."""
        yield self._said

    def show(self, child: Child) -> None:
        """Paint it."""
        code = child.poll()
        self.set_class(code not in (None, 0), "-no-go")
        self.border_subtitle = "starting …" if code is None else "ended"
        self._said.show(child_words(child))


def child_words(child: Child) -> Content:
    """Process, how it ended and what it said last; of a failure its last lines."""
    code = child.poll()
    if code is None:
        head = f"process {child.pid} of this dashboard; s stops it"
    elif code == 0:
        head = "its process has ended in order"
    else:
        head = f"✕ its process has ended with code {code}"
    lines = child.last_lines(1 if code in (None, 0) else MOST_LINES)
    style = "$secondary" if code in (None, 0) else "$error"
    return Content("\n").join(
        [Content.styled(head, style), *(Content(plain(line)) for line in lines)]
    )


def _pace(run: ReplayProgress) -> str:
    rate = f"{run.rate_per_min:,.1f} a minute" if run.rate_per_min is not None else "no rate yet"
    if run.finished_at:
        took = duration((run.finished_at - run.started_at).total_seconds())
        return f"{rate}, took {took}, finished {day_and_time(run.finished_at)}"
    left = f"about {duration(run.remaining_s)} left" if run.remaining_s is not None else ""
    return ", ".join(filter(None, [rate, left, f"started {day_and_time(run.started_at)}"]))


def _found(run: ReplayProgress) -> Content:
    escapes = (
        (f"✕ {counted(run.escapes, 'ESCAPE', 'ESCAPES')} FROM THE SANDBOX", "$error bold")
        if run.escapes
        else ("✓ no escape from the sandbox", "$success")
    )
    return Content.assemble(
        (f"{run.disagreeing:,} disagreeing", "$warning bold" if run.disagreeing else ""),
        ", ",
        escapes,
    )
