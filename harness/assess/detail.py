"""One difference in full: both sides and the events behind it, as of one moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.assessment import Difference, DifferenceDetail, EventView, SubmissionView
from harness.journal.reader import Reader
from harness.model import Outcome
from harness.resources import sql_queries

_UNTOLD = ("idem", "receipt_handle_preview", "screenshot_url")
"""Details of a history row that tell a person nothing."""
_FIELD_NAMES = {"business_name": "name", "customer_name": "name", "customer_email": "email"}


def difference_detail(
    reader: Reader, difference: Difference, *, time_scale: float
) -> DifferenceDetail:
    """Both sides of the submission of `difference` and its timeline, oldest event first."""
    queries = sql_queries("views/difference_detail.sql")
    where = {
        "job_id": difference.job_id,
        "directory": difference.directory,
        "mode": difference.mode,
    }
    return DifferenceDetail(
        difference=difference,
        sides=tuple(
            _side(row, time_scale)
            for row in reader.frame(queries["select_sides"], **where).iter_rows(named=True)
        ),
        timeline=tuple(
            EventView(
                seq=row["seq"],
                occurred_at=row["occurred_at"].astimezone(UTC),
                source=row["source"],
                kind=row["kind"],
                text=event_text(row["kind"], json.loads(row["payload"])),
            )
            for row in reader.frame(queries["select_timeline"], **where).iter_rows(named=True)
        ),
    )


def _side(row: Mapping[str, Any], time_scale: float) -> SubmissionView:
    sent = json.loads(row["sent"]) if row["sent"] else None
    values: dict[str, Any] = sent if isinstance(sent, dict) else {}
    return SubmissionView(
        side=row["side"],
        mode=row["mode"],
        # A word that no mapping knows is a finding of its own; here it has no outcome yet.
        outcome=Outcome(row["outcome"]) if row["outcome"] in set(Outcome) else Outcome.IN_FLIGHT,
        error_class=row["error_class"],
        error_text=row["error_text"],
        attempts=row["attempts"],
        started_at=_utc(row["started_at"]),
        finished_at=_utc(row["finished_at"]),
        duration_s=_duration_s(row, time_scale),
        url=row["url"],
        values=tuple(
            sorted(
                (_FIELD_NAMES.get(key, key), str(value))
                for key, value in values.items()
                if value is not None
            )
        ),
    )


def _utc(value: datetime | None) -> datetime | None:
    return value.astimezone(UTC) if value else None


def _duration_s(row: Mapping[str, Any], time_scale: float) -> float | None:
    if row["duration_ms"] is not None:
        return float(row["duration_ms"]) / 1000
    if row["started_at"] and row["finished_at"]:
        return float((row["finished_at"] - row["started_at"]).total_seconds()) * time_scale
    return None


def _history_event(payload: Mapping[str, Any]) -> str:
    """The event's name; a row from before the migration has a change of status instead."""
    metadata = payload.get("metadata")
    named = payload.get("event") or (metadata.get("event") if isinstance(metadata, dict) else None)
    return str(named or f"{payload.get('status_from')} → {payload.get('status_to')}")


def event_text(kind: str, payload: Mapping[str, Any]) -> str:
    """One line a person can read; personal values stay out of it."""
    match kind:
        case "queue_history":
            details = payload.get("details")
            known = details if isinstance(details, dict) else {}
            shown = [f"{key}={known[key]}" for key in sorted(known) if key not in _UNTOLD]
            return " ".join([_history_event(payload), *shown])
        case "directory_submissions":
            message = payload.get("result_message")
            return f"status {payload.get('status')}" + (f": {message}" if message else "")
        case "jobs":
            error = payload.get("error_message")
            return f"job {payload.get('status')}" + (f": {error}" if error else "")
        case "job_results":
            return f"job_results {payload.get('status')}"
        case "prefect.flow_run":
            return f"flow run {payload.get('state_name') or payload.get('state_type')}"
        case "replay.submission" | "replay.again":
            claimed = payload.get("claimed") or {}
            observed = payload.get("observed") or {}
            again = "again: " if kind == "replay.again" else ""
            flaky = "; flaky" if payload.get("flaky") else ""
            return (
                f"{again}claimed {claimed.get('status')}, site accepted "
                f"{observed.get('accepted', 0)} of {observed.get('posts', 0)} posts{flaky}"
            )
        case "replay.received":
            stored = "stored" if payload.get("accepted") else "not stored"
            return f"post {payload.get('number')} received, {stored}"
        case _:
            return kind
