"""What the dashboard knows of the journal; the only module of it that opens one.

No Textual here: everything may be called from a worker thread, and returns immutable values.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.assess.build import assess
from harness.assess.criteria import Criteria
from harness.assess.detail import difference_detail
from harness.assessment import Assessment, Difference, DifferenceDetail
from harness.errors import ShadowError
from harness.journal.store import Head, Journal, utc_now
from harness.resources import sql_queries

BUSY_TIMEOUT_S = 2.0
"""How long a look at the journal waits for its lock before the screen says that it is busy."""

KEPT_MOMENTS = 16
"""Assessments kept, so that stepping to and fro does not compute the same moment twice."""

Moment = int | datetime
"""A seq or an aware time; None stands for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one look at the journal gave."""

    assessment: Assessment | None
    """With `trouble`: the last good one of the same moment, if there is any."""
    trouble: str | None
    """In plain words why the journal could not be assessed just now."""
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    head: Head
    assessment: Assessment

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
    ) -> None:
        self.journal_path = journal_path
        self._criteria = criteria
        self._clock = clock
        self._journal = Journal(journal_path, busy_timeout_s=busy_timeout_s)
        self._kept: OrderedDict[Moment | None, _Kept] = OrderedDict()
        self._guard = threading.Lock()
        self._checked = False

    def load(self, as_of: Moment | None) -> Snapshot:
        """Assess the journal as of a moment; the very same object while nothing has changed.

        Never raises ShadowError: a journal that is missing, empty, locked, foreign or damaged is
        `trouble` in words. A fault of our own is raised.
        """
        kept = self._recall(as_of)
        assessment = kept.assessment if kept else None
        try:
            if not self.journal_path.exists():
                self._checked = False
                return self._snapshot(assessment, self._no_journal())
            head = self._head()
            if kept and kept.holds_at(head):
                return self._snapshot(assessment, None)
            if head.seq == 0:
                return self._snapshot(None, self._nothing_recorded())
            asked = self._clock() if as_of is None else as_of
            with self._journal.reader(as_of) as reader:
                assessment = assess(
                    reader,
                    self._criteria,
                    now=asked if isinstance(asked, datetime) else None,
                )
        except ShadowError as error:
            self._checked = False
            return self._snapshot(assessment, str(error))
        self._keep(as_of, _Kept(head, assessment))
        return self._snapshot(assessment, None)

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides of a difference and its timeline.

        Raises ShadowError if the journal cannot be read.
        """
        with self._journal.reader(as_of) as reader:
            return difference_detail(reader, difference, time_scale=self._criteria.time_scale)

    def step(self, seq: int, *, forward: bool) -> int | None:
        """The seq of the next or previous moment at which the journal grew; None at either end.

        Raises ShadowError if the journal cannot be read.
        """
        name = "select_step_forward" if forward else "select_step_back"
        with self._journal.reader() as reader:
            rows = reader.rows(sql_queries("views/batch_steps.sql")[name], seq=seq)
        found: int | None = rows[0][0]
        return found

    def _head(self) -> Head:
        # Opening costs about 25 ms, so the version is checked once and again after any trouble.
        if not self._checked:
            self._journal.check()
            self._checked = True
        return self._journal.head()

    def _snapshot(self, assessment: Assessment | None, trouble: str | None) -> Snapshot:
        return Snapshot(
            assessment=assessment, trouble=trouble, taken_at=self._clock().astimezone(UTC)
        )

    def _recall(self, as_of: Moment | None) -> _Kept | None:
        with self._guard:
            return self._kept.get(as_of)

    def _keep(self, as_of: Moment | None, kept: _Kept) -> None:
        with self._guard:
            self._kept[as_of] = kept
            self._kept.move_to_end(as_of)
            while len(self._kept) > KEPT_MOMENTS:
                self._kept.popitem(last=False)

    def _no_journal(self) -> str:
        return f"{self.journal_path}: there is no journal yet. Record one with: shadow record"

    def _nothing_recorded(self) -> str:
        return f"{self.journal_path}: the journal is empty. Nothing has been recorded yet."
