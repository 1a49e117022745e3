"""The phases and their gates: one row a gate, readable without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from harness.assessment import GateResult, PhaseResult
from harness.gates.shown import decision_line, is_share, share_scale, status_line
from harness.gates.wording import threshold_percent
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.interval_bar import LEGEND, THRESHOLD, Bar, IntervalBar
from harness.tui.widgets.panel import STEP_BINDINGS
from harness.tui.wording import (
    plain,
    state_class,
)


class GateRow(Widget, can_focus=True):
    """One gate: sign and word, title, value, interval against threshold, evidence."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Explain", tooltip="Why this gate says so"),
        *STEP_BINDINGS,
    ]

    @dataclass
    class Selected(Message):
        """A gate was chosen, to be explained."""

        row: GateRow
        gate: GateResult

        @property
        def control(self) -> GateRow:
            """Where it happened."""
            return self.row

    def __init__(self, gate: GateResult, scale: tuple[float, float]) -> None:
        super().__init__()
        self.gate = gate
        self._status = Cell(classes="status")
        self._title = Cell(classes="title")
        self._value = Cell(classes="value")
        self._bar = IntervalBar()
        self._evidence = Cell(classes="evidence")
        self.show(gate, scale)

    def compose(self) -> ComposeResult:
        """Status beside everything else, which a narrow terminal puts on two lines."""
        yield self._status
        with Vertical(classes="words"):
            yield self._title
            with Horizontal(classes="figures"):
                yield self._value
                yield self._bar
                yield self._evidence

    @property
    def target(self) -> GateResult:
        """The gate shown."""
        return self.gate

    def show(self, gate: GateResult, scale: tuple[float, float]) -> None:
        """Paint `gate`; its bar on `scale`."""
        self.gate = gate
        self._status.show(status_line(gate.status))
        self._status.state(state_class(gate.status))
        self._title.show(plain(gate.title) + ("" if gate.required else " (not required)"))
        self._value.show(plain(gate.value_text))
        self._evidence.show(plain(gate.evidence_text))
        if is_share(gate) and gate.interval is not None and gate.threshold is not None:
            bar = Bar(
                low=gate.interval.low,
                high=gate.interval.high,
                value=gate.value,
                threshold=gate.threshold,
                start=scale[0],
                end=scale[1],
            )
            self._bar.show(bar, threshold_percent(gate.threshold))
        else:
            self._bar.show(None, f"{THRESHOLD} {plain(gate.threshold_text)}")

    def action_select(self) -> None:
        """Say that this gate was chosen."""
        self.post_message(self.Selected(self, self.gate))

    def on_click(self, event: Click) -> None:
        """A click focuses; a second one explains."""
        if event.chain == 2:
            self.action_select()


class GatesPanel(Vertical):
    """All phases with their decisions and gates."""

    BORDER_TITLE = "Gates"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel")
        self._phases: dict[str, Cell] = {}
        self._rows: dict[str, GateRow] = {}

    def show(self, phases: tuple[PhaseResult, ...]) -> None:
        """Paint `phases`; rows stay in place while the gates are the same."""
        scale = share_scale(phases)
        start, end = (threshold_percent(share) for share in scale)
        self.border_subtitle = f"{LEGEND}, drawn on {start} to {end}"
        wanted = [gate.gate for phase in phases for gate in _listed(phase)]
        if wanted != list(self._rows) or [phase.phase for phase in phases] != list(self._phases):
            self._build(phases, scale)
        for phase in phases:
            self._phases[phase.phase].show(_phase_line(phase))
            for gate in _listed(phase):
                self._rows[gate.gate].show(gate, scale)

    def _build(self, phases: tuple[PhaseResult, ...], scale: tuple[float, float]) -> None:
        self.remove_children()
        self._phases = {phase.phase: Cell(classes="phase") for phase in phases}
        self._rows = {g.gate: GateRow(g, scale) for phase in phases for g in _listed(phase)}
        for phase in phases:
            self.mount(self._phases[phase.phase], *(self._rows[g.gate] for g in _listed(phase)))


def _listed(phase: PhaseResult) -> tuple[GateResult, ...]:
    """A phase that has not begun would only push what matters now off the screen."""
    return phase.gates if phase.begun or phase.decides else ()


def _phase_line(phase: PhaseResult) -> Content:
    if not _listed(phase):
        waits = f"{'○ not begun':<13}"
        return Content.assemble((waits, "$secondary bold"), (plain(phase.title), "$secondary"))
    colour = {"-go": "$success", "-no-go": "$error", "-undecided": "$warning"}
    return Content.assemble(
        (f"{decision_line(phase.decision):<13}", f"{colour[state_class(phase.decision)]} bold"),
        (plain(phase.title), "bold"),
    )
