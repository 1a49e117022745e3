"""Frames as ``sql/views/select_submissions.sql`` gives them, for tests that need no journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from harness.compare.rules import VALUE_FIELDS
from harness.model import LIVE
from tests.support.events import HOST, JOB, START, at

_TIME = pl.Datetime("us", "UTC")
SUBMISSIONS: dict[str, Any] = {
    "mode": pl.String, "side": pl.String, "job_id": pl.String, "unit": pl.String,
    "directory": pl.String, "outcome": pl.String, "raw_status": pl.String,
    "error_class": pl.String, "error_text": pl.String, "attempts": pl.Int32, "finals": pl.Int32,
    "started_at": _TIME, "finished_at": _TIME, "duration_ms": pl.Float64, "url": pl.String,
    "listing_url": pl.String,
    "from_seq": pl.Int64, **{f"sent_{name}": pl.String for name in VALUE_FIELDS},
}  # fmt: skip
JOBS: dict[str, Any] = {
    "job_id": pl.String, "customer_id": pl.String, "package_size": pl.Int32, "priority": pl.Int32,
    "created_at": _TIME, "control_status": pl.String, "control_started_at": _TIME,
    "control_finished_at": _TIME, "control_error": pl.String, "claimed_at": _TIME,
    "triggered_at": _TIME, "flow_started_at": _TIME, "candidate_finished_at": _TIME,
    "candidate_status": pl.String, "from_seq": pl.Int64,
}  # fmt: skip

Row = dict[str, Any]


def control(outcome: str | None = "submitted", **columns: Any) -> Row:
    """A control row that is done after a minute; `columns` override."""
    return _row("control", outcome, 60, **columns)


def candidate(outcome: str | None = "submitted", **columns: Any) -> Row:
    """A candidate row that is done after fifteen seconds; `columns` override."""
    return _row("candidate", outcome, 15, **columns)


def observed(outcome: str = "submitted", *, mode: str = "demo", **columns: Any) -> Row:
    """What a sandbox site received."""
    return _row("observed", outcome, 15, mode=mode, **columns)


def _row(side: str, outcome: str | None, done: float, **columns: Any) -> Row:
    waiting = outcome in (None, "in_flight")
    failed = outcome == "failed"
    row: Row = {
        "mode": LIVE,
        "side": side,
        "job_id": JOB,
        "directory": HOST,
        "outcome": outcome or "in_flight",
        "raw_status": outcome if outcome != "in_flight" else "submitting",
        "error_class": "refused" if failed and side != "observed" else None,
        "attempts": 0 if outcome is None else 1,
        "finals": 0 if waiting else 1,
        "started_at": None if outcome is None else at(5),
        "finished_at": None if waiting else at(done),
        "from_seq": 1,
    }
    row |= columns
    row.setdefault("unit", f"{row['job_id']}/{row['directory']}")
    return row


def job(job_id: str = JOB, **columns: Any) -> Row:
    """A job that the candidate has begun and not ended; `columns` override."""
    return {
        "job_id": job_id,
        "created_at": START,
        "claimed_at": at(2),
        "triggered_at": at(3),
        "flow_started_at": at(4),
        "from_seq": 1,
    } | columns


def submissions_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """The frame of ``select_submissions``; columns that a row does not name are NULL."""
    return _frame(rows, SUBMISSIONS)


def jobs_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """The frame of ``select_jobs``."""
    return _frame(rows, JOBS)


def _frame(rows: Sequence[Row], schema: dict[str, Any]) -> pl.DataFrame:
    strange = {key for row in rows for key in row} - set(schema)
    if strange:
        raise KeyError(f"no such column: {sorted(strange)}")
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
