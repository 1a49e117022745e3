"""Samples the candidate's Prefect: health, deployments, and every state of its flow runs.

A run changes in place and its API knows no "changed since". So each sample asks for the runs that
are open and for those that ended since the last sample, newest end first; whatever happened to a
run in between is in its history of states, which Prefect keeps. Prefect sets an end when a run
enters a final state and clears it when the run leaves it, so a run that was begun again comes back
too. Not seen are: a run that somebody deleted before the next sample, and a final state that
somebody replaced by another one by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from harness.errors import SettingsError
from harness.model import EventKind, Source
from harness.prefect_api import PrefectApi
from harness.record.samples.flow_runs import FlowRun, late_run, run_state, running_for_s, waiting_s
from harness.record.samples.sampler import Observation

_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_BEGUN = ("PENDING", "RUNNING", "CANCELLING", "PAUSED")
_LOOK_BACK = timedelta(days=7)
"""How far back the first sample asks, so that a recorder may have been away for a while."""
_OVERLAP = timedelta(minutes=10)
"""How far each later sample asks back behind the one before it."""
_COMMIT = timedelta(seconds=10)
"""Prefect stamps a state before it commits it, and gives up on its database after this long."""
_FIRST_PAGE, _PAGE = 50, 200
"""Runs in one answer; Prefect refuses more than 200."""
_PAGE_OVERLAP = 20
"""Runs asked for twice: one that leaves the list meanwhile moves those behind it forward."""
_MOST_PAGES = 25
_MOST_HISTORIES = 50
"""Histories read in one sample; the others wait for the next ones."""
_MOST_LATE = 50


class PrefectSource:
    """Asks one Prefect about the flow of one deployment."""

    source = Source.PREFECT
    loses = "the health of Prefect and its deployments meanwhile, and flow runs that were deleted"

    def __init__(
        self,
        *,
        api_url: str,
        deployment: str,
        late_after_s: float,
        api_key: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        """deployment: ``flow/deployment``. Raises SettingsError or SourceError if unusable."""
        self._flow, _, self._deployment = deployment.partition("/")
        if not self._flow or not self._deployment:
            raise SettingsError(
                f"prefect.deployment = {deployment!r} is not a deployment. Write "
                "flow/deployment, such as process_job/production"
            )
        self._api = PrefectApi(api_url, key=api_key, timeout_s=timeout_s)
        self._late_after_s = late_after_s
        self._since: datetime | None = None
        self._known: dict[str, str] = {}
        self._waiting: dict[str, FlowRun] = {}

    @property
    def place(self) -> str:
        """Where it asks, without credentials."""
        return self._api.place

    def sample(self) -> Sequence[Observation]:
        """One `prefect.sample`, and one `prefect.flow_run` for each state of each run.

        covers_from, covers_until: every run that ended in between, by Prefect's clock, was seen.
        Raises SourceError of one line; the next sample then asks for the same runs again.
        """
        healthy = self._api.get("/health") is True
        at = self._api.answered_at
        health = {
            "healthy": healthy,
            "version": self._version(),
            "clock_offset_s": round((at - datetime.now(UTC)).total_seconds(), 1),
            **self._deployments(),
        }
        since = self._since or at - _LOOK_BACK
        # Open ones first: a run that ends between the two questions is then in the second answer.
        begun, all_begun = self._runs(_BEGUN, order="EXPECTED_START_TIME_ASC")
        due, all_due = self._runs(("SCHEDULED",), order="EXPECTED_START_TIME_ASC", due_at=at)
        ended, all_ended = self._runs(
            _FINAL, order="END_TIME_DESC", stop=lambda run: run.ended_before(since)
        )
        ended = [run for run in ended if not run.ended_before(since)]
        covers_from = since
        if not all_ended:
            covers_from = min((run.end for run in ended if run.end), default=at)
        runs = {run.id: run for run in (*begun, *due, *ended)}
        moved = {run.id: run for run in runs.values() if self._known.get(run.id) != run.state_id}
        histories, left = self._histories(self._waiting | moved)
        late = [run for run in runs.values() if waiting_s(run, at) > self._late_after_s]
        sample = Observation(
            kind=EventKind.PREFECT_SAMPLE,
            payload={
                **health,
                "runs": self._counts(begun, due),
                "late": len(late),
                "late_runs": [late_run(run, at) for run in late[:_MOST_LATE]],
                "lag_s": max((waiting_s(run, at) for run in due), default=0.0),
                "oldest_running": _oldest_running(begun, at),
                "open_complete": all_begun and all_due,
                "covers_from": covers_from.isoformat(),
                "covers_until": (at - _COMMIT).isoformat(),
                "histories_waiting": len(left),
            },
        )
        present = moved | {run.id: run for run in ended}
        self._waiting = left
        self._known = {run.id: run.state_id for run in runs.values()}
        self._since = at - _COMMIT - _OVERLAP
        return (
            sample,
            *(
                run_state(run, run.state, late_after_s=self._late_after_s)
                for run in present.values()
            ),
            *histories,
        )

    def close(self) -> None:
        """Nothing is held between two questions."""

    def _version(self) -> str | None:
        # Prefect's own cloud does not say it.
        found = self._api.get("/admin/version", missing_is_fine=True)
        return found if isinstance(found, str) else None

    def _deployments(self) -> dict[str, Any]:
        path = f"/deployments/name/{quote(self._flow, safe='')}/{quote(self._deployment, safe='')}"
        found = self._api.get(path, missing_is_fine=True)
        told = found if isinstance(found, dict) else {}
        return {
            "deployments": self._api.count("/deployments/count", {}),
            "deployment": {
                "name": f"{self._flow}/{self._deployment}",
                "exists": found is not None,
                # Older versions say neither.
                "paused": told.get("paused"),
                "status": told.get("status"),
            },
        }

    def _counts(self, begun: Sequence[FlowRun], due: Sequence[FlowRun]) -> dict[str, int]:
        """Runs by type of state; SCHEDULED are those whose time has come."""
        counts: dict[str, int] = {"SCHEDULED": len(due)}
        for name in _BEGUN:
            counts[name] = sum(run.state_type == name for run in begun)
        for name in _FINAL:
            counts[name] = self._api.count("/flow_runs/count", self._question((name,)))
        return counts

    def _runs(
        self,
        types: Sequence[str],
        *,
        order: str,
        due_at: datetime | None = None,
        stop: Callable[[FlowRun], bool] = lambda run: False,
    ) -> tuple[list[FlowRun], bool]:
        """Runs in a state of these types up to the first that `stop` names; False if cut short."""
        question = self._question(types, due_at=due_at) | {"sort": order}
        runs: dict[str, FlowRun] = {}
        offset, limit = 0, _FIRST_PAGE
        for _ in range(_MOST_PAGES):
            paged = question | {"limit": limit, "offset": offset}
            page = [FlowRun.from_row(row) for row in self._api.rows("/flow_runs/filter", paged)]
            runs.update((run.id, run) for run in page)
            if len(page) < limit or stop(page[-1]):
                return list(runs.values()), True
            offset, limit = offset + limit - _PAGE_OVERLAP, _PAGE
        return list(runs.values()), False

    def _question(self, types: Sequence[str], *, due_at: datetime | None = None) -> dict[str, Any]:
        which: dict[str, Any] = {"state": {"type": {"any_": list(types)}}}
        if due_at is not None:
            which["expected_start_time"] = {"before_": due_at.isoformat()}
        return {"flows": {"name": {"any_": [self._flow]}}, "flow_runs": which}

    def _histories(
        self, waiting: dict[str, FlowRun]
    ) -> tuple[list[Observation], dict[str, FlowRun]]:
        """The earlier states of the first of these runs, and the runs that must wait."""
        runs = list(waiting.values())
        states = [state for run in runs[:_MOST_HISTORIES] for state in self._before(run)]
        return states, {run.id: run for run in runs[_MOST_HISTORIES:]}

    def _before(self, run: FlowRun) -> list[Observation]:
        """The states that a run was in before its present one.

        None after that: a key is journaled once, and the present state comes with the run's times.
        """
        rows = self._api.rows(f"/flow_run_states/?flow_run_id={quote(run.id)}")
        states: list[Observation] = []
        for row in sorted(rows, key=lambda row: str(row.get("timestamp"))):
            if row.get("id") == run.state_id:
                return states
            states.append(run_state(run, row, late_after_s=None))
        # Deleted meanwhile, or the run has moved on: the next sample has it with its new state.
        return []


def _oldest_running(begun: Sequence[FlowRun], at: datetime) -> dict[str, Any] | None:
    running = [run for run in begun if run.state_type == "RUNNING" and run.start]
    if not running:
        return None
    oldest = max(running, key=lambda run: running_for_s(run, at))
    return {
        "flow_run_id": oldest.id,
        "job_id": oldest.job_id,
        "for_s": running_for_s(oldest, at),
    }
