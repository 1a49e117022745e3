"""``make soak``: writers, a recorder and faults for as long as it is told, then the reckoning."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import machine
from harness.journal.store import Journal
from tests.soak.disk import Disk
from tests.soak.faults import Chaos
from tests.soak.outcome import judge, table
from tests.soak.supervised import Supervised
from tests.soak.writers import Writers
from tests.support.load import fill
from tests.support.postgres import Cluster
from tests.support.processes import wait_for
from tests.support.servers import SUPPORTED_VERSIONS, LocalPostgres, PgBouncer

WRITERS = 16
JOBS = 160
HISTORY_ROWS = 20_000
TICK_S = 0.5
DISK_MB = 1500
BEGIN, END = "<!-- figures: make soak -->", "<!-- end of figures -->"


def main() -> None:
    """Run it; exit 1 if anything was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=200.0, help="rows a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--server", type=int, choices=SUPPORTED_VERSIONS, default=18)
    parser.add_argument("--pooler", action="store_true", help="the recorder comes by PgBouncer")
    parser.add_argument("--write", type=Path, help="put the table into this document")
    told = parser.parse_args()
    print(f"soak: seed {told.seed}", flush=True)
    text, is_clean = soak(told)
    print(text)
    if told.write is not None:
        write_into(told.write, text)
    raise SystemExit(0 if is_clean else 1)


def soak(told: argparse.Namespace) -> tuple[str, bool]:
    """Return the table, and whether nothing was lost, doubled or damaged."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shadow-soak-")))
        disk = stack.enter_context(Disk(folder / "disk", size_mb=DISK_MB))
        server = stack.enter_context(LocalPostgres(told.server))
        way = stack.enter_context(PgBouncer(server.dsn)).route if told.pooler else None
        production = stack.enter_context(Cluster(server, through=way).database())
        fill(production, history_rows=HISTORY_ROWS, jobs=JOBS)
        journal = disk.folder / "week.duckdb"
        recorder = Supervised(journal, dsn=production.recorder_dsn, tick_s=TICK_S, folder=folder)
        writers = Writers(production, count=WRITERS, rate=told.rate, seed=told.seed)
        chaos = Chaos(production, server, recorder, disk, seed=told.seed)
        began_s = time.monotonic()
        with recorder:
            wait_for(journal.exists, what="the journal's beginning", timeout_s=120)
            with writers, chaos:
                watch(told.minutes * 60, recorder, writers, chaos)
            elapsed_s = time.monotonic() - began_s
            ended = recorder.end()
        recorder.ends[f"stopped at the end: exit {ended.code}"] += 1
        last = recorder.run("--until-idle", "2s")
        recorder.ends[f"the last one: exit {last.code}"] += 1
        outcome = judge(production, Journal.open(journal), writers.ledger)
        about = (
            f"`make soak`, seed {told.seed}, PostgreSQL {told.server}"
            f"{' by PgBouncer' if told.pooler else ''}, {WRITERS} writers, tick {TICK_S:g} s; "
            f"{machine()}."
        )
        text = table(
            outcome, writers.ledger, chaos.done, recorder, about=about, elapsed_s=elapsed_s
        )
        return text, outcome.is_clean and ended.code == 0 and last.code == 0


def watch(seconds: float, recorder: Supervised, writers: Writers, chaos: Chaos) -> None:
    """Wait, and tell once a minute that it goes on; raise what went wrong in a thread."""
    ends_at_s = time.monotonic() + seconds
    tell_at_s = time.monotonic() + 60
    while time.monotonic() < ends_at_s:
        for part in (recorder, writers, chaos):
            if part.failure is not None:
                raise part.failure
        if time.monotonic() >= tell_at_s:
            tell_at_s += 60
            print(f"{writers.ledger.rows:,} rows, {chaos.done.total()} faults", flush=True)
        time.sleep(0.5)


def write_into(document: Path, text: str) -> None:
    """Replace the figures of an earlier run."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
