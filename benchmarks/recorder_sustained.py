"""Five minutes of 1,000 source rows a second: how late is the journal, and what does it cost?

The recorder runs as people run it, in a process of its own, with the shipped tick. Peers: for the
delay the tick itself, for production's transactions the same load while the recorder is stopped
(it is frozen between two polls, in turn with running on), for the reader the stated 250 ms.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg.types.json import Jsonb

from harness.demo.postgres import EmbeddedPostgres
from harness.journal.store import Journal

EARLIER = 700_000
RATE = 1_000
MINUTES = 5.0
WRITERS = 4
TICK_S = 2.0
TURN_S = 15.0
READ_EVERY_S = 1.0

_FILL = """
INSERT INTO queue_history (job_id, directory_name, event, details, created_at)
SELECT j.ids[1 + n %% cardinality(j.ids)], 'site' || n %% 50 || '.example', 'submitted',
       jsonb_build_object('duration_ms', n), now() - interval '1 hour' + n * interval '1 ms'
FROM generate_series(1, %(rows)s) AS n, (SELECT array_agg(id) AS ids FROM jobs) AS j
"""
_OUTCOMES = """
SELECT outcome, count(*) FROM submissions_now WHERE side = 'candidate' GROUP BY outcome
"""
_DELAYS = """
SELECT sent_at, epoch(recorded_at) - sent_at AS delay_s
FROM (SELECT recorded_at, (payload->>'$.details.at')::DOUBLE AS sent_at FROM events_now
      WHERE kind = 'queue_history')
WHERE sent_at IS NOT NULL
"""


@dataclass(slots=True)
class Measured:
    """What the load saw."""

    running_ms: list[float] = field(default_factory=list)
    frozen_ms: list[float] = field(default_factory=list)
    reads_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    sent: int = 0
    frozen_spans: list[tuple[float, float]] = field(default_factory=list)
    """From when to when rows had to wait for a frozen recorder."""


def run(earlier: int = EARLIER, minutes: float = MINUTES) -> None:
    """Print delay, slow-down, memory and the reader's time."""
    with EmbeddedPostgres() as server, tempfile.TemporaryDirectory() as folder:
        server.apply_schema()
        _fill(server, earlier)
        path = Path(folder) / "bench.duckdb"
        with _recorder(server, path) as recorder:
            _wait_copied(path)
            measured = _load(server, recorder, path, seconds=minutes * 60)
            time.sleep(3 * TICK_S)
        _report(Journal.open(path), measured, earlier)


def _fill(server: EmbeddedPostgres, rows: int) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO customers (customer_id, business_name, email)"
            " SELECT 'DIR-20261120-' || n, 'Bakery ' || n, n || '@maple.example'"
            " FROM generate_series(1, 2000) AS n"
        )
        owner.execute(
            "INSERT INTO jobs (customer_id, package_size) SELECT customer_id, 50 FROM customers"
        )
        owner.execute(_FILL, {"rows": rows})
        owner.execute("VACUUM ANALYZE")


@contextmanager
def _recorder(server: EmbeddedPostgres, journal: Path) -> Iterator[psutil.Process]:
    environ = dict(os.environ) | {"SHADOW_DSN": server.recorder_dsn}
    command = [str(Path(sys.executable).with_name("shadow")), "record", "--journal", str(journal)]
    process = subprocess.Popen(
        [*command, "--tick", f"{TICK_S}s"], env=environ, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(120)


def _wait_copied(path: Path) -> None:
    while not path.exists() or Journal.open(path).watermark("production") is None:
        time.sleep(0.5)


def _load(
    server: EmbeddedPostgres, recorder: psutil.Process, path: Path, *, seconds: float
) -> Measured:
    measured = Measured()
    frozen, stop = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=_write, args=(server.dsn, measured, frozen, stop))
        for _ in range(WRITERS)
    ]
    threads.append(threading.Thread(target=_read, args=(path, measured, frozen, stop)))
    for thread in threads:
        thread.start()
    ends_s = time.monotonic() + seconds
    with psycopg.connect(server.dsn, autocommit=True) as owner:
        while time.monotonic() < ends_s:
            time.sleep(TURN_S)
            measured.memory_mb.append(recorder.memory_info().rss / 2**20)
            _freeze_between_polls(owner, recorder)
            began = time.time() - 2 * TICK_S
            frozen.set()
            time.sleep(TURN_S / 3)
            frozen.clear()
            recorder.resume()
            measured.frozen_spans.append((began, time.time()))
    stop.set()
    for thread in threads:
        thread.join()
    return measured


def _freeze_between_polls(owner: psycopg.Connection[tuple[str]], recorder: psutil.Process) -> None:
    """Stop the recorder's process while it has no transaction open."""
    while True:
        recorder.suspend()
        (row,) = owner.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'shadow-recorder' AND state <> 'idle'"
        ).fetchall()
        if row[0] == 0:
            return
        recorder.resume()
        time.sleep(0.01)


def _write(dsn: str, measured: Measured, frozen: threading.Event, stop: threading.Event) -> None:
    """Transactions of five rows at an even rate, each row with the moment of its sending."""
    rows = 5
    pause_s = rows * WRITERS / RATE
    with psycopg.connect(dsn, autocommit=True) as session:
        jobs = [job for (job,) in session.execute("SELECT id FROM jobs LIMIT 200").fetchall()]
        due_s = time.monotonic()
        number = 0
        while not stop.is_set():
            due_s += pause_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            number += 1
            values = [
                (jobs[(number + n) % len(jobs)], f"site{n}.example", Jsonb({"at": time.time()}))
                for n in range(rows)
            ]
            silent = frozen.is_set()
            began_s = time.perf_counter()
            with session.transaction():
                session.cursor().executemany(
                    "INSERT INTO queue_history (job_id, directory_name, event, details)"
                    " VALUES (%s, %s, 'submitted', %s)",
                    values,
                )
            took_ms = (time.perf_counter() - began_s) * 1000
            measured.sent += rows
            if silent == frozen.is_set():
                (measured.frozen_ms if silent else measured.running_ms).append(took_ms)


def _read(path: Path, measured: Measured, frozen: threading.Event, stop: threading.Event) -> None:
    journal = Journal(path)
    while not stop.is_set():
        # A frozen recorder may hold the lock, which no recorder does for so long.
        if not frozen.is_set():
            began_s = time.perf_counter()
            with journal.reader() as reader:
                reader.rows(_OUTCOMES)
            if not frozen.is_set():
                measured.reads_ms.append((time.perf_counter() - began_s) * 1000)
        time.sleep(READ_EVERY_S)


def _report(journal: Journal, measured: Measured, earlier: int) -> None:
    with journal.reader() as reader:
        rows = reader.rows(_DELAYS)
        ((events,),) = reader.rows("SELECT count(*) FROM events_now")
    spans = measured.frozen_spans
    delays = sorted(
        delay for at, delay in rows if not any(begin <= at <= end for begin, end in spans)
    )
    median_s, p95_s = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
    slower = statistics.median(measured.running_ms) / statistics.median(measured.frozen_ms)
    half = len(measured.memory_mb) // 2
    early, late = measured.memory_mb[1 : half + 1], measured.memory_mb[half:]
    reads = sorted(measured.reads_ms)
    print(
        f"{RATE:,} rows a second beside {earlier:,} ({measured.sent:,} sent, {len(rows):,} "
        f"recorded, {events:,} events at the end):"
    )
    print(
        f"  time to journal: median {median_s / TICK_S:.2f} ticks, p95 {p95_s / TICK_S:.2f} ticks "
        f"of {TICK_S:g} s (of {len(delays):,} rows that no frozen recorder kept waiting)"
    )
    print(
        f"  production's transactions: {slower:.3f} times as long with the recorder as without "
        f"({statistics.median(measured.running_ms):.3g} against "
        f"{statistics.median(measured.frozen_ms):.3g} ms, medians of "
        f"{len(measured.running_ms):,} and {len(measured.frozen_ms):,})"
    )
    print(
        f"  memory of the recorder: {statistics.median(late) / statistics.median(early):.2f} times "
        f"in the second half what it was in the first ({statistics.median(late):.0f} against "
        f"{statistics.median(early):.0f} MB)"
    )
    print(
        f"  a reader's count of outcomes: p50 {reads[len(reads) // 2]:.0f} ms, p95 "
        f"{reads[int(len(reads) * 0.95)]:.0f} ms, {reads[int(len(reads) * 0.95)] / 250:.2f} times "
        f"250 ms (medians over {len(reads)} reads, waiting for the lock included)"
    )
