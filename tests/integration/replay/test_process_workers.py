"""Workers that are not ours, unchanged: what they claim, and every way in which they can end."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

import replay.seal.place as place_module
from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import EventDraft, Order
from replay.browser import find_browser
from replay.run import ReplayConfig, ReplayState, replay
from replay.sandbox.conditions import Condition
from replay.sandbox.sites import Hit, Reply, Site, make_site
from replay.seal.isolation import NONE, Isolation, SlotLayer, find_isolation
from replay.seal.place import SlotPlace
from replay.seal.slot import Slot
from replay.worker.choose import make_worker
from replay.worker.contract import Timeouts
from replay.worker.process import ProcessWorker
from tests.support.events import make_control
from tests.support.foreign import COMPANY, COMPANY_FOLDER, make_node_worker, node
from tests.support.journals import assessed
from tests.support.replays import (
    REFUSED,
    SENT,
    accepted,
    every_condition,
    make_journal,
    payloads_of,
    submissions_of,
)

QUEUED = "queued.example"
ALLOWED = find_isolation()
EITHER = pytest.mark.parametrize(
    "isolation", [ALLOWED, NONE] if ALLOWED.network else [NONE],
    ids=lambda isolation: "sealed" if isolation.network else "no namespaces",
)  # fmt: skip


class Queued:
    """A site that stores the listing and says so in words that no judge by words knows."""

    def __init__(self, inner: Site) -> None:
        self._inner = inner

    def answer(self, hit: Hit) -> Reply | None:
        if hit.method != "POST":
            return self._inner.answer(hit)
        return Reply(body="<h1>Listing queued for review</h1>", accepts=True)


def site_for(order: Order, condition: Condition) -> Site:
    site = make_site(order, condition)
    return Queued(site) if order.directory == QUEUED else site


def refused_and_accepted() -> list[EventDraft]:
    """Accepted, refused, and refused with words of success on the page."""
    names = ("accepted.example", "refused.example", "misleading.example")
    return [event for event in every_condition() if event.directory in names]


def made(spec: str, **options: Any) -> ProcessWorker:
    worker = make_worker(spec, **options)
    assert worker is not None
    return worker


def run(
    journal: Journal, worker: ProcessWorker, *, concurrency: int = 1, **options: Any
) -> ReplayState:
    config = ReplayConfig(run="r", concurrency=concurrency, **options)
    return replay(journal, config, worker=worker, site_for=site_for)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    deadline = time.monotonic() + 5
    while left := {c.pid for c in psutil.Process().children(recursive=True)} - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_the_companys_worker_unchanged_claims_what_it_claims_in_production(tmp_path: Path) -> None:
    """Its judge by words is fooled both ways; the sandbox knows what really happened."""
    events = [*refused_and_accepted(), make_control(host=QUEUED)]
    journal = make_journal(tmp_path, *events)
    state = run(journal, made(COMPANY, folder=COMPANY_FOLDER), concurrency=4)
    found = submissions_of(journal, "r")
    told = {
        host.partition(".")[0]: (
            one["claimed"]["status"], one["claimed"]["error_text"], one["observed"]["accepted"]
        )
        for host, one in found.items()
    }  # fmt: skip
    nothing = "No success indicators found on final page"
    assert told == {
        "accepted": ("submitted", None, 1),
        "refused": ("failed", nothing, 0),
        "misleading": ("submitted", None, 0),
        "queued": ("failed", nothing, 1),
    }
    assert (state.done, state.crashed, state.escapes, state.unconfirmed) == (4, 0, 0, 1)
    claimed, observed = (found["accepted.example"][side] for side in ("claimed", "observed"))
    assert observed["values"] == SENT
    assert claimed["final_url"] == "https://accepted.example/submit"
    assert claimed["steps_done"] == 8
    assert claimed["duration_ms"] > 8 * 500, "its own naps are part of it"
    (started,) = payloads_of(journal, "replay.started")
    assert (started["worker"], started["fast_sleeps"]) == (COMPANY, False)
    assert started["layers"] == [str(layer) for layer in ALLOWED.layers]
    assert started["browser"][0].isdigit()
    found_at = {
        finding.id: {one.directory for one in finding.evidence}
        for finding in assessed(journal).findings
        if finding.mode == "r"
    }
    assert found_at["false_success"] == {"misleading.example"}
    assert found_at["false_failure"] == {QUEUED}


@EITHER
def test_a_node_worker_keeps_its_browser_from_one_order_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: Isolation
) -> None:
    """Whose submission a site is visited for is told by the connection, not by the browser."""
    monkeypatch.setattr(place_module, "find_isolation", lambda: isolation)
    journal = make_journal(tmp_path, *refused_and_accepted())
    worker = made(f"command:{node()} worker.mjs", folder=make_node_worker(tmp_path))
    state = run(journal, worker)
    told = {
        host: (one["claimed"]["status"], one["observed"]["accepted"], one["observed"]["posts"])
        for host, one in submissions_of(journal, "r").items()
    }
    assert told == {
        "accepted.example": ("submitted", 1, 1),
        "refused.example": ("failed", 0, 1),
        "misleading.example": ("failed", 0, 1),
    }
    assert (state.agreeing, state.crashed, state.escapes) == (3, 0, 0)
    expected = () if isolation.network else (
        SlotLayer.NETWORK, SlotLayer.FILES, SlotLayer.WRITES, SlotLayer.PROCESSES
    )  # fmt: skip
    assert state.not_sealed_by == expected


LAUNCHES = """
from playwright.sync_api import sync_playwright

WAYS = {
    "plain": {},
    "channel": {"channel": "chrome"},
    "path": {"executable_path": BROWSER},
    "proxy": {"proxy": {"server": "http://127.0.0.1:9"}, "args": ["--host-resolver-rules=MAP * x"]},
}

def work(directory, plan):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**WAYS[directory.partition(".")[0]])
        page = browser.new_page()
        page.goto(plan[0]["url"])
        title = page.title()
        browser.close()
    return {"status": "submitted", "error_message": title}
"""


@pytest.mark.skipif(not ALLOWED.files, reason=f"no mount namespace here: {ALLOWED.reason}")
def test_however_a_browser_is_launched_it_is_the_sealed_one(tmp_path: Path) -> None:
    """Only a browser with the seal's proxy and authority sees the site at all."""
    head = f"BROWSER = {str(find_browser())!r}\n"
    (tmp_path / "launches.py").write_text(head + LAUNCHES, encoding="utf-8")
    hosts = ("plain.example", "channel.example", "path.example", "proxy.example")
    journal = make_journal(tmp_path, *(make_control(host=host) for host in hosts))
    state = run(journal, made("python:launches:work", folder=tmp_path), concurrency=2)
    titles = {
        host: one["claimed"]["error_text"] for host, one in submissions_of(journal, "r").items()
    }
    assert titles == dict.fromkeys(hosts, "Add a business")
    assert (state.crashed, state.escapes) == (0, 0)


ENDS = """
import os, signal, subprocess, sys, time

async def work(job_id, directory, plan, business):
    name = directory.partition(".")[0]
    print("at", name)
    if name == "exits":
        sys.stderr.write("no more memory\\n")
        os._exit(3)
    if name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "raises":
        raise KeyError("plan")
    if name == "sleeps":
        subprocess.Popen(["sleep", "7654"], start_new_session=True)
        time.sleep(60)
    if name == "odd":
        return {"status": "done"}
    if name == "nothing":
        return None
    assert job_id and plan[0]["action"] == "goto" and business["name"]
    return {"status": "skipped", "error_message": "already there"}
"""
TEXTS = {
    "exits": "crash of the worker: exit code 3: no more memory",
    "killed": "crash of the worker: killed by SIGKILL",
    "raises": "crash of the worker: KeyError: 'plan'",
    "sleeps": "stuck: no result after 0.5 s (timeout)",
    "odd": "crash of the worker: unusable answer: status = 'done' is none of "
    "failed, skipped, submitted",
    "nothing": "crash of the worker: unusable answer: None is no dict",
    "fine": "already there",
}


@EITHER
def test_every_way_in_which_a_worker_ends_is_an_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: Isolation
) -> None:
    monkeypatch.setattr(place_module, "find_isolation", lambda: isolation)
    monkeypatch.setattr(place_module, "START_S", 1.5)
    monkeypatch.setattr(Timeouts, "longest_s", lambda self, plan: 0.5)
    (tmp_path / "ends.py").write_text(ENDS, encoding="utf-8")
    journal = make_journal(tmp_path, *(make_control(host=f"{name}.example") for name in TEXTS))
    state = run(journal, made("python:ends:work", folder=tmp_path))
    found = submissions_of(journal, "r")
    texts = {host.partition(".")[0]: one["claimed"]["error_text"] for host, one in found.items()}
    assert texts == TEXTS
    crashed = {host.partition(".")[0] for host, one in found.items() if one["crashed"]}
    assert crashed == TEXTS.keys() - {"sleeps", "fine"}
    assert (state.done, state.crashed, state.finished) == (7, 5, True)
    assert found["fine.example"]["claimed"]["status"] == "skipped"
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT directory, error_class FROM submissions_now "
            "WHERE mode = 'r' AND side = 'candidate'"
        )
    classes = {host.partition(".")[0]: word for host, word in rows}
    assert {classes[name] for name in crashed} == {"crash"}
    assert classes["sleeps"] == "timeout"


@EITHER
def test_a_program_may_exit_after_each_order_and_leave_what_it_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolation: Isolation
) -> None:
    """Whoever detached from it is found and ended too; its files go with the slot."""
    monkeypatch.setattr(place_module, "find_isolation", lambda: isolation)
    left: list[SlotPlace] = []
    monkeypatch.setattr(
        SlotPlace,
        "_close",
        lambda self, close=SlotPlace._close: (left.append(self), close(self))[1],
    )
    program = tmp_path / "once.sh"
    # Ours alone: another run of this test may sleep beside it.
    naps = f"sleep 8765{os.getpid()}"
    program.write_text(
        f"#!/bin/sh\nread -r order\nsetsid {naps} >/dev/null 2>&1 &\n"
        "echo '{not json'\necho starting\ntouch left-behind \"$HOME/mine\"\n"
        'echo \'{"status": "submitted", "steps_done": 2}\'\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    journal = make_journal(tmp_path, *accepted(3))
    state = run(journal, made("command:./once.sh", folder=tmp_path))
    assert (state.done, state.crashed, state.unconfirmed) == (3, 0, 3)
    claims = [one["claimed"] for one in submissions_of(journal, "r").values()]
    assert {(claim["status"], claim["steps_done"]) for claim in claims} == {("submitted", 2)}
    (place,) = left
    (leftovers,) = place.left
    assert leftovers.files == ("home/mine",)
    assert all(naps in line for line in leftovers.processes)
    assert not any(naps in " ".join(line) for line in command_lines())


def test_programs_begin_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In step they would all start their browsers at once, and then all sleep at once."""
    began: list[float] = []
    monkeypatch.setattr(
        Slot,
        "__aenter__",
        lambda self, enter=Slot.__aenter__: (began.append(time.monotonic()), enter(self))[1],
    )
    program = tmp_path / "naps.sh"
    program.write_text(
        '#!/bin/sh\nread -r order\nsleep 4\necho \'{"status": "submitted"}\'\n', encoding="utf-8"
    )
    program.chmod(0o755)
    journal = make_journal(tmp_path, *accepted(4))
    state = run(journal, made("command:./naps.sh", folder=tmp_path), concurrency=4)
    assert (state.done, state.crashed) == (4, 0)
    gaps = [later - sooner for sooner, later in pairwise(began)]
    assert len(gaps) >= 2
    assert min(gaps) >= 0.5


def command_lines() -> Iterator[list[str]]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            yield process.cmdline()


def test_a_worker_that_cannot_start_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    head = journal.head()
    (tmp_path / "broken.py").write_text("import nothing_of_this_name", encoding="utf-8")
    with pytest.raises(ReplayError, match="No module named 'nothing_of_this_name'"):
        run(journal, made("python:broken:work", folder=tmp_path))
    (tmp_path / "fine.py").write_text("def work(): ...", encoding="utf-8")
    with pytest.raises(ReplayError, match="has no attribute 'other'"):
        run(journal, made("python:fine:other", folder=tmp_path))
    assert journal.head() == head


def test_another_worker_does_not_continue_a_run(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, make_control("failed", message=REFUSED))
    (tmp_path / "w.py").write_text(
        "def one(): return {'status': 'failed'}\ntwo = one\n", encoding="utf-8"
    )
    assert run(journal, made("python:w:one", folder=tmp_path)).finished
    with pytest.raises(ReplayError, match="worker = python:w:two: run r was started with"):
        run(journal, made("python:w:two", folder=tmp_path))


def test_the_worker_sees_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "DATABASE_URL": "postgres://prod:hunter2@db.example/prod",
        "SUPABASE_URL": "https://hunter2.example",
        "CREWAI_URL": "https://hunter2.example/plan",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_SESSION_TOKEN": "hunter2",
        "AWS_ENDPOINT_URL": "https://hunter2.example",
        "SHADOW_DSN": "hunter2",
        "NO_PROXY": "hunter2.example",
        "SSH_AUTH_SOCK": "/tmp/hunter2",
        "XDG_RUNTIME_DIR": "/run/hunter2",
        "ANYTHING": "hunter2",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tell.py").write_text(
        "import os\ndef work():\n"
        "    raise ValueError(sorted(k for k, v in os.environ.items() if 'hunter2' in v), "
        "os.environ['NO_PROXY'], os.environ['HOME'], os.environ['AWS_ENDPOINT_URL'])\n",
        encoding="utf-8",
    )
    journal = make_journal(tmp_path, *accepted(1))
    run(journal, made("python:tell:work", folder=tmp_path))
    (one,) = submissions_of(journal, "r").values()
    text = one["claimed"]["error_text"]
    assert text.startswith("crash of the worker: ValueError: ([], '', '")
    assert "http://127.0.0.1:" in text
    assert os.environ["HOME"] not in text
