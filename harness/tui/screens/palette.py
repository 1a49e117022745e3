"""The command palette, which survives keys that come faster than it opens or closes.

Textual 8 asks there for parts of it that are not there yet, or not any more, and ends the app.
"""

from __future__ import annotations

from contextlib import suppress

from textual import work
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.events import Mount

from harness.tui.screens.card import SteadyScreen
from harness.tui.widgets.options import GoneOptions, laid_out

_gather = CommandPalette._gather_commands.__wrapped__  # type: ignore[attr-defined]


class _Commands(CommandList, GoneOptions):
    """What was found; it changes while one types and clicks."""


class Palette(CommandPalette, SteadyScreen[None]):
    """Every command, by its name."""

    def _on_mount(self, event: Mount) -> None:
        # Closed before it was opened, it has no screen below to ask for commands.
        if not self.is_active:
            event.prevent_default()
        for commands in self.query(CommandList):
            # The palette makes its own list, and has no place to name another kind of it.
            commands.__class__ = _Commands

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        # Closed while it looks, it has no list to fill.
        with suppress(NoMatches):
            await _gather(self, search_value)

    def _watch__list_visible(self) -> None:
        if self.query(CommandList):
            super()._watch__list_visible()

    async def _watch__show_busy(self) -> None:
        if self.query(CommandList):
            await super()._watch__show_busy()

    def _action_command_list(self, action: str) -> None:
        for commands in self.query(CommandList):
            if not action.startswith("page_") or laid_out(commands):
                super()._action_command_list(action)
