"""The first copy of a million rows of queue_history, against the least that it could take.

Floor: the same ``COPY … TO STDOUT`` read to nowhere, and DuckDB reading the same bytes from a file.
Ours also keys, hashes, chains and stores every row, in resumable chunks, and derives the
projections; each runs in a process of its own, in turn, and its peak of memory is taken.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from benchmarks.measure import Ratio, machine, tell
from harness.demo.postgres import EmbeddedPostgres
from harness.journal.store import Journal
from harness.record.copy.first_copy import copy_first
from harness.record.copy.plan import plan_copy, statements
from harness.record.postgres.connection import Snapshot, SourceConnection
from harness.record.postgres.horizon import mark_snapshot
from harness.record.postgres.introspect import Table, read_tables

ROWS = 1_000_000
ROUNDS = 3

_JOBS = """
WITH made AS (
    INSERT INTO customers (customer_id, business_name, email)
    SELECT 'DIR-20261101-' || n, 'Maple Bakery ' || n, 'owner' || n || '@maple.example'
    FROM generate_series(1, %(jobs)s) AS n
    RETURNING customer_id
)
INSERT INTO jobs (id, customer_id, package_size)
SELECT md5(customer_id)::uuid, customer_id, 50 FROM made
"""
_HISTORY = """
INSERT INTO queue_history (job_id, directory_name, event, details, created_at)
SELECT md5('DIR-20261101-' || n / 100 + 1)::uuid, 'site' || n %% 100 / 2 || '.example',
       CASE n %% 2 WHEN 0 THEN 'submitting' ELSE 'submitted' END,
       jsonb_build_object('idem', md5((n / 2)::text) || md5((-n / 2)::text))
           || CASE n %% 2 WHEN 0 THEN '{}'
              ELSE jsonb_build_object('duration_ms', 1000 + n %% 9000, 'screenshot_url', NULL) END,
       now() - (%(rows)s - n) * interval '10 ms'
FROM generate_series(0, %(rows)s - 1) AS n
"""

_READ = """
SELECT sum(length(payload))
FROM read_csv(?, delim = '\t', quote = '', escape = '', header = false, auto_detect = false,
              columns = {'version': 'BIGINT', 'payload': 'VARCHAR'})
"""


def run(rows: int = ROWS, rounds: int = ROUNDS) -> None:
    """Print the ratio to the floor, the peak of memory, and how long each took."""
    with EmbeddedPostgres() as server, tempfile.TemporaryDirectory() as folder:
        server.apply_schema()
        with psycopg.connect(server.dsn, autocommit=True) as owner:
            owner.execute(_JOBS.encode(), {"jobs": rows // 100 + 1})
            owner.execute(_HISTORY.encode(), {"rows": rows})
            owner.execute("VACUUM ANALYZE")
        times: dict[str, list[dict[str, float]]] = {"floor": [], "copy": []}
        for _ in range(rounds + 1):
            for what, taken in times.items():
                taken.append(_in_a_process(what, server.recorder_dsn, folder))
    # The first round warms up.
    least, copied = (
        {name: statistics.median(one[name] for one in taken[1:]) for name in taken[0]}
        for taken in times.values()
    )
    if copied["rows"] != rows:
        raise RuntimeError(f"the first copy took {copied['rows']:,.0f} rows instead of {rows:,}")
    tell(
        f"first copy of {rows:,} rows of queue_history",
        "the journal with hash chain and projections",
        "the same COPY read to nowhere and DuckDB reading the same bytes",
        Ratio(ours_s=copied["seconds"], peer_s=least["seconds"], rounds=rounds),
    )
    print(
        f"  {rows / copied['seconds']:,.0f} rows a second; production's snapshot lasts "
        f"{copied['snapshot_s']:.2f} s; peak memory {copied['peak_mb']:.0f} MB"
    )


def copy(dsn: str, folder: Path) -> dict[str, float]:
    """Copy into a new journal, from the first statement to the last row journaled."""
    path = folder / "copy.duckdb"
    path.unlink(missing_ok=True)
    journal = Journal.create(path)
    with closing(TimedConnection(dsn)) as connection:
        tables = _history(connection)
        began_s = time.perf_counter()
        copy_first(
            connection,
            journal,
            tables,
            identity=None,
            stop=threading.Event(),
            on_progress=lambda _: None,
        )
        seconds = time.perf_counter() - began_s
    return {
        "seconds": seconds,
        "snapshot_s": connection.held_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": journal.head().seq,
    }


def floor(dsn: str, folder: Path) -> dict[str, float]:
    """Read the same bytes to nowhere, and then from a file; writing that file does not count."""
    file = folder / "floor.tsv"
    with closing(SourceConnection(dsn)) as connection:
        tables = _history(connection)
        with connection.snapshot(statement_timeout_s=600.0) as snapshot:
            mark = mark_snapshot(snapshot)
            (plan,) = plan_copy(snapshot, tables, {}, mark).values()
            asked = [statement for statement, _ in statements(plan, mark, step_pages=8192)]
            with file.open("wb") as sink:
                _stream(snapshot, asked, sink.write)
            began_s = time.perf_counter()
            _stream(snapshot, asked, len)
            seconds = time.perf_counter() - began_s
    began_s = time.perf_counter()
    duckdb.execute(_READ, [str(file)]).fetchall()
    return {"seconds": seconds + time.perf_counter() - began_s}


class TimedConnection(SourceConnection):
    """Knows how long it held a snapshot."""

    held_s = 0.0

    @contextmanager
    def snapshot(self, *, statement_timeout_s: float | None = None) -> Iterator[Snapshot]:
        """As in the class above."""
        began_s = time.perf_counter()
        with super().snapshot(statement_timeout_s=statement_timeout_s) as snapshot:
            yield snapshot
        self.held_s = time.perf_counter() - began_s


def _history(connection: SourceConnection) -> list[Table]:
    with connection.snapshot() as snapshot:
        tables = read_tables(snapshot, schema="public")
    return [table for table in tables if table.name == "queue_history"]


def _stream(
    snapshot: Snapshot, asked: Sequence[sql.Composed], sink: Callable[[Any], object]
) -> None:
    for statement in asked:
        with snapshot.cursor() as cursor, cursor.copy(statement) as blocks:
            for block in blocks:
                sink(block)


def _in_a_process(what: str, dsn: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.first_copy", what, dsn, folder]
    told: dict[str, float] = json.loads(subprocess.check_output(command))
    return told


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work = {"copy": copy, "floor": floor}[sys.argv[1]]
        print(json.dumps(work(sys.argv[2], Path(sys.argv[3]))))
    else:
        print(machine())
        run()
