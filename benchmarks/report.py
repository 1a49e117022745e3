"""A report of a million pairs: how long, how much memory, how large the file.

Both contestants run in a process of their own on one journal. The floor reads every submission of
it, as any report must; ours goes on to compare, judge, cluster and draw. REPORT_PAIRS sets the
size.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.big_week import DIRECTORIES, PER_JOB, fill
from harness.journal.store import Journal

PAIRS = 1_000_000
_ROUNDS = 3


def run() -> None:
    """Print the medians and their ratio."""
    pairs = int(os.environ.get("REPORT_PAIRS", PAIRS))
    with tempfile.TemporaryDirectory(prefix="shadow-report-") as name:
        folder = Path(name)
        fill(Journal.create(folder / "bench.duckdb"), pairs // DIRECTORIES * PER_JOB)
        rounds = [(_contest("read", folder), _contest("report", folder)) for _ in range(_ROUNDS)]
    floor = sorted(rounds, key=lambda one: one[0]["seconds"])[_ROUNDS // 2][0]
    ours = sorted(rounds, key=lambda one: one[1]["seconds"])[_ROUNDS // 2][1]
    print(
        f"report of {pairs:,} pairs: {ours['seconds']:.1f} s, {ours['peak_mb']:,.0f} MB at the "
        f"peak, a page of {ours['page_mb']:.2f} MB; "
        f"{ours['seconds'] / floor['seconds']:.1f} times as long as reading every submission "
        f"({floor['seconds']:.1f} s, {floor['peak_mb']:,.0f} MB); medians of {_ROUNDS}"
    )


def _contest(what: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.report", what, str(folder)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return told


def _main(what: str, folder: Path) -> None:
    from harness.assess.build import assess
    from harness.assess.criteria import load_criteria
    from harness.report.write import write_report
    from harness.resources import sql_queries
    from harness.settings import Settings

    began = time.perf_counter()
    page_mb = 0.0
    with Journal.open(folder / "bench.duckdb").reader() as reader:
        if what == "read":
            reader.frame(sql_queries("views/select_submissions.sql")["select_submissions"])
        else:
            assessment = assess(reader, load_criteria(Settings()))
    if what == "report":
        page = write_report(assessment, folder / "report", formats=("html",))["html"]
        page_mb = page.stat().st_size / 1e6
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "page_mb": page_mb,
            }
        )
    )


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
