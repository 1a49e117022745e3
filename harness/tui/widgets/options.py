"""Lists of options that keys and clicks may reach before or after their options are there.

Textual 8 then looks for a line that is not known yet, or for an option that is gone, and ends the
app. A held Page Up meets that moment whenever a card opens.
"""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.widgets import OptionList


class GoneOptions(OptionList):
    """A list in which a click on what has gone since it was painted chooses nothing."""

    async def _on_click(self, event: events.Click) -> None:
        place = event.style.meta.get("option")
        if place is not None and place >= self.option_count:
            event.prevent_default()


class Options(GoneOptions):
    """A list of options."""

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if laid_out(self):
            super()._move_page(direction)


def laid_out(options: OptionList) -> bool:
    """Whether every option has its line."""
    if not options.scrollable_content_region:
        return False
    # Options that were added since the last layout have no line yet.
    options._update_lines()
    return True
