"""Replays: every run with its progress; starts, stops and continues runs."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from harness.assessment import Assessment, ReplayProgress
from harness.tui.actions.port import Child
from harness.tui.screens.base import ShadowScreen
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.replay_card import ReplayCard, StartingCard
from harness.tui.wording import plain

CHILD_TICK_S = 1.0


class RunsReplays(Protocol):
    """What the screen needs of the app."""

    runs_here: dict[str, Child]

    def action_new_replay(self) -> None:
        """Ask for a run and start it."""

    def action_resume_replay(self, run: ReplayProgress | None) -> None:
        """Continue a run."""

    def action_stop_replay(self, run: str | None) -> None:
        """End a run."""


class ReplaysScreen(ShadowScreen):
    """One card a run, newest first, and what could not be replayed."""

    MODE = "replays"
    HELP_WORDS: ClassVar[str] = """\
A replay runs recorded jobs through the new worker in the sandbox.

**Excluded**: the record does not tell what the site did, so there is nothing to compare with.
**Disagreeing**: outcome other than the old system's. **Escape**: the worker tried to leave the
sandbox; it was stopped, and one is enough to fail the run.

**n** starts a run, in a process of its own that outlives the dashboard. **s** ends the one under
the cursor after the submissions in hand, **c** continues it. What a failed run said last stands
in its card.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", tooltip="Start a replay"),
        Binding("s", "stop", "Stop", tooltip="End the run under the cursor"),
        Binding("c", "resume", "Go on", tooltip="Continue the run under the cursor"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, ReplayCard] = {}
        self._starting: dict[str, StartingCard] = {}

    def compose_body(self) -> ComposeResult:
        """A list of cards."""
        yield Cell(id="none")
        yield VerticalScroll(id="runs", can_focus=False)
        yield Cell(id="excluded")

    def on_mount(self) -> None:
        """Ask the processes from time to time: they speak before the journal does."""
        super().on_mount()
        self.set_interval(CHILD_TICK_S, self.show_children)

    @property
    def runner(self) -> RunsReplays:
        """The app."""
        return cast("RunsReplays", self.app)

    def paint(self, assessment: Assessment) -> None:
        """One card a run; cards stay while the runs are the same."""
        runs = sorted(assessment.replays, key=lambda run: run.started_at, reverse=True)
        if [run.run for run in runs] != list(self._cards):
            chosen = self._chosen()
            self._cards = {run.run: ReplayCard(run) for run in runs}
            self._starting = {}
            place = self.query_one("#runs")
            place.remove_children()
            place.mount_all(self._cards.values())
            if again := self._cards.get(chosen.run) if chosen else None:
                again.focus()
            elif self._cards:
                next(iter(self._cards.values())).focus()
        for run in runs:
            self._cards[run.run].show(run)
        self.show_children()
        excluded = assessment.coverage.replay_excluded
        reasons = ", ".join(f"{plain(reason)} {count:,}" for reason, count in excluded)
        words = self.query_one("#excluded", Cell)
        words.display = bool(excluded)
        words.show(f"Excluded from replays: {reasons}")

    def show_children(self) -> None:
        """Paint what the processes say that this dashboard has started."""
        children = self.runner.runs_here
        for name, card in self._cards.items():
            card.show_child(children.get(name))
        place = self.query_one("#runs")
        for name, child in children.items():
            if name in self._cards:
                continue
            if name not in self._starting:
                self._starting[name] = StartingCard(child)
                place.mount(self._starting[name], before=0 if place.children else None)
                self._starting[name].focus()
            self._starting[name].show(child)
        none = self.query_one("#none", Cell)
        none.display = not self._cards and not self._starting
        none.show("Nothing has been replayed. n starts a replay; so does: shadow replay")

    def _chosen(self) -> ReplayProgress | None:
        """The run under the cursor; the only one there is needs none."""
        if isinstance(self.focused, ReplayCard):
            return self.focused.run
        cards = list(self._cards.values())
        return cards[0].run if len(cards) == 1 else None

    def action_new(self) -> None:
        """Start a run."""
        self.runner.action_new_replay()

    def action_resume(self) -> None:
        """Continue the run under the cursor."""
        self.runner.action_resume_replay(self._chosen())

    def action_stop(self) -> None:
        """End the run under the cursor; one that has just been started has no card yet."""
        if isinstance(self.focused, StartingCard):
            self.runner.action_stop_replay(self.focused.child.name)
            return
        chosen = self._chosen()
        name = chosen.run if chosen else next(iter(self._starting), None)
        self.runner.action_stop_replay(name)
