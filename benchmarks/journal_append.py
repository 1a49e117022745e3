"""Appending 100 new events to a journal of 200,000, against SQLite with a unique key.

Both open the file, look 100 keys up, insert 100 rows in one transaction and close. Ours also
chains the hash and brings its projections up to date, which a plain table does not.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import compare, tell
from harness.journal.store import Journal
from harness.model import Batch, EventDraft

EARLIER = 200_000
BATCH = 100
_START = datetime(2026, 11, 20, tzinfo=UTC)


def make_events(first: int, count: int) -> tuple[EventDraft, ...]:
    """Rows of queue_history, ten a job."""
    return tuple(
        EventDraft(
            source="production",
            kind="queue_history",
            key=f"queue_history:{number}",
            occurred_at=_START + timedelta(seconds=number),
            job_id=f"job-{number // 10}",
            directory=f"site-{number % 7}.example",
            payload={
                "id": number,
                "event": "submitting" if number % 2 else "submitted",
                "directory_name": f"site-{number % 7}.example",
                "details": {"idem": f"{number:064x}", "duration_ms": 8200},
            },
        )
        for number in range(first, first + count)
    )


def run() -> None:
    """Print the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.create(Path(folder) / "bench.duckdb")
        table = Path(folder) / "bench.sqlite"
        with sqlite3.connect(table) as connection:
            connection.execute(
                "CREATE TABLE events (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, payload TEXT)"
            )
        for first in range(0, EARLIER, 50_000):
            journal.append(Batch(events=make_events(first, 50_000)))
            _insert(table, make_events(first, 50_000))
        ours, peers = itertools.count(EARLIER, BATCH), itertools.count(EARLIER, BATCH)
        measured = compare(
            lambda: journal.append(Batch(events=make_events(next(ours), BATCH))),
            lambda: _insert(table, make_events(next(peers), BATCH)),
        )
        sizes = journal.path.stat().st_size / table.stat().st_size
    tell(
        f"append {BATCH} events to {EARLIER:,}",
        "the journal (with hash chain and projections)",
        "SQLite with a unique key",
        measured,
    )
    print(f"  the journal's file is {sizes:.2f} times as large")


def _insert(table: Path, events: tuple[EventDraft, ...]) -> None:
    connection = sqlite3.connect(table)
    with connection:
        connection.executemany(
            "INSERT OR IGNORE INTO events (key, payload) VALUES (?, ?)",
            [(event.key, json.dumps(event.payload)) for event in events],
        )
    connection.close()
