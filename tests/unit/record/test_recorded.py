"""What the journal is asked about rows that change in place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from harness.record.slot.recorded import JournalVersions, Version

AT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal.create(tmp_path / "week.duckdb")
    keys = [
        "worker_status:host:1:9",
        "worker_status:host:1:70",
        "worker_status:host:1:70.1",
        "worker_status:host:1:71~0a1b2c3d4e5f",
        "worker_status:host:2:100",
        "worker_status:host:5000000000",
        "jobs:host:1:70",
    ]
    events = tuple(
        EventDraft(
            source="production",
            kind=key.split(":")[0],
            key=key,
            occurred_at=AT,
            payload={"key": key},
        )
        for key in keys
    )
    made.append(Batch(events=events))
    return made


def test_versions_since_a_transaction_leave_out_what_no_sweep_can_meet(journal: Journal) -> None:
    found = JournalVersions(journal).since("worker_status", ["host:1", "host", "other"], 10)
    assert found == {
        "host:1": [Version(xid=70, row={"key": "worker_status:host:1:70"})],
        "host": [Version(xid=5_000_000_000, row={"key": "worker_status:host:5000000000"})],
    }


def test_the_newest_version_is_the_one_recorded_last_under_whatever_number(
    journal: Journal,
) -> None:
    found = JournalVersions(journal).newest("worker_status", ["host:1", "host:2", "other"])
    assert found == {
        "host:1": {"key": "worker_status:host:1:71~0a1b2c3d4e5f"},
        "host:2": {"key": "worker_status:host:2:100"},
    }


def test_no_question_needs_no_answer(journal: Journal) -> None:
    assert JournalVersions(journal).since("worker_status", [], 0) == {}
    assert JournalVersions(journal).newest("worker_status", []) == {}
