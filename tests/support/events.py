"""Factories of events with sane defaults; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from harness.model import EventDraft

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
HOST = "maple-listings.example"
JOB = "11111111-1111-4111-8111-111111111111"


def at(seconds: float) -> datetime:
    """The moment `seconds` after the start of every test's week."""
    return START + timedelta(seconds=seconds)


def make_job(
    job_id: str = JOB, *, version: int = 1, second: float = 0, **columns: Any
) -> EventDraft:
    """A version of a jobs row."""
    row = {
        "id": job_id,
        "customer_id": f"DIR-{job_id[:4]}",
        "status": "pending",
        "package_size": 50,
        "priority_level": 3,
        "created_at": START.isoformat(),
        "started_at": None,
        "completed_at": None,
        "error_message": None,
    } | columns
    return EventDraft(
        source="production", kind="jobs", key=f"jobs:{job_id}:{version}",
        occurred_at=at(second), job_id=job_id, payload=row,
    )  # fmt: skip


def make_control(
    status: str | None = "submitted",
    *,
    job_id: str = JOB,
    host: str = HOST,
    unit: str | None = None,
    version: int = 1,
    second: float = 0,
    url: str | None = None,
    message: str | None = None,
    business: dict[str, Any] | None = None,
) -> EventDraft:
    """A version of the control's directory_submissions row."""
    row_id = unit or f"{job_id}/{host}"
    return EventDraft(
        source="production",
        kind="directory_submissions",
        key=f"directory_submissions:{row_id}:{version}",
        occurred_at=at(second),
        job_id=job_id,
        directory=host,
        payload={
            "id": row_id,
            "directory_url": url or f"https://www.{host}/add-listing/",
            "status": status,
            "result_message": message,
            "listing_data": business,
        },
    )


def make_history(
    event: str,
    *,
    number: int,
    job_id: str = JOB,
    host: str | None = HOST,
    second: float = 0,
    **details: Any,
) -> EventDraft:
    """A queue_history row of the candidate."""
    return EventDraft(
        source="production",
        kind="queue_history",
        key=f"queue_history:{job_id}:{number}",
        occurred_at=at(second),
        job_id=job_id,
        directory=host,
        payload={"id": number, "event": event, "directory_name": host, "details": details},
    )


def make_plan(
    values: dict[str, str], *, job_id: str = JOB, host: str = HOST, version: int = 1
) -> EventDraft:
    """The candidate's job_results row with the plan it would type."""
    steps: list[dict[str, Any]] = [{"action": "goto", "url": f"https://{host}/submit"}]
    steps += [
        {"action": "fill", "selector": f"input[name='{name}']", "value": value}
        for name, value in values.items()
    ]
    return EventDraft(
        source="production",
        kind="job_results",
        key=f"job_results:{job_id}/{host}:{version}",
        occurred_at=at(1),
        job_id=job_id,
        directory=host,
        payload={
            "directory_name": host,
            "status": "submitting",
            "payload": {"business": {}, "plan": steps},
        },
    )


def make_result(
    status: str,
    *,
    idem: str = "key-1",
    job_id: str = JOB,
    host: str = HOST,
    version: int = 1,
    listing_url: str | None = None,
) -> EventDraft:
    """A version of a row of the candidate's in job_results."""
    return EventDraft(
        source="production",
        kind="job_results",
        key=f"job_results:{job_id}/{host}/{idem}:{version}",
        occurred_at=at(1),
        job_id=job_id,
        directory=host,
        payload={
            "directory_name": host,
            "status": status,
            "idempotency_key": idem,
            "listing_url": listing_url,
            "payload": None,
        },
    )


def make_again(
    *,
    run: str = "demo",
    job_id: str = JOB,
    host: str = HOST,
    flaky: bool = True,
    first_error: str | None = None,
) -> EventDraft:
    """A submission that failed in a replay and was done again."""
    return EventDraft(
        source=f"replay:{run}",
        kind="replay.again",
        key=f"replay:{run}:{job_id}:{host}:again",
        occurred_at=at(110),
        job_id=job_id,
        directory=host,
        payload={
            "run": run,
            "flaky": flaky,
            "first": {
                "claimed": "failed",
                "error_text": first_error,
                "accepted": 0,
            },
            "claimed": {"status": "submitted" if flaky else "failed"},
            "observed": {"posts": 1, "accepted": int(flaky)},
        },
    )


def make_replay(
    claimed: str,
    *,
    accepted: int,
    run: str = "demo",
    job_id: str = JOB,
    host: str = HOST,
    error: str | None = None,
    values: dict[str, str] | None = None,
) -> EventDraft:
    """One finished submission of a replay."""
    return EventDraft(
        source=f"replay:{run}",
        kind="replay.submission",
        key=f"replay:{run}:{job_id}:{host}",
        occurred_at=at(100),
        job_id=job_id,
        directory=host,
        payload={
            "run": run,
            "excluded": None,
            "claimed": {"status": claimed, "error_text": error, "duration_ms": 120.0},
            "observed": {
                "posts": 1,
                "accepted": accepted,
                "values": values or {},
                "url": f"https://{host}/submit",
            },
        },
    )
