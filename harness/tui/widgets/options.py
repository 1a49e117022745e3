"""Lists of options whose page keys may come before the first layout.

Textual 8 then looks for the cursor's line, which is not known yet, and ends the app with a
KeyError. A held Page Up meets that moment whenever a card opens.
"""

from __future__ import annotations

from typing import Literal

from textual.widgets import OptionList


class Options(OptionList):
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
