"""A table of any number of differences: only the lines in sight are ever drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from harness.assessment import Difference
from harness.gates.shown import points
from harness.gates.wording import counted
from harness.tui.listing import Group, Listing
from harness.tui.wording import NOTHING, kind_words, plain, short_job, value_text, whose

_FIRST = (("what", "What", 17), ("directory", "Directory", 25), ("field", "Field", 11))
_LAST = (("job", "Job", 8), ("mode", "Mode", 8))
_LEAST_VALUE = 17
_GAP = 2
_MARGIN = 2
"""For the sign of the cursor, which is seen without colour."""
_WIDE = 110
"""From this many columns on, old and new values stand apart, with job and mode behind them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what sorting by it is called, its title and its width in cells."""

    name: str
    title: str
    width: int


class DifferenceTable(ScrollView, can_focus=True):
    """A heading, lines and a cursor over a `Listing`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "difference-table--header", "difference-table--odd", "difference-table--cursor",
        "difference-table--group",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "to(0)", "First", show=False),
        Binding("end", "to(-1)", "Last", show=False),
        Binding("enter", "open", "Open", tooltip="Open the difference, open or close the cause"),
        Binding("space", "fold", "Open or close", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another line."""

    @dataclass
    class Opened(Message):
        """A difference was chosen, among those in the table."""

        difference: Difference
        among: Sequence[Difference]

    @dataclass
    class SortAsked(Message):
        """The title of a column was clicked."""

        by: str

    def __init__(self) -> None:
        super().__init__()
        self._listing: Listing | None = None
        self._cursor = 0
        self._sorted_by: tuple[str | None, bool] = (None, False)
        self._columns: tuple[Column, ...] = ()

    @property
    def row_count(self) -> int:
        """Lines, headings of groups among them."""
        return self._listing.height if self._listing else 0

    @property
    def cursor_row(self) -> int:
        """The line of the cursor, from 0."""
        return self._cursor

    @property
    def chosen(self) -> Group | Difference | None:
        """What the cursor stands on."""
        if self._listing is None or self._cursor >= self._listing.height:
            return None
        return self._listing.line(self._cursor)

    def show(self, listing: Listing, line: int, *, by: str | None, descending: bool) -> None:
        """Show `listing` with the cursor on `line`, at the same height of the screen as before."""
        kept, before = self._cursor - self.scroll_offset.y, self._cursor
        self._listing = listing
        self._sorted_by = by, descending
        self._cursor = max(0, min(line, listing.height - 1))
        self._measure()
        if self._cursor != before:
            # What came in above pushes the lines down, not the cursor over the screen.
            self.scroll_to(y=max(0, self._cursor - kept), animate=False, force=True)
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved())

    def _measure(self) -> None:
        # A width of one never asks for a scrollbar below: the columns share what there is.
        self.virtual_size = Size(1, self.row_count + 1)

    def on_resize(self) -> None:
        """Columns share the new width; the cursor stays in sight."""
        self._columns = ()
        self._keep_in_sight()

    # Keys and mouse.

    def action_move(self, by: int) -> None:
        """Some lines down."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """Some pages down."""
        self._go(self._cursor + by * self._room)

    def action_to(self, line: int) -> None:
        """To a line; a negative one counts from the end."""
        self._go(line if line >= 0 else self.row_count + line)

    def action_open(self) -> None:
        """Open a difference; open or close a group."""
        chosen = self.chosen
        if isinstance(chosen, Group):
            self.action_fold()
        elif chosen is not None and self._listing is not None:
            self.post_message(self.Opened(chosen, self._listing.among))

    def action_fold(self) -> None:
        """Open or close the group under the cursor."""
        chosen, listing = self.chosen, self._listing
        if not isinstance(chosen, Group) or listing is None:
            return
        folded = listing.fold(listing.folded ^ {chosen.key})
        by, descending = self._sorted_by
        self.show(folded, self._cursor, by=by, descending=descending)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Space belongs to a heading; elsewhere it goes on to the app."""
        if action == "fold":
            return isinstance(self.chosen, Group)
        return super().check_action(action, parameters)

    @property
    def folded(self) -> frozenset[str]:
        """Keys of the groups that are closed."""
        return self._listing.folded if self._listing else frozenset()

    def on_click(self, event: events.Click) -> None:
        """A title sorts; a line takes the cursor, and opens if it has it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y == 0:
            if name := self._title_at(offset.x):
                self.post_message(self.SortAsked(name))
            return
        line = self.scroll_offset.y + offset.y - 1
        if line >= self.row_count:
            return
        if line == self._cursor:
            self.action_open()
        else:
            self._go(line)

    def _title_at(self, x: int) -> str | None:
        start = _MARGIN
        for column in self.columns:
            if start <= x < start + column.width + _GAP:
                return column.name
            start += column.width + _GAP
        return None

    def _go(self, line: int) -> None:
        line = max(0, min(line, self.row_count - 1))
        if line == self._cursor:
            return
        # The title is drawn above the lines, so each stands one lower than its number.
        self.refresh_line(self._cursor + 1)
        self._cursor = line
        self.refresh_line(line + 1)
        self._keep_in_sight()
        self.post_message(self.Moved())

    @property
    def _room(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + self._room:
            self.scroll_to(y=self._cursor - self._room + 1, animate=False, force=True)

    # Drawing.

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that fit the present width."""
        if not self._columns:
            self._columns = columns(self.scrollable_content_region.width)
        return self._columns

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._strip(self._titles(), width, "difference-table--header")
        line = self.scroll_offset.y + y - 1
        if self._listing is None or line >= self._listing.height:
            return Strip.blank(width, self.rich_style)
        shown = self._listing.line(line)
        sign = "▸ " if line == self._cursor else "  "
        if isinstance(shown, Group):
            text = sign + group_words(shown, folded=shown.key in self._listing.folded)
            style = "difference-table--group"
        else:
            texts = _texts(shown, wide=len(self.columns) > len(_FIRST) + 1)
            text = sign + self._row(texts)
            style = "difference-table--odd" if line % 2 else ""
        if line == self._cursor:
            style = "difference-table--cursor"
        return self._strip(text, width, style)

    def _strip(self, text: str, width: int, component: str) -> Strip:
        style: Style = self.get_component_rich_style(component) if component else self.rich_style
        return Strip([Segment(fitted(text, width), style)], width)

    def _row(self, texts: list[str]) -> str:
        gap = " " * _GAP
        return gap.join(
            fitted(text, column.width) for text, column in zip(texts, self.columns, strict=True)
        )

    def _titles(self) -> str:
        by, descending = self._sorted_by
        sign = " ↓" if descending else " ↑"
        return "  " + self._row(
            [one.title + (sign if one.name == by else "") for one in self.columns]
        )


def columns(width: int) -> tuple[Column, ...]:
    """Columns for so many cells; what the fixed ones leave goes to the values."""
    first = tuple(Column(*one) for one in _FIRST)
    room = width - _MARGIN - sum(one.width + _GAP for one in first)
    if width < _WIDE - 1:
        return (*first, Column("new", "Old → new", max(_LEAST_VALUE, room)))
    last = tuple(Column(*one) for one in _LAST)
    room -= sum(one.width + _GAP for one in last) + _GAP
    old = room // 2
    return (*first, Column("old", "Old", old), Column("new", "New", room - old), *last)


def group_words(group: Group, *, folded: bool) -> str:
    """The heading of a cluster: its title, how much of it is shown, and what it costs."""
    sign = "▸" if folded else "▾"
    cluster = group.cluster
    if cluster is None:
        return f"{sign} in no cause  {counted(group.shown, 'difference')}"
    size = counted(cluster.size, "difference")
    if group.shown != cluster.size:
        size = f"{group.shown:,} of {size}"
    # In front, since the end of a long heading is cut off: who is meant is no detail.
    title = f"{whose(cluster)}{plain(cluster.title)}"
    label = f"  {cluster.triage.label.value}" if cluster.triage else ""
    return f"{sign} {title}  {size}, cost {points(cluster.cost)}{label}"


def fitted(text: str, width: int) -> str:
    """`text` in exactly so many cells; what was cut off ends in an ellipsis."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…" if width else ""


def _texts(one: Difference, *, wide: bool) -> list[str]:
    old, new = _value(one.control_value), _value(one.candidate_value)
    texts = [
        kind_words(one.kind), plain(one.directory), plain(one.field.removeprefix("values.")),
    ]  # fmt: skip
    if wide:
        return [*texts, old, new, short_job(one.job_id), plain(one.mode)]
    return [*texts, f"{old}→{new}"]


def _value(text: str | None) -> str:
    # A page's whole text may be a value; the screen is never wider than this.
    return NOTHING if text is None else value_text(text[:400])
