"""The command is killed where it stands, ten times; the record stays whole and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil
import pytest

from harness.journal.verify import verify
from replay.spool import folder_of
from tests.support.events import make_control
from tests.support.replays import CAPTCHA, REFUSED, accepted, make_journal, submissions_of

_KILLS = 10
_SUBMISSIONS = 96
_OPENING_S = 3.0
"""Half of the kills fall into the first seconds, while interpreter, sandbox and browser start."""
_WORKING_S = 1.5
"""The others fall into so many seconds after the first outcome of this turn is in the journal."""


def those_below(folder: Path) -> list[psutil.Process]:
    """Living processes that name this folder: browsers, their drivers and their helpers."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.environ().get("TMPDIR", "")]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in w for w in words):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait for it; fail after `within_s`."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.serial
@pytest.mark.slow
def test_ten_kills_cost_no_submission_and_leave_no_browser(tmp_path: Path) -> None:
    refused = [
        make_control("failed", host=f"no-{n}.example", message=REFUSED if n % 2 else CAPTCHA)
        for n in range(4)
    ]
    journal = make_journal(tmp_path, *accepted(_SUBMISSIONS - len(refused)), *refused)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("SHADOW_")}
    environ["TMPDIR"] = str(temporary)
    command = [
        sys.executable, "-m", "harness.cli", "replay", "--journal", str(journal.path),
        "--run", "r", "--concurrency", "2", "--seed", "11",
    ]  # fmt: skip
    chance = Random(20)
    for turn in range(_KILLS):
        before = len(submissions_of(journal, "r"))
        running = subprocess.Popen(
            command, env=environ, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if turn % 2:
            # A machine that is fast may have done them all before the last turn.
            wait_until(
                lambda: running.poll() is not None or len(submissions_of(journal, "r")) > before,  # noqa: B023
                within_s=60,
            )
            time.sleep(chance.uniform(0, _WORKING_S))
        else:
            time.sleep(chance.uniform(0, _OPENING_S))
        running.send_signal(signal.SIGKILL)
        running.wait()
        wait_until(lambda: not those_below(temporary), within_s=10)
        assert before <= len(submissions_of(journal, "r")) <= _SUBMISSIONS

    again = [*command[:-6], "--resume", "r", "--json"]
    done = subprocess.run(
        again, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    state = json.loads(done.stdout)
    assert (state["done"], state["agreeing"], state["left"], state["finished"]) == (
        _SUBMISSIONS, _SUBMISSIONS, 0, True,
    )  # fmt: skip
    # Fails if a submission is there twice.
    assert len(submissions_of(journal, "r")) == _SUBMISSIONS
    assert those_below(temporary) == []
    assert list(temporary.iterdir()) == []
    assert not folder_of(journal.path).exists()
    assert verify(journal.path).clean
    assert tempfile.gettempdir() != str(temporary)
