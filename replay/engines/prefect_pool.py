"""A Prefect work pool as a replay uses it: flow runs in, states out. Imports no Prefect."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.errors import ReplayError
from harness.prefect_api import PrefectApi

FLOW = "shadow-replay"
ENTRYPOINT = "replay.engines.prefect_flow.replay_unit"
"""By its module path: every machine has the harness installed, so no code is fetched."""
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_OPEN = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")
_PAGE = 200
"""Prefect answers no more at once."""
_TEXT = {"type": "string"}
_PARAMETERS = {
    "type": "object",
    "title": "Parameters",
    "properties": {
        "collector": {"title": "collector", "position": 0, **_TEXT},
        "unit": {"title": "unit", "position": 1, **_TEXT},
    },
    "required": ["collector", "unit"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Where a flow run is."""

    type: str
    message: str | None = None


class WorkPool:
    """One pool of one Prefect. Everything blocks; every failure is a SourceError of one line."""

    def __init__(self, api: PrefectApi, name: str) -> None:
        self.name = name
        self.place = api.place
        self._api = api
        self._path = f"/work_pools/{quote(name, safe='')}"
        self._deployment = ""

    def open(self, run: str) -> int:
        """See that pool and deployment are there; doing so twice changes nothing.

        Returns how many flow runs a killed call of this replay run had left open; they are
        cancelled. Raises ReplayError if the pool is paused.
        """
        made = {"name": self.name, "type": "process"}
        if self._api.get(self._path, missing_is_fine=True) is None:
            self._api.post("/work_pools/", made, conflict_is_fine=True)
        if self._api.get(self._path)["is_paused"]:
            raise ReplayError(
                f"pool = {self.name}: it is paused. Let it go on: "
                f"prefect work-pool resume '{self.name}'"
            )
        flow = self._api.post("/flows/", {"name": FLOW})
        deployment = {
            "name": self.name,
            "flow_id": flow["id"],
            "work_pool_name": self.name,
            "entrypoint": ENTRYPOINT,
            "parameter_openapi_schema": _PARAMETERS,
            "tags": [FLOW],
        }
        self._deployment = self._api.post("/deployments/", deployment)["id"]
        return self.sweep(run)

    def submit(self, run: str, unit: str, url: str) -> str:
        """Make the flow run of a unit and return its id. Asking twice makes one."""
        made = {
            "name": f"{run} {unit}",
            "parameters": {"collector": url, "unit": unit},
            "tags": [FLOW, _tag(run)],
            "idempotency_key": unit,
            "state": {"type": "SCHEDULED"},
        }
        return str(self._api.post(f"/deployments/{self._deployment}/create_flow_run", made)["id"])

    def workers(self) -> int:
        """How many workers poll the pool."""
        found = self._api.rows(f"{self._path}/workers/filter", {"limit": _PAGE})
        return sum(worker.get("status") == "ONLINE" for worker in found)

    def states(self, runs: Collection[str]) -> dict[str, RunState]:
        """Where these flow runs are; one that somebody deleted is missing."""
        found: dict[str, RunState] = {}
        ids = sorted(runs)
        for first in range(0, len(ids), _PAGE):
            wanted = {"id": {"any_": ids[first : first + _PAGE]}}
            for row in self._api.rows("/flow_runs/filter", {"flow_runs": wanted, "limit": _PAGE}):
                found[row["id"]] = _state_of(row)
        return found

    def end(self, run: str, state: str, words: str) -> None:
        """Move a flow run into a final state, whatever it is in."""
        body = {"state": {"type": state, "name": state.title(), "message": words}, "force": True}
        self._api.post(f"/flow_runs/{run}/set_state", body)

    def sweep(self, run: str) -> int:
        """Cancel every flow run of a replay run that is open, and return how many there were."""
        count = 0
        wanted = {
            "deployment_id": {"any_": [self._deployment]},
            "tags": {"all_": [_tag(run)]},
            "state": {"type": {"any_": list(_OPEN)}},
        }
        question = {"flow_runs": wanted, "limit": _PAGE}
        while rows := self._api.rows("/flow_runs/filter", question):
            for row in rows:
                self.end(row["id"], "CANCELLED", "the replay has ended")
            count += len(rows)
        return count


def _tag(run: str) -> str:
    return f"replay-run:{run}"


def _state_of(row: Mapping[str, Any]) -> RunState:
    state = row.get("state") or {}
    return RunState(
        type=str(row.get("state_type") or state.get("type") or "SCHEDULED"),
        message=state.get("message"),
    )
