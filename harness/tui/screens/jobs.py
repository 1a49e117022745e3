"""Jobs: all of them, page by page, narrowed by a typed search that the journal answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Input
from textual.worker import Worker, WorkerState

from harness.assess.job_search import JobSearch, parse_search
from harness.assessment import Assessment, JobPage
from harness.errors import ShadowError
from harness.model import Verdict
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.job import JobScreen
from harness.tui.sources import JobSource
from harness.tui.state import JsonValue
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.job_table import JobTable
from harness.tui.wording import NOTHING, plain

PAGE = 100
"""Jobs on a page."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Which page, as of which moment."""

    search: JobSearch
    offset: int
    seq: int


class JobsScreen(ShadowScreen):
    """A table of jobs with a search above; names no person."""

    MODE = "jobs"
    HELP_WORDS: ClassVar[str] = """\
Every recorded job, the newest first. **Old** and **New** say how many of its directories each side
reached, counted by one rule for both: `✓ all`, `◐ some`, `✕ none`, `… open` while a directory is
in flight. The systems' own words do not compare. Then how many of its directories agree, differ,
are missing on a side, and are open.

**/** goes to the search. Each word must stand in the id of the job or in one of its directories:
`3f2a maple`. One part can be asked for: `package:100 priority:1 directory:maple old:failed
new:completed` (the systems' own words). **x** finds all jobs again.

**Enter** opens a job, **n** and **p** turn the page.
"""
    AUTO_FOCUS = "JobTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Type what to look for"),
        Binding("x", "clear_search", "All", tooltip="Find all jobs again"),
        Binding("n", "turn(1)", "Next page", tooltip="Older jobs"),
        Binding("p", "turn(-1)", "Previous page", tooltip="Newer jobs"),
        Binding("escape", "leave_search", "Table", show=False),
    ]

    @dataclass
    class PageLoaded(Message):
        """The journal has answered a wish."""

        wish: _Wish
        page: JobPage

    @dataclass
    class PageFailed(Message):
        """The journal could not be read."""

        wish: _Wish
        reason: str

    def __init__(self, source: JobSource) -> None:
        super().__init__()
        self._source = source
        self._search = JobSearch()
        self._offset = 0
        self._seq: int | None = None
        self._answered: _Wish | None = None
        self._asked: _Wish | None = None
        self._page: JobPage | None = None

    def compose_body(self) -> ComposeResult:
        """Search, count, table, and more about the job under the cursor."""
        search = Input(placeholder="Search, such as 3f2a maple or package:100 old:failed")
        search.cursor_blink = False
        yield search
        yield Cell("Reading the journal …", id="count")
        yield JobTable()
        yield Cell(id="explanation")

    def paint(self, assessment: Assessment) -> None:
        """Ask for the page anew if the moment is another one."""
        self._seq = assessment.provenance.seq
        self._ask()

    def save_state(self) -> dict[str, JsonValue]:
        """What was searched for."""
        return {"search": search} if (search := self.query_one(Input).value) else {}

    def restore_state(self, state: Mapping[str, JsonValue]) -> None:
        """Search for it again."""
        search = state.get("search")
        if isinstance(search, str) and not self.query_one(Input).value:
            self.query_one(Input).value = search

    def on_resize(self) -> None:
        """Columns share the new width."""
        if self._page is not None:
            self.query_one(JobTable).show(self._page, self.size.width)

    @on(Input.Changed)
    def _search_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search, self._offset = parse_search(event.value), 0
        if self._search.wrong:
            self.query_one("#count", Cell).show(f"▲ {plain(self._search.wrong)}")
        self._ask()

    @on(Input.Submitted)
    def _search_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(JobTable).focus()

    @on(DataTable.RowHighlighted)
    def _tell_more(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._explain()

    @on(DataTable.RowSelected)
    def _open(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if chosen := self.query_one(JobTable).chosen:
            self.app.push_screen(JobScreen(self._source, chosen.job_id))

    def action_search(self) -> None:
        """Go to the search."""
        self.query_one(Input).focus()

    def action_leave_search(self) -> None:
        """Go back to the table; the search stays."""
        self.query_one(JobTable).focus()

    def action_clear_search(self) -> None:
        """Find all jobs again."""
        self.query_one(Input).value = ""
        self.query_one(JobTable).focus()

    def action_turn(self, pages: int) -> None:
        """Go to the next or previous page."""
        found = self._page.found if self._page else 0
        offset = self._offset + pages * PAGE
        if not 0 <= offset < max(1, found):
            self.notify("This is the last page." if pages > 0 else "This is the first page.")
            return
        self._offset = offset
        self._ask()

    def _ask(self) -> None:
        """Ask for what is wanted unless it is there; one question at a time."""
        if self._seq is None or self._search.wrong or self._asked is not None:
            return
        wish = _Wish(self._search, self._offset, self._seq)
        if wish != self._answered:
            self._asked = wish
            self.load_page(wish)

    @work(thread=True, group="jobs", exit_on_error=False)
    def load_page(self, wish: _Wish) -> None:
        """Read a page as of a moment."""
        try:
            page = self._source.jobs(wish.search, offset=wish.offset, limit=PAGE, as_of=wish.seq)
            news: Message = self.PageLoaded(wish, page)
        except ShadowError as error:
            news = self.PageFailed(wish, str(error))
        self.post_message(news)

    def on_jobs_screen_page_loaded(self, event: PageLoaded) -> None:
        """Paint the page, and ask again if something else is wanted by now."""
        self._asked, self._answered = None, event.wish
        if not self._search.wrong:
            self._page = event.page
            self.query_one("#count", Cell).show(_count(event.page))
            self.query_one(JobTable).show(event.page, self.size.width)
            self._explain()
        self._ask()

    def on_jobs_screen_page_failed(self, event: PageFailed) -> None:
        """Say why there is nothing; the next look asks again."""
        self._asked = None
        self.query_one("#count", Cell).show(f"▲ {plain(event.reason)}")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A question that failed in a way that nobody foresaw must not block the next.

        Textual calls the method of the base class too, which tells of the failure.
        """
        if event.state is WorkerState.ERROR:
            self._asked = None

    def _explain(self) -> None:
        chosen = self.query_one(JobTable).chosen
        if chosen is None:
            self.query_one("#explanation", Cell).show("")
            return
        old, new = (plain(word or NOTHING) for word in (chosen.control_word, chosen.candidate_word))
        words = f"job {plain(chosen.job_id)}: by its own word old {old}, new {new}"
        if excluded := chosen.count(Verdict.EXCLUDED):
            words += f"; {excluded:,} excluded"
        if not chosen.sampled:
            words += ". Nothing shows that the new system was meant to get it: it counts nowhere"
        self.query_one("#explanation", Cell).show(f"{words}.")


def _count(page: JobPage) -> str:
    if not page.jobs:
        return "No job has been recorded."
    if not page.found:
        return f"None of {page.jobs:,} jobs matches."
    last = page.offset + len(page.rows)
    return (
        f"{page.offset + 1:,} to {last:,} of {page.found:,} found, "
        f"{page.jobs:,} jobs in all; Enter opens one"
    )
