"""The line about work that goes on beside the dashboard."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from harness.tui.task import TaskState
from harness.tui.widgets.cell import Cell
from harness.tui.wording import plain

DONE, LEFT = "━", "─"


class ProgressLine(Widget):
    """A share in characters, with its figure behind it."""

    DEFAULT_CSS = "ProgressLine { height: 1; }"

    def __init__(self, share: float | None = None, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._share = share

    def show(self, share: float | None) -> None:
        """Draw `share`, in [0, 1]; None draws nothing."""
        if share != self._share:
            self._share = share
            self.refresh()

    def render(self) -> Content:
        """Paint it."""
        if self._share is None:
            return Content("")
        share = min(1.0, max(0.0, self._share))
        # Rounded down: 100 % stands only where everything is done.
        words = f" {int(100 * share + 1e-9):>3} %"
        width = max(0, self.size.width - len(words))
        done = int(width * share + 1e-9)
        return Content.assemble(
            (DONE * done, "$primary bold"), (LEFT * (width - done), "$secondary 40%"), words
        )


class TaskBar(Horizontal):
    """Status and progress of the task; hidden where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._status = Cell(classes="status")
        self._progress = ProgressLine()
        self.display = False

    def compose(self) -> ComposeResult:
        """Words left, progress right."""
        yield self._status
        yield self._progress

    def show(self, task: TaskState | None) -> None:
        """Paint `task`."""
        self.display = task is not None
        if task is None:
            return
        words = plain(task.status)
        if task.finished and task.closes_in_s is not None:
            words += f"  Closing in {task.closes_in_s} s; press any key to stay."
        elif task.finished:
            words += "  Press q to leave."
        self.set_class(task.finished, "-finished")
        self._status.show(words)
        self._progress.display = not task.finished and task.progress is not None
        self._progress.show(task.progress)
