"""Differences: all of them, live, narrowed by a typed filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Input

from harness.assessment import Assessment, Difference
from harness.tui.filtering import filter_differences
from harness.tui.screens.base import ShadowScreen
from harness.tui.widgets.cell import Cell
from harness.tui.wording import kind_words, plain, short_job, value_text

MOST_ROWS = 500
"""Rows put into the table; building more would hold up the screen. The rest is said, not hidden."""

_COLUMNS = (("What", 17), ("Directory", 25), ("Field", 11))
_LEAST_VALUE = 17
_JOB, _MODE = 8, 8
_PADDING = 2
_WIDE = 110
"""From this many columns on, old and new values stand apart, with job and mode behind them."""


class DifferencesScreen(ShadowScreen):
    """A table of differences with a filter above and the explanation below."""

    MODE = "differences"
    HELP_WORDS: ClassVar[str] = """\
Every field of every pair in which old and new disagree after the rules.

**/** goes to the filter. Every word must occur: `captcha maple`. One part can be asked for
exactly: `kind:timeout field:outcome mode:live directory:… job:… cluster:…`.
`-word` leaves out.
**Escape** leaves the filter, **x** empties it, **Enter** opens a difference.
"""
    AUTO_FOCUS = "DataTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", tooltip="Type what to keep"),
        Binding("x", "clear_filter", "All", tooltip="Show all differences again"),
        Binding("escape", "leave_filter", "Table", show=False),
    ]

    @dataclass
    class Opened(Message):
        """A difference was chosen, among those now in the table."""

        difference: Difference
        among: tuple[Difference, ...]

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[Difference, ...] = ()
        self._kept: tuple[Difference, ...] = ()
        self._shown: tuple[Difference, ...] | None = None
        self._filled_width = 0

    def compose_body(self) -> ComposeResult:
        """Filter, table, explanation."""
        filter_input = Input(placeholder="Filter, such as captcha maple or kind:timeout -live")
        filter_input.cursor_blink = False
        yield filter_input
        yield Cell(id="count")
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Cell(id="explanation")

    @property
    def table(self) -> DataTable[Text]:
        """The table of differences."""
        return self.query_one(DataTable)

    def paint(self, assessment: Assessment) -> None:
        """Fill the table anew only if the differences have changed."""
        self._all = assessment.differences
        self._fill()

    def filter_by(self, text: str) -> None:
        """Narrow the table to what matches `text`."""
        self.query_one(Input).value = text
        self.table.focus()

    def on_resize(self) -> None:
        """Columns share the new width."""
        if self.size.width != self._filled_width:
            self._shown = None
            self._fill()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    @on(Input.Submitted)
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    @on(DataTable.RowHighlighted)
    def _explain(self) -> None:
        chosen = self._chosen()
        words = f"{plain(chosen.explanation)}  ({plain(chosen.mode)})" if chosen else ""
        self.query_one("#explanation", Cell).show(words)

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open the difference under the cursor."""
        if chosen := self._chosen():
            self.post_message(self.Opened(chosen, self._kept))

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one(Input).focus()

    def action_leave_filter(self) -> None:
        """Go back to the table; the filter stays."""
        self.table.focus()

    def action_clear_filter(self) -> None:
        """Show all differences again."""
        self.filter_by("")

    def _chosen(self) -> Difference | None:
        row = self.table.cursor_row
        shown = self._shown or ()
        return shown[row] if 0 <= row < len(shown) else None

    def _fill(self) -> None:
        self._kept = filter_differences(self._all, self.query_one(Input).value)
        self.query_one("#count", Cell).show(self._count())
        shown = self._kept[:MOST_ROWS]
        if shown == self._shown:
            return
        chosen = self._chosen()
        table = self.table
        self._filled_width = self.size.width
        self._shown = shown
        table.clear(columns=True)
        wide = self._filled_width >= _WIDE
        for title, width in _columns(self._filled_width, wide=wide):
            table.add_column(title, width=width)
        for difference in shown:
            table.add_row(*_cells(difference, wide=wide), key=difference.id)
        ids = [difference.id for difference in shown]
        if chosen and chosen.id in ids:
            table.move_cursor(row=ids.index(chosen.id), animate=False)
        self._explain()

    def _count(self) -> str:
        kept, everything = len(self._kept), len(self._all)
        if not everything:
            return "No difference: everything compared so far agrees."
        words = f"{kept:,} of {everything:,} differences; Enter opens one"
        if kept > MOST_ROWS:
            words += f", the first {MOST_ROWS:,} in the table; narrow them by the filter"
        return words


def _columns(screen_width: int, *, wide: bool) -> list[tuple[str, int]]:
    """Titles and widths; what the fixed ones leave goes to the values."""
    room = screen_width - 1 - sum(width + _PADDING for _, width in _COLUMNS)
    if not wide:
        return [*_COLUMNS, ("Old → new", max(_LEAST_VALUE, room - _PADDING))]
    last = [("Job", _JOB), ("Mode", _MODE)]
    room -= sum(width + _PADDING for _, width in last) + 2 * _PADDING
    return [*_COLUMNS, ("Old", room // 2), ("New", room // 2), *last]


def _cells(difference: Difference, *, wide: bool) -> list[Text]:
    old, new = value_text(difference.control_value), value_text(difference.candidate_value)
    texts = [
        kind_words(difference.kind),
        plain(difference.directory),
        plain(difference.field.removeprefix("values.")),
    ]
    if wide:
        texts += [old, new, short_job(difference.job_id), plain(difference.mode)]
    else:
        texts.append(f"{old}→{new}")
    return [Text(text, no_wrap=True, overflow="ellipsis") for text in texts]
