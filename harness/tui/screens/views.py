"""A card above the differences: choose a saved view, save the present one, forget one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from harness.tui.screens.card import Card
from harness.tui.views import SavedView, view_words
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.options import Options
from harness.tui.wording import plain

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Picked:
    """What a person wants: the views that remain, and the one to show, if any."""

    views: Mapping[str, SavedView]
    show: str | None


class ViewsScreen(Card[Picked]):
    """Lists the saved views; a name in the line below saves what is on screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("delete,d", "forget", "Forget", tooltip="Forget the view under the cursor"),
    ]

    def __init__(self, views: Mapping[str, SavedView], present: SavedView) -> None:
        super().__init__()
        self._views = dict(views)
        self._present = present

    def compose(self) -> ComposeResult:
        """The list and the line for a name."""
        with Vertical(classes="card small") as card:
            card.border_title = "Views"
            card.border_subtitle = "Enter shows, Del forgets, Esc closes"
            yield Cell("No view is saved yet.", id="no-view")
            yield Options(markup=False, compact=True)
            yield Cell(f"Now: {plain(view_words(self._present))}", classes="lead-line")
            yield Input(placeholder="Save it as …", max_length=LONGEST_NAME)

    def on_mount(self) -> None:
        """The cursor stands in the list, if there is one."""
        self._list()
        self.query_one(OptionList if self._views else Input).focus()

    def _list(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(f"{plain(name)}   {plain(view_words(view))}")
            for name, view in sorted(self._views.items())
        )
        options.display = bool(self._views)
        self.query_one("#no-view").display = not self._views
        if self._views:
            options.highlighted = 0

    def _named(self, at: int | None) -> str | None:
        names = sorted(self._views)
        return names[at] if at is not None and at < len(names) else None

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(Picked(self._views, self._named(event.option_index)))

    @on(Input.Submitted)
    def _save(self, event: Input.Submitted) -> None:
        event.stop()
        if name := plain(event.value):
            self._views[name] = self._present
            self.dismiss(Picked(self._views, None))

    def action_forget(self) -> None:
        """Forget the view under the cursor."""
        if name := self._named(self.query_one(OptionList).highlighted):
            del self._views[name]
            self._list()

    def action_close(self) -> None:
        """Go back; what was forgotten stays forgotten."""
        self.dismiss(Picked(self._views, None))
