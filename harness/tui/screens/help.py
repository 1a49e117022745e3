"""Help: what the screen below shows, and every key."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Markdown

from harness.tui.widgets.named import Named

KEYS = (
    ("1 2 3 4", "Overview, Differences, Replays, Findings"),
    ("Tab, arrows", "move on the screen; PgUp and PgDn scroll"),
    ("Enter", "open what is under the cursor"),
    ("/  x", "filter the differences, show all again"),
    ("n  p", "next and previous difference"),
    ("[  ]", "step back and forward in time, a batch at a time"),
    ("g", "go to a moment: a seq, or a time such as 2026-11-20T14:05"),
    ("l", "back to live"),
    ("Ctrl+P", "every command, and every difference by name"),
    ("?", "this help"),
    ("q", "leave"),
)


class HelpScreen(ModalScreen[None]):
    """The words of one screen and the keys of all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", tooltip="Back to the screen")
    ]

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """A card that scrolls."""
        with Vertical(classes="card") as card:
            card.border_title = "Help"
            card.border_subtitle = "Esc closes"
            with VerticalScroll():
                yield Markdown(self._words)
                for key, words in KEYS:
                    yield Named(key, words)
