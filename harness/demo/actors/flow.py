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
    RATE_LIMIT_S,
    TRIES_APART_S,
    Attempt,
    Flow,
    JobScript,
    Result,
    Results,
    SubmissionScript,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One row of queue_history."""

    at_s: float
    event: str
    directory: str | None = None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """The row of job_results that an attempt makes, if its key is new."""

    at_s: float
    directory: str
    idem: str
    payload: Mapping[str, Any]
    status: str = "submitting"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultEnd:
    """How the row of this key ended."""

    at_s: float
    idem: str
    status: str
    screenshot_url: str | None = None
    listing_url: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOverwritten:
    """The candidate's beginning of the job over that of the old poller, once that stands."""

    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """The stale-job monitor takes the job for dead while the old poller is at it."""

    at_s: float


Write = History | ResultRow | ResultEnd | StartOverwritten | PutBack


def flow_writes(job: JobScript, *, again: bool = False) -> tuple[Write, ...]:
    """Everything that the flow of `job` writes, in the order of its time.

    again: in the run after the stale-job monitor had put the job back.
    """
    writes: list[Write] = [
        History(
            at_s=0.0,
            event="flow_started",
            details={
                "customer_id": job.customer.customer_id,
                "package_size": job.package_size,
                "priority": job.priority_word,
            },
        ),
        History(at_s=0.1, event="job_started", details={}),
    ]
    if job.flow is Flow.NOTHING_TRIED:
        none = {"total": len(job.submissions), "submitted": 0, "failed": len(job.submissions)}
        writes.extend(_end("failed", none | {"skipped": 0}, at_s=0.6))
        return tuple(writes)
    rows = [row for row in job.submissions if row.candidate]
    ends: list[float] = []
    for row in rows:
        made, end_s = _submission_writes(job, row)
        writes.extend(made)
        ends.append(end_s)
    if not any(row.candidate[-1].result is Result.SILENT for row in rows):
        # A silent attempt took the flow's process with it, so no end of the job follows.
        final, counts = _counted(rows)
        end = _end(final, counts, at_s=max(ends, default=0.2) + 0.5)
        writes.extend(end[1:] if job.flow is Flow.NOT_FINALIZED else end)
    # What has to wait for the old poller comes last, so that the flow has not ended before it.
    after_s = max(write.at_s for write in writes) + 1.0
    if job.flow is Flow.OVERWRITES_START:
        writes.append(StartOverwritten(at_s=after_s))
    if job.flow is Flow.RUN_AGAIN and not again:
        writes.append(PutBack(at_s=after_s))
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
    for number, attempt in enumerate(row.candidate, start=1):
        factors: dict[str, Any] = {"name": business["name"], "dir": row.directory_name}
        if attempt.other_key:
            factors["attempt"] = "again"
        idem = idempotency_key(job.job_id, row.directory_name, factors)
        if attempt.result is Result.SKIPPED_DUPLICATE:
            writes.append(_said(row, "skipped_duplicate", at_s, {"idem": idem}))
            continue
        if attempt.begun:
            writes.append(
                ResultRow(at_s=at_s, directory=row.directory_name, idem=idem, payload=payload)
            )
            writes.append(_said(row, "submitting", at_s, {"idem": idem}))
            at_s += RATE_LIMIT_S[job.priority_word]
        at_s += attempt.duration_ms / 1000
        final = attempt.result is not Result.ERROR or number == len(row.candidate)
        if final and attempt.begun and attempt.result is not Result.SILENT:
            writes.extend(_result_end(job, row, attempt, idem, payload, at_s))
        if attempt.result is not Result.SILENT:
            writes.append(_outcome(job, row, attempt, idem, at_s))
        if attempt.result is Result.ERROR:
            at_s += TRIES_APART_S
    return writes, at_s


def _result_end(
    job: JobScript,
    row: SubmissionScript,
    attempt: Attempt,
    idem: str,
    payload: Mapping[str, Any],
    at_s: float,
) -> list[Write]:
    """What the last attempt makes of its row; written before the history tells of it."""
    submitted = attempt.result is Result.SUBMITTED
    status = "submitted" if submitted else "failed"
    match row.results:
        case Results.NEVER_UPDATED:
            return []
        case Results.SECOND_ROW:
            other = idempotency_key(job.job_id, row.directory_name, {"error": True})
            return [
                ResultRow(
                    at_s=at_s, directory=row.directory_name, idem=other, payload=payload,
                    status=status,
                )
            ]  # fmt: skip
        case Results.WITHOUT_ADDRESS:
            return [ResultEnd(at_s=at_s, idem=idem, status=status)]
        case Results.ENDED:
            raised = attempt.result is Result.ERROR
            return [
                ResultEnd(
                    at_s=at_s,
                    idem=idem,
                    status=status,
                    screenshot_url=None if raised else _screenshot(job, row),
                    listing_url=f"https://{row.host}/listing" if submitted else None,
                    error_message=attempt.error,
                )
            ]


def _outcome(
    job: JobScript, row: SubmissionScript, attempt: Attempt, idem: str, at_s: float
) -> History:
    if attempt.result is Result.ERROR:
        told = {"error": attempt.error, "error_type": attempt.error_type}
        return _said(row, "error", at_s, told)
    picture = _screenshot(job, row)
    measured = {"idem": idem, "duration_ms": attempt.duration_ms, "screenshot_url": picture}
    return _said(row, attempt.result.value, at_s, measured)


def _screenshot(job: JobScript, row: SubmissionScript) -> str:
    return f"screenshot_{job.job_id}_{row.directory_name}.png"


def _said(row: SubmissionScript, event: str, at_s: float, details: Mapping[str, Any]) -> History:
    return History(at_s=at_s, event=event, directory=row.directory_name, details=details)


def _counted(rows: list[SubmissionScript]) -> tuple[str, dict[str, int]]:
    """The job's final status and the counts that stand beside it."""
    last = [row.candidate[-1].result for row in rows]
    skipped = last.count(Result.SKIPPED_DUPLICATE)
    submitted = last.count(Result.SUBMITTED)
    failed = len(last) - submitted - skipped
    counts = {"total": len(last), "submitted": submitted, "failed": failed, "skipped": skipped}
    return "failed" if failed == len(last) else "completed", counts


def _end(final: str, counts: Mapping[str, int], *, at_s: float) -> tuple[History, History]:
    return (
        History(at_s=at_s, event="job_finalized", details={"final_status": final} | dict(counts)),
        # Says "completed" whatever happened.
        History(
            at_s=at_s + 0.1, event="flow_completed", details={"status": "completed"} | dict(counts)
        ),
    )
