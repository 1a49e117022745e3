"""Asks for the moment to go to."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from harness.tui.jump import HINT, Jump, parse_jump
from harness.tui.screens.card import Card
from harness.tui.widgets.cell import Cell


class MomentScreen(Card[Jump | None]):
    """Answers where to go; None if it was left without a wish."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", tooltip="Stay where you are")
    ]

    def __init__(self, shown: datetime | None = None) -> None:
        super().__init__()
        self._at = shown

    def compose(self) -> ComposeResult:
        """One input and what it takes."""
        wish = Input(placeholder="2026-11-20 14:05  or  -2h  or  gate")
        wish.cursor_blink = False
        with Vertical(classes="card small") as card:
            card.border_title = "Go to a moment"
            card.border_subtitle = "Enter goes, Esc stays"
            yield wish
            yield Cell(f"{HINT} It lands at or before it.", id="hint")

    @on(Input.Submitted)
    def _go(self, event: Input.Submitted) -> None:
        event.stop()
        jump = parse_jump(event.value, shown=self._at)
        if jump is None:
            self.query_one("#hint", Cell).show(f"▲ That is no moment. {HINT}")
        else:
            self.dismiss(jump)

    def action_cancel(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
