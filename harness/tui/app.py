"""The dashboard's app: asks for the present assessment, hands it to the screen in front.

Opens no journal itself and computes nothing: `Source` answers, in worker threads.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import Worker, WorkerState, get_current_worker

from harness.assessment import Difference
from harness.errors import ShadowError
from harness.tui.closing import Closing
from harness.tui.commands import DifferenceCommands, named_actions
from harness.tui.data import Moment, Snapshot
from harness.tui.filtering import cluster_filter
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.findings import FindingsScreen
from harness.tui.screens.help import HelpScreen
from harness.tui.screens.moment import MomentScreen
from harness.tui.screens.overview import OverviewScreen
from harness.tui.screens.replays import ReplaysScreen
from harness.tui.sources import Source
from harness.tui.task import BackgroundTask, TaskState
from harness.tui.theme import SHADOW_THEME
from harness.tui.view import View
from harness.tui.widgets.clusters import ClusterList
from harness.tui.widgets.findings import FindingList
from harness.tui.widgets.navigation import SCREENS

REST = 3.0
"""Pause between two looks, at least this many times what the last one took.

Inside one process a look keeps a recorder out of the journal, so looks must stay the exception.
"""


class ShadowApp(App[int]):
    """The dashboard. Its result is 0, or 1 if it had a fault of its own (see `faults`)."""

    TITLE = "shadow"
    CSS_PATH = "shadow.tcss"
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, type[Screen[None]]]] = {  # type: ignore[assignment]
        "overview": OverviewScreen,
        "differences": DifferencesScreen,
        "replays": ReplaysScreen,
        "findings": FindingsScreen,
    }
    COMMANDS: ClassVar = App.COMMANDS | {DifferenceCommands}
    TASK_TICK_S: ClassVar[float] = 0.5
    CLOSING_TICK_S: ClassVar[float] = 1.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit", tooltip="Leave the dashboard"),
        Binding("ctrl+c,ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("question_mark", "help", "Help", tooltip="What this screen shows, and all keys"),
        *(
            Binding(f"{key}", f"show_screen('{mode}')", title, show=False)
            for key, (mode, title) in enumerate(SCREENS, start=1)
        ),
        # One entry for both brackets: a terminal of 80 columns has no room for two.
        Binding("left_square_bracket", "step(False)", "Time", key_display="[ ]"),
        Binding("right_square_bracket", "step(True)", "Forward in time", show=False),
        Binding("g", "go_to", "Go to a moment", show=False),
        Binding("l", "live", "Live", tooltip="Back to now"),
    ]

    @dataclass
    class SnapshotLoaded(Message):
        """A look at the journal has ended."""

        as_of: Moment | None
        snapshot: Snapshot
        cost_s: float

    @dataclass
    class MomentFound(Message):
        """A step in time has found where it lands."""

        as_of: Moment | None
        """What was shown when the step was asked for."""
        forward: bool
        seq: int | None
        """None at either end."""

    @dataclass
    class StepFailed(Message):
        """The journal could not be asked for a step."""

        reason: str

    def __init__(
        self,
        data: Source,
        *,
        as_of: Moment | None = None,
        refresh_s: float = 1.0,
        task: BackgroundTask | None = None,
    ) -> None:
        super().__init__()
        self.view = View(as_of=as_of, snapshot=None, fault=None)
        self.faults: dict[str, str] = {}
        """Faults of our own, oldest first: what was shown, and the traceback."""
        self._data = data
        self._refresh_s = refresh_s
        self._closing_after = Closing(task) if task else None
        self._task_state: TaskState | None = None
        self._next_look: Timer | None = None

    def on_mount(self) -> None:
        """Look at once; ask the task from time to time."""
        self.register_theme(SHADOW_THEME)
        self.theme = SHADOW_THEME.name
        self.look(self.view.as_of)
        if self._closing_after:
            self._ask_task()
            self.set_interval(self.TASK_TICK_S, self._ask_task)

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self, as_of: Moment | None) -> None:
        """Assess the journal as of a moment."""
        began = time.monotonic()
        snapshot = self._data.load(as_of)
        if not get_current_worker().is_cancelled:
            self.post_message(self.SnapshotLoaded(as_of, snapshot, time.monotonic() - began))

    def on_shadow_app_snapshot_loaded(self, event: SnapshotLoaded) -> None:
        """Show it, unless another moment is wanted by now; look again later."""
        if event.as_of != self.view.as_of:
            return
        self._show(replace(self.view, snapshot=event.snapshot))
        self._look_later(event.cost_s)

    def _look_later(self, cost_s: float) -> None:
        # One timer only: each moment visited would otherwise leave its own round of looks behind.
        if self._next_look:
            self._next_look.stop()
        self._next_look = self.set_timer(
            max(self._refresh_s, REST * cost_s), lambda: self.look(self.view.as_of)
        )

    def go_to(self, as_of: Moment | None) -> None:
        """Show the journal as of a moment; None is now."""
        if as_of == self.view.as_of:
            return
        # The old picture goes at once: under the new moment's name it would be a lie.
        self._show(View(as_of=as_of, snapshot=None, fault=self.view.fault))
        self.look(as_of)

    def _show(self, view: View) -> None:
        if view.past != self.view.past:
            self.refresh_bindings()
        self.view = view
        for screen in self._whole_screens():
            screen.show(view)

    def _whole_screens(self) -> list[ShadowScreen]:
        """The screens that can be painted; none while the app takes them apart to leave."""
        if not self.is_running:
            return []
        return [s for s in self.screen_stack if isinstance(s, ShadowScreen) and s.is_mounted]

    @on(ShadowScreen.Shown)
    def _screen_shown(self, event: ShadowScreen.Shown) -> None:
        event.screen.show(self.view)
        event.screen.show_task(self._task_state)

    @work(thread=True, exclusive=True, group="step", exit_on_error=False)
    def find_step(self, as_of: Moment | None, seq: int, forward: bool) -> None:
        """Ask where a step from `seq` lands."""
        try:
            news: Message = self.MomentFound(as_of, forward, self._data.step(seq, forward=forward))
        except ShadowError as error:
            news = self.StepFailed(str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_shadow_app_moment_found(self, event: MomentFound) -> None:
        """Go there, unless another moment is wanted by now."""
        if event.as_of != self.view.as_of:
            return
        if event.seq is not None:
            self.go_to(event.seq)
        elif event.forward:
            self.notify("Nothing was recorded after this moment. Press l for live.")
        else:
            self.notify("Nothing was recorded before this moment.")

    def on_shadow_app_step_failed(self, event: StepFailed) -> None:
        """Say why the step failed."""
        self.notify(event.reason, severity="warning", markup=False)

    def action_step(self, forward: bool) -> None:
        """Step to the next or previous moment at which the journal grew."""
        if self.view.assessment is None:
            return
        if forward and not self.view.past:
            self.notify("This is live: there is nothing later.")
            return
        self.find_step(self.view.as_of, self.view.assessment.provenance.seq, forward)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Live is offered only in the past."""
        if action == "live":
            return self.view.past
        return super().check_action(action, parameters)

    def action_live(self) -> None:
        """Back to now."""
        self.go_to(None)

    def action_go_to(self) -> None:
        """Ask for a moment and go there."""

        def answered(moment: Moment | None) -> None:
            if moment is not None:
                self.go_to(moment)

        self.push_screen(MomentScreen(), answered)

    async def action_show_screen(self, mode: str) -> None:
        """Bring a screen to the front, without what was opened on top of it."""
        await self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    @on(ClusterList.Chosen)
    async def _cluster_chosen(self, event: ClusterList.Chosen) -> None:
        await self.action_show_screen("differences")
        if isinstance(self.screen, DifferencesScreen):
            self.screen.filter_by(cluster_filter(event.cluster))

    @on(FindingList.Chosen)
    async def _finding_chosen(self, event: FindingList.Chosen) -> None:
        await self.action_show_screen("findings")
        if isinstance(self.screen, FindingsScreen):
            self.screen.choose(event.finding)

    @on(DifferencesScreen.Opened)
    async def _difference_opened(self, event: DifferencesScreen.Opened) -> None:
        await self.open_difference(event.difference, event.among)

    async def open_difference(self, difference: Difference, among: tuple[Difference, ...]) -> None:
        """Show one difference; `among` is the list that next and previous step through."""
        await self.action_show_screen("differences")
        await self.push_screen(DifferenceScreen(self._data, difference, among))

    def action_help(self) -> None:
        """Explain the screen in front."""
        if isinstance(self.screen, ShadowScreen):
            self.push_screen(HelpScreen(self.screen.HELP_WORDS))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action by name."""
        yield from super().get_system_commands(screen)
        yield from named_actions(self)

    def _ask_task(self) -> None:
        if self._closing_after is None:
            return
        counting = self._closing_after.counting
        self._task_state = self._closing_after.ask()
        if self._closing_after.counting and not counting:
            self.set_interval(self.CLOSING_TICK_S, self._count_down)
        for screen in self._whole_screens():
            screen.show_task(self._task_state)

    def _count_down(self) -> None:
        if self._closing_after and self._closing_after.count():
            self.action_leave()
        self._ask_task()

    async def on_event(self, event: events.Event) -> None:
        """Any key stops the countdown, whatever else it does."""
        if isinstance(event, events.Key) and self._closing_after and self._closing_after.counting:
            self._closing_after.keep_open()
            self._ask_task()
        await super().on_event(event)

    def action_leave(self) -> None:
        """Leave; 0 unless a fault was shown."""
        self.exit(1 if self.faults else 0)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A failure that nobody foresaw must not vanish."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.show_fault(event.worker.error)
            if event.worker.group == "look":
                self._look_later(self._refresh_s)

    @on(ShadowScreen.WorkFailed)
    def _work_failed(self, event: ShadowScreen.WorkFailed) -> None:
        self.show_fault(event.error)

    def show_fault(self, error: BaseException) -> None:
        """Say it on screen and keep the traceback for whoever started us."""
        words = f"{type(error).__name__}: {error}"
        text = "".join(traceback.format_exception(error))
        # A fault that every look meets again is kept once.
        self.faults.setdefault(words, text)
        self.log.error(text)
        self._show(replace(self.view, fault=words))
