"""How long a person waits for the dashboard: its first full screen, and a jump to another moment.

`shadow watch` runs in a terminal of its own, from the command line to the moment at which the
gates stand on the screen. The floor is an app of the same library that shows one line. The first
run on a journal has nothing to show before the journal is assessed; every later one opens with
what was seen last.

A jump goes to a random moment, from the key that ends the question where to. The dashboard keeps
looks ahead while nobody records; here the one before each of the moments is made beforehand, where
it would lie once all are made. DASHBOARD_EVENTS sets the sizes, such as 1000000,10000000.
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
from harness.tui.kept.looks import KeptLooks
from harness.tui.kept.spacing import PARTS
from tests.support.terminal import OnTerminal

SIZES = "1000000"
_ROUNDS, _JUMPS = 5, 5
_LIMIT_S = 120.0
_TYPED_S = 0.5
"""After so long what was typed is on the screen."""
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
    """Print two lines for each size."""
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
    _tell_jumps(watch, environment, journal, events)


def _tell_jumps(watch: list[str], environment: dict[str, str], journal: Path, events: int) -> None:
    criteria, chance = load_criteria(Settings()), random.Random(events)
    looks = KeptLooks(journal, environment, criteria)
    data = DashboardData(journal, criteria, looks=looks)
    moments = [chance.randrange(events // 10, events) for _ in range(_JUMPS)]
    each = events // PARTS
    for moment in moments:
        assert data.prepare(moment // each * each)
    # It would take memory from the dashboard that is timed.
    del data
    stood_in, exact, between = [], [], []
    with OnTerminal(watch, environment) as terminal:
        terminal.wait_for(f"LIVE seq {events:,}", within_s=_LIMIT_S)
        for moment in moments:
            for keys in ("@", str(moment)):
                terminal.type(keys.encode())
                time.sleep(_TYPED_S)
            began = time.perf_counter()
            terminal.type(b"\r")
            terminal.wait_for(f"seq {moment:,} is being read", within_s=_LIMIT_S)
            stood_in.append(time.perf_counter() - began)
            terminal.wait_for(f"seq {moment:,} — not now", within_s=_LIMIT_S)
            exact.append(time.perf_counter() - began)
            between.append(moment % each / events)
        terminal.type(b"q")
        terminal.end()
    print(
        f"  a jump to a moment not seen before: the look kept before it (at most "
        f"{max(between):.1%} of the record earlier) after {statistics.median(stood_in):.2f} s, at "
        f"most {max(stood_in):.2f} s; the moment itself after {statistics.median(exact):.2f} s; of "
        f"{_JUMPS}"
    )


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
