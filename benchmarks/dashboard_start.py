"""How long a person waits for the dashboard: its first full screen, and a jump to another moment.

`shadow watch` runs in a terminal of its own, from the command line to the moment at which the
gates stand on the screen. The floor is an app of the same library that shows one line. The first
run on a journal has nothing to show before the journal is assessed; every later one opens with
what was seen last. DASHBOARD_EVENTS sets the sizes, such as 1000000,10000000.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.big_week import fill
from harness.assess.criteria import load_criteria
from harness.journal.store import Journal
from harness.settings import Settings
from harness.tui.data import DashboardData

SIZES = "1000000"
_ROUNDS, _JUMPS = 5, 5
_LIMIT_S = 120.0
_LINES, _COLUMNS = 40, 120
_CODES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield Static("nothing else")
Bare().run()
"""


def run() -> None:
    """Print a line for each size."""
    for events in map(int, os.environ.get("DASHBOARD_EVENTS", SIZES).split(",")):
        with tempfile.TemporaryDirectory(prefix="shadow-dashboard-") as name:
            folder = Path(name)
            # In a process of its own: what it held must not be held while others are timed.
            command = [sys.executable, "-m", "benchmarks.dashboard_start", str(folder), str(events)]
            subprocess.run(command, check=True)
            _tell(folder, events)


def _tell(folder: Path, events: int) -> None:
    journal = folder / "week.duckdb"
    watch = [sys.executable, "-m", "harness.cli", "watch", "--journal", str(journal)]
    environment = os.environ | {"XDG_STATE_HOME": str(folder), "TERM": "xterm-256color"}
    shown = f"seq {events:,}".encode()
    first = wait_for(watch, shown, environment)
    bare, ours, now = [], [], []
    for _ in range(_ROUNDS):
        bare.append(wait_for([sys.executable, "-c", _BARE], b"nothing else", environment))
        ours.append(wait_for(watch, shown, environment))
        now.append(wait_for(watch, b"LIVE " + shown, environment))
    floor, kept, live = map(statistics.median, (bare, ours, now))
    print(
        f"dashboard of {events:,} events: first full screen after {kept:.2f} s, "
        f"{kept / floor:.1f} times as long as an app of one line ({floor:.2f} s); the present "
        f"after {live:.2f} s; the very first run on a journal {first:.2f} s; medians of {_ROUNDS}"
    )
    data, chance = DashboardData(journal, load_criteria(Settings())), random.Random(events)
    jumps = []
    for _ in range(_JUMPS):
        began = time.perf_counter()
        assert data.load(chance.randrange(events // 10, events)).assessment is not None
        jumps.append(time.perf_counter() - began)
    print(f"  a jump to a moment not seen before: {statistics.median(jumps):.2f} s, of {_JUMPS}")


def wait_for(command: list[str], words: bytes, environment: dict[str, str]) -> float:
    """Seconds from the start of `command` in a terminal until it paints `words`."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if not pid:
        os.execve(command[0], command, environment)
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        painted = b""
        for piece in _painted(terminal, began + _LIMIT_S):
            painted += piece
            if words in _CODES.sub(b"", painted):
                return time.perf_counter() - began
        raise SystemExit(f"dashboard_start: {command[-1]} never showed {words.decode()}")
    finally:
        # A dashboard that is killed leaves its data's processes to notice; asked, it ends them.
        with contextlib.suppress(OSError):
            os.write(terminal, b"q")
            for _ in _painted(terminal, time.perf_counter() + 5):
                pass
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def _painted(terminal: int, until: float) -> Iterator[bytes]:
    """What comes until then, or until the other side is gone."""
    while (left := until - time.perf_counter()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            return
        try:
            piece = os.read(terminal, 65_536)
        except OSError:
            return
        if not piece:
            return
        yield piece


if __name__ == "__main__":
    fill(Journal.create(Path(sys.argv[1]) / "week.duckdb"), int(sys.argv[2]))
