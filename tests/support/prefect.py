"""A real Prefect server for tests, spoken to as its own client does. Imports no Prefect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.processes import kill_tree, wait_for

STATES = {
    "completed": ("PENDING", "RUNNING", "COMPLETED"),
    "failed": ("PENDING", "RUNNING", "FAILED"),
    "crashed": ("PENDING", "CRASHED"),
    "cancelled": ("CANCELLED",),
    "running": ("PENDING", "RUNNING"),
    "scheduled": (),
}
"""How a run that is created as SCHEDULED gets there."""
_TRIES = 10


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A running server; every test uses a flow of its own."""

    url: str
    folder: Path

    def ask(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """JSON of one answer; a body is posted."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        for left in range(_TRIES, 0, -1):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    text = answer.read()
                break
            except urllib.error.HTTPError as error:
                # One writer at a time on SQLite: the others are told to come again.
                if error.code != 503 or left == 1:
                    raise
        return json.loads(text) if text else None

    def flow(self, name: str) -> str:
        """The id of the flow `name`, which is made if it does not exist."""
        return str(self.ask("/flows/", {"name": name})["id"])

    def run(
        self, flow: str, how: str = "completed", *, at: datetime | None = None, **parameters: Any
    ) -> str:
        """Make a run and bring it to where `STATES` says; at: the time it is scheduled for."""
        state: dict[str, Any] = {"type": "SCHEDULED"}
        if at is not None:
            state["state_details"] = {"scheduled_time": at.isoformat()}
        made = {"flow_id": self.flow(flow), "parameters": parameters, "state": state}
        run_id = str(self.ask("/flow_runs/", made)["id"])
        for name in STATES[how]:
            self.set_state(run_id, name)
        return run_id

    def set_state(self, run_id: str, name: str, message: str | None = None) -> None:
        """Move a run into a state of this type, whatever it is in."""
        state = {"type": name, "message": message}
        self.ask(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    @contextmanager
    def deployment(self, flow: str, name: str = "production") -> Iterator[None]:
        """A deployment that lives as long as the block."""
        made = self.ask("/deployments/", {"name": name, "flow_id": self.flow(flow)})
        try:
            yield
        finally:
            self.ask(f"/deployments/{made['id']}", method="DELETE")

    @contextmanager
    def worker(self, pool: str, folder: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process worker that polls `pool` as long as the block, with `folder` for its own."""
        (folder / "tmp").mkdir(parents=True)
        command = ["worker", "start", "--type", "process", "--limit", "1", "--pool", pool]
        with (folder / "worker.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *command],
                env={
                    **_environment(folder, self.url),
                    "TMPDIR": str(folder / "tmp"),
                    "PYTHONPATH": str(Path(__file__).parents[2]),
                    "PREFECT_WORKER_QUERY_SECONDS": "1",
                    **environ,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                kill_tree(process.pid)
                process.wait(30)

    def execute(self, script: str) -> None:
        """Run Python with Prefect's own client against this server."""
        subprocess.run(
            [sys.executable, "-c", script],
            env=_environment(self.folder, self.url),
            check=True,
            capture_output=True,
            timeout=300,
        )


@contextmanager
def running_prefect(folder: Path) -> Iterator[PrefectServer]:
    """Start a server that keeps everything in `folder`, and end it with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = PrefectServer(url=f"http://127.0.0.1:{port}/api", folder=folder)
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=_environment(folder, server.url),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(
            lambda: process.poll() is not None or _healthy(server),
            what=f"Prefect's health ({log})",
            timeout_s=240,
        )
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        yield server
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def _healthy(server: PrefectServer) -> bool:
    try:
        return server.ask("/health") is True
    except OSError:
        return False


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": url,
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # Nothing of a test leaves this machine.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # It would give runs the state "Late" whenever it comes by.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    }
