"""Memory of the dashboard over an hour of shadow week, in minutes.

`shadow watch` runs in a terminal on a journal of DASHBOARD_HOUR events (a million), while another
process appends what a recorder appends in an hour at 200 events a second, as fast as it can. Told
is the memory that is resident of the process that shows, and of those beside it that read, when the
first look at now stands and when the hour is over.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.big_week import PER_JOB, fill, make_week
from benchmarks.terminal import Terminal
from harness.journal.store import Journal
from harness.model import Batch, Watermark

EVENTS = 1_000_000
HOUR_S, RATE = 3_600, 200
MOST_MB = 400.0
_BATCH = 2_000
_LIMIT_S = 120.0
_REST_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    own_mb: float
    beside_mb: float


def run() -> None:
    """Print memory at the beginning and at the end."""
    size = int(os.environ.get("DASHBOARD_HOUR", EVENTS))
    with tempfile.TemporaryDirectory(prefix="shadow-hour-") as name:
        journal = Path(name) / "week.duckdb"
        _in_another_process("fill", journal, size)
        watch = [sys.executable, "-m", "harness.cli", "watch", "--journal", str(journal)]
        environment = os.environ | {"XDG_STATE_HOME": name, "TERM": "xterm-256color"}
        with Terminal(watch, environment) as terminal:
            terminal.wait_for(f"LIVE seq {size:,}", _LIMIT_S)
            first = _memory_of(terminal.pid)
            threading.Thread(target=terminal.drain, daemon=True).start()
            began = time.perf_counter()
            _in_another_process("hour", journal, size)
            took_s = time.perf_counter() - began
            # The last look has ended too.
            time.sleep(_REST_S)
            last = _memory_of(terminal.pid)
    print(
        f"dashboard of {size:,} events over an hour of {RATE} events a second, in {took_s:.0f} s: "
        f"{first.own_mb:.0f} MB in the process that shows at first and {last.own_mb:.0f} at the "
        f"end: {'holds' if last.own_mb <= MOST_MB else 'MISSED,'} at most {MOST_MB:.0f}; "
        f"{first.beside_mb:.0f} and {last.beside_mb:.0f} MB in those that read the journal",
        flush=True,
    )


def _in_another_process(what: str, journal: Path, size: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "benchmarks.dashboard_hour", what, str(journal), str(size)],
        check=True,
    )


def _memory_of(pid: int) -> _Memory:
    shows = psutil.Process(pid)
    beside = sum(child.memory_info().rss for child in shows.children(recursive=True))
    return _Memory(own_mb=shows.memory_info().rss / 1e6, beside_mb=beside / 1e6)


def _append_an_hour(path: Path, size: int) -> None:
    journal = Journal.open(path)
    events = itertools.islice(make_week(size // PER_JOB), size % PER_JOB, None)
    for _ in range(HOUR_S * RATE // _BATCH):
        new = tuple(itertools.islice(events, _BATCH))
        mark = Watermark(
            source="production", position={"xid": 7}, complete_until=new[-1].occurred_at
        )
        journal.append(Batch(events=new, watermarks=(mark,)))


if __name__ == "__main__":
    _what, _path, _size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if _what == "fill":
        fill(Journal.create(_path), _size)
    else:
        _append_an_hour(_path, _size)
