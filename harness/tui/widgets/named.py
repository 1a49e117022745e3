"""A named text whose further lines stay under its first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from harness.tui.widgets.cell import Cell
from harness.tui.wording import plain


class Named(Horizontal):
    """A name and its text beside it."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__()
        self._label = Cell(name, classes="name")
        self._text = Cell(plain(text), classes="text")

    def compose(self) -> ComposeResult:
        """Name left, text right."""
        yield self._label
        yield self._text

    def show(self, text: str) -> None:
        """Paint `text`."""
        self._text.show(plain(text))
