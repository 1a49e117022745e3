"""A page of jobs as a table."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import DataTable

from harness.assessment import JobPage, JobRow
from harness.model import Verdict
from harness.tui.widgets.job_words import status_words
from harness.tui.wording import NOTHING, clock, plain, short_job

WIDE = 110
_ID = 36


class JobTable(DataTable[Text]):
    """One row a job: status on both sides by one rule, and what became of its pairs."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._shown: tuple[JobPage, bool] | None = None

    @property
    def chosen(self) -> JobRow | None:
        """The job under the cursor."""
        rows = self._shown[0].rows if self._shown else ()
        return rows[self.cursor_row] if 0 <= self.cursor_row < len(rows) else None

    def show(self, page: JobPage, *, wide: bool) -> None:
        """Fill the table anew if the rows or the width have changed; the cursor keeps its job."""
        before = self._shown
        self._shown = page, wide
        if before and (before[0].rows, before[1]) == (page.rows, wide):
            return
        row = self.cursor_row
        chosen = before[0].rows[row].job_id if before and row < len(before[0].rows) else None
        self.clear(columns=True)
        for title, width in _columns(wide=wide):
            self.add_column(title, width=width)
        for job in page.rows:
            self.add_row(*_cells(job, wide=wide), key=job.job_id)
        ids = [job.job_id for job in page.rows]
        if chosen in ids:
            self.move_cursor(row=ids.index(chosen), animate=False)


def _columns(*, wide: bool) -> list[tuple[str, int]]:
    counts = [("Agree", 5), ("Differ", 6), ("Missing", 7), ("Open", 4)]
    sides = [("Old", 7), ("New", 7)]
    if not wide:
        return [("Job", 8), ("Created", 12), ("Pack", 4), *sides, *counts]
    return [("Job", _ID), ("Created", 15), ("Pack", 4), ("Prio", 4), *sides, *counts]


def _cells(job: JobRow, *, wide: bool) -> list[Text]:
    created = clock(job.created_at)
    missing = job.count(Verdict.MISSING_CANDIDATE, Verdict.MISSING_CONTROL)
    texts = [
        plain(job.job_id) if wide else short_job(job.job_id),
        created if wide else created.rpartition(":")[0],
        _number(job.package_size),
        *([_number(job.priority)] if wide else []),
        status_words(job.control_status) if job.sampled else "not sent",
        status_words(job.candidate_status) if job.sampled else NOTHING,
    ]
    numbers = [
        job.count(Verdict.AGREE), job.count(Verdict.MISMATCH), missing,
        job.count(Verdict.IN_FLIGHT),
    ]  # fmt: skip
    cells = [Text(text, no_wrap=True, overflow="ellipsis") for text in texts]
    return [*cells, *(Text(f"{number:,}", justify="right") for number in numbers)]


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"
