"""The rehearsal's scripts as the frames that its records would give, without its real parts."""

from __future__ import annotations

from typing import Any

from harness.compare.comparison import Comparison, compare
from harness.demo.actors.flow import History, flow_writes
from harness.demo.script import Attempt, Flow, JobScript, Result, SubmissionScript, Week
from tests.support.events import at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.weeks import shipped_rules

_OUTCOMES = {
    Result.SUBMITTED: "submitted", Result.FAILED: "failed", Result.ERROR: "failed",
    Result.SKIPPED_DUPLICATE: "skipped", Result.SILENT: "in_flight",
}  # fmt: skip
_FAILED = {"failed", "rejected", "no_form", "error"}
_CLAIMED_S, _TRIGGERED_S, _STARTED_S = 2.0, 3.0, 4.0


def compare_scripts(week: Week) -> Comparison:
    """Compare what both sides' scripts of `week` say, long after its end."""
    last = max(script.created_offset_s for script in week.jobs)
    return compare(
        submissions_frame([row for script in week.jobs for row in _rows(script)]),
        jobs_frame([_job(script) for script in week.jobs]),
        shipped_rules(),
        as_of=at(last + 20_000), deadline_s=600.0,
    )  # fmt: skip


def _job(script: JobScript) -> Row:
    reached = {
        Flow.NOT_ENQUEUED: 0, Flow.STOPS_AFTER_TRIGGER: 2, Flow.COMPLETE: 3,
    }[script.flow]  # fmt: skip
    signs = (("claimed_at", _CLAIMED_S), ("triggered_at", _TRIGGERED_S),
             ("flow_started_at", _STARTED_S))  # fmt: skip
    silent = any(a.result is Result.SILENT for row in script.submissions for a in row.candidate)
    columns: Row = {name: None for name, _ in signs}
    columns |= {name: at(script.created_offset_s + s) for name, s in signs[:reached]}
    if reached == len(signs) and not silent:
        columns["candidate_finished_at"] = at(script.created_offset_s + 400)
    return job(
        script.job_id, created_at=at(script.created_offset_s), package_size=script.package_size,
        priority=script.priority, **columns,
    )  # fmt: skip


def _rows(script: JobScript) -> list[Row]:
    ends = {
        write.directory: write.at_s for write in flow_writes(script) if isinstance(write, History)
    }
    rows = []
    for line in script.submissions:
        where: dict[str, Any] = {"job_id": script.job_id, "directory": line.host}
        rows.append(_control(script, line, where))
        if line.candidate:
            began = script.created_offset_s + _STARTED_S
            end = began + ends.get(line.directory_name, 0.0)
            rows.append(_candidate(line, line.candidate[-1], where, began, end))
    return rows


def _control(script: JobScript, line: SubmissionScript, where: Row) -> Row:
    failed = line.control.status in _FAILED
    text = line.control.message if failed else None
    return control(
        "failed" if failed else "submitted",
        raw_status=line.control.status, unit=line.submission_id, error_text=text,
        error_class=_error_class(text) if failed else None, started_at=at(script.created_offset_s),
        finished_at=at(script.created_offset_s + line.control_s),
        sent_phone=line.listing["phone"], **where,
    )  # fmt: skip


def _candidate(line: SubmissionScript, last: Attempt, where: Row, began: float, end: float) -> Row:
    outcome = _OUTCOMES[last.result]
    failed, waiting = outcome == "failed", outcome == "in_flight"
    (phone,) = (step["value"] for step in line.plan if "phone" in step.get("selector", ""))
    return candidate(
        outcome,
        raw_status="submitting" if waiting else last.result.value,
        error_text=last.error, error_class=_error_class(last.error) if failed else None,
        attempts=len(line.candidate), started_at=at(began),
        finished_at=None if waiting else at(end),
        duration_ms=float(last.duration_ms), sent_phone=phone, **where,
    )  # fmt: skip


def _error_class(text: str | None) -> str:
    words = (text or "").casefold()
    return next((name for name in ("captcha", "timeout") if name in words), "refused")
