"""What all screens share: the lines above, the keys below, and who asks for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.worker import Worker, WorkerState

from harness.assessment import Assessment
from harness.tui.actions.port import Target
from harness.tui.screens.card import SteadyScreen
from harness.tui.state import JsonValue
from harness.tui.task import TaskState
from harness.tui.view import View
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.key_line import KeyLine
from harness.tui.widgets.masthead import Masthead
from harness.tui.widgets.navigation import Navigation
from harness.tui.widgets.task_bar import TaskBar
from harness.tui.widgets.time_bar import TimeBar


@runtime_checkable
class HasTarget(Protocol):
    """A widget whose cursor stands on something that actions apply to."""

    @property
    def target(self) -> Target | None:
        """What it stands on."""


class ShadowScreen(SteadyScreen[None]):
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
        """Task, masthead, navigation; the body; time; the keys."""
        yield TaskBar()
        yield Masthead()
        yield Navigation(self.MODE)
        yield Cell("Reading the journal …", id="waiting")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield TimeBar()
        yield KeyLine()

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
        self.set_class(view.travel.searching is not None, "-travelling")
        self.query_one(Masthead).show(view)
        self.query_one(Navigation).show_counts(view.assessment)
        self.query_one(TimeBar).show(view)
        self.set_class(view.assessment is None, "-waiting")
        if view.assessment is not None:
            self.paint(view.assessment)
        elif view.snapshot is not None:
            self.query_one("#waiting", Cell).show(
                "Nothing to show yet.\n\nThis screen looks again by itself; q leaves."
            )

    def target(self) -> Target | None:
        """What an action applies to: unless overridden, what the focused widget stands on."""
        return self.focused.target if isinstance(self.focused, HasTarget) else None

    def save_state(self) -> dict[str, JsonValue]:
        """What this screen wants to find again in the next run, such as filter and sort.

        Plain JSON values only. Called while the screen is mounted, also when it is not in front.
        """
        return {}

    def restore_state(self, state: Mapping[str, JsonValue]) -> None:
        """Take up what `save_state` gave in an earlier run, perhaps of another version.

        Called once, before the first paint. Unknown keys and values of a wrong kind are ignored:
        the file may have been damaged or edited.
        """

    def show_task(self, task: TaskState | None) -> None:
        """Paint the work that goes on beside the dashboard."""
        self.query_one(TaskBar).show(task)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """An unforeseen failure of this screen's work must not vanish."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.post_message(self.WorkFailed(event.worker.error))
