"""The gates of all phases as a list to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from harness.assessment import GateResult, PhaseResult
from harness.gates.shown import decision_line, status_line
from harness.gates.wording import counted
from harness.tui.widgets.options import Options
from harness.tui.wording import plain, state_class

_STYLES = {
    "-go": "$success",
    "-no-go": "$error",
    "-undecided": "$warning",
    "-open": "$secondary",
    "-waived": "$warning",
}


class GateList(Options):
    """One line a gate below its phase; says when one is highlighted and when one is chosen."""

    BORDER_TITLE = "Gates by phase"

    @dataclass
    class Highlighted(Message):
        """The cursor stands on a gate."""

        gate: GateResult

    @dataclass
    class Chosen(Message):
        """A gate was chosen, to be read in full."""

        gate: GateResult

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel", markup=False)
        self._phases: tuple[PhaseResult, ...] | None = None

    @property
    def gate(self) -> GateResult | None:
        """The gate under the cursor."""
        at = self.highlighted
        return None if at is None else self._gate(self.get_option_at_index(at).id)

    def show(self, phases: tuple[PhaseResult, ...]) -> None:
        """Paint `phases`; the highlighted gate stays highlighted, else the first is."""
        if phases == self._phases:
            return
        before = self.gate
        self._phases = phases
        self.clear_options()
        for phase in phases:
            self.add_option(Option(_phase(phase), disabled=True))
            self.add_options([Option(_line(gate), id=gate.gate) for gate in phase.gates])
        ids = [gate.gate for phase in phases for gate in phase.gates]
        self.border_subtitle = counted(len(ids), "gate")
        if ids:
            wanted = before.gate if before and before.gate in ids else ids[0]
            self.highlighted = self.get_option_index(wanted)

    @on(OptionList.OptionHighlighted)
    def _tell_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if gate := self._gate(event.option_id):
            self.post_message(self.Highlighted(gate))

    @on(OptionList.OptionSelected)
    def _tell_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if gate := self._gate(event.option_id):
            self.post_message(self.Chosen(gate))

    def _gate(self, identifier: str | None) -> GateResult | None:
        for phase in self._phases or ():
            for gate in phase.gates:
                if gate.gate == identifier:
                    return gate
        return None


def _phase(phase: PhaseResult) -> Content:
    shown = decision_line(phase.decision) if phase.begun else "○ not begun"
    decides = "" if phase.decides else " (does not decide)"
    return Content.assemble(
        (f"{shown:<13}", f"{_STYLES[state_class(phase.decision)]} bold"),
        (f"{plain(phase.title)}{decides}", "bold"),
    )


def _line(gate: GateResult) -> Content:
    optional = "" if gate.required else " (not required)"
    return Content.assemble(
        (f"  {status_line(gate.status):<12}", _STYLES[state_class(gate.status)]),
        f"{plain(gate.title)}{optional}  ",
        (plain(gate.value_text), "$secondary"),
    )
