"""A report of a million pairs: how long, how much memory, how large the file.

Both contestants run in a process of their own on one journal, start included. The floor reads every
submission of it, as any report must; ours is the command, which goes on to compare, judge, cluster
and draw. REPORT_PAIRS sets the size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.big_week import DIRECTORIES, PER_JOB, fill
from harness.journal.store import Journal
from harness.resources import sql_queries

PAIRS = 1_000_000
_ROUNDS = 3


def run() -> None:
    """Print the medians and their ratio."""
    pairs = int(os.environ.get("REPORT_PAIRS", PAIRS))
    with tempfile.TemporaryDirectory(prefix="shadow-report-") as name:
        folder = Path(name)
        # In a process of its own: what it held would count as that of whom this one starts.
        _run("fill", folder, pairs // DIRECTORIES * PER_JOB)
        rounds = [(_contest("read", folder), _contest("report", folder)) for _ in range(_ROUNDS)]
    floor = sorted(rounds, key=lambda one: one[0]["seconds"])[_ROUNDS // 2][0]
    ours = sorted(rounds, key=lambda one: one[1]["seconds"])[_ROUNDS // 2][1]
    print(
        f"report of {pairs:,} pairs: {ours['seconds']:.1f} s, {ours['peak_mb']:,.0f} MB at the "
        f"peak, a page of {ours['page_mb']:.2f} MB; "
        f"{ours['seconds'] / floor['seconds']:.1f} times as long as reading every submission "
        f"({floor['seconds']:.1f} s, {floor['peak_mb']:,.0f} MB); medians of {_ROUNDS}"
    )


def _run(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "benchmarks.report", *map(str, words)], check=True)


def _contest(what: str, folder: Path) -> dict[str, float]:
    journal, out = folder / "bench.duckdb", folder / "report"
    command = [sys.executable, "-m", "benchmarks.report", "read", str(folder)]
    if what == "report":
        command = [sys.executable, "-m", "harness.cli", "report", "--journal", str(journal),
                   "--out", str(out), "--format", "html"]  # fmt: skip
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    # A week of which no complaint was asked is undecided; only an error would say more.
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"report: {what} failed: {process.communicate()[1].decode()}")
    page = out / "report.html"
    return {
        "seconds": seconds,
        "peak_mb": used.ru_maxrss / 1024,
        "page_mb": page.stat().st_size / 1e6 if what == "report" else 0.0,
    }


def _read(journal: Path) -> None:
    with Journal.open(journal).reader() as reader:
        reader.large_frame(sql_queries("views/select_submissions.sql")["select_documents"])


if __name__ == "__main__":
    _journal = Path(sys.argv[2]) / "bench.duckdb"
    if sys.argv[1] == "fill":
        fill(Journal.create(_journal), int(sys.argv[3]))
    else:
        _read(_journal)
