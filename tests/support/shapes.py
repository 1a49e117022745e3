"""Factories of rows in shapes from before the migration, and of the recorder's word on shapes."""

from __future__ import annotations

from typing import Any

from harness.model import EventDraft, EventKind
from harness.record.postgres.tables import TABLES, event_key, make_event
from tests.support.events import HOST, JOB, at

MIGRATED = ("id", "job_id", "directory_name", "event", "details", "created_at")
LIVE = ("id", "customer_id", "status_from", "status_to", "metadata", "created_at")


def make_row(kind: EventKind, *, version: int = 1, second: float = 0, **row: Any) -> EventDraft:
    """A row version as the recorder would make an event of it."""
    spec = next(spec for spec in TABLES if spec.kind == kind)
    key = event_key(spec, spec.identity, row, version)
    return make_event(spec, row, key=key, snapshot_at=at(second))


def make_old_history(
    status_to: str = "pending",
    *,
    number: int,
    second: float = 0,
    event: str | None = None,
    job_id: str = JOB,
) -> EventDraft:
    """A queue_history row of before the migration; `event` is what the stale monitor says."""
    return make_row(
        EventKind.QUEUE_HISTORY,
        id=number,
        customer_id=f"DIR-{job_id[:4]}",
        status_from="in_progress",
        status_to=status_to,
        metadata={"job_id": job_id, "event": event} if event else None,
        created_at=at(second).isoformat(),
    )


def make_old_result(
    status: str | None = "submitted",
    *,
    number: int,
    job_id: str = JOB,
    host: str = HOST,
    second: float = 0,
    **columns: Any,
) -> EventDraft:
    """A job_results row of an old writer: no key, no payload."""
    return make_row(
        EventKind.JOB_RESULTS,
        version=number,
        second=second,
        id=number,
        job_id=job_id,
        directory_name=host,
        status=status,
        submitted_at=at(second).isoformat(),
        **columns,
    )


def make_nameless_control(
    status: str = "submitted",
    *,
    customer_id: str | None = None,
    host: str = HOST,
    unit: str = "nameless",
    version: int = 1,
    second: float = 0,
) -> EventDraft:
    """A row of the work list that names only the customer of its job."""
    return make_row(
        EventKind.DIRECTORY_SUBMISSIONS,
        version=version,
        second=second,
        id=unit,
        customer_job_id=customer_id or f"DIR-{JOB[:4]}",
        directory_url=f"https://www.{host}/add-listing/",
        status=status,
        updated_at=at(second).isoformat(),
    )


def make_look(*columns: str, second: float = 0, session: str = "first") -> EventDraft:
    """A recorder began and found queue_history with these columns."""
    return EventDraft(
        source="recorder",
        kind=EventKind.RECORD_STARTED,
        key=f"record.started:{session}:0",
        occurred_at=at(second),
        payload={"tables": {"queue_history": sorted(columns)}},
    )


def make_drift(
    *,
    second: float = 0,
    number: int = 0,
    table: str = "queue_history",
    change: str = "altered",
    added: tuple[str, ...] = (),
    missing: tuple[str, ...] = (),
    retyped: tuple[str, ...] = (),
    **more: Any,
) -> EventDraft:
    """The recorder saw that a table had changed."""
    return EventDraft(
        source="recorder",
        kind=EventKind.SCHEMA_DRIFT,
        key=f"schema.drift:{number}",
        occurred_at=at(second),
        payload={
            "table": table,
            "change": change,
            "added": dict.fromkeys(added, "text"),
            "missing": dict.fromkeys(missing, "text"),
            "retyped": {column: ["text", "jsonb"] for column in retyped},
            "key": None,
            "by_time": None,
        }
        | more,
    )
