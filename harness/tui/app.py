"""The dashboard's app: asks for the present assessment, hands it to the screen in front.

Opens no journal itself and computes nothing: `Source` answers, in worker threads.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.theme import ThemeProvider
from textual.worker import Worker, WorkerState

from harness.assessment import Difference
from harness.tui.actions.port import Operations
from harness.tui.actions.table import bindings
from harness.tui.closing import Closing
from harness.tui.commands import DifferenceCommands, named_actions
from harness.tui.filtering import cluster_filter
from harness.tui.looked import Moment
from harness.tui.ports import Ports
from harness.tui.running import RunningApp
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.findings import FindingsScreen
from harness.tui.screens.gates import GatesScreen
from harness.tui.screens.overview import OverviewScreen
from harness.tui.screens.palette import Palette
from harness.tui.screens.replays import ReplaysScreen
from harness.tui.screens.rules import RulesScreen
from harness.tui.sources import LooksKept, Source
from harness.tui.starting import STARTED_S, collect_again, collects_later
from harness.tui.state import Remembered, StateFile
from harness.tui.task import BackgroundTask, TaskState
from harness.tui.theme import DARK, THEMES, next_theme
from harness.tui.view import View
from harness.tui.widgets.cause_line import costliest_first
from harness.tui.widgets.clusters import ClusterList
from harness.tui.widgets.findings import FindingList
from harness.tui.widgets.navigation import SCREENS

HINT = (
    "? explains the screen in front and names every key. Ctrl+P finds every command. "
    "[ and ] step through time, l comes back. m shows the most costly cause."
)
HINT_S = 20.0


class ShadowApp(RunningApp):
    """The dashboard. Its result is 0, or 1 if it had a fault of its own (see `faults`)."""

    TITLE = "shadow"
    CSS_PATH = "shadow.tcss"
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, str | type[Screen[None]]]] = {  # type: ignore[assignment]
        "overview": OverviewScreen,
        "differences": DifferencesScreen,
        "gates": GatesScreen,
        "findings": FindingsScreen,
        "replays": ReplaysScreen,
        "rules": RulesScreen,
    }
    COMMANDS: ClassVar = App.COMMANDS | {DifferenceCommands}
    TASK_TICK_S: ClassVar[float] = 0.5
    CLOSING_TICK_S: ClassVar[float] = 1.0
    STATE_TICK_S: ClassVar[float] = 10.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit", tooltip="Leave the dashboard"),
        Binding("ctrl+c,ctrl+q", "leave_now", "Quit", show=False, priority=True),
        Binding("question_mark", "help", "Help", tooltip="What this screen shows, and all keys"),
        *(
            Binding(f"{key}", f"show_screen('{mode}')", title, show=False)
            for key, (mode, title) in enumerate(SCREENS, start=1)
        ),
        *RunningApp.TRAVEL_BINDINGS,
        *bindings(),
    ]

    def __init__(
        self,
        data: Source,
        *,
        as_of: Moment | None = None,
        refresh_s: float = 1.0,
        task: BackgroundTask | None = None,
        operations: Operations | None = None,
        state: StateFile | None = None,
        theme: str | None = None,
        ports: Ports | None = None,
        kept: LooksKept | None = None,
    ) -> None:
        """Without `operations` it only looks; without `state` it remembers nothing.

        theme: name of one of THEMES; None for the one of the last run, else the dark one.
        kept: looks that stand in for moments that have not been read yet.
        """
        super().__init__(data, as_of=as_of, refresh_s=refresh_s, kept=kept)
        self.operations = operations
        self.ports = ports or Ports()
        self.started = []
        self.runs_here = {}
        self._said = []
        self._state = state
        self._left = state.read() if state else Remembered()
        self._restored: set[str] = set()
        self.author = self._left.author or (operations.author if operations else "")
        self._wanted_theme = theme or self._left.theme or DARK.name
        self.add_mode("jobs", self._make_jobs)
        self.add_mode("health", self._make_health)
        self.faults: dict[str, str] = {}
        """Faults of our own, oldest first: what was shown, and the traceback."""
        self.source = data
        self._closing_after = Closing(task) if task else None
        self._task_state: TaskState | None = None

    def on_mount(self) -> None:
        """Look at once; ask the task from time to time."""
        for theme in THEMES:
            self.register_theme(theme)
        known = self._wanted_theme in self.available_themes
        self.theme = self._wanted_theme if known else DARK.name
        self.look(self._wanted, arriving=self.view.snapshot is None)
        if collects_later():
            self.set_timer(STARTED_S, collect_again)
        if self._state:
            self._take_up(self._state)
        if self._closing_after:
            self._ask_task()
            self.set_interval(self.TASK_TICK_S, self._ask_task)

    def _make_jobs(self) -> Screen[None]:
        # Loaded when it is wanted: the first screen need not wait for it.
        from harness.tui.screens.jobs import JobsScreen

        return JobsScreen(self._data)

    def _make_health(self) -> Screen[None]:
        from harness.tui.screens.health import HealthScreen

        return HealthScreen(self._data)

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
        # Opened and closed at once, it has nothing left to paint.
        if not self.is_running or event.screen not in self.screen_stack:
            return
        self._restore(event.screen)
        event.screen.show(self.view)
        event.screen.show_task(self._task_state)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Live is offered only in the past."""
        if action == "live":
            return self.view.past
        return super().check_action(action, parameters)

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

    async def open_difference(self, difference: Difference, among: Sequence[Difference]) -> None:
        """Show one difference; `among` is the list that next and previous step through."""
        from harness.tui.screens.difference import DifferenceScreen

        await self.action_show_screen("differences")
        await self.push_screen(DifferenceScreen(self._data, difference, among))

    def action_help(self) -> None:
        """Explain the screen in front."""
        # The reader of Markdown loads slowly, and few runs need it.
        from harness.tui.screens.help import HelpScreen

        if isinstance(self.screen, ShadowScreen):
            self.push_screen(HelpScreen(self.screen.HELP_WORDS))

    def action_command_palette(self) -> None:
        """Every command, to be found by its name."""
        if not isinstance(self.screen, Palette):
            # Without an id: the one before may not have gone yet.
            self.push_screen(Palette())

    def search_themes(self) -> None:
        """Every theme, to be found by its name."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

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
        """Any key stops the countdown, whatever else it does; Esc ends a search, nothing else."""
        if isinstance(event, events.InputEvent | events.Paste) and not self.is_running:
            # Whoever goes on typing while it takes its screens apart has nobody to hear it.
            return
        if isinstance(event, events.Key) and self._closing_after and self._closing_after.counting:
            self._closing_after.keep_open()
            self._ask_task()
        searching = self.view.travel.searching is not None
        if searching and isinstance(event, events.Key) and event.key == "escape":
            self.stop_travelling()
            self.notify("The search was stopped.", timeout=3)
            return
        await super().on_event(event)

    def leave(self) -> None:
        """Leave; 0 unless a fault was shown."""
        self._remember()
        self.exit(1 if self.faults else 0)

    def action_leave_now(self) -> None:
        """Leave without a question; replays that run go on."""
        self.leave()

    def action_next_theme(self) -> None:
        """Other colours."""
        self.theme = next_theme(self.theme)
        self.notify(f"Theme: {self.theme.removeprefix('shadow-')}", timeout=2)

    async def action_costliest(self) -> None:
        """The differences of the cause that costs most, of production where it has one."""
        shown = self.view.assessment
        clusters = costliest_first(shown.clusters if shown else ())
        if not clusters:
            self.notify("No cause: everything compared so far agrees.")
            return
        await self._cluster_chosen(ClusterList.Chosen(ClusterList(), clusters[0]))

    def _take_up(self, state: StateFile) -> None:
        """Where the last run left off, and a hint for whoever is here for the first time."""
        if state.trouble:
            self.notify(state.trouble, severity="warning", markup=False)
        if not self._left.hint_seen:
            self.notify(HINT, title="For the first time here?", timeout=HINT_S, markup=False)
        if self._left.screen in dict(SCREENS) and self._left.screen != self.DEFAULT_MODE:
            self.call_later(self.action_show_screen, self._left.screen)
        self.set_interval(self.STATE_TICK_S, self._remember)

    def _restore(self, screen: ShadowScreen) -> None:
        mode = screen.MODE
        if mode not in self._restored and [screen] == self._screen_stacks.get(mode, [])[:1]:
            self._restored.add(mode)
            screen.restore_state(self._left.screens.get(mode, {}))

    def _remember(self) -> None:
        """Keep what the next run takes up; a screen that was not opened keeps what it had."""
        if self._state is None or not self.is_running:
            return
        screens = dict(self._left.screens)
        for mode in self._restored & set(self._screen_stacks):
            for screen in self._screen_stacks[mode][:1]:
                if isinstance(screen, ShadowScreen) and screen.is_mounted:
                    screens[mode] = screen.save_state()
        self._left = Remembered(
            screen=self.current_mode,
            theme=self.theme,
            author=self.author or None,
            hint_seen=True,
            screens={mode: state for mode, state in screens.items() if state},
        )
        self._state.write(self._left)

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
