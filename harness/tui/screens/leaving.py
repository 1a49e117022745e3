"""Asks what becomes of replays that still run when a person leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from harness.tui.screens.card import Card
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.named import Named
from harness.tui.wording import plain


class LeavingScreen(Card[str | None]):
    """Answers ``go on`` or ``stop``; None to stay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter", "answer('go on')", "Leave", tooltip="The replay goes on"),
        Binding("s", "answer('stop')", "Stop and leave", tooltip="The replay ends"),
        Binding("escape", "answer('')", "Stay", tooltip="Back to the screen"),
    ]

    def __init__(self, runs: Sequence[str]) -> None:
        super().__init__()
        self._runs = runs

    def compose(self) -> ComposeResult:
        """What runs and what the keys do."""
        with Vertical(classes="card small") as card:
            card.border_title = "A replay is running"
            yield Cell(f"Under way: {plain(', '.join(self._runs))}.")
            yield Cell("It is a process of its own. Stopped, it can be resumed by its name.")
            yield Named("q, Enter", "leave; it goes on and ends by itself")
            yield Named("s", "stop it after what is in hand, and leave")
            yield Named("Esc", "stay")

    def action_answer(self, word: str) -> None:
        """Close with it."""
        self.dismiss(word or None)
