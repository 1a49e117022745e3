"""How long a person waits for the dashboard: its first full screen, and a jump to another moment.

`shadow watch` runs in a terminal of its own, from the command line to the moment at which the
gates stand on the screen. The floor is an app of the same library that shows one line. The first
run on a journal has nothing to show before the journal is assessed; every later one opens with
what was seen last. DASHBOARD_EVENTS sets the sizes, such as 1000000,10000000.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.big_week import fill
from harness.assess.criteria import load_criteria
from harness.journal.store import Journal
from harness.settings import Settings
from harness.tui.data import DashboardData
from tests.support.terminal import OnTerminal

SIZES = "1000000"
_ROUNDS, _JUMPS = 5, 5
_LIMIT_S = 120.0
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
    environment = {"XDG_STATE_HOME": str(folder)}
    shown = f"seq {events:,}"
    first = wait_for(watch, shown, environment)
    bare, ours, now = [], [], []
    for _ in range(_ROUNDS):
        bare.append(wait_for([sys.executable, "-c", _BARE], "nothing else", environment))
        ours.append(wait_for(watch, shown, environment))
        now.append(wait_for(watch, f"LIVE {shown}", environment))
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


def wait_for(command: list[str], words: str, environment: dict[str, str]) -> float:
    """Seconds from the start of `command` in a terminal until it paints `words`."""
    with OnTerminal(command, environment) as terminal:
        took_s = terminal.wait_for(words, within_s=_LIMIT_S)
        # A dashboard that is killed leaves its data's processes to notice; asked, it ends them.
        terminal.type(b"q")
        terminal.end()
    return took_s


if __name__ == "__main__":
    fill(Journal.create(Path(sys.argv[1]) / "week.duckdb"), int(sys.argv[2]))
