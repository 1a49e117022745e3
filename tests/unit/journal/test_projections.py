"""Projections: increment and rebuild agree, and every version is right."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.journal.connect import opened
from harness.journal.projections import PROJECTIONS, rebuild_projections
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.events import (
    HOST,
    at,
    make_control,
    make_history,
    make_job,
    make_plan,
    make_replay,
)

JOBS = ("job-a", "job-b")
HOSTS = (HOST, "birch-index.test")


@st.composite
def event_lists(draw: st.DrawFn) -> list[EventDraft]:
    """Random lists over two jobs and two hosts; every kind that feeds a projection occurs."""
    events: list[EventDraft] = []
    for number in range(draw(st.integers(1, 25))):
        job = draw(st.sampled_from(JOBS))
        host = draw(st.sampled_from(HOSTS))
        choice = draw(st.integers(0, 4))
        if choice == 0:
            status = draw(st.sampled_from(["pending", "in_progress", "failed"]))
            events.append(make_job(job, version=number, second=number, status=status))
        elif choice == 1:
            status = draw(st.sampled_from(["pending", "submitting", "submitted", "failed"]))
            events.append(
                make_control(status, job_id=job, host=host, version=number, second=number)
            )
        elif choice == 2:
            word = draw(
                st.sampled_from(["submitting", "submitted", "failed", "error", "skipped_duplicate"])
            )
            events.append(
                make_history(word, number=number, job_id=job, host=host, second=number, error="x")
            )
        elif choice == 3:
            word = draw(
                st.sampled_from(
                    ["queue_claimed", "flow_triggered", "flow_started", "job_finalized"]
                )
            )
            events.append(make_history(word, number=number, job_id=job, host=None, second=number))
        else:
            plan = make_plan({"phone": f"{number}"}, job_id=job, host=host, version=number)
            events.append(
                draw(st.sampled_from([plan, make_replay("submitted", accepted=1, host=host)]))
            )
    return events


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with opened(path, read_only=True) as handle:
        return {
            projection.name: handle.con.execute(
                f"SELECT * FROM {projection.name} ORDER BY ALL"
            ).fetchall()
            for projection in PROJECTIONS
        }


@settings(max_examples=40, deadline=None)
@given(events=event_lists(), data=st.data())
def test_increment_equals_rebuild_however_the_events_are_split(
    events: list[EventDraft], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.create(Path(folder) / "week.duckdb")
        rest = list(events)
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            journal.append(Batch(events=tuple(rest[:size])))
            rest = rest[size:]
        by_increment = _contents(journal.path)
        with opened(journal.path, read_only=False) as handle:
            rebuild_projections(handle.con)
        assert by_increment == _contents(journal.path)


def _only(journal: Journal, sql: str) -> tuple[object, ...]:
    with journal.reader() as reader:
        (row,) = reader.rows(sql)
    return row


def test_the_last_attempt_is_the_outcome_and_attempts_are_counted(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    words = ["submitting", "error", "submitting", "submitted"]
    for number, word in enumerate(words):
        journal.append(Batch(events=(make_history(word, number=number, second=number),)))
    row = _only(
        journal, "SELECT outcome, attempts, finals, started_at, finished_at FROM submissions_now"
    )
    assert row[:3] == ("submitted", 2, 1)
    assert (row[3], row[4]) == (at(0), at(3))


def test_a_control_row_updated_without_a_new_status_counts_once(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for version, word in enumerate(["pending", "submitting", "submitted", "submitted"]):
        journal.append(Batch(events=(make_control(word, version=version, second=version),)))
    assert _only(journal, "SELECT attempts, finals FROM submissions_now") == (1, 1)


def test_a_plan_says_what_was_sent_but_not_what_happened(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(
        Batch(
            events=(make_history("submitting", number=1), make_plan({"phone": "+1 202-555-0142"}))
        )
    )
    assert _only(journal, "SELECT outcome, sent->>'$.phone', url FROM submissions_now") == (
        "in_flight",
        "+1 202-555-0142",
        f"https://{HOST}/submit",
    )


def test_the_error_of_an_earlier_attempt_does_not_stay_on_a_success(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(
        Batch(
            events=(
                make_history("error", number=1, error="Timeout 10000ms exceeded."),
                make_history("submitted", number=2, duration_ms=7100),
            )
        )
    )
    assert _only(journal, "SELECT error_class, error_text, duration_ms FROM submissions_now") == (
        None,
        None,
        7100.0,
    )


def test_every_version_stays_readable(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    for version, word in enumerate(["pending", "submitting", "failed"]):
        journal.append(Batch(events=(make_control(word, version=version),)))
    seen = []
    for seq in (1, 2, 3):
        with journal.reader(as_of=seq) as reader:
            seen += reader.rows("SELECT raw_status, from_seq FROM submissions_now")
    assert seen == [("pending", 1), ("submitting", 2), ("failed", 3)]
