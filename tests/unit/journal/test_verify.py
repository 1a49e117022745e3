"""Verification sees what the hash of events leaves out, and projections that tell another story."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.journal.connect import opened
from harness.journal.seal import broken_seals, seal_batches
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, Watermark
from tests.support.events import at, make_control, make_job
from tests.support.journals import make_journal, make_watermarks, sound_job


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Four batches, one of them a watermark alone; all sealed."""
    made = make_journal(tmp_path, sound_job(run=None), complete_until=at(1000))
    made.append(Batch(events=(), watermarks=make_watermarks(at(2000)), tier="sweep"))
    made.append(Batch(events=(make_control("failed", version=9),), tier="fast"))
    other = Watermark(source="production", position={"xid": 8}, complete_until=at(3000))
    made.append(Batch(events=(make_job(version=9),), watermarks=(other,), tier="sweep"))
    alter(made, "")
    return made


def alter(journal: Journal, damage: str) -> None:
    with opened(journal.path, read_only=False) as handle:
        seal_batches(handle.con)
        if damage:
            handle.con.execute(damage)


def test_a_sealed_journal_is_clean(journal: Journal) -> None:
    found = verify(journal.path)
    assert found.problems == ()
    assert found.sealed == found.batches == 4


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE batches SET tier = 'copy' WHERE batch = 3", "seal of batch 3"),
        ("UPDATE batches SET recorded_at = recorded_at - INTERVAL 1 HOUR WHERE batch = 2",
         "seal of batch 2"),
        ("UPDATE batches SET recorded_at = recorded_at + INTERVAL 1 HOUR WHERE batch = 3",
         "not recorded when its events were"),
        ("UPDATE batches SET recorded_at = recorded_at - INTERVAL 1 HOUR WHERE batch = 4",
         "recorded before the one in front"),
        ("UPDATE watermarks SET complete_until = complete_until + INTERVAL 1 HOUR WHERE batch = 4",
         "seal of batch 4"),
        ("UPDATE watermarks SET position = '{\"xid\": 99}' WHERE batch = 4", "seal of batch 4"),
        ("UPDATE watermarks SET complete_until = complete_until - INTERVAL 1 HOUR WHERE batch = 4",
         "earlier moment than before"),
        ("UPDATE watermarks SET seq = seq - 1 WHERE batch = 4", "does not belong to the batch"),
        ("DELETE FROM watermarks WHERE batch = 2", "seal of batch 2"),
        ("INSERT INTO watermarks SELECT * FROM watermarks WHERE batch = 4", "seal of batch 4"),
        ("DELETE FROM batches WHERE batch = 2", "do not follow one another"),
        ("DELETE FROM seals WHERE batch = 3", "seal of batch 3"),
        ("UPDATE batches SET first_seq = 1 WHERE batch = 4", "do not follow one another"),
        ("UPDATE submissions SET outcome = 'submitted' WHERE outcome = 'failed'",
         "projection submissions lacks"),
        ("DELETE FROM jobs WHERE from_seq = (SELECT max(from_seq) FROM jobs)",
         "projection jobs lacks 1"),
        ("INSERT INTO jobs SELECT * FROM jobs LIMIT 1", "projection jobs has too many 1"),
        ("UPDATE events SET kind = 'jobs ' WHERE seq = 1", "hash of batch 1"),
    ],
)  # fmt: skip
def test_what_was_altered_is_named(journal: Journal, damage: str, words: str) -> None:
    alter(journal, damage)
    problems = verify(journal.path).problems
    assert any(words in problem for problem in problems), problems


def test_one_altered_batch_does_not_blame_the_others(journal: Journal) -> None:
    alter(journal, "UPDATE batches SET tier = 'copy' WHERE batch = 2")
    with opened(journal.path, read_only=True) as handle:
        assert broken_seals(handle.con) == (4, [2])


def test_a_rebuild_mends_a_projection(journal: Journal) -> None:
    alter(journal, "UPDATE submissions SET outcome = 'submitted'")
    assert not verify(journal.path).clean
    journal.rebuild()
    assert verify(journal.path).clean


def test_sealing_goes_on_where_it_stopped(journal: Journal) -> None:
    with opened(journal.path, read_only=True) as handle:
        before = handle.con.execute("SELECT * FROM seals ORDER BY batch").fetchall()
    journal.append(Batch(events=(make_control("submitted", version=10),)))
    alter(journal, "")
    with opened(journal.path, read_only=True) as handle:
        after = handle.con.execute("SELECT * FROM seals ORDER BY batch").fetchall()
    assert after[:-1] == before
    assert verify(journal.path).sealed == 5


def test_a_journal_of_an_older_tool_has_no_seals_and_is_clean(journal: Journal) -> None:
    alter(journal, "DROP TABLE seals")
    found = verify(journal.path)
    assert (found.clean, found.sealed) == (True, 0)


def test_verifying_changes_nothing(journal: Journal) -> None:
    before = journal.path.read_bytes()
    verify(journal.path)
    assert journal.path.read_bytes() == before
