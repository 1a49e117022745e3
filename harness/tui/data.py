"""What the dashboard knows of the journal; the only module of it that opens one.

No Textual here: everything may be called from a worker thread, and returns immutable values.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.assess.build import assessment_of
from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.detail import difference_detail
from harness.assess.job_search import JobSearch
from harness.assess.jobs import job_detail, job_page
from harness.assess.moment import read_moment
from harness.assess.rules_file import proposed_rules
from harness.assess.weighing import Weighed, checked, weigh_proposed, weigh_rule
from harness.assessment import Assessment, Difference, DifferenceDetail, JobDetail, JobPage
from harness.compare.comparison import Comparison
from harness.compare.explain import Step, explain, find_pairs
from harness.compare.rules import Rule
from harness.errors import ShadowError
from harness.journal.first_met import FirstMet
from harness.journal.store import Head, Journal, utc_now
from harness.journal.verify import Verification, verify
from harness.record.status import read_health
from harness.resources import sql_queries
from harness.tui.kept.looks import KeptLooks
from harness.tui.kept.packing import Seen
from harness.tui.kept.spacing import WORTH_S
from harness.tui.looked import FilesNow, Moment, RuleSaid, Snapshot, Span

BUSY_TIMEOUT_S = 2.0
"""How long a look at the journal waits for its lock before the screen says that it is busy."""

LEAVE_EVERY_S = 60.0
"""A dashboard that opens next shows what this one saw at most so long before its last look."""

KEPT_MOMENTS = 16
"""Assessments kept, so that stepping to and fro does not compute the same moment twice."""


@dataclass(frozen=True, slots=True)
class _Kept:
    head: Head
    assessment: Assessment
    took_s: float

    def holds_at(self, head: Head) -> bool:
        """Whether nothing recorded since can have changed it.

        A moment before the end is closed for ever. At the end only an equal hash shows that
        nothing was written since, and that the file is still the same journal.
        """
        return self.head == head or self.assessment.provenance.seq < self.head.seq


class DashboardData:
    """The journal at `journal_path` judged by `criteria`, at any moment. Thread-safe."""

    def __init__(
        self,
        journal_path: Path,
        criteria: Criteria,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        looks: KeptLooks | None = None,
    ) -> None:
        """looks: where assessments are kept for another run, or for a jump."""
        self.journal_path = journal_path
        self._criteria = criteria
        self._clock = clock
        self._journal = Journal(journal_path, busy_timeout_s=busy_timeout_s)
        self._kept: OrderedDict[Moment | None, _Kept] = OrderedDict()
        self._guard = threading.Lock()
        self._checked = False
        self._comparing = threading.Lock()
        self._comparison: tuple[int, Comparison] | None = None
        self._file: tuple[int, int] | None = None
        self._first_at: datetime | None = None
        self._looks = looks
        self._first_met = FirstMet()
        self._left_at: float | None = None
        self._begun = 0
        self._dropped = 0
        """Looks up to this one are not wanted any more."""

    def load(self, as_of: Moment | None) -> Snapshot:
        """Assess the journal as of a moment; the very same object while nothing has changed.

        Never raises ShadowError: a journal that is missing, empty, locked, foreign or damaged is
        `trouble` in words. A fault of our own is raised.
        """
        snapshot, new = self._look(as_of)
        if new and (seen := _seen(snapshot)):
            self._leave(seen, now=as_of is None, took_s=snapshot.took_s)
        return snapshot

    def prepare(self, seq: int) -> bool:
        """Assess a moment and keep that look for a jump; say whether it is kept."""
        seen = _seen(self._look(seq)[0])
        return bool(seen and self._looks and self._looks.keep(seen, now=False))

    def drop(self) -> None:
        """End the looks that are in hand as soon as can be: what they find is not wanted."""
        with self._guard:
            self._dropped = self._begun

    def close(self) -> None:
        """Nothing has to be let go of: each look opens and closes the journal."""

    def stop_preparing(self) -> None:
        """Nothing can end it here; whoever wants that asks from another process."""

    def _look(self, as_of: Moment | None) -> tuple[Snapshot, bool]:
        """A snapshot, and whether it was assessed just now."""
        self._forget_another_file()
        dropped = self._begin()
        kept, criteria = self._recall(as_of)
        assessment = kept.assessment if kept else None
        span: Span | None = None
        try:
            if not self.journal_path.exists():
                self._checked = False
                return self._snapshot(assessment, self._no_journal()), False
            head = self._head()
            if head.seq == 0:
                return self._snapshot(None, self._nothing_recorded()), False
            span = self._span(head)
            if kept and kept.holds_at(head):
                return self._snapshot(assessment, None, span, took_s=kept.took_s), False
            began = time.monotonic()
            asked = self._clock() if as_of is None else as_of
            now = asked if isinstance(asked, datetime) else None
            with self._journal.reader(as_of) as reader:
                reader.dropped = dropped
                read = read_moment(reader, criteria, now=now, first_met=self._first_met)
                reader.go_on()
            # Weighed when the journal is closed again, for the sake of its recorder.
            assessment = assessment_of(read, criteria)
        except ShadowError as error:
            self._checked = False
            return self._snapshot(assessment, str(error), span), False
        took_s = time.monotonic() - began
        self._keep(as_of, _Kept(head, assessment, took_s), criteria)
        return self._snapshot(assessment, None, span, took_s=took_s), True

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides of a difference and its timeline.

        Raises ShadowError if the journal cannot be read.
        """
        with self._journal.reader(as_of) as reader:
            return difference_detail(reader, difference, time_scale=self._criteria.time_scale)

    def jobs(self, search: JobSearch, *, offset: int, limit: int, as_of: Moment | None) -> JobPage:
        """A page of the jobs that a search finds.

        Raises ShadowError if the journal cannot be read.
        """
        with self._journal.reader(as_of) as reader:
            return job_page(reader, self._criteria, search, offset=offset, limit=limit)

    def job(self, job_id: str, as_of: Moment | None) -> JobDetail | None:
        """One job in full; None if it is not there. Raises ShadowError as `jobs` does."""
        with self._journal.reader(as_of) as reader:
            return job_detail(reader, self._criteria, job_id)

    def files_now(self) -> FilesNow:
        """Size of the journal and word of its recorder; opens no database."""
        now = self._clock().astimezone(UTC)
        files = (self.journal_path, self.journal_path.with_name(self.journal_path.name + ".wal"))
        return FilesNow(
            taken_at=now,
            bytes=sum(map(_size, files)),
            recorder=read_health(self.journal_path, now),
        )

    def verify(self) -> tuple[datetime, Verification]:
        """Check that the journal is whole, without its projections, and say when that was.

        Raises ShadowError if the journal cannot be read.
        """
        found = verify(self.journal_path, projections=False)
        return self._clock().astimezone(UTC), found

    def rules(self) -> tuple[Rule, ...]:
        """Those that the journal is judged by, in their order."""
        return self._criteria.rules.rule

    def weigh_rule(self, name: str, as_of: Moment | None) -> Weighed:
        """What a rule is worth. Compares the whole journal; raises ShadowError."""
        with self._journal.reader(as_of) as reader:
            return weigh_rule(reader, self._criteria, name)

    def try_rule(self, rule: str, said: RuleSaid, as_of: Moment | None) -> Weighed:
        """The same of a rule that is only proposed; what is wrong with it is said first.

        rule: as ``shadow rules test`` takes it. Raises ShadowError.
        """
        proposed = proposed_rules(
            rule, name=said.name or None, author=said.author or None, reason=said.reason or None
        )
        checked(self._criteria, proposed)
        with self._journal.reader(as_of) as reader:
            return weigh_proposed(reader, self._criteria, proposed)

    def judge_by(self, criteria: Criteria) -> None:
        """Judge by other rules or gates from the next look on; forgets what was judged before."""
        with self._comparing, self._guard:
            self._criteria = criteria
            self._comparison = None
            self._kept.clear()
            self._left_at = None
            if self._looks:
                self._looks.judge_by(criteria)

    def explain(self, difference: Difference, as_of: Moment | None) -> tuple[Step, ...]:
        """What each rule made of the pair of `difference`; nothing where it is not compared.

        Raises ShadowError if the journal cannot be read or a rule has expired.
        """
        pair = (difference.mode, difference.job_id, difference.directory)
        comparison = self._compared(as_of, at_least=difference.seq)
        if pair not in find_pairs(comparison, pair[1], pair[2]):
            return ()
        return explain(comparison, pair)

    def _compared(self, as_of: Moment | None, *, at_least: int) -> Comparison:
        """The comparison as of a moment, or the one kept where nothing of the pair came since.

        One is kept: stepping through a list would else compare the whole journal at each step.
        """
        with self._comparing:
            kept = self._comparison
            if kept and isinstance(as_of, int) and at_least <= kept[0] <= as_of:
                return kept[1]
            # Two at once would take twice the memory.
            self._comparison = kept = None
            asked = self._clock() if as_of is None else as_of
            with self._journal.reader(as_of) as reader:
                now = asked if isinstance(asked, datetime) else reader.as_of_time
                found = compare_journal(reader, self._criteria, now=now).comparison
                self._comparison = (reader.as_of_seq, found)
            return found

    def seq_at(self, at: datetime) -> int:
        """The last seq that was recorded by `at`, 0 before the first.

        Raises ShadowError if the journal cannot be read.
        """
        with self._journal.reader(at) as reader:
            return reader.as_of_seq

    def step(self, seq: int, *, forward: bool) -> int | None:
        """The seq of the next or previous moment at which the journal grew; None at either end.

        Raises ShadowError if the journal cannot be read.
        """
        name = "select_step_forward" if forward else "select_step_back"
        with self._journal.reader() as reader:
            rows = reader.rows(sql_queries("views/batch_steps.sql")[name], seq=seq)
        found: int | None = rows[0][0]
        return found

    def _begin(self) -> Callable[[], bool]:
        """Count a look; what is returned tells whether it has been dropped since."""
        with self._guard:
            self._begun += 1
            number = self._begun
        return lambda: number <= self._dropped

    def _head(self) -> Head:
        # Opening costs about 25 ms, so the version is checked once and again after any trouble.
        if not self._checked:
            self._journal.check()
            self._checked = True
        return self._journal.head()

    def _forget_another_file(self) -> None:
        """Let go of what is known of the file that stood here before."""
        try:
            found = self.journal_path.stat()
        except OSError:
            return
        file = (found.st_dev, found.st_ino)
        with self._guard:
            if self._file not in (None, file):
                # A moment before the end is closed for ever only in one and the same journal.
                self._kept.clear()
                self._comparison = None
                self._checked, self._first_at = False, None
            self._file = file

    def _span(self, head: Head) -> Span | None:
        if self._first_at is None:
            with self._journal.reader() as reader:
                rows = reader.rows(sql_queries("views/batch_steps.sql")["select_first"])
            self._first_at = rows[0][0]
        if self._first_at is None or head.recorded_at is None:
            return None
        return Span(
            first_at=self._first_at.astimezone(UTC), last_at=head.recorded_at, last_seq=head.seq
        )

    def _snapshot(
        self,
        assessment: Assessment | None,
        trouble: str | None,
        span: Span | None = None,
        *,
        took_s: float = 0.0,
    ) -> Snapshot:
        return Snapshot(
            assessment=assessment,
            trouble=trouble,
            taken_at=self._clock().astimezone(UTC),
            span=span,
            took_s=took_s,
        )

    def _recall(self, as_of: Moment | None) -> tuple[_Kept | None, Criteria]:
        with self._guard:
            return self._kept.get(as_of), self._criteria

    def _keep(self, as_of: Moment | None, kept: _Kept, criteria: Criteria) -> None:
        with self._guard:
            # What was judged by former criteria must not pass for what the present ones say.
            if criteria is not self._criteria:
                return
            self._kept[as_of] = kept
            self._kept.move_to_end(as_of)
            while len(self._kept) > KEPT_MOMENTS:
                self._kept.popitem(last=False)

    def _leave(self, seen: Seen, *, now: bool, took_s: float) -> None:
        """Keep it where that is worth its while; the present not at every look."""
        if self._looks is None:
            return
        if not now:
            if took_s >= WORTH_S:
                self._looks.keep(seen, now=False)
            return
        at = time.monotonic()
        if self._left_at is None or at - self._left_at >= LEAVE_EVERY_S:
            self._left_at = at
            self._looks.keep(seen, now=True, alone=took_s < WORTH_S)

    def _no_journal(self) -> str:
        return f"{self.journal_path}: there is no journal yet. Record one with: shadow record"

    def _nothing_recorded(self) -> str:
        return f"{self.journal_path}: the journal is empty. Nothing has been recorded yet."


def _seen(snapshot: Snapshot) -> Seen | None:
    """What may be kept of a snapshot."""
    if snapshot.trouble or snapshot.assessment is None or snapshot.span is None:
        return None
    return Seen(assessment=snapshot.assessment, span=snapshot.span)


def _size(file: Path) -> int:
    """Bytes; 0 for a file that is not there, or not any more."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
