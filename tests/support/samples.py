"""Factories of what the sampled sources say; a test names only what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from harness.model import EventDraft, EventKind, Source
from tests.support.events import JOB, at

DEPLOYMENT = "process_job/production"


def make_start(second: float = 0) -> EventDraft:
    """A recorder that begins, with nothing said of its tables."""
    return EventDraft(
        source=Source.RECORDER, kind=EventKind.RECORD_STARTED, key=f"record.started:{second}",
        occurred_at=at(second), payload={"provisional": False},
    )  # fmt: skip


def make_gap(
    what: str = "production", *, first: float, last: float, why: str = "no route", **payload: Any
) -> EventDraft:
    """A gap from second `first` to second `last`."""
    span = {"from": at(first).isoformat(), "until": at(last).isoformat()}
    return EventDraft(
        source=Source.RECORDER, kind=EventKind.RECORD_GAP, key=f"record.gap:{what}:{first}",
        occurred_at=at(last), payload={"what": what, "why": why} | span | payload,
    )  # fmt: skip


def make_queue_sample(second: float, **payload: Any) -> EventDraft:
    """Both queues empty."""
    told = {"queue_depth": 0, "dlq_depth": 0, "dlq_in_flight": 0} | payload
    return EventDraft(
        source=Source.SHADOW_QUEUE, kind=EventKind.SQS_SAMPLE, key=f"sqs.sample:{second}",
        occurred_at=at(second), payload=told,
    )  # fmt: skip


def make_dead_letter(
    number: int = 1, *, job_id: str | None = JOB, second: float = 60, **payload: Any
) -> EventDraft:
    """A message that the subscriber gave up."""
    told = {
        "message_id": f"m-{number}", "body": {"job_id": job_id}, "job_id": job_id,
        "reason": "exceeded_retry_limit_3", "receive_count": 4, "sent_at": at(1).isoformat(),
    } | payload  # fmt: skip
    return EventDraft(
        source=Source.SHADOW_QUEUE, kind=EventKind.SQS_DEAD_LETTER,
        key=f"sqs.dead_letter:dead:m-{number}", occurred_at=at(second), job_id=job_id, payload=told,
    )  # fmt: skip


def make_prefect_sample(
    second: float, *, deployments: int = 1, exists: bool = True, **payload: Any
) -> EventDraft:
    """A healthy Prefect; the sample covers everything from a day before to its own moment."""
    told = {
        "healthy": True,
        "version": "3.9.1",
        "deployments": deployments,
        "deployment": {"name": DEPLOYMENT, "exists": exists, "paused": False, "status": "READY"},
        "runs": {"SCHEDULED": 0, "RUNNING": 0, "COMPLETED": 1, "FAILED": 0, "CRASHED": 0},
        "late": 0,
        "late_runs": [],
        "lag_s": 0.0,
        "oldest_running": None,
        "open_complete": True,
        "covers_from": (at(second) - timedelta(days=1)).isoformat(),
        "covers_until": at(second).isoformat(),
        "histories_waiting": 0,
    } | payload
    return EventDraft(
        source=Source.PREFECT, kind=EventKind.PREFECT_SAMPLE, key=f"prefect.sample:{second}",
        occurred_at=at(second), payload=told,
    )  # fmt: skip


def make_flow_run(
    state: str = "COMPLETED",
    *,
    run: str = "run-1",
    job_id: str = JOB,
    second: float = 20,
    late_s: float = 0.0,
    **payload: Any,
) -> EventDraft:
    """The present state of a flow run."""
    told = {
        "flow_run_id": run, "state_id": f"{run}-{state}", "state_type": state,
        "state_name": state.capitalize(), "message": None, "current": True, "late_s": late_s,
        "late": late_s > 60,
    } | payload  # fmt: skip
    return EventDraft(
        source=Source.PREFECT, kind=EventKind.PREFECT_FLOW_RUN,
        key=f"prefect.flow_run:{run}:{run}-{state}", occurred_at=at(second), job_id=job_id,
        payload=told,
    )  # fmt: skip


def make_workers_sample(second: float, *stale: str) -> EventDraft:
    """What our own count of the workers says."""
    return EventDraft(
        source=Source.PRODUCTION, kind=EventKind.WORKERS_SAMPLE, key=f"workers.sample:{second}",
        occurred_at=at(second),
        payload={"view": 3, "stale": list(stale), "stale_count": len(stale), "control": []},
    )  # fmt: skip
