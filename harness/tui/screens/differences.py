"""Differences: all of them, live, filtered, sorted, and under their causes if wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from harness.assessment import Assessment, Cluster, Difference
from harness.errors import ShadowError
from harness.tui.completion import FilterSuggester
from harness.tui.filtering import Filter, parse_filter
from harness.tui.latest_rows import LatestRows
from harness.tui.listing import SORTS, Group, Listing, Order
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.views import Picked, ViewsScreen
from harness.tui.sources import TimeSource, source_of
from harness.tui.state import JsonValue
from harness.tui.views import SavedView, view_from, views_from
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.difference_table import DifferenceTable
from harness.tui.wording import plain

if TYPE_CHECKING:
    from harness.tui.rows import Rows


# No repr: Textual names a worker by those of its arguments, and an assessment's takes seconds.
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asked:
    """What the table is to show."""

    assessment: Assessment
    view: SavedView

    def is_same(self, other: Asked | None) -> bool:
        """Whether both ask for the same lines. Assessments are large, so they are not compared."""
        return other is not None and self.assessment is other.assessment and self.view == other.view


class DifferencesScreen(ShadowScreen):
    """A table of differences with a filter above and the explanation below."""

    MODE = "differences"
    HELP_WORDS: ClassVar[str] = """\
Every field of every pair in which old and new disagree after the rules.

**/** goes to the filter; **→** takes what it offers. Every word must occur: `captcha maple`.
A part can be asked for: `kind:timeout class:captcha outcome:missing field:values.phone
mode:live job:1b58 cluster:… label:none since:2h`. `dir:` finds a part of the host, `directory:`
the whole, `since:` what came to light in that time. `-word` leaves out.

**s** goes through the columns to sort by, **S** turns the order round; so does a click on a title.
**c** puts them under their causes: **Enter** or **Space** opens and closes one. **v** saves this
view by a name and brings others back.

**Escape** leaves the filter, **x** empties it, **Enter** opens a difference.
"""
    AUTO_FOCUS = "DifferenceTable"
    DEBOUNCE_S: ClassVar[float] = 0.08
    """Typing goes on for so long before the table follows."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", tooltip="Type what to keep"),
        Binding("x", "clear_filter", "All", tooltip="Show all differences again"),
        Binding("s", "sort", "Sort", tooltip="By the next column"),
        Binding("S", "reverse", "Other way round", show=False),
        Binding("c", "group", "Causes", tooltip="Under their causes, or one flat list"),
        Binding("v", "views", "Views", tooltip="Save this view, or bring one back"),
        Binding("escape", "leave_filter", "Table", show=False),
    ]

    @dataclass
    class Opened(Message):
        """A difference was chosen, among those now in the table."""

        difference: Difference
        among: Sequence[Difference]

    @dataclass
    class Selected(Message):
        """The table's lines are ready."""

        asked: Asked
        rows: Rows
        listing: Listing
        problems: tuple[str, ...]
        values: Mapping[str, Sequence[str]]

    def __init__(self) -> None:
        super().__init__()
        self._assessment: Assessment | None = None
        self._order = Order()
        self._grouped = False
        self._views: dict[str, SavedView] = {}
        self._rows = LatestRows()
        self._asked: Asked | None = None
        self._waiting: Timer | None = None
        self._suggester = FilterSuggester()

    def compose_body(self) -> ComposeResult:
        """Filter, table, explanation."""
        filter_input = Input(
            placeholder="Filter, such as captcha maple or class:timeout -mode:live since:2h",
            suggester=self._suggester,
        )
        filter_input.cursor_blink = False
        yield filter_input
        yield Cell(id="count")
        yield DifferenceTable()
        yield Cell(id="explanation")

    @property
    def table(self) -> DifferenceTable:
        """The table of differences."""
        return self.query_one(DifferenceTable)

    @property
    def is_typing(self) -> bool:
        """Whether the table still waits for the end of what is typed."""
        return self._waiting is not None

    def paint(self, assessment: Assessment) -> None:
        """Select anew only if there is another assessment."""
        if assessment is not self._assessment:
            self._assessment = assessment
            self._select_now()

    def filter_by(self, text: str) -> None:
        """Narrow the table to what matches `text`."""
        self.query_one(Input).value = text
        self._select_now()
        self.table.focus()

    def target(self) -> Difference | Cluster | None:
        """The difference or the cause under the cursor."""
        chosen = self.table.chosen
        return chosen.cluster if isinstance(chosen, Group) else chosen

    def save_state(self) -> dict[str, JsonValue]:
        """The view, and the saved ones."""
        saved: dict[str, JsonValue] = {name: v.as_json() for name, v in self._views.items()}
        return {**self._view().as_json(), "views": saved}

    def restore_state(self, state: Mapping[str, JsonValue]) -> None:
        """The view of an earlier run, and the saved ones."""
        self._views = views_from(state.get("views"))
        # Whoever came here for one cause wants that, not what was there the last time.
        if state and not self.query_one(Input).value:
            self._show_view(view_from(state))

    # From the keys to a view.

    def _view(self) -> SavedView:
        text = self.query_one(Input).value
        return SavedView(filter=text, order=self._order, grouped=self._grouped)

    def _show_view(self, view: SavedView) -> None:
        self._order, self._grouped = view.order, view.grouped
        self.query_one(Input).value = view.filter
        self._select_now()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._waiting:
            self._waiting.stop()
        self._waiting = self.set_timer(self.DEBOUNCE_S, self._select_now)

    @on(Input.Submitted)
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self._select_now()
        self.table.focus()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one(Input).focus()

    def action_leave_filter(self) -> None:
        """Go back to the table; the filter stays."""
        self.table.focus()

    def action_clear_filter(self) -> None:
        """Show all differences again."""
        self.filter_by("")

    def action_sort(self) -> None:
        """Sort by the next column; after the last, as the assessment has them."""
        names = (None, *SORTS)
        by = names[(names.index(self._order.by) + 1) % len(names)]
        self._sort(Order(by=by))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._sort(replace(self._order, descending=not self._order.descending))

    @on(DifferenceTable.SortAsked)
    def _title_clicked(self, event: DifferenceTable.SortAsked) -> None:
        event.stop()
        again = event.by == self._order.by and not self._order.descending
        self._sort(Order(by=event.by, descending=again))

    def _sort(self, order: Order) -> None:
        self._order = order
        self._select_now()

    def action_group(self) -> None:
        """Put the differences under their causes, or in one list."""
        self._grouped = not self._grouped
        self._select_now()

    def action_views(self) -> None:
        """Save this view or choose another."""

        def picked(answer: Picked | None) -> None:
            if answer is None:
                return
            self._views = dict(answer.views)
            if answer.show is not None:
                self._show_view(self._views[answer.show])

        self.app.push_screen(ViewsScreen(self._views, self._view()), picked)

    # From a view to lines, away from the screen.

    def _select_now(self) -> None:
        if self._waiting:
            self._waiting.stop()
            self._waiting = None
        if self._assessment is None:
            return
        asked = Asked(self._assessment, self._view())
        if not asked.is_same(self._asked):
            self._asked = asked
            self.select(asked, source_of(self.app))

    @work(thread=True, exclusive=True, group="select", exit_on_error=False)
    def select(self, asked: Asked, source: TimeSource) -> None:
        """Find the lines that `asked` wants."""
        worker = get_current_worker()
        rows = self._rows.of(asked.assessment)
        if worker.is_cancelled:
            return
        view = asked.view
        wanted = parse_filter(view.filter)
        since_seq, problems = _since(wanted, asked.assessment, source)
        listing = rows.select(wanted, view.order, grouped=view.grouped, since_seq=since_seq)
        values = rows.values
        if not worker.is_cancelled:
            self.post_message(
                self.Selected(asked, rows, listing, (*wanted.problems, *problems), values)
            )

    def on_differences_screen_selected(self, event: Selected) -> None:
        """Show the lines, unless others are wanted by now; the cursor stays on its own."""
        if not event.asked.is_same(self._asked):
            return
        table, order = self.table, event.asked.view.order
        listing = event.listing.fold(table.folded)
        self._suggester.values = event.values
        chosen, line = table.chosen, None
        if isinstance(chosen, Group):
            line = listing.group_line(chosen.key)
        elif chosen is not None and (place := event.rows.place(chosen.id)) is not None:
            line = listing.line_of(place)
        table.show(listing, line or 0, by=order.by, descending=order.descending)
        self.query_one("#count", Cell).show(_count(event))

    # What the cursor stands on.

    @on(DifferenceTable.Moved)
    def _explain(self, event: DifferenceTable.Moved) -> None:
        event.stop()
        chosen, words = self.table.chosen, ""
        if isinstance(chosen, Difference):
            words = f"{plain(chosen.explanation)}  ({plain(chosen.mode)})"
        elif chosen is not None and (cluster := chosen.cluster) is not None:
            words = (
                f"{plain(cluster.title)}: {cluster.jobs:,} jobs, "
                f"{cluster.directories:,} directories; cluster {cluster.id}"
            )
        self.query_one("#explanation", Cell).show(words)

    @on(DifferenceTable.Opened)
    def _row_opened(self, event: DifferenceTable.Opened) -> None:
        event.stop()
        self.post_message(self.Opened(event.difference, event.among))


def _since(
    wanted: Filter, assessment: Assessment, source: TimeSource
) -> tuple[dict[str, int], tuple[str, ...]]:
    """For each duration the last seq before it; what could not be found out, in words."""
    found: dict[str, int] = {}
    for words, seconds in wanted.since_s.items():
        try:
            found[words] = source.seq_at(assessment.provenance.as_of - timedelta(seconds=seconds))
        except (ShadowError, OverflowError) as error:
            found[words] = 0
            return found, (f"since:{words}: {error}",)
    return found, ()


def _count(event: DifferencesScreen.Selected) -> str:
    everything, view = len(event.asked.assessment.differences), event.asked.view
    if not everything:
        return "No difference: everything compared so far agrees."
    words = f"{len(event.listing.among):,} of {everything:,} differences"
    if view.grouped:
        words += f" under {len(event.listing.groups):,} causes"
    if view.order.by:
        words += f", by {view.order.by}"
    words += "; Enter opens one"
    return "   ".join([words, *(f"▲ {plain(problem)}" for problem in event.problems)])
