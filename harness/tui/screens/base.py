"""What all screens share: the lines above, the keys below, and who asks for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker, WorkerState

from harness.assessment import Assessment
from harness.tui.task import TaskState
from harness.tui.view import View
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.masthead import Masthead
from harness.tui.widgets.navigation import Navigation
from harness.tui.widgets.task_bar import TaskBar


class ShadowScreen(Screen[None]):
    """A screen of the dashboard: the app hands it a `View`, it paints.

    A subclass gives `compose_body` and `paint`, and the words of its help.
    """

    MODE: ClassVar[str] = ""
    HELP_WORDS: ClassVar[str] = ""
    """What the screen shows and how to read it; Markdown."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (38, "-tall")]  # noqa: RUF012

    @dataclass
    class Shown(Message):
        """The screen has come to the front and wants to be told what to paint."""

        screen: ShadowScreen

    @dataclass
    class WorkFailed(Message):
        """Work for this screen failed in a way that nobody foresaw."""

        error: BaseException

    def compose(self) -> ComposeResult:
        """Task, masthead, navigation; the body; the keys."""
        yield TaskBar()
        yield Masthead()
        yield Navigation(self.MODE)
        yield Cell("Reading the journal …", id="waiting")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield Footer()

    def compose_body(self) -> ComposeResult:
        """The widgets between navigation and keys."""
        raise NotImplementedError

    def paint(self, assessment: Assessment) -> None:
        """Hand `assessment` to the widgets of the body."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Nothing to see yet."""
        self.set_class(True, "-waiting")

    def on_screen_resume(self) -> None:
        """Ask for what to paint."""
        self.post_message(self.Shown(self))

    def show(self, view: View) -> None:
        """Paint `view`; without an assessment, say why there is none."""
        self.set_class(view.past, "-past")
        self.query_one(Masthead).show(view)
        self.query_one(Navigation).show_counts(view.assessment)
        self.set_class(view.assessment is None, "-waiting")
        if view.assessment is not None:
            self.paint(view.assessment)
        elif view.snapshot is not None:
            self.query_one("#waiting", Cell).show(
                "Nothing to show yet.\n\nThis screen looks again by itself; q leaves."
            )

    def show_task(self, task: TaskState | None) -> None:
        """Paint the work that goes on beside the dashboard."""
        self.query_one(TaskBar).show(task)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An unforeseen failure of this screen's work must not vanish."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.post_message(self.WorkFailed(event.worker.error))
