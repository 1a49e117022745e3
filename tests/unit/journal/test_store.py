"""The event store: exactly once, all or nothing, readable as of any moment."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from harness.errors import EnvironmentProblem, JournalBusyError, JournalError
from harness.journal.connect import opened
from harness.journal.store import GENESIS_HASH, Journal
from harness.journal.verify import verify
from harness.model import Batch, EventDraft, Watermark
from tests.support.events import START, at, make_control, make_history, make_job


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "week.duckdb")


def test_the_same_batch_twice_adds_nothing(journal: Journal) -> None:
    batch = Batch(
        events=(make_job(), make_control("pending"), make_history("submitting", number=1))
    )
    first = journal.append(batch)
    head = journal.head()
    second = journal.append(batch)
    assert (first.new, first.known) == (3, 0)
    assert (second.new, second.known) == (0, 3)
    assert journal.head() == head


def test_a_key_twice_in_one_batch_is_one_event(journal: Journal) -> None:
    assert journal.append(Batch(events=(make_job(), make_job()))).new == 1


def test_a_key_twice_in_one_batch_counts_where_it_came_first(journal: Journal) -> None:
    begun, done = make_control("submitting", version=1), make_control("submitted", version=2)
    journal.append(Batch(events=(begun, done, begun)))
    with journal.reader() as reader:
        assert reader.rows("SELECT outcome FROM submissions_now") == [("submitted",)]


def test_seq_is_dense_across_batches_and_follows_the_batch_order(journal: Journal) -> None:
    for number in range(5):
        journal.append(
            Batch(
                events=tuple(make_history("submitting", number=10 * number + i) for i in range(3))
            )
        )
    with journal.reader() as reader:
        rows = reader.rows("SELECT seq, payload->>'$.id' FROM events_now ORDER BY seq")
    assert rows == [(i + 1, str(10 * (i // 3) + i % 3)) for i in range(15)]


def test_a_watermark_is_written_with_its_events_or_not_at_all(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Watermark(source="production", position={"xid": 7}, complete_until=START)
    journal.append(Batch(events=(make_job(),), watermarks=(mark,)))

    def die(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.journal.store.refresh_projections", die)
    later = Watermark(source="production", position={"xid": 9}, complete_until=at(60))
    with pytest.raises(KeyboardInterrupt):
        journal.append(Batch(events=(make_control(),), watermarks=(later,)))
    assert journal.watermark("production") == mark
    assert journal.head().seq == 1
    assert verify(journal.path).clean


def test_watermarks_answer_as_of_a_moment(journal: Journal) -> None:
    marks = [
        Watermark(source="production", position={"xid": n}, complete_until=at(n)) for n in (1, 2)
    ]
    journal.append(Batch(events=(make_job(),), watermarks=(marks[0],)))
    journal.append(Batch(events=(make_control(),), watermarks=(marks[1],)))
    with journal.reader(as_of=1) as reader:
        assert reader.watermark("production") == marks[0]
    assert journal.watermark("production") == marks[1]
    assert journal.watermark("unheard of") is None


def test_reading_as_of_a_time_lands_at_or_before_it(tmp_path: Path) -> None:
    clock = iter(at(10 * n) for n in range(9))
    journal = Journal.create(tmp_path / "week.duckdb", clock=lambda: next(clock))
    journal.append(Batch(events=(make_control("pending"),)))
    journal.append(Batch(events=(make_control("submitted", version=2, second=5),)))
    with journal.reader(as_of=at(15)) as reader:
        assert (reader.as_of_seq, reader.as_of_time) == (1, at(10))
        assert reader.rows("SELECT outcome FROM submissions_now") == [("in_flight",)]
    with journal.reader() as reader:
        assert reader.rows("SELECT outcome FROM submissions_now") == [("submitted",)]
    with journal.reader(as_of=START - timedelta(days=1)) as reader:
        assert reader.as_of_seq == 0
        assert reader.rows("SELECT * FROM events_now") == []


def test_an_empty_journal_reads_as_empty(journal: Journal) -> None:
    assert journal.head().seq == 0
    assert journal.head().hash == GENESIS_HASH
    assert verify(journal.path).clean


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE events SET payload = '{}' WHERE seq = 2", "hash of batch"),
        ("DELETE FROM events WHERE seq = 3", "announced"),
        ("UPDATE events SET occurred_at = occurred_at + INTERVAL 1 SECOND WHERE seq = 1", "hash"),
        ("INSERT INTO events SELECT * FROM events WHERE seq = 1", "more than once"),
        ("UPDATE projection_state SET seq = 0", "rebuild"),
    ],
)
def test_verify_sees_every_kind_of_tampering(journal: Journal, damage: str, words: str) -> None:
    journal.append(Batch(events=(make_job(), make_control("pending"))))
    journal.append(Batch(events=(make_control("submitted", version=2),)))
    assert verify(journal.path).clean
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute(damage)
    problems = verify(journal.path).problems
    assert any(words in problem for problem in problems), problems


def test_readers_and_writers_in_one_process_take_turns(journal: Journal) -> None:
    failures: list[BaseException] = []

    def write(start: int) -> None:
        try:
            for number in range(start, start + 10):
                journal.append(Batch(events=(make_history("submitting", number=number),)))
                with journal.reader() as reader:
                    reader.rows("SELECT count(*) FROM events_now")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert journal.head().seq == 40
    assert verify(journal.path).clean


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        EventDraft(
            source="production", kind="jobs", key="k", payload={},
            occurred_at=START.replace(tzinfo=None),
        )  # fmt: skip


def test_a_missing_journal_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="shadow record"):
        Journal.open(tmp_path / "none.duckdb")


def test_a_foreign_file_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "notes.duckdb"
    text.write_text("not a database " * 1000)
    with pytest.raises(JournalError, match=r"notes\.duckdb"):
        Journal.open(text)
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with pytest.raises(JournalError, match="not a journal"):
        Journal.open(other)


def test_a_newer_journal_is_refused_by_version(journal: Journal) -> None:
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute("UPDATE meta SET schema_version = 99")
    with pytest.raises(JournalError, match="version 99"):
        Journal.open(journal.path)


def test_a_journal_locked_too_long_says_so(journal: Journal) -> None:
    released = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with opened(journal.path, read_only=False):
            held.set()
            released.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        with pytest.raises(JournalBusyError, match="locked"):
            Journal(journal.path, busy_timeout_s=0.05).head()
    finally:
        released.set()
        thread.join()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises((JournalError, EnvironmentProblem), match="no-such-folder"):
        Journal.create(tmp_path / "no-such-folder" / "week.duckdb")
