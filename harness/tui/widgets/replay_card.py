"""One replay run: how far it is, how fast, and what it has found."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from harness.assessment import ReplayProgress
from harness.gates.wording import counted
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.task_bar import ProgressLine
from harness.tui.wording import day_and_time, duration, plain


class ReplayCard(Vertical):
    """Progress, rate, remaining time, disagreements and escapes of one run."""

    def __init__(self, run: ReplayProgress) -> None:
        super().__init__(classes="panel")
        self._progress = ProgressLine()
        self._counts = Cell()
        self._pace = Cell()
        self._found = Cell()
        self.show(run)

    def compose(self) -> ComposeResult:
        """The bar and three lines of words."""
        yield self._progress
        yield self._counts
        yield self._pace
        yield self._found

    def show(self, run: ReplayProgress) -> None:
        """Paint `run`."""
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
