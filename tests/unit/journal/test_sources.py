"""What the mappings make of single rows: shapes of every age, odd plans, hosts, times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.journal.store import Journal
from harness.model import Batch, EventDraft, EventKind
from harness.record.postgres.tables import host_of
from harness.resources import sql_queries
from tests.support.events import HOST, JOB, at, make_control, make_history, make_job, make_plan
from tests.support.shapes import (
    make_nameless_control,
    make_old_history,
    make_old_result,
    make_row,
)

SUBMISSION = "side, job_id, directory, outcome, raw_status, attempts, finals"


def facts(folder: Path, *batches: Sequence[EventDraft], columns: str = SUBMISSION) -> Any:
    """What the submissions of a journal of these batches are now."""
    journal = Journal.create(folder / "week.duckdb")
    for batch in batches:
        journal.append(Batch(events=tuple(batch)))
    with journal.reader() as reader:
        return reader.rows(f"SELECT {columns} FROM submissions_now ORDER BY ALL")


def test_of_a_plan_only_what_can_be_named_is_typed_and_once(tmp_path: Path) -> None:
    plan = make_plan({})
    plan.payload["payload"]["plan"] = [
        {"action": "fill", "selector": ".nameless", "value": "x"},
        {"action": "fill", "value": "y"},
        {"action": "fill", "selector": "input[name='phone']", "value": "first"},
        {"action": "fill", "selector": "#phone", "value": "second"},
        {"action": "select", "selector": "select[name=state]"},
    ]
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(), plan)))
    with journal.reader() as reader:
        ((sent,),) = reader.rows("SELECT sent FROM submissions_now WHERE sent IS NOT NULL")
    assert json.loads(sent) == {"phone": "first", "state": ""}


@pytest.mark.parametrize(
    "url",
    [
        "https://www.Maple-Listings.example/add?x=1", "maple.example", "HTTP://maple.example:8080/",
        "  www.maple.example  ", "https://user:word@www.maple.example/#top", "maple.example/a@b",
        "//maple.example", "\t//www.maple.example/a\r\n", "", "formnest.test/r/k3Xq9",
    ],
)  # fmt: skip
def test_the_recorder_and_the_projections_read_the_same_host(tmp_path: Path, url: str) -> None:
    with Journal.create(tmp_path / "week.duckdb").reader() as reader:
        reader.rows(sql_queries("sources/error_classes.sql")["create_host_of"])
        ((host,),) = reader.rows("SELECT host_of($url)", url=url)
    assert host == host_of(url)


def test_a_history_of_before_the_migration_says_nothing_about_outcomes(tmp_path: Path) -> None:
    rows = [
        make_job(),
        make_old_history("active", number=1),
        make_old_history("pending", number=2, event="requeued_stale"),
    ]
    assert facts(tmp_path, rows) == []
    with Journal.open(tmp_path / "week.duckdb").reader() as reader:
        told = reader.rows(
            "SELECT claimed_at, flow_started_at, candidate_status, control_status FROM jobs_now"
        )
    assert told == [(None, None, None, "pending")]


def test_a_history_may_mix_both_shapes(tmp_path: Path) -> None:
    rows = [make_old_history(number=1), make_history("submitted", number=2)]
    assert facts(tmp_path, rows) == [("candidate", JOB, HOST, "submitted", "submitted", 0, 1)]


def test_a_result_of_an_old_writer_is_the_word_of_a_side_of_its_own(tmp_path: Path) -> None:
    # One old worker inserts its whole list again and again; the API closes a job with a row of
    # its own. Neither is the candidate's word, nor the control's.
    again = [make_old_result("submitted", number=n) for n in range(3)]
    rows = [
        *again,
        make_old_result("retry", number=10, host="birch-index.test"),
        make_old_result("levitating", number=11, host="cedar.test"),
        make_old_result("submitted", number=12, host="COMPLETION_LOG"),
    ]
    assert facts(tmp_path, rows) == [
        ("other", JOB, "birch-index.test", "in_flight", "retry", 0, 0),
        ("other", JOB, "cedar.test", "unknown", "levitating", 0, 0),
        ("other", JOB, HOST, "submitted", "submitted", 0, 1),
    ]


def test_a_result_of_the_generated_types_is_at_its_address(tmp_path: Path) -> None:
    row = make_row(
        EventKind.JOB_RESULTS, id=3, job_id=17, directory_url=f"https://www.{HOST}/x",
        submission_url=f"https://{HOST}/submit", status="failed", processing_time_seconds=4,
    )  # fmt: skip
    assert facts(tmp_path, [row]) == [("other", "17", HOST, "failed", "failed", 0, 0)]


@pytest.mark.parametrize("key", ["k1", None])
def test_the_candidates_own_result_is_no_word_at_all(tmp_path: Path, key: str | None) -> None:
    plan = make_plan({"phone": "1"})
    plan = replace(plan, payload={**plan.payload, "idempotency_key": key})
    assert facts(tmp_path, [plan]) == [("candidate", JOB, HOST, "in_flight", None, 0, 0)]
    bare = make_old_result("submitting", number=1, host="birch-index.test", idempotency_key="k2")
    assert facts(tmp_path, [bare]) == [("candidate", JOB, HOST, "in_flight", None, 0, 0)]


@pytest.mark.parametrize(
    ("columns", "outcome", "error"),
    [
        ({"submission_queue_id": JOB, "status": "queued"}, "in_flight", None),
        ({"job_id": JOB, "status": "failed", "error_message": "a captcha"}, "failed", "captcha"),
        ({"queue_id": JOB, "submission_status": "rejected",
          "rejection_reason": "not accepted"}, "failed", "refused"),
        ({"queue_id": JOB, "submission_status": "approved"}, "submitted", None),
        ({"job_id": JOB, "status": "failed", "result_message": "Timeout 30000ms exceeded.",
          "error_message": "a captcha"}, "failed", "timeout"),
    ],
)  # fmt: skip
def test_every_shape_of_the_work_list_is_the_controls_word(
    tmp_path: Path, columns: dict[str, Any], outcome: str, error: str | None
) -> None:
    row = make_row(EventKind.DIRECTORY_SUBMISSIONS, id="s1", directory_url=HOST, **columns)
    told = facts(tmp_path, [row], columns="side, job_id, directory, outcome, error_class")
    assert told == [("control", JOB, HOST, outcome, error)]


def test_a_row_that_names_its_jobs_customer_counts_once_the_job_is_recorded(
    tmp_path: Path,
) -> None:
    before = [make_nameless_control("pending"), make_nameless_control("submitting", version=2)]
    after = [make_nameless_control("submitted", version=3)]
    assert facts(tmp_path, before) == []
    told = facts(tmp_path, [make_job()], columns=f"{SUBMISSION}, from_seq")
    assert told == [("control", JOB, HOST, "in_flight", "submitting", 1, 0, 3)]
    with Journal.open(tmp_path / "week.duckdb").reader() as reader:
        # One version: no moment of the record ever showed the first word.
        assert reader.rows("SELECT from_seq, to_seq FROM submissions") == [(3, None)]
    assert facts(tmp_path, after) == [("control", JOB, HOST, "submitted", "submitted", 1, 1)]


def test_a_row_that_names_the_customer_of_no_job_counts_nowhere(tmp_path: Path) -> None:
    stranger = make_nameless_control(customer_id="DIR-9999")
    assert facts(tmp_path, [make_job(), stranger, make_nameless_control(customer_id=JOB)]) == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"package_size": 50, "directory_limit": 100, "priority_level": 3}, (50, 3)),
        ({"package_size": None, "directory_limit": 100, "priority_level": 4}, (100, 4)),
        ({"package_size": None, "priority_level": None, "priority": 2}, (None, 2)),
        ({"package_size": "many", "priority_level": "high"}, (None, None)),
    ],
)
def test_a_job_of_any_shape_has_its_size_and_priority(
    tmp_path: Path, columns: dict[str, Any], expected: tuple[int | None, int | None]
) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(**columns, progress_percentage=12.5),)))
    with journal.reader() as reader:
        assert reader.rows("SELECT package_size, priority FROM jobs_now") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T09:01:00",
        "2026-11-20T09:01:00.000000",
        "2026-11-20T09:01:00Z",
        "2026-11-20T10:01:00+01:00",
        "2026-11-20T01:01:00-08:00",
    ],
)
def test_a_time_without_a_zone_is_utc_wherever_the_journal_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.append(Batch(events=(make_job(started_at=text, completed_at="infinity"),)))
    with journal.reader() as reader:
        ((started, finished),) = reader.rows(
            "SELECT control_started_at, control_finished_at FROM jobs_now"
        )
    assert (started, finished) == (at(60), None)


def test_only_a_listing_that_reached_the_directory_is_a_final(tmp_path: Path) -> None:
    words = ["submitting", "failed", "submitting", "submitted", "skipped_duplicate"]
    tries = [make_history(word, number=n, second=n) for n, word in enumerate(words)]
    assert facts(tmp_path, [make_control(), *tries]) == [
        ("candidate", JOB, HOST, "skipped", "skipped_duplicate", 2, 1),
        ("control", JOB, HOST, "submitted", "submitted", 0, 1),
    ]
