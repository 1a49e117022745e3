"""What one flow run of the new stack writes and when, from its job's script. Pure: no clock.

Offsets are scaled seconds after the flow's start. Directories run side by side, attempts of one
directory one after another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.demo.script import (
    TRIES_APART_S,
    Attempt,
    JobScript,
    Result,
    SubmissionScript,
)

RATE_LIMIT_S = 2.25
"""The pause before each attempt. Every job gets that of ``starter``: the queue carries numbers."""
_STARTER = "starter"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One row of queue_history."""

    at_s: float
    event: str
    directory: str | None = None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittingRow:
    """The row of job_results that an attempt makes, if its key is new."""

    at_s: float
    directory: str
    idem: str
    payload: Mapping[str, Any]


Write = History | SubmittingRow


def flow_writes(job: JobScript) -> tuple[Write, ...]:
    """Everything that the flow of `job` writes, in the order of its time."""
    writes: list[Write] = [
        History(
            at_s=0.0,
            event="flow_started",
            details={
                "customer_id": job.customer.customer_id,
                "package_size": job.package_size,
                "priority": _STARTER,
            },
        ),
        History(at_s=0.1, event="job_started", details={}),
    ]
    rows = [row for row in job.submissions if row.candidate]
    ends: list[float] = []
    for row in rows:
        made, end_s = _submission_writes(job, row)
        writes.extend(made)
        ends.append(end_s)
    if not any(row.candidate[-1].result is Result.SILENT for row in rows):
        # A silent attempt took the flow's process with it, so no end of the job follows.
        writes.extend(_end(rows, at_s=max(ends, default=0.2) + 0.5))
    return tuple(sorted(writes, key=lambda write: write.at_s))


def idempotency_key(job_id: str, directory: str, factors: Mapping[str, Any]) -> str:
    """SHA-256 over job, directory and the plan's factors, as the worker computes it."""
    text = json.dumps(factors, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{job_id}:{directory}:{text}".encode()).hexdigest()


def _submission_writes(job: JobScript, row: SubmissionScript) -> tuple[list[Write], float]:
    writes: list[Write] = []
    business: dict[str, Any] = asdict(job.customer.business)
    business["categories"] = [business.pop("category")]
    payload = {
        "business": business,
        "plan": {
            "plan": list(row.plan),
            "constraints": {"rateLimitMs": 1500, "captcha": "possible"},
            "idempotency_factors": {"name": business["name"], "dir": row.directory_name},
        },
    }
    at_s = 0.2
    for attempt in row.candidate:
        factors: dict[str, Any] = {"name": business["name"], "dir": row.directory_name}
        if attempt.other_key:
            factors["attempt"] = "again"
        idem = idempotency_key(job.job_id, row.directory_name, factors)
        if attempt.result is Result.SKIPPED_DUPLICATE:
            writes.append(_said(row, "skipped_duplicate", at_s, {"idem": idem}))
            continue
        writes.append(
            SubmittingRow(at_s=at_s, directory=row.directory_name, idem=idem, payload=payload)
        )
        writes.append(_said(row, "submitting", at_s, {"idem": idem}))
        at_s += RATE_LIMIT_S + attempt.duration_ms / 1000
        if attempt.result is not Result.SILENT:
            writes.append(_outcome(job, row, attempt, idem, at_s))
        if attempt.result is Result.ERROR:
            at_s += TRIES_APART_S
    return writes, at_s


def _outcome(
    job: JobScript, row: SubmissionScript, attempt: Attempt, idem: str, at_s: float
) -> History:
    if attempt.result is Result.ERROR:
        told = {"error": attempt.error, "error_type": attempt.error_type}
        return _said(row, "error", at_s, told)
    picture = f"screenshot_{job.job_id}_{row.directory_name}.png"
    measured = {"idem": idem, "duration_ms": attempt.duration_ms, "screenshot_url": picture}
    return _said(row, attempt.result.value, at_s, measured)


def _said(row: SubmissionScript, event: str, at_s: float, details: Mapping[str, Any]) -> History:
    return History(at_s=at_s, event=event, directory=row.directory_name, details=details)


def _end(rows: list[SubmissionScript], *, at_s: float) -> tuple[History, History]:
    last = [row.candidate[-1].result for row in rows]
    skipped = last.count(Result.SKIPPED_DUPLICATE)
    submitted = last.count(Result.SUBMITTED)
    failed = len(last) - submitted - skipped
    counts = {"total": len(last), "submitted": submitted, "failed": failed, "skipped": skipped}
    final = "failed" if failed == len(last) else "completed"
    return (
        History(at_s=at_s, event="job_finalized", details={"final_status": final} | counts),
        # Says "completed" whatever happened.
        History(at_s=at_s + 0.1, event="flow_completed", details={"status": "completed"} | counts),
    )
