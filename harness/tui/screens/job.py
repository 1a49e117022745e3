"""One job: its submissions as a matrix, and both timelines on one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker

from harness.assessment import Assessment, JobDetail, JobRow
from harness.errors import ShadowError
from harness.tui.screens.base import ShadowScreen
from harness.tui.sources import JobSource
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.job_matrix import JobMatrix
from harness.tui.widgets.job_timeline import JobTimeline
from harness.tui.widgets.job_words import VERDICT_WORDS, status_words
from harness.tui.wording import NOTHING, day_and_time, plain


class JobScreen(ShadowScreen):
    """One job in full, as of the moment shown."""

    MODE = "jobs"
    HELP_WORDS: ClassVar[str] = """\
**Submissions** has one row a directory: what the old and the new system say, the verdict after the
rules, the class of the error, and how long each took. Rows of a replay name their run.

**Timelines** draw the events of both sides on one time axis, from the first event of the job to the
last: `•` one event, `●` two or three, `█` more; a line joins the first and the last. The list below
has each of them.

**Tab** goes from part to part, **Escape** goes back to the list.
"""
    AUTO_FOCUS = "JobMatrix"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "List", tooltip="Back to the list"),
    ]

    @dataclass
    class JobLoaded(Message):
        """The journal has told all about the job, as of `seq`; None: it is not there."""

        seq: int
        detail: JobDetail | None

    @dataclass
    class JobFailed(Message):
        """The journal could not be read."""

        seq: int
        reason: str

    def __init__(self, source: JobSource, job_id: str) -> None:
        super().__init__()
        self._source = source
        self._job_id = job_id
        self._detail: JobDetail | None = None
        self._scale = 1.0
        self._asked: int | None = None

    def compose_body(self) -> ComposeResult:
        """Headline, matrix, timelines."""
        yield Cell(f"job {plain(self._job_id)}", id="headline")
        yield Cell("Reading the journal …", id="words")
        with VerticalScroll(id="detail", can_focus=False):
            yield JobMatrix()
            yield JobTimeline()

    def paint(self, assessment: Assessment) -> None:
        """Ask for the job as of the moment of `assessment`."""
        self._scale = assessment.provenance.time_scale
        seq = assessment.provenance.seq
        if seq != self._asked:
            self._asked = seq
            self.load_job(seq)

    def on_resize(self) -> None:
        """The columns share the new width."""
        if self._detail is not None:
            self.query_one(JobMatrix).show(self._detail.submissions, self.size.width)

    @work(thread=True, exclusive=True, group="job", exit_on_error=False)
    def load_job(self, seq: int) -> None:
        """Read the job as of `seq`."""
        try:
            news: Message = self.JobLoaded(seq, self._source.job(self._job_id, seq))
        except ShadowError as error:
            news = self.JobFailed(seq, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(news)

    def on_job_screen_job_loaded(self, event: JobLoaded) -> None:
        """Paint the answer, if it is still the one asked for."""
        if event.seq != self._asked:
            return
        self._detail = detail = event.detail
        self.query_one("#detail").display = detail is not None
        words = self.query_one("#words", Cell)
        if detail is None:
            words.show("▲ At the moment shown no such job is recorded.")
            return
        words.show(_words(detail.row))
        self.query_one(JobMatrix).show(detail.submissions, self.size.width)
        self.query_one(JobTimeline).show(detail.events, detail.events_before, self._scale)

    def on_job_screen_job_failed(self, event: JobFailed) -> None:
        """Say why there is nothing; the next look asks again."""
        if event.seq == self._asked:
            self._asked = None
            self.query_one("#words", Cell).show(f"▲ {plain(event.reason)}")

    def action_back(self) -> None:
        """Go back to the list."""
        self.dismiss()


def _words(row: JobRow) -> str:
    package = NOTHING if row.package_size is None else f"{row.package_size:,}"
    priority = NOTHING if row.priority is None else f"{row.priority}"
    counts = ", ".join(
        f"{number:,} {VERDICT_WORDS[verdict].partition(' ')[2]}"
        for verdict, number in row.verdicts
        if number
    )
    own = f"old {plain(row.control_word or NOTHING)}, new {plain(row.candidate_word or NOTHING)}"
    return (
        f"created {day_and_time(row.created_at)}, package {package}, priority {priority}\n"
        f"by one rule old {status_words(row.control_status)}, "
        f"new {status_words(row.candidate_status)}; by its own word {own}\n"
        f"{counts or 'no pair yet'}"
    )
