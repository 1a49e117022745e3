"""One gate in words, above another screen: why it says so and what would settle it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from harness.assessment import Assessment, GateResult
from harness.tui.screens.card import Card
from harness.tui.widgets.gate_detail import GateDetail
from harness.tui.wording import plain


class GateScreen(Card[None]):
    """Everything that is known of one gate, as of the moment at which it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", tooltip="Back to the gates")
    ]

    def __init__(self, assessment: Assessment, gate: GateResult) -> None:
        super().__init__()
        self._assessment, self._gate = assessment, gate

    def compose(self) -> ComposeResult:
        """A card of named lines."""
        with Vertical(classes="card") as card:
            card.border_title = plain(self._gate.title)
            card.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield GateDetail()

    def on_mount(self) -> None:
        """Fill it."""
        self.query_one(GateDetail).show(self._assessment, self._gate)
