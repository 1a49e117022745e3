"""Time travel: steps, jumps, changes of gates, playing. The app above it looks and paints.

Asks the journal only in worker threads. Whatever a person does with time ends playing and search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from harness.assessment import Assessment
from harness.errors import ShadowError
from harness.tui.gate_changes import Walk, find_gate_change
from harness.tui.jump import Jump, ToGateChange, ToMoment
from harness.tui.looked import Moment
from harness.tui.screens.moment import MomentScreen
from harness.tui.sources import LooksKept, Source
from harness.tui.view import SPEEDS, View
from harness.tui.widgets.time_bar import TimeBar

END = "Nothing was recorded after this moment. Press l for live."
START = "Nothing was recorded before this moment."
PASSED_BY = "Found by looks that are kept: what was taken back between two of them was passed by."
LIVE = "This is live: there is nothing later."


class TravellingApp(App[int]):
    """What of the app moves in time."""

    TRAVEL_BINDINGS: ClassVar[list[BindingType]] = [
        # One entry for both brackets: a terminal of 80 columns has no room for two.
        Binding("left_square_bracket", "step(False)", "Time", key_display="[ ]"),
        Binding("right_square_bracket", "step(True)", "Forward in time", show=False),
        Binding("left_curly_bracket", "step_event(False)", "One event back", show=False),
        Binding("right_curly_bracket", "step_event(True)", "One event on", show=False),
        Binding("left_parenthesis", "step_gate(False)", "Gate change before", show=False),
        Binding("right_parenthesis", "step_gate(True)", "Next change of a gate", show=False),
        Binding("at,g", "go_to", "Go to a moment", show=False),
        Binding("space", "play", "Play", show=False),
        Binding("less_than_sign", "speed(-1)", "Slower", show=False),
        Binding("greater_than_sign", "speed(1)", "Faster", show=False),
        Binding("l", "live", "Live", tooltip="Back to now"),
    ]

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

    @dataclass
    class Searched(Message):
        """The search for a change of a gate has come so far."""

        looked: int
        seq: int

    @dataclass
    class SearchEnded(Message):
        """The search is over."""

        as_of: Moment | None
        forward: bool
        walk: Walk

    view: View
    _data: Source
    _kept: LooksKept | None
    _next_frame: Timer | None = None

    def go_to(self, as_of: Moment | None) -> None:
        """Show the journal as of a moment; None is now."""
        raise NotImplementedError

    def place_near(self, wanted: TimeBar.Wanted) -> int:
        """The seq to go to for a place on the track, which is never one moment alone."""
        raise NotImplementedError

    def stay(self) -> None:
        """Stay at what is shown, though it only stands in for another moment."""
        raise NotImplementedError

    def _show(self, view: View) -> None:
        raise NotImplementedError

    def travel(self, **changes: object) -> None:
        """Show another state of travelling."""
        wanted = replace(self.view.travel, **changes)  # type: ignore[arg-type]
        if wanted != self.view.travel:
            self._show(replace(self.view, travel=wanted))

    def stop_travelling(self) -> None:
        """End playing and searching."""
        self.workers.cancel_group(self, "search")
        if self._next_frame:
            self._next_frame.stop()
        self.travel(playing=False, searching=None)

    @work(thread=True, exclusive=True, group="step", exit_on_error=False)
    def find_step(self, as_of: Moment | None, seq: int, forward: bool) -> None:
        """Ask where a step from `seq` lands."""
        try:
            news: Message = self.MomentFound(as_of, forward, self._data.step(seq, forward=forward))
        except ShadowError as error:
            news = self.StepFailed(str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_travelling_app_moment_found(self, event: MomentFound) -> None:
        """Go there, unless another moment is wanted by now."""
        if event.as_of != self.view.as_of:
            return
        if event.seq is not None:
            self.go_to(event.seq)
            return
        self.stop_travelling()
        self.notify(END if event.forward else START)

    def on_travelling_app_step_failed(self, event: StepFailed) -> None:
        """Say why the step failed."""
        self.stop_travelling()
        self.notify(event.reason, severity="warning", markup=False)

    def _can_move(self, forward: bool) -> Assessment | None:
        """What is shown, if one can move from it; else the reason has been said."""
        self.stop_travelling()
        self.stay()
        if forward and not self.view.past:
            self.notify(LIVE)
            return None
        return self.view.assessment

    def action_step(self, forward: bool) -> None:
        """Step to the next or previous moment at which the journal grew."""
        if shown := self._can_move(forward):
            self.find_step(self.view.as_of, shown.provenance.seq, forward)

    def action_step_event(self, forward: bool) -> None:
        """Step by one event: between the ends of a batch, too."""
        if not (shown := self._can_move(forward)):
            return
        seq = shown.provenance.seq + (1 if forward else -1)
        if seq < 1:
            self.notify(START)
        elif self.view.span and seq > self.view.span.last_seq:
            self.notify(END)
        else:
            self.go_to(seq)

    def action_step_gate(self, forward: bool) -> None:
        """Walk to the next or previous moment at which a gate changed."""
        if shown := self._can_move(forward):
            self.travel(searching="Looking for a change of a gate …")
            self.search_gate(self.view.as_of, shown, forward)

    @work(
        thread=True, exclusive=True, group="search", exit_on_error=False, description="search_gate"
    )
    def search_gate(self, as_of: Moment | None, shown: Assessment, forward: bool) -> None:
        """Look at one batch after the other."""
        worker = get_current_worker()

        def tell(looked: int, seq: int) -> None:
            if not worker.is_cancelled:
                self.post_message(self.Searched(looked, seq))

        try:
            walk = find_gate_change(
                self._data, shown, forward=forward, stopped=lambda: worker.is_cancelled, tell=tell,
                kept=self._kept,
            )  # fmt: skip
            news: Message = self.SearchEnded(as_of, forward, walk)
        except ShadowError as error:
            news = self.StepFailed(str(error))
        if not worker.is_cancelled:
            self.post_message(news)

    def on_travelling_app_searched(self, event: Searched) -> None:
        """Say how far it is."""
        if self.view.travel.searching is not None:
            self.travel(
                searching=f"Looking for a change of a gate: {event.looked:,} looked at, "
                f"at seq {event.seq:,}."
            )

    def on_travelling_app_search_ended(self, event: SearchEnded) -> None:
        """Go to the change, or say that there is none."""
        if event.as_of != self.view.as_of:
            return
        walk = event.walk
        self.travel(searching=None)
        if walk.changes:
            self.travel(changes=self.view.travel.changes | {walk.seq})
            self.go_to(walk.seq)
            told = _told(walk.changes)
            if walk.passed_by:
                told += f"\n{PASSED_BY}"
            self.notify(told, title=f"seq {walk.seq:,}", markup=False)
        elif walk.ended:
            self.notify(f"No gate changes {'after' if event.forward else 'before'} this moment.")
        else:
            self.go_to(walk.seq)
            looked = (
                "By the looks that are kept no gate changed up to here."
                if walk.passed_by
                else f"No gate changed in the {walk.looked:,} moments up to here."
            )
            self.notify(f"{looked} Press {')' if event.forward else '('} to look further.")

    def action_play(self) -> None:
        """Play from the moment shown, or stop."""
        if self.view.travel.playing:
            self.stop_travelling()
        elif not self.view.past:
            self.notify("This is live. Go back first ([ or @), then Space plays from there.")
        elif self.view.assessment:
            self.stop_travelling()
            self.stay()
            self.travel(playing=True)
            self.play_on()

    def play_on(self) -> None:
        """Show the next batch when its time has come; called after each picture."""
        if not self.view.travel.playing:
            return
        if self._next_frame:
            self._next_frame.stop()
        self._next_frame = self.set_timer(1.0 / self.view.travel.speed, self._next_batch)

    def _next_batch(self) -> None:
        shown = self.view.assessment
        if self.view.travel.playing and shown is not None:
            self.find_step(self.view.as_of, shown.provenance.seq, True)

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        at = SPEEDS.index(self.view.travel.speed) + by
        self.travel(speed=SPEEDS[min(len(SPEEDS) - 1, max(0, at))])
        self.notify(f"Time is played at {self.view.travel.speed:g} batches a second.", timeout=2)

    def action_live(self) -> None:
        """Back to now."""
        self.stop_travelling()
        self.go_to(None)

    def action_go_to(self) -> None:
        """Ask for a moment and go there."""
        shown = self.view.assessment
        at = shown.provenance.as_of if shown else None

        def answered(jump: Jump | None) -> None:
            if isinstance(jump, ToMoment):
                self.stop_travelling()
                self.go_to(jump.moment)
            elif isinstance(jump, ToGateChange):
                self.action_step_gate(jump.forward)

        self.push_screen(MomentScreen(at), answered)

    @on(TimeBar.Wanted)
    def _place_wanted(self, event: TimeBar.Wanted) -> None:
        self.stop_travelling()
        last = self.view.span.last_seq if self.view.span else None
        self.go_to(None if event.seq == last else self.place_near(event))


def _told(changes: Iterable[str], most: int = 4) -> str:
    lines = list(changes)
    left = len(lines) - most
    return "\n".join([*lines[:most], *([f"and {left} more"] if left > 0 else [])])
