"""What a flow run writes: the events of the real system, with their exact details."""

from __future__ import annotations

import itertools

from harness.demo.actors.flow import History, ResultRow, Write, flow_writes, idempotency_key
from harness.demo.catalogue import load_directories
from harness.demo.planted import load_planted
from harness.demo.script import JobScript, Result
from harness.demo.week import make_week

DETAILS = {
    "flow_started": {"customer_id", "package_size", "priority"},
    "job_started": set(),
    "submitting": {"idem"},
    "submitted": {"idem", "duration_ms", "screenshot_url"},
    "failed": {"idem", "duration_ms", "screenshot_url"},
    "error": {"error", "error_type"},
    "skipped_duplicate": {"idem"},
    "job_finalized": {"final_status", "total", "submitted", "failed", "skipped"},
    "flow_completed": {"status", "total", "submitted", "failed", "skipped"},
}
WEEK = make_week(directories=load_directories(), planted=load_planted())


def job_with(result: Result) -> JobScript:
    return next(
        job
        for job in WEEK.jobs
        if any(a.result is result for row in job.submissions for a in row.candidate)
    )


def history(writes: tuple[Write, ...]) -> list[History]:
    return [write for write in writes if isinstance(write, History)]


def test_every_event_carries_exactly_the_details_of_the_real_system() -> None:
    seen = set()
    for job in WEEK.jobs:
        for row in history(flow_writes(job)):
            assert set(row.details) == DETAILS[row.event]
            seen.add(row.event)
    assert seen == set(DETAILS)


def test_times_never_run_backwards_and_every_flow_starts_with_its_start() -> None:
    for job in WEEK.jobs:
        writes = flow_writes(job)
        assert [w.at_s for w in writes] == sorted(w.at_s for w in writes)
        assert [row.event for row in history(writes)][:2] == ["flow_started", "job_started"]


def test_a_silent_attempt_ends_the_flow_without_a_word() -> None:
    events = [row.event for row in history(flow_writes(job_with(Result.SILENT)))]
    assert "flow_completed" not in events
    assert "job_finalized" not in events


def test_an_exception_is_tried_four_times_at_the_most_and_thirty_seconds_apart() -> None:
    job = job_with(Result.ERROR)
    for row in job.submissions:
        tries = [
            write.at_s
            for write in history(flow_writes(job))
            if write.event == "submitting" and write.directory == row.directory_name
        ]
        assert len(tries) <= 4
        assert all(later - sooner > 30 for sooner, later in itertools.pairwise(tries))


def test_a_retry_keeps_its_key_unless_its_script_says_otherwise() -> None:
    for job in WEEK.jobs:
        rows = [w for w in flow_writes(job) if isinstance(w, ResultRow)]
        for row in filter(lambda row: row.candidate, job.submissions):
            keys = {write.idem for write in rows if write.directory == row.directory_name}
            others = sum(attempt.other_key for attempt in row.candidate)
            tried = any(a.result is not Result.SKIPPED_DUPLICATE for a in row.candidate)
            assert len(keys) == (1 + others if tried else 0)


def test_flow_completed_says_completed_even_where_everything_failed() -> None:
    for job in WEEK.jobs:
        for row in history(flow_writes(job)):
            if row.event == "flow_completed":
                assert row.details["status"] == "completed"


def test_the_key_is_the_hash_that_the_worker_computes() -> None:
    # sha256sum of: job-1:maple.example:{"dir":"maple.example","name":"Maple"}
    key = "62130b204b89df935db1b782f38495f68434efd51f11043ae5ec0f2797b76f6a"
    factors = {"name": "Maple", "dir": "maple.example"}
    assert idempotency_key("job-1", "maple.example", factors) == key
