"""The recorder's hand on the journal: what goes together, what is said once, what is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import JournalBusyError
from harness.journal.store import Journal
from harness.model import Appended, Batch, EventKind, Watermark
from harness.record.gaps import Gap
from harness.record.writer import PRODUCTION, PRODUCTION_SCHEMA, RecordWriter

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Moody(Journal):
    """A journal that is locked as long as somebody says so."""

    locked = False

    def append(self, batch: Batch) -> Appended:
        if self.locked:
            raise JournalBusyError("another process kept the journal locked")
        return super().append(batch)


@pytest.fixture
def journal(tmp_path: Path) -> Moody:
    return Moody(Journal.create(tmp_path / "week.duckdb").path)


def end_a_gap(writer: RecordWriter) -> None:
    writer.gaps.begin(Gap(what="production", why="it was down", since=START, loses="states"))
    writer.gaps.end("production", until=START + timedelta(seconds=90))


def kinds(journal: Journal) -> list[str]:
    with journal.reader() as reader:
        return [kind for (kind,) in reader.rows("SELECT kind FROM events_now ORDER BY seq")]


def test_nothing_to_say_does_not_touch_the_journal(journal: Moody) -> None:
    journal.locked = True
    assert RecordWriter(journal).append([], tier="fast") is None


def test_a_gap_that_has_ended_goes_with_the_next_batch_once(journal: Moody) -> None:
    writer = RecordWriter(journal)
    end_a_gap(writer)
    for _ in range(2):
        writer.append([writer.say(EventKind.RECORD_SWEEP, {})], tier="sweep")
    assert kinds(journal) == ["record.sweep", "record.gap", "record.sweep"]


def test_a_gap_that_met_a_locked_journal_is_written_by_the_next_try(journal: Moody) -> None:
    writer = RecordWriter(journal)
    end_a_gap(writer)
    journal.locked = True
    with pytest.raises(JournalBusyError):
        writer.append([], tier="fast")
    journal.locked = False
    appended = writer.append([], tier="fast")
    assert appended is not None
    assert appended.new == 1
    assert kinds(journal) == ["record.gap"]


def test_two_recorders_never_say_the_same_thing_under_one_key(journal: Moody) -> None:
    for writer in (RecordWriter(journal), RecordWriter(journal)):
        for _ in range(2):
            writer.append([writer.say(EventKind.RECORD_SWEEP, {})], tier="sweep")
    assert kinds(journal) == ["record.sweep"] * 4


def test_the_newest_watermarks_are_remembered_with_the_time_of_the_last_word(
    journal: Moody,
) -> None:
    writer = RecordWriter(journal)
    assert writer.remembered() == (None, None, None)
    for xid in (7, 9):
        mark = Watermark(source=PRODUCTION, position={"xid": xid}, complete_until=START)
        shape = Watermark(
            source=PRODUCTION_SCHEMA, position={"jobs": {"id": "uuid"}}, complete_until=START
        )
        writer.append(
            [writer.say(EventKind.RECORD_SWEEP, {})], tier="sweep", watermarks=[mark, shape]
        )
    sweeps, columns, last_at = RecordWriter(journal).remembered()
    assert sweeps is not None
    assert columns is not None
    assert sweeps.position == {"xid": 9}
    assert columns.position == {"jobs": {"id": "uuid"}}
    assert last_at == journal.head().recorded_at
