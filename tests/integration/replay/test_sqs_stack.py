"""A deployed stack, unchanged: a message in, its outcome from its tables, and nothing left."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import replay.worker.stack.place as place_module
from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import EventDraft
from replay.run import ReplayConfig, ReplayState, replay
from replay.seal.isolation import NONE, SlotLayer
from replay.worker.contract import Timeouts
from replay.worker.stack.worker import StackWorker
from tests.support.events import make_control, make_history
from tests.support.replays import (
    CAPTCHA,
    QUICK,
    REFUSED,
    SENT,
    TIMED_OUT,
    accepted,
    make_journal,
    payloads_of,
    submissions_of,
)
from tests.support.stacks import LISTING_STACK, STACK_FOLDER, Servers


@pytest.fixture(autouse=True)
def _nothing_is_left(servers: Servers) -> Iterator[None]:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    databases = servers.databases()
    yield
    assert servers.databases() == databases
    assert servers.queues() == set()
    assert servers.rows() == 0
    deadline = time.monotonic() + 5
    while left := {c.pid for c in psutil.Process().children(recursive=True)} - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def run(journal: Journal, worker: StackWorker, name: str = "r", **options: object) -> ReplayState:
    config = ReplayConfig(run=name, concurrency=2, timeouts=QUICK, **options)  # type: ignore[arg-type]
    return replay(journal, config, worker=worker)


def mixed() -> list[EventDraft]:
    return [
        make_control(host="accepted.example"),
        make_control(host="welcome.example"),
        make_control("failed", host="refused.example", message=REFUSED),
        make_control("failed", host="misleading.example", message=REFUSED),
        make_history("submitting", number=1, host="misleading.example"),
        make_history("submitted", number=2, host="misleading.example", second=9),
        make_control("failed", host="captcha.example", message=CAPTCHA),
        make_control("failed", host="slow.example", message=TIMED_OUT),
        make_control("failed", host="missing.example", message="Playwright error: 404 Not Found"),
        make_control("failed", host="closed.example", message="Playwright error: 403 Forbidden"),
        make_control("failed", host="known.example", message=f"{REFUSED} Already listed."),
        make_control("pending", host="unknown.example"),
    ]


def test_a_stack_ends_as_the_built_in_worker_does(servers: Servers, tmp_path: Path) -> None:
    """What it claims is read from its history by the mapping of production's."""
    journal = make_journal(tmp_path, *mixed())
    replay(journal, ReplayConfig(run="own", timeouts=QUICK))
    state = run(journal, servers.worker())
    own, found = submissions_of(journal, "own"), submissions_of(journal, "r")
    assert found.keys() == own.keys()
    told = {
        host: (one["claimed"]["status"], one["observed"]["accepted"], one["observed"]["values"])
        for host, one in found.items()
        if not one["excluded"]
    }
    assert told == {
        host: (one["claimed"]["status"], one["observed"]["accepted"], one["observed"]["values"])
        for host, one in own.items()
        if not one["excluded"]
    }
    assert told["accepted.example"] == ("submitted", 1, SENT)
    assert told["misleading.example"][:2] == ("submitted", 0)
    assert {host for host, (word, *_) in told.items() if word == "submitted"} == {
        "accepted.example", "welcome.example", "misleading.example",
    }  # fmt: skip
    assert (state.done, state.excluded, state.crashed, state.escapes) == (9, 1, 0, 0)
    claimed = found["accepted.example"]["claimed"]
    assert claimed["duration_ms"] > 500
    assert claimed["error_text"] is None
    started = payloads_of(journal, "replay.started")[-1]
    assert started["worker"] == LISTING_STACK
    assert "DATABASE_URL" not in str(started)


PATCHED = """
import os, sys, time
sys.path.insert(0, FOLDER)
from listing_stack import consumer, tables

def submit(connection, job_id, directory, priority):
    name = directory.partition(".")[0]
    if name in ("dies", "waits"):
        tables.record_history(connection, job_id, "submitting", directory=directory, idem="1")
    if name == "dies":
        sys.stderr.write("no more memory\\n")
        sys.stderr.flush()
        os._exit(3)
    if name == "waits":
        os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sleep", NAP)
        time.sleep(600)
    if name == "half":
        tables.record_history(connection, job_id, "submitting", directory=directory, idem="1")
    if name == "open":
        tables.record_history(connection, job_id, "submitted", directory=directory)
        time.sleep(600)
    if name in ("silent", "half"):
        return "submitted"
    if name == "errs":
        tables.record_history(
            connection, job_id, "error", directory=directory, error="brain is away",
            error_type="RuntimeError",
        )
        return "failed"
    tables.record_history(connection, job_id, "submitted", directory=directory, duration_ms=12)
    return "submitted"

class Careless:
    def __init__(self, client):
        self.client = client
        self.receive_message = client.receive_message

    def delete_message(self, **told):
        if not MODE:
            self.client.delete_message(**told)

def give_back(connection, message):
    queue.client.change_message_visibility(
        QueueUrl=os.environ["SQS_QUEUE_URL"], ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=0,
    )

consumer.submit = submit
queue = Careless(consumer.boto3.client("sqs"))
consumer.boto3.client = lambda name: queue
if MODE == "refuses":
    consumer.handle = give_back
if MODE == "deaf":
    consumer.handle = lambda connection, message: time.sleep(600)
consumer.main()
"""
NAP = f"4321{os.getpid()}"
LEFT = "its message was left in the queue"
TEXTS = {
    "dies": f"crash of the worker: exit code 3: no more memory; {LEFT}",
    "waits": f"stuck: no outcome after 4 s (timeout): begun and not ended; {LEFT}",
    "silent": "no word about this directory: its job ended as completed",
    "half": "begun and not ended: its job ended as completed",
    "open": LEFT,
    "errs": "brain is away",
    "fine": None,
}


def patched(servers: Servers, folder: Path, mode: str = "", **options: object) -> StackWorker:
    head = f"FOLDER, NAP, MODE = {str(STACK_FOLDER)!r}, {NAP!r}, {mode!r}\n"
    (folder / "patched.py").write_text(head + PATCHED, encoding="utf-8")
    return servers.worker(f"sqs:{sys.executable} patched.py", folder=folder, deadline=4, **options)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Timeouts, "longest_s", lambda self, plan: 1.0)


@pytest.mark.usefixtures("quick")
def test_every_way_in_which_a_stack_ends_is_an_outcome(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on with another stack, and whoever the last one has started is gone."""
    monkeypatch.setattr(place_module, "QUIET_S", 1.0)
    journal = make_journal(tmp_path, *(make_control(host=f"{name}.example") for name in TEXTS))
    state = run(journal, patched(servers, tmp_path))
    found = submissions_of(journal, "r")
    texts = {host.partition(".")[0]: one["claimed"]["error_text"] for host, one in found.items()}
    assert texts == TEXTS
    assert found["fine.example"]["claimed"]["status"] == "submitted"
    assert found["fine.example"]["claimed"]["duration_ms"] == 12
    assert [host for host, one in found.items() if one["crashed"]] == ["dies.example"]
    assert (state.done, state.finished, state.escapes) == (7, True, 0)
    assert not any(NAP in line for line in command_lines())


@pytest.mark.usefixtures("quick")
def test_without_a_network_of_its_own_a_stack_runs_only_if_that_is_asked_for(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_module, "find_isolation", lambda: NONE)
    journal = make_journal(tmp_path, make_control(host="fine.example"))
    with pytest.raises(ReplayError, match=r"no network of its own.*set stack\.run_unsealed"):
        run(journal, patched(servers, tmp_path, run_unsealed=False))
    assert payloads_of(journal, "replay.started") == []
    state = run(journal, patched(servers, tmp_path))
    assert (state.done, state.crashed, state.escapes) == (1, 0, 0)
    assert SlotLayer.NETWORK in state.not_sealed_by
    assert payloads_of(journal, "replay.started")[0]["not_sealed_by"] == list(state.not_sealed_by)


def command_lines() -> Iterator[str]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            yield " ".join(process.cmdline())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("keeps", LEFT),
        ("refuses", "its message went to the dead-letter queue"),
        ("deaf", f"stuck: no outcome after 4 s (timeout): no word of its job; {LEFT}"),
    ],
)
def test_what_becomes_of_the_message_is_told(
    servers: Servers, tmp_path: Path, mode: str, text: str
) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    run(journal, patched(servers, tmp_path, mode))
    (one,) = submissions_of(journal, "r").values()
    assert one["claimed"]["error_text"] == text
    assert one["claimed"]["status"] == ("submitted" if mode == "keeps" else "failed")


def test_a_stack_that_cannot_start_ends_the_run_before_it_begins(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    head = journal.head()
    with pytest.raises(ReplayError, match=r"exit code 1: .* No module named no_stack"):
        run(journal, servers.worker(f"sqs:{sys.executable} -m no_stack"))
    monkeypatch.setattr(place_module, "START_S", 1.5)
    with pytest.raises(ReplayError, match=r"it asked for no message within 1\.5 s: up"):
        run(journal, servers.worker("sqs:sh -c 'echo up; sleep 60'"))
    assert journal.head() == head
