"""The border to the journal: real files, and words instead of a crash."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.assess.criteria import Criteria, load_criteria
from harness.journal.reader import Reader
from harness.journal.store import Journal
from harness.model import Batch, Outcome, Watermark
from harness.settings import Settings
from harness.tui.data import DashboardData
from tests.support.events import HOST, at, make_control, make_history, make_job

HOLDER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def criteria() -> Criteria:
    return load_criteria(Settings())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A job that the control submits and the candidate fails, in three batches."""
    seconds = iter(range(1, 100))
    journal = Journal.create(tmp_path / "week.duckdb", clock=lambda: at(next(seconds)))
    journal.append(Batch(events=(make_job(), make_control("pending"))))
    journal.append(Batch(events=(make_control("submitted", version=2, second=2),)))
    failed = make_history("failed", number=1, second=3)
    mark = Watermark(source="production", position={}, complete_until=at(60))
    journal.append(Batch(events=(failed,), watermarks=(mark,)))
    return journal


def data_of(path: Path, criteria: Criteria) -> DashboardData:
    return DashboardData(path, criteria, clock=lambda: at(500), busy_timeout_s=0.2)


def test_a_look_that_was_dropped_ends_and_the_next_is_whole(
    journal: Journal, criteria: Criteria, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, plain, asked = data_of(journal.path, criteria), Reader.rows, 0

    def rows(reader: Reader, sql: str, /, **known: Any) -> list[tuple[Any, ...]]:
        nonlocal asked
        found = plain(reader, sql, **known)
        asked += 1
        if asked == 5:
            data.drop()
        return found

    monkeypatch.setattr(Reader, "rows", rows)
    data.drop()
    ended = data.load(2)
    assert ended.assessment is None
    assert ended.trouble == "What was being read is not wanted any more."
    assert asked == 5
    assert data.load(2).assessment == data_of(journal.path, criteria).load(2).assessment


def test_the_same_assessment_comes_back_while_the_journal_stands_still(
    journal: Journal, criteria: Criteria
) -> None:
    data = data_of(journal.path, criteria)
    first = data.load(None)
    assert first.assessment is not None
    assert first.trouble is None
    assert data.load(None).assessment is first.assessment
    journal.append(Batch(events=(make_history("submitted", number=2, second=4),)))
    third = data.load(None).assessment
    assert third is not None
    assert third is not first.assessment
    assert third.provenance.seq == 5


def test_the_past_stays_what_it_was_when_more_is_recorded(
    journal: Journal, criteria: Criteria
) -> None:
    data = data_of(journal.path, criteria)
    then = data.load(3)
    by_time = data.load(at(3) + timedelta(milliseconds=500))
    assert then.assessment is not None
    assert by_time.assessment is not None
    assert by_time.assessment.provenance.seq == then.assessment.provenance.seq == 3
    journal.append(Batch(events=(make_history("submitted", number=2, second=4),)))
    assert data.load(3).assessment is then.assessment


def test_a_seq_beyond_the_end_follows_the_end(journal: Journal, criteria: Criteria) -> None:
    data = data_of(journal.path, criteria)
    assert seq_of(data, 99) == 4
    journal.append(Batch(events=(make_history("submitted", number=2, second=4),)))
    assert seq_of(data, 99) == 5


def test_kept_assessments_are_bounded(
    journal: Journal, criteria: Criteria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tui.data.KEPT_MOMENTS", 2)
    data = data_of(journal.path, criteria)
    first = data.load(1).assessment
    data.load(2)
    data.load(3)
    assert len(data._kept) == 2
    assert data.load(1).assessment is not first


def test_a_step_goes_from_batch_to_batch_and_ends_at_both_ends(
    journal: Journal, criteria: Criteria
) -> None:
    data = data_of(journal.path, criteria)
    assert [data.step(seq, forward=False) for seq in (4, 3, 2)] == [3, 2, None]
    assert [data.step(seq, forward=True) for seq in (1, 2, 3, 4)] == [2, 3, 4, None]


def test_a_batch_without_events_is_no_moment_to_step_to(
    journal: Journal, criteria: Criteria
) -> None:
    mark = Watermark(source="production", position={}, complete_until=at(90))
    journal.append(Batch(events=(), watermarks=(mark,)))
    assert data_of(journal.path, criteria).step(4, forward=True) is None


def test_detail_holds_both_sides_and_their_events(journal: Journal, criteria: Criteria) -> None:
    data = data_of(journal.path, criteria)
    assessment = data.load(None).assessment
    assert assessment is not None
    (difference,) = [one for one in assessment.differences if one.field == "outcome"]
    detail = data.detail(difference, None)
    assert {side.side: side.outcome for side in detail.sides} == {
        "control": Outcome.SUBMITTED,
        "candidate": Outcome.FAILED,
    }
    assert difference.directory == HOST
    assert [event.seq for event in detail.timeline] == [1, 2, 3, 4]
    assert [event.seq for event in data.detail(difference, 3).timeline] == [1, 2, 3]


def test_a_missing_journal_is_words_and_is_found_once_it_is_there(
    tmp_path: Path, criteria: Criteria
) -> None:
    data = data_of(tmp_path / "week.duckdb", criteria)
    snapshot = data.load(None)
    assert snapshot.assessment is None
    assert "no journal yet" in str(snapshot.trouble)
    assert "shadow record" in str(snapshot.trouble)
    Journal.create(tmp_path / "week.duckdb").append(Batch(events=(make_job(),)))
    assert data.load(None).assessment is not None


def test_an_empty_journal_is_words(tmp_path: Path, criteria: Criteria) -> None:
    Journal.create(tmp_path / "week.duckdb")
    snapshot = data_of(tmp_path / "week.duckdb", criteria).load(None)
    assert snapshot.assessment is None
    assert "empty" in str(snapshot.trouble)


def test_a_foreign_database_is_words(tmp_path: Path, criteria: Criteria) -> None:
    duckdb.connect(str(tmp_path / "other.duckdb")).close()
    snapshot = data_of(tmp_path / "other.duckdb", criteria).load(None)
    assert snapshot.assessment is None
    assert "not a journal" in str(snapshot.trouble)


def test_a_file_that_is_no_database_is_words(tmp_path: Path, criteria: Criteria) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk\n" * 200)
    snapshot = data_of(tmp_path / "notes.txt", criteria).load(None)
    assert snapshot.assessment is None
    assert "notes.txt" in str(snapshot.trouble)


def test_a_locked_journal_keeps_the_last_picture_and_says_so(
    journal: Journal, criteria: Criteria
) -> None:
    data = data_of(journal.path, criteria)
    before = data.load(None)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(journal.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        locked = data.load(None)
        holder.stdin.close()
        holder.wait(timeout=20)
    assert "locked" in str(locked.trouble)
    assert locked.assessment is before.assessment
    assert data.load(None).trouble is None


def seq_of(data: DashboardData, moment: int) -> int:
    assessment = data.load(moment).assessment
    assert assessment is not None
    return assessment.provenance.seq
