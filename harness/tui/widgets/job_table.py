"""A page of jobs as a table."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import DataTable

from harness.assessment import JobPage, JobRow
from harness.model import Verdict
from harness.tui.widgets.job_words import status_words
from harness.tui.wording import NOTHING, clock, plain, short_job

_WIDE, _WIDEST = 110, 150
_ID = 36
_COUNTS = ("Pack", "Package", "Prio", "Agree", "Differ", "Missing", "Open")
_LOUD = ("Differ", "Missing")
"""Counts that stand out among the noughts."""
Columns = tuple[tuple[str, int], ...]


class JobTable(DataTable[Text]):
    """One row a job: status on both sides by one rule, and what became of its pairs."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._shown: tuple[JobPage, Columns] | None = None

    @property
    def chosen(self) -> JobRow | None:
        """The job under the cursor."""
        rows = self._shown[0].rows if self._shown else ()
        return rows[self.cursor_row] if 0 <= self.cursor_row < len(rows) else None

    def show(self, page: JobPage, width: int) -> None:
        """Fill the table anew if the rows or the columns have changed; the cursor keeps its job.

        width: columns of the screen.
        """
        before = self._shown
        columns = _columns(width)
        self._shown = page, columns
        if before and (before[0].rows, before[1]) == (page.rows, columns):
            return
        row = self.cursor_row
        chosen = before[0].rows[row].job_id if before and 0 <= row < len(before[0].rows) else None
        self.clear(columns=True)
        for title, room in columns:
            head = Text(title, justify="right") if title in _COUNTS else Text(title)
            self.add_column(head, width=room)
        for job in page.rows:
            cells = _cells(job, wide=width >= _WIDE)
            self.add_row(*(cells[title] for title, _ in columns), key=job.job_id)
        ids = [job.job_id for job in page.rows]
        if chosen in ids:
            self.move_cursor(row=ids.index(chosen), animate=False)


def _columns(width: int) -> Columns:
    """Titles and widths: what each system says of the job itself where there is room for it."""
    counts = (("Agree", 5), ("Differ", 6), ("Missing", 7), ("Open", 4))
    sides = (("Old", 7), ("New", 7))
    if width < _WIDE:
        return (("Job", 8), ("Created", 12), ("Pack", 4), *sides, *counts)
    said = (("Old says", 16), ("New says", 16)) if width >= _WIDEST else ()
    return (("Job", _ID), ("Created", 15), ("Package", 7), ("Prio", 4), *sides, *said, *counts)


def _cells(job: JobRow, *, wide: bool) -> dict[str, Text]:
    created = clock(job.created_at)
    texts = {
        "Job": plain(job.job_id) if wide else short_job(job.job_id),
        "Created": created if wide else created.rpartition(":")[0],
        "Old": status_words(job.control_status) if job.sampled else "not sent",
        "New": status_words(job.candidate_status) if job.sampled else NOTHING,
        "Old says": plain(job.control_word or NOTHING),
        "New says": plain(job.candidate_word or NOTHING),
    }
    missing = job.count(Verdict.MISSING_CANDIDATE, Verdict.MISSING_CONTROL)
    numbers = {
        "Pack": job.package_size, "Package": job.package_size, "Prio": job.priority,
        "Agree": job.count(Verdict.AGREE), "Differ": job.count(Verdict.MISMATCH),
        "Missing": missing, "Open": job.count(Verdict.IN_FLIGHT),
    }  # fmt: skip
    return {
        title: Text(text, no_wrap=True, overflow="ellipsis") for title, text in texts.items()
    } | {title: _number(number, loud=title in _LOUD) for title, number in numbers.items()}


def _number(value: int | None, *, loud: bool) -> Text:
    text = NOTHING if value is None else f"{value:,}"
    return Text(text, style="bold" if value and loud else "", justify="right")
