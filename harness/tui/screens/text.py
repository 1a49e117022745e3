"""A text that was copied: shown too, for no terminal says whether it took it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from harness.tui.screens.card import Card
from harness.tui.widgets.cell import Cell

HINT = (
    "Sent to the terminal's clipboard (OSC 52). If it did not take it, select the text with the "
    "mouse (with Shift in most terminals)."
)


class TextScreen(Card[None]):
    """The text, to be selected by hand where the clipboard was out of reach."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,y,Y", "dismiss", "Close", tooltip="Back to the screen")
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """A card that scrolls."""
        with Vertical(classes="card") as card:
            card.border_title = f"Copied: {self._title}"
            card.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield Cell(self._text, id="copied")
            yield Cell(HINT, id="hint")
