"""Memory of the dashboard over an hour of shadow week, in minutes.

`shadow watch` runs in a terminal on a journal of DASHBOARD_HOUR events (a million), while another
process appends what a recorder appends in an hour at 200 events a second, as fast as it can. Told
is the memory that is resident of the process that shows, and of those beside it that read, when the
first look at now stands and when the look at the last event does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.big_week import CHUNK, fill
from harness.journal.store import Journal
from tests.support.terminal import OnTerminal

EVENTS = 1_000_000
HOUR_S, RATE = 3_600, 200
MOST_MB = 400.0
_BATCH = 2_000
_LIMIT_S = 1_800.0


def run() -> None:
    """Print memory at the beginning and at the end."""
    size = int(os.environ.get("DASHBOARD_HOUR", EVENTS))
    until = size + HOUR_S * RATE
    with tempfile.TemporaryDirectory(prefix="shadow-hour-") as name:
        journal = Path(name) / "week.duckdb"
        Journal.create(journal)
        _filling(journal, 0, size, CHUNK).wait()
        watch = [sys.executable, "-m", "harness.cli", "watch", "--journal", str(journal)]
        with OnTerminal(watch, {"XDG_STATE_HOME": name}) as terminal:
            terminal.wait_for(f"LIVE seq {size:,}", within_s=_LIMIT_S)
            own_mb, beside_mb = _memory_of(terminal.process.pid)
            began = time.monotonic()
            with _filling(journal, size, until, _BATCH):
                terminal.wait_for(f"LIVE seq {until:,}", within_s=_LIMIT_S)
            took_s = time.monotonic() - began
            own_then_mb, beside_then_mb = _memory_of(terminal.process.pid)
            terminal.type(b"q")
            terminal.end()
    print(
        f"dashboard of {size:,} events over an hour of {RATE} events a second, in {took_s:.0f} s: "
        f"{own_mb:.0f} MB in the process that shows at first and {own_then_mb:.0f} at the end: "
        f"{'holds' if own_then_mb <= MOST_MB else 'MISSED,'} at most {MOST_MB:.0f}; "
        f"{beside_mb:.0f} and {beside_then_mb:.0f} MB in those that read the journal",
        flush=True,
    )


def _filling(journal: Path, since: int, until: int, chunk: int) -> subprocess.Popen[bytes]:
    """Another process, as a recorder is one: what it holds is not the dashboard's."""
    numbers = map(str, (since, until, chunk))
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dashboard_hour", str(journal), *numbers]
    )


def _memory_of(pid: int) -> tuple[float, float]:
    """MB resident of a process, and of all below it."""
    shows = psutil.Process(pid)
    beside = sum(child.memory_info().rss for child in shows.children(recursive=True))
    return shows.memory_info().rss / 1e6, beside / 1e6


if __name__ == "__main__":
    _since, _until, _chunk = map(int, sys.argv[2:])
    fill(Journal.open(Path(sys.argv[1])), _until, since=_since, chunk=_chunk)
