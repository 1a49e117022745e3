"""Asks for the moment to go to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from harness.tui.data import Moment
from harness.tui.widgets.cell import Cell


def parse_moment(text: str) -> Moment | None:
    """A seq or an ISO time (UTC where no zone is given); None if it is neither."""
    text = text.strip().replace(",", "")
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


class MomentScreen(ModalScreen[Moment | None]):
    """Answers a seq or a time; None if it was left without one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Close", tooltip="Stay where you are")
    ]

    def compose(self) -> ComposeResult:
        """One input and what it takes."""
        wish = Input(placeholder="1200  or  2026-11-20T14:05")
        wish.cursor_blink = False
        with Vertical(classes="card small") as card:
            card.border_title = "Go to a moment"
            card.border_subtitle = "Enter goes, Esc stays"
            yield wish
            yield Cell("A seq, or a time (UTC). It lands at or before it.", id="hint")

    @on(Input.Submitted)
    def _go(self, event: Input.Submitted) -> None:
        event.stop()
        moment = parse_moment(event.value)
        if moment is None:
            self.query_one("#hint", Cell).show(
                "▲ That is no moment. Give a seq (1200) or a time (2026-11-20T14:05)."
            )
        else:
            self.dismiss(moment)

    def action_cancel(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
