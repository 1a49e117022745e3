"""The keys below every screen: whole ones only, and always the one of the help."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_KEY_PADDING = 3
_PALETTE_PADDING = 2
"""Its frame, and the column after it."""


class KeyLine(Footer):
    """A footer that leaves out what has no room, from the end, instead of cutting it off."""

    def compose(self) -> ComposeResult:
        """The keys that fit; the help names all of them."""
        # Textual 8 keeps every key that was ever here, to tell it of changes in a footer's style.
        Reactive._clear_watchers(self)
        yield from self._fitting(list(super().compose()))

    def on_resize(self, event: Resize) -> None:
        """Another width has room for other keys."""
        self.call_after_refresh(self.recompose)

    def _fitting(self, children: list[Widget]) -> Iterator[Widget]:
        left_out: set[Widget] = set()
        spare = self.app.size.width - sum(map(_width, children))
        for child in reversed(children):
            if spare >= 0:
                break
            if isinstance(child, FooterKey) and _can_go(child):
                left_out.add(child)
                spare += _width(child)
        yield from (child for child in children if child not in left_out)


def _can_go(key: FooterKey) -> bool:
    return key.action != "help" and not key.has_class("-command-palette")


def _width(child: Widget) -> int:
    if not isinstance(child, FooterKey):
        return 0
    palette = _PALETTE_PADDING if child.has_class("-command-palette") else 0
    return cell_len(child.key_display) + cell_len(child.description) + _KEY_PADDING + palette
