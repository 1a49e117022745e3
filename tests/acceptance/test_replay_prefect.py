"""Two machines of a Prefect work pool replay what one machine replays; one of them dies of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.journal.store import Journal
from harness.journal.verify import verify
from tests.support.events import make_control
from tests.support.prefect import PrefectServer, running_prefect
from tests.support.processes import kill_tree, wait_for
from tests.support.replays import (
    CAPTCHA,
    REFUSED,
    accepted,
    make_journal,
    make_steps,
    submissions_of,
)

_SUBMISSIONS = 200
_TOKEN = "0123456789abcdef" * 4
_ENVIRON = {"SHADOW_REPLAY_TOKEN": _TOKEN, "PREFECT_LOGGING_TO_API_ENABLED": "true"}
"""Of a worker; its log goes to Prefect, as by default."""
_OPEN = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with running_prefect(tmp_path_factory.mktemp("prefect")) as running:
        yield running


def start(
    journal: Journal, run: str, *options: str, server: PrefectServer | None = None
) -> subprocess.Popen[str]:
    """``shadow replay`` of a journal, on machines if a server is given."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SHADOW_")}
    environ |= {"SHADOW_REPLAY_LEASE": "10s", "SHADOW_REPLAY_TOKEN": _TOKEN}
    if server is not None:
        environ["PREFECT_API_URL"] = server.url
    command = ["replay", "--journal", str(journal.path), "--run", run, "--evidence", "0", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *command],
        env=environ, cwd=journal.path.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def open_runs(server: PrefectServer) -> list[dict[str, Any]]:
    """Flow runs that Prefect still waits for."""
    wanted = {"state": {"type": {"any_": list(_OPEN)}}}
    found: list[dict[str, Any]] = server.ask("/flow_runs/filter", {"flow_runs": wanted})
    return found


def browser_below(pid: int) -> bool:
    """Whether a browser runs somewhere below this process."""
    try:
        below = psutil.Process(pid).children(recursive=True)
        return any("--headless" in " ".join(child.cmdline()) for child in below)
    except psutil.Error:
        return False


def untimed(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A submission's outcome without how long it took and which run it is of."""
    told = {key: value for key, value in payload.items() if key not in ("run", "overloaded")}
    told["claimed"] = {k: v for k, v in payload["claimed"].items() if k != "duration_ms"}
    return told


def received_of(journal: Journal, run: str) -> dict[tuple[str, int], Any]:
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT directory, payload FROM events_now "
            "WHERE kind = 'replay.received' AND source = $source",
            source=f"replay:{run}",
        )
    payloads = [(directory, json.loads(payload)) for directory, payload in rows]
    return {(directory, told["number"]): told | {"run": ""} for directory, told in payloads}


def classes_of(journal: Journal, run: str) -> list[tuple[Any, ...]]:
    """Outcome and error class of each side of each submission of a run."""
    with journal.reader() as reader:
        return reader.rows(
            "SELECT directory, side, outcome, error_class FROM submissions_now "
            "WHERE mode = $run ORDER BY ALL",
            run=run,
        )


@pytest.mark.serial
@pytest.mark.slow
def test_a_pool_ends_as_one_machine_does_although_a_worker_is_killed(
    tmp_path: Path, server: PrefectServer
) -> None:
    refused = [
        make_control("failed", host=f"no-{n}.example", message=REFUSED if n % 2 else CAPTCHA)
        for n in range(_SUBMISSIONS // 5)
    ]
    orders = [*accepted(_SUBMISSIONS - len(refused)), *refused]
    plans = [
        make_steps(str(one.directory), {"email": f"owner-{n}@ahorn.example"})
        for n, one in enumerate(orders)
    ]
    journal = make_journal(tmp_path, *orders, *plans)
    one, two = tmp_path / "one", tmp_path / "two"
    with (
        server.worker("machines", one, **_ENVIRON) as first,
        server.worker("machines", two, **_ENVIRON) as second,
    ):
        options = ("--engine", "prefect", "--pool", "machines", "--seed", "5")
        running = start(journal, "far", *options, server=server)
        wait_for(
            lambda: (
                running.poll() is not None
                or (browser_below(second.pid) and len(submissions_of(journal, "far")) >= 60)
            ),
            what="both machines at work",
            timeout_s=120,
        )
        # All of the machine: worker, flow run and browser.
        kill_tree(second.pid)
        told, said = running.communicate(timeout=240)
        assert running.returncode == 0, said
        assert "was silent for 10 s; what it had not finished is handed out again" in said
        assert f"{_SUBMISSIONS} of {_SUBMISSIONS} submissions replayed, 0 excluded" in told
        assert open_runs(server) == []
        assert first.poll() is None

    running = start(journal, "near", "--seed", "5")
    told, said = running.communicate(timeout=240)
    assert running.returncode == 0, said
    far, near = submissions_of(journal, "far"), submissions_of(journal, "near")
    assert len(far) == _SUBMISSIONS
    assert {host: untimed(payload) for host, payload in far.items()} == {
        host: untimed(payload) for host, payload in near.items()
    }
    assert received_of(journal, "far") == received_of(journal, "near")
    assert classes_of(journal, "far") == classes_of(journal, "near")
    assert len(classes_of(journal, "far")) >= _SUBMISSIONS
    assert verify(journal.path).clean

    # What Prefect keeps names units and nothing that was recorded.
    kept = [server.ask(f"/{things}/filter", {"limit": 200}) for things in ("flow_runs", "logs")]
    kept.append(server.ask("/deployments/filter", {}))
    text = json.dumps(kept)
    assert "replay_unit" in text
    assert "Finished in state" in text
    assert not [word for word in ("ahorn", "site-1", "no-1.", _TOKEN) if word in text.lower()]


@pytest.mark.slow
def test_a_pool_without_workers_is_told_of_and_nothing_stays_in_prefect(
    tmp_path: Path, server: PrefectServer
) -> None:
    journal = make_journal(tmp_path, *accepted(30))
    options = ("--engine", "prefect", "--pool", "nobody")
    killed = start(journal, "r", *options, server=server)
    wait_for(lambda: bool(open_runs(server)), what="a flow run", timeout_s=60)
    before = {run["id"] for run in open_runs(server)}
    killed.kill()
    killed.communicate()

    running = start(journal, "r", *options, server=server)
    assert running.stderr is not None
    lines = iter(running.stderr.readline, "")
    assert next(line for line in lines if "no worker polls the pool nobody" in line)
    assert not before & {run["id"] for run in open_runs(server)}
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "not done yet: 30" in told
    assert open_runs(server) == []
    assert submissions_of(journal, "r") == {}
