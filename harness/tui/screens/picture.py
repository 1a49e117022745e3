"""The last page of a replay, drawn above the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from harness.tui.picture import Pixels, draw
from harness.tui.screens.card import Card


class Picture(Widget):
    """Draws pixels as large as its room allows."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__()
        self._pixels = pixels
        self._drawn: tuple[tuple[int, int], list[Strip]] | None = None

    def render_line(self, y: int) -> Strip:
        """One line of it."""
        room = (self.size.width, self.size.height)
        if self._drawn is None or self._drawn[0] != room:
            self._drawn = (room, draw(self._pixels, *room))
        lines = self._drawn[1]
        strip = lines[y] if y < len(lines) else Strip.blank(room[0], self.rich_style)
        return strip.extend_cell_length(room[0], self.rich_style)


class PictureScreen(Card[None]):
    """One picture; any of the keys that open or close takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,i,space", "dismiss", "Close"),
    ]

    def __init__(self, title: str, pixels: Pixels) -> None:
        super().__init__()
        self._title = title
        self._pixels = pixels

    def compose(self) -> ComposeResult:
        """The picture in a frame."""
        picture = Picture(self._pixels)
        picture.border_title = self._title
        picture.border_subtitle = "Esc closes"
        yield picture
