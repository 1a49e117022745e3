"""Health: the recorder's own, from what it journaled, and what its files say now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker

from harness.assessment import Assessment
from harness.errors import ShadowError
from harness.gates.wording import counted
from harness.tui.looked import FilesNow
from harness.tui.screens.base import ShadowScreen
from harness.tui.sources import FileSource
from harness.tui.view import View
from harness.tui.widgets.figures import Line, named
from harness.tui.widgets.health import (
    LinesPanel,
    gap_lines,
    journal_lines,
    recorder_lines,
    source_lines,
    worker_lines,
)
from harness.tui.wording import age, clock, plain

if TYPE_CHECKING:
    from harness.journal.verify import Verification

_WIDTH = 12
_MOST_PROBLEMS = 5


class HealthScreen(ShadowScreen):
    """Lag, watermarks, gaps, lock retries, costs, drift, samplers, journal."""

    MODE = "health"
    HELP_WORDS: ClassVar[str] = """\
How well the recorder itself does, as of the moment shown.

**Sources** says how far each source is recorded completely and how far behind that is, and when
each sampled source was last asked. **Gaps** that a later sweep made good are closed; an open one
costs gates their evidence. **Recorder** is what it journaled of its own work.

**Now** is what the files say at this minute: the status file that a recorder keeps, and the size of
the journal. It is hidden while the past is shown. **v** checks that the journal is whole: every
event, the chain of hashes and the seals.
"""
    AUTO_FOCUS = "#sources"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "verify", "Verify", tooltip="Check that the journal is whole"),
    ]

    @dataclass
    class FilesRead(Message):
        """What the files say now."""

        files: FilesNow

    @dataclass
    class Verified(Message):
        """The journal was checked, or could not be."""

        at: datetime | None
        found: Verification | str

    def __init__(self, source: FileSource) -> None:
        super().__init__()
        self._source = source
        self._past = False
        self._files: FilesNow | None = None
        self._verified: HealthScreen.Verified | None = None
        self._verifying = False

    def compose_body(self) -> ComposeResult:
        """Two columns where there is room for them."""
        with VerticalScroll(id="health", can_focus=False), Horizontal(id="columns"):
            with Vertical():
                yield LinesPanel("Sources", id="sources")
                yield LinesPanel("Gaps", id="gaps")
                yield LinesPanel("Workers by their heartbeats", id="workers")
            with Vertical():
                yield LinesPanel("Now, by the files", id="now")
                yield LinesPanel("Recorder", id="recorder")
                yield LinesPanel("Journal", id="journal")

    def show(self, view: View) -> None:
        """Paint `view`; what the files say belongs to now only."""
        self._past = view.past
        super().show(view)

    def paint(self, assessment: Assessment) -> None:
        """Hand each panel its lines, and read the files anew."""
        recording = assessment.recording
        unsound = recording.complete_until is None or recording.provisional
        still = len(recording.gaps) > sum(span.closed for span in recording.gap_spans)
        panel = self._panel
        panel("#sources").show_lines([*source_lines(recording)], loud=unsound)
        panel("#gaps").show_lines([*gap_lines(recording)], loud=still)
        panel("#workers").show_lines([*worker_lines(assessment.operations)])
        panel("#recorder").show_lines([*recorder_lines(recording)])
        panel("#journal").show_lines([*journal_lines(assessment)])
        panel("#now").display = not self._past
        if not self._past:
            self.read_files()

    def _panel(self, selector: str) -> LinesPanel:
        return self.query_one(selector, LinesPanel)

    @work(thread=True, exclusive=True, group="files", exit_on_error=False)
    def read_files(self) -> None:
        """Look at the files."""
        files = self._source.files_now()
        if not get_current_worker().is_cancelled:
            self.post_message(self.FilesRead(files))

    def on_health_screen_files_read(self, event: FilesRead) -> None:
        """Paint what the files say."""
        self._files = event.files
        self._paint_now()

    def action_verify(self) -> None:
        """Check the journal, in a thread of its own."""
        if self._past:
            self.notify("The whole journal is checked, as it is now. Press l for live first.")
        elif not self._verifying:
            self._verifying = True
            self._paint_now()
            self.verify()

    @work(thread=True, group="verify", exit_on_error=False)
    def verify(self) -> None:
        """Check the journal."""
        try:
            news = self.Verified(*self._source.verify())
        except ShadowError as error:
            news = self.Verified(None, str(error))
        finally:
            self._verifying = False
        self.post_message(news)

    def on_health_screen_verified(self, event: Verified) -> None:
        """Paint what the check found."""
        self._verified = event
        self._paint_now()

    def _paint_now(self) -> None:
        files = self._files
        if files is None:
            return
        loud = not files.recorder.well or self._unsound
        self._panel("#now").show_lines([*self._now_lines(files)], loud=loud)

    @property
    def _unsound(self) -> bool:
        found = self._verified.found if self._verified else None
        return isinstance(found, str) or (found is not None and not found.clean)

    def _now_lines(self, files: FilesNow) -> list[Line]:
        well = files.recorder.well
        status = files.recorder.status
        # The words begin with the journal's path, which everybody knows who looks at it.
        words = files.recorder.words.partition(": ")[2] or files.recorder.words
        lines = [named("recorder", ("✓ " if well else "▲ ", "" if well else "$warning bold"),
                       plain(words), width=_WIDTH)]  # fmt: skip
        if updated := status.get("updated_at"):
            told = age(datetime.fromisoformat(str(updated)), files.taken_at)
            lines.append(named("status file", f"written {told}", width=_WIDTH))
        if "lock_retries" in status:
            retries = counted(int(status["lock_retries"]), "lock retry", "lock retries")
            lines.append(named("", f"{retries}, {int(status.get('rows', 0)):,} rows", width=_WIDTH))
        lines.append(named("journal", f"{files.bytes / 1e6:,.1f} MB on disk", width=_WIDTH))
        return [*lines, *self._verify_lines()]

    def _verify_lines(self) -> list[Line]:
        if self._verifying:
            return [named("whole", "being checked …", width=_WIDTH)]
        if self._verified is None:
            return [named("whole", ("not checked here; v checks", "$secondary"), width=_WIDTH)]
        at, found = self._verified.at, self._verified.found
        if isinstance(found, str):
            return [named("whole", ("▲ ", "$warning bold"), plain(found), width=_WIDTH)]
        if found.clean:
            words = f"✓ yes: {found.events:,} events in {found.batches:,} batches, {clock(at)}"
            return [named("whole", words, width=_WIDTH)]
        problems = found.problems[:_MOST_PROBLEMS]
        left = len(found.problems) - len(problems)
        return [
            named("whole", (f"✕ NO, {clock(at)}: {len(found.problems):,} problems", "$error bold"),
                  width=_WIDTH),
            *(named("", plain(problem), width=_WIDTH) for problem in problems),
            *([named("", f"and {left:,} more", width=_WIDTH)] if left else []),
        ]  # fmt: skip
