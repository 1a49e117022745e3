"""What Prefect says of one flow run, read tolerantly, and what of it is journaled. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.model import EventKind
from harness.record.samples.sampler import Observation

PARAMETERS = ("job_id", "package_size", "priority")
"""What is kept of a run's parameters: the others may name a person."""
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRun:
    """One flow run as of one answer."""

    id: str
    name: str | None
    deployment_id: str | None
    state: Mapping[str, Any]
    parameters: Mapping[str, Any]
    expected: datetime | None
    start: datetime | None
    end: datetime | None
    total_run_time_s: float | None
    run_count: int | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> FlowRun:
        """Read what versions 2 and 3 have in common."""
        state = row.get("state")
        if not isinstance(state, dict):
            state = {name: row.get(f"state_{name}") for name in ("id", "type", "name")}
        parameters = row.get("parameters")
        given = parameters if isinstance(parameters, dict) else {}
        return cls(
            id=row["id"],
            name=row.get("name"),
            deployment_id=row.get("deployment_id"),
            state=state,
            parameters={
                name: given[name]
                for name in PARAMETERS
                if isinstance(given.get(name), str | int | float)
            },
            expected=moment(row.get("expected_start_time")),
            start=moment(row.get("start_time")),
            end=moment(row.get("end_time")),
            total_run_time_s=row.get("total_run_time"),
            run_count=row.get("run_count"),
        )

    @property
    def state_id(self) -> str:
        """Names the state the run is in; a new one with every transition."""
        return str(self.state.get("id"))

    @property
    def state_type(self) -> str:
        """Such as RUNNING or CRASHED."""
        return str(self.state.get("type"))

    @property
    def job_id(self) -> str | None:
        """The job that the run is for."""
        found = self.parameters.get("job_id")
        return str(found) if found else None

    @property
    def late_s(self) -> float | None:
        """Seconds from its time to its start; None if it has not begun or never will."""
        if self.expected is None or self.start is None:
            return None
        # Cancelled before it began: a start is then made up when it ends.
        if self.state_type == "CANCELLED" and self.start == self.end:
            return None
        return max(0.0, (self.start - self.expected).total_seconds())

    def ended_before(self, at: datetime) -> bool:
        """Whether it ended, and earlier than `at`."""
        return self.end is not None and self.end < at


def waiting_s(run: FlowRun, at: datetime) -> float:
    """Seconds since the time of a run that has not begun; 0 for one that has."""
    if run.state_type not in ("SCHEDULED", "PENDING") or run.start or not run.expected:
        return 0.0
    return max(0.0, (at - run.expected).total_seconds())


def running_for_s(run: FlowRun, at: datetime) -> float:
    """Seconds since its start."""
    return max(0.0, (at - run.start).total_seconds()) if run.start else 0.0


def late_run(run: FlowRun, at: datetime) -> dict[str, Any]:
    """One line of the list of runs that wait too long."""
    return {"flow_run_id": run.id, "job_id": run.job_id, "late_s": round(waiting_s(run, at), 1)}


def run_state(run: FlowRun, state: Mapping[str, Any], *, late_after_s: float | None) -> Observation:
    """One state of a run.

    late_after_s: when a run counts as late; None for a state that the run has left, which comes
    without the run's own times, because those are the times of another state.
    """
    at = moment(state.get("timestamp"))
    payload = {
        "flow_run_id": run.id,
        "name": run.name,
        "deployment_id": run.deployment_id,
        "state_id": state.get("id"),
        "state_type": state.get("type"),
        "state_name": state.get("name"),
        "message": _short(state.get("message")),
        "at": at.isoformat() if at else None,
        "parameters": dict(run.parameters),
        "current": late_after_s is not None,
    }
    if late_after_s is not None:
        payload |= {
            "expected_start_time": _text(run.expected),
            "start_time": _text(run.start),
            "end_time": _text(run.end),
            "total_run_time_s": run.total_run_time_s,
            "run_count": run.run_count,
            "late_s": run.late_s,
            "late": run.late_s is not None and run.late_s > late_after_s,
        }
    return Observation(
        kind=EventKind.PREFECT_FLOW_RUN,
        key=f"{EventKind.PREFECT_FLOW_RUN}:{run.id}:{state.get('id')}",
        occurred_at=at,
        job_id=run.job_id,
        payload=payload,
    )


def moment(text: object) -> datetime | None:
    """A time in UTC; None for what is none."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _short(message: object) -> str | None:
    """The first characters of a message; half a surrogate pair would not fit into a journal."""
    if not isinstance(message, str):
        return None
    return message[:_LONGEST_MESSAGE].encode("utf-8", "replace").decode()
