"""One gate in words: why it says so and what would settle it."""

from __future__ import annotations

import math
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from harness.assessment import GateResult, Interval
from harness.gates.shown import status_line
from harness.gates.wording import percent_down, percent_up
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.named import Named
from harness.tui.wording import plain, state_class


class GateScreen(ModalScreen[None]):
    """Everything that is known of one gate."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", tooltip="Back to the gates")
    ]

    def __init__(self, gate: GateResult) -> None:
        super().__init__()
        self._gate = gate

    def compose(self) -> ComposeResult:
        """A card of named lines."""
        gate = self._gate
        status = Cell(status_line(gate.status), classes="status")
        status.state(state_class(gate.status))
        with Vertical(classes="card") as card:
            card.border_title = plain(gate.title)
            card.border_subtitle = "Esc closes"
            yield status
            with VerticalScroll():
                yield Cell(plain(gate.reason), classes="lead")
                if gate.missing:
                    yield Named("to settle it", gate.missing)
                yield Named("value", gate.value_text)
                yield Named("required", gate.threshold_text)
                yield Named("evidence", gate.evidence_text)
                yield Named("interval", _interval(gate.interval))
                yield Named("gate", gate.gate + ("" if gate.required else " (not required)"))


def _interval(interval: Interval | None) -> str:
    """Rounded outward, so that the text never claims more than the number."""
    if interval is None:
        return "none: this gate counts, it does not estimate"
    if interval.low >= 0.0 and interval.high <= 1.0:
        ends = f"{percent_down(interval.low)} to {percent_up(interval.high)}"
    else:
        high = f"{interval.high:,.4g}" if math.isfinite(interval.high) else "no upper bound"
        ends = f"{interval.low:,.4g} to {high}"
    return f"{ends} ({interval.method}, {interval.kind.value})"
