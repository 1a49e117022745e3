"""A recorder's hand on source and journal in a schedule: its real parts, no clock, no thread.

It polls when it is told to, its journal takes no more when it is told so, and it dies when it is
told to: then the next hand knows what the journal knows.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.errors import JournalBusyError, SourceError
from harness.journal.store import Journal
from harness.model import Appended, Batch, EventDraft, Watermark
from harness.record.chunk import Done
from harness.record.copy.first_copy import CopyLimits, copy_first
from harness.record.pace import Pace
from harness.record.polling import PolledSource, Polling
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.introspect import Server, Table
from harness.record.postgres.source import PostgresSource
from harness.record.progress import ProgressBoard
from harness.record.reconcile.reconciler import Reconciler
from harness.record.slot.recorded import JournalVersions
from harness.record.slot.source import SlotOptions, SlotSource, SweepingSource
from harness.record.writer import RecordWriter
from tests.support.schedules import Schedule

_MOST_LOOKS = 100
"""Of one comparison; a table has fewer buckets."""


class Source(PolledSource, Protocol):
    """What a mode offers beside polling."""

    connection: SourceConnection

    @property
    def tables(self) -> tuple[Table, ...]:
        """The recorded tables."""

    @property
    def server(self) -> Server | None:
        """Which server this is."""

    def open(self, position: Any = None, shape: Any = None) -> None:
        """Look at the source and take up what the journal remembers of it."""

    def take_up_copy(self, xids: Mapping[str, int], mark: SnapshotMark) -> None:
        """Go on behind a first copy."""


MakeSource = Callable[[str, Schedule, Journal], Source]
"""A mode: a source for this DSN, set up as the schedule says, that may ask the journal."""


def poll_source(dsn: str, schedule: Schedule, journal: Journal) -> PostgresSource:
    """The mode without a slot."""
    # Without the margin for late publication, which would hide an S that is wrong.
    connection = SourceConnection(dsn, lock_timeout_s=1.0)
    return PostgresSource(
        connection, pace=make_pace(schedule), chunk_rows=schedule.chunk_rows, margin_s=0.0
    )


def slot_source(dsn: str, schedule: Schedule, journal: Journal) -> SlotSource:
    """The mode with a slot."""
    sweeps = SweepingSource(
        SourceConnection(dsn, lock_timeout_s=1.0),
        pace=make_pace(schedule),
        chunk_rows=schedule.chunk_rows,
        margin_s=0.0,
    )
    options = SlotOptions(name=f"schedule_{schedule.seed}", retry_s=0.0)
    return SlotSource(sweeps, options, recorded=JournalVersions(journal))


def make_pace(schedule: Schedule) -> Pace:
    """What the schedule wants of ticks and sweeps, whatever they cost."""
    pace = Pace(tick_s=1e9, min_interval_s=0.0, max_share=1e-6 if schedule.patient else 1.0)
    for table in schedule.dear:
        pace.measured(table, 1e18)
    return pace


class MirroredJournal(Journal):
    """A real journal that remembers what it took, and takes no more once `takes` is used up."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.record: dict[str, EventDraft] = {}
        """Its events by key, in their order."""
        self.marks: dict[str, Watermark] = {}
        """The newest watermark of each kind."""
        self.takes: int | None = None

    def append(self, batch: Batch) -> Appended:
        """Append; the mirror changes only if the file did."""
        if self.takes is not None:
            if self.takes == 0:
                raise JournalBusyError(f"{self.path}: another process kept the journal locked")
            self.takes -= 1
        appended = super().append(batch)
        before = len(self.record)
        for event in batch.events:
            self.record.setdefault(event.key, event)
        assert appended.new == len(self.record) - before, "the journal took other events"
        self.marks |= {mark.source: mark for mark in batch.watermarks}
        return appended

    def look_again(self) -> None:
        """Mirror what was written past `append`, which is what a first copy does."""
        with self.reader() as reader:
            rows = reader.rows(
                "SELECT source, kind, key, occurred_at, payload FROM events_now ORDER BY seq"
            )
        self.record = {
            key: EventDraft(
                source=source, kind=kind, key=key, occurred_at=at, payload=json.loads(payload)
            )
            for source, kind, key, at, payload in rows
        }


class Hand:
    """One recorder after the other on one journal."""

    def __init__(
        self, dsn: str, journal: MirroredJournal, schedule: Schedule, make_source: MakeSource
    ) -> None:
        self.journal = journal
        self._dsn = dsn
        self._schedule = schedule
        self._make_source = make_source
        self._source: Source | None = None
        self._polling: Polling | None = None
        self._writer = RecordWriter(journal)
        self._reconciler = Reconciler(journal)

    def poll(self, *, full: bool, takes: int | None = None) -> Done | None:
        """Copy what is new; None if the source failed, or the journal took only so many batches."""
        self.journal.takes = takes
        try:
            polling = self._opened()
            _, done = polling.once(full=full)
        except (SourceError, JournalBusyError):
            return None
        finally:
            self.journal.takes = None
        return done

    def compare(self) -> dict[str, dict[str, int]] | None:
        """Compare counts and keys to the end; what it counted, or None if the source failed."""
        try:
            polling = self._opened()
            for _ in range(_MOST_LOOKS):
                _, done = polling.once(full=True, census=self._reconciler.request())
                assert done is not None
                assert self._source is not None
                verdict = self._reconciler.take(done, self._source.tables)
                self._writer.append(verdict.events, tier="reconcile")
                assert not verdict.vanished
                if verdict.finished is not None:
                    return {name: dict(counts) for name, counts in verdict.finished.items()}
        except (SourceError, JournalBusyError):
            self._reconciler.forget()
            return None
        raise AssertionError("the comparison came to no end")

    def kill(self) -> None:
        """The recorder's process is gone."""
        if self._source is not None:
            self._source.connection.close()
        self._source = self._polling = None

    def _copy(self, source: Source) -> None:
        """Copy what there is, or what an earlier hand had left of it."""
        limits = CopyLimits(chunk_rows=self._schedule.chunk_rows, step_pages=1)
        try:
            result = copy_first(
                source.connection,
                self.journal,
                source.tables,
                identity=source.server.identity if source.server else None,
                stop=threading.Event(),
                on_progress=lambda _: None,
                limits=limits,
            )
        finally:
            self.journal.look_again()
        assert result is not None
        source.take_up_copy(result.xids, result.mark)

    def _opened(self) -> Polling:
        if self._polling is not None:
            return self._polling
        source = self._make_source(self._dsn, self._schedule, self.journal)
        self._writer = RecordWriter(self.journal)
        self._reconciler = Reconciler(self.journal)
        sweeps, schema, _ = self._writer.remembered()
        try:
            source.open(sweeps.position if sweeps else None, schema.position if schema else None)
            if self._schedule.copied and sweeps is None:
                self._copy(source)
        except BaseException:
            source.connection.close()
            raise
        self._source = source
        # It never says that there was nothing: each such word would be a write.
        self._polling = Polling(
            source, self._writer, ProgressBoard(), sweep_event_every_s=1e9, late_after_s=1e9
        )
        return self._polling
