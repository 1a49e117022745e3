"""Runs that are stopped, killed, crash or get stuck: each submission counts once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from playwright.async_api import BrowserContext

from harness.errors import BrowserError, ReplayError
from harness.journal.verify import verify
from harness.model import Batch, Claim, Order, Outcome
from replay.run import ReplayConfig, ReplayState, replay
from replay.worker.choose import make_worker
from replay.worker.contract import Timeouts
from tests.support.foreign import COMPANY, COMPANY_FOLDER
from tests.support.replays import (
    QUICK,
    accepted,
    every_condition,
    make_journal,
    payloads_of,
    submissions_of,
)


class Script:
    """A worker that does what a function says and claims "submitted"."""

    name = "script"

    def __init__(self, act: Callable[[Order, BrowserContext], object]) -> None:
        self._act = act
        self.began: list[str] = []

    async def submit(self, order: Order, context: BrowserContext) -> Claim:
        self.began.append(order.directory)
        result = self._act(order, context)
        if asyncio.iscoroutine(result):
            await result
        return Claim(status=Outcome.SUBMITTED, duration_ms=1.0)


def children() -> list[psutil.Process]:
    """Living processes below this one."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    before = set(children())
    yield
    deadline = time.monotonic() + 5
    while left := set(children()) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def browser_process() -> psutil.Process:
    """The main process of the browser below this one."""
    for child in children():
        line = child.cmdline()
        # Debian starts it through a shell script, whose death it would survive.
        if "chrom" in line[0] and not any(part.startswith("--type=") for part in line):
            return child
    raise AssertionError("no browser is running")


def test_a_stopped_run_is_continued_and_repeats_nothing(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(6))
    stop = threading.Event()

    def stop_after_two(state: ReplayState) -> None:
        if state.done >= 2:
            stop.set()

    config = ReplayConfig(run="r", timeouts=QUICK, concurrency=2, seed=1)
    first = replay(journal, config, stop=stop, on_progress=stop_after_two)
    done = submissions_of(journal, "r")
    assert 2 <= first.done == len(done) < 6
    assert not first.finished
    assert payloads_of(journal, "replay.finished") == []

    second = replay(journal, ReplayConfig(run="r", resume=True, concurrency=2))
    assert (second.done, second.agreeing, second.finished) == (6, 6, True)
    after = submissions_of(journal, "r")
    assert {host: after[host] for host in done} == done
    assert len(payloads_of(journal, "replay.started")) == 2

    head = journal.head()
    assert replay(journal, ReplayConfig(run="r")).finished
    assert journal.head() == head
    assert verify(journal.path).clean


def test_a_resumed_run_keeps_its_selection(tmp_path: Path) -> None:
    """What was recorded after the first start belongs to another run."""
    journal = make_journal(tmp_path, *accepted(3))
    stop = threading.Event()
    stop.set()
    worker = Script(lambda order, context: None)
    config = ReplayConfig(run="r")
    assert replay(journal, config, worker=worker, stop=stop).done == 0
    journal.append(Batch(events=tuple(accepted(9)[3:])))
    assert replay(journal, ReplayConfig(run="r"), worker=worker).selected == 3
    with pytest.raises(ReplayError, match="limit = 5"):
        replay(journal, ReplayConfig(run="r", limit=5), worker=worker)
    with pytest.raises(ReplayError, match="worker = playwright"):
        replay(journal, ReplayConfig(run="r"))


def test_a_killed_browser_is_an_outcome_and_the_run_goes_on(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(5))

    async def act(order: Order, context: BrowserContext) -> None:
        page = await context.new_page()
        if order.directory == "site-2.example":
            browser_process().send_signal(signal.SIGKILL)
        await page.goto(f"https://{order.directory}/submit")

    state = replay(journal, ReplayConfig(run="r", concurrency=1), worker=Script(act))
    assert (state.done, state.crashed, state.finished) == (5, 1, True)
    claimed = submissions_of(journal, "r")["site-2.example"]["claimed"]
    assert (claimed["status"], claimed["error_text"]) == ("failed", "crash of the browser")
    with journal.reader() as reader:
        rows = reader.rows("SELECT directory FROM submissions_now WHERE error_class = 'crash'")
    assert rows == [("site-2.example",)]


def test_a_browser_killed_beside_a_waiting_worker_ends_the_wait(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(1))

    async def act(order: Order, context: BrowserContext) -> None:
        browser_process().send_signal(signal.SIGKILL)
        await asyncio.Event().wait()

    state = replay(journal, ReplayConfig(run="r"), worker=Script(act))
    assert (state.crashed, state.finished) == (1, True)
    assert state.elapsed_s < 20


def test_a_worker_that_raises_is_an_outcome_with_its_words(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(2))

    def act(order: Order, context: BrowserContext) -> None:
        if order.directory == "site-0.example":
            raise ValueError("no such thing\nsecond line")

    state = replay(journal, ReplayConfig(run="r"), worker=Script(act))
    assert (state.done, state.crashed) == (2, 1)
    claimed = submissions_of(journal, "r")["site-0.example"]["claimed"]
    assert claimed["error_text"] == "crash of the worker: ValueError: no such thing"


def test_a_stuck_worker_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    monkeypatch.setattr(Timeouts, "longest_s", lambda self, plan: 0.3)

    async def act(order: Order, context: BrowserContext) -> None:
        await asyncio.Event().wait()

    state = replay(journal, ReplayConfig(run="r"), worker=Script(act))
    assert state.finished
    with journal.reader() as reader:
        ((text, why),) = reader.rows(
            "SELECT error_text, error_class FROM submissions_now "
            "WHERE mode = 'r' AND side = 'candidate'"
        )
    assert text == "stuck: no result after 0.3 s (timeout)"
    assert why == "timeout"


def test_it_runs_in_a_thread_and_tells_how_it_stands(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(2))
    told: list[ReplayState] = []
    thread = threading.Thread(
        target=lambda: replay(
            journal, ReplayConfig(run="r", timeouts=QUICK), on_progress=told.append
        )
    )
    thread.start()
    thread.join(60)
    assert [state.done for state in told] == [0, 1, 2, 2]
    assert told[-1].finished
    assert told[-1].rate_per_s


def test_what_fails_in_a_callback_ends_the_run_cleanly(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(3))

    def fail(state: ReplayState) -> None:
        if state.done:
            raise RuntimeError("of the caller")

    with pytest.raises(RuntimeError, match="of the caller"):
        replay(journal, ReplayConfig(run="r", timeouts=QUICK), on_progress=fail)
    assert len(submissions_of(journal, "r")) >= 1


def test_a_browser_that_cannot_start_leaves_no_trace(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    head = journal.head()
    with pytest.raises(BrowserError, match="does not start"):
        replay(journal, ReplayConfig(run="r", browser=Path("/bin/false")))
    assert journal.head() == head


def test_a_run_of_nothing_but_exclusions_needs_no_browser(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, every_condition()[-1])
    state = replay(journal, ReplayConfig(run="r", browser=Path("/nowhere")))
    assert (state.selected, state.excluded, state.finished) == (1, 1, True)
    assert len(submissions_of(journal, "r")) == 1


def test_a_run_goes_on_with_the_sites_that_it_was_started_with(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, every_condition()[-1])
    began = ReplayConfig(run="r", sites={"elm.example": "wizard"})
    replay(journal, began)
    assert replay(journal, began).finished
    for sites in ({}, {"elm.example": "iframe"}, {"oak.example": "wizard"}):
        for other in ({"run": "r"}, {"run": "b", "like": "r"}):
            with pytest.raises(ReplayError, match=r"replay\.sites are others"):
                replay(journal, replace(began, sites=sites, **other))
    assert replay(journal, replace(began, run="b", like="r")).finished


def test_a_run_goes_on_with_sleeps_as_it_was_started_with(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, every_condition()[-1])
    calm, hurried = (
        make_worker(COMPANY, folder=COMPANY_FOLDER, fast_sleeps=fast) for fast in (False, True)
    )
    replay(journal, ReplayConfig(run="r"), worker=calm)
    with pytest.raises(ReplayError, match="fast_sleeps = True"):
        replay(journal, ReplayConfig(run="r"), worker=hurried)


@pytest.mark.parametrize("name", ["live", "a:b", "", "../x", "-x"])
def test_a_name_that_would_be_misread_is_refused(tmp_path: Path, name: str) -> None:
    journal = make_journal(tmp_path, *accepted(1))
    with pytest.raises(ReplayError, match="is no name for a run"):
        replay(journal, ReplayConfig(run=name))


@pytest.mark.serial
def test_a_terminated_command_is_continued_by_name(tmp_path: Path) -> None:
    """The signal goes to the whole process group, as from a terminal or from timeout(1)."""
    # So many that the run still works when the first of them are in the journal.
    many = 80
    journal = make_journal(tmp_path, *accepted(many))
    command = [sys.executable, "-m", "harness.cli", "replay", "--journal", str(journal.path)]
    command += ["--run", "r", "--concurrency", "2"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SHADOW_")}
    running = subprocess.Popen(
        command, env=environ, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not submissions_of(journal, "r"):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.1)
    # Its own, not those of this process: an earlier test's helper may live on beside it.
    group = psutil.Process(running.pid).children(recursive=True)
    assert group
    os.killpg(running.pid, signal.SIGTERM)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert "Traceback" not in err
    assert "go on with: shadow replay --resume r" in out
    _, alive = psutil.wait_procs(group, timeout=5)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []

    again = subprocess.run(
        [*command[:-4], "--resume", "r", "--json"],
        env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    state = json.loads(again.stdout)
    counts = {name: state[name] for name in ("done", "agreeing", "crashed", "escapes", "left")}
    assert counts == {"done": many, "agreeing": many, "crashed": 0, "escapes": 0, "left": 0}
    assert state["finished"]
    assert len(submissions_of(journal, "r")) == many
