"""Help: what the screen below shows, and every key."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Markdown

from harness.tui.actions.table import ACTIONS
from harness.tui.screens.card import Card
from harness.tui.widgets.named import Named
from harness.tui.widgets.navigation import SCREENS

KEYS = (
    (f"1 to {len(SCREENS)}", ", ".join(title for _, title in SCREENS)),
    ("Tab, arrows", "move on the screen; PgUp and PgDn scroll"),
    ("Enter", "open what is under the cursor"),
    ("/  x", "filter the differences, show all again"),
    ("n  p", "next and previous difference"),
    ("[  ]", "step back and forward in time, a batch at a time"),
    ("{  }", "one event at a time"),
    ("(  )", "to the change of a gate before and after"),
    ("@  g", "go to a moment: a seq, 2026-11-20 14:05, 14:05, -2h, gate …"),
    ("Space  < >", "play time, slower and faster"),
    ("l", "back to live"),
    *((one.shown, f"{one.title}: {one.words[0].lower()}{one.words[1:]}") for one in ACTIONS),
    ("Ctrl+P", "every command, and every difference by name"),
    ("?", "this help"),
    ("q", "leave"),
)


class HelpScreen(Card[None]):
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
