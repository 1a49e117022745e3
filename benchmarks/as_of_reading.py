"""Reading every submission as of a past moment, against reading it as of now.

Versions carry from_seq and to_seq, so a past moment should cost what the present does.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.journal_append import make_events
from benchmarks.measure import compare, tell
from harness.journal.store import Journal
from harness.model import Batch
from harness.resources import sql_queries

EVENTS = 300_000


def run() -> None:
    """Print the ratio."""
    query = sql_queries("views/select_submissions.sql")["select_submissions"]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.create(Path(folder) / "bench.duckdb")
        for first in range(0, EVENTS, 50_000):
            journal.append(Batch(events=make_events(first, 50_000)))

        def read(as_of: int | None) -> None:
            with journal.reader(as_of) as reader:
                reader.frame(query)

        measured = compare(lambda: read(EVENTS // 2), lambda: read(None))
    tell(f"read all submissions of {EVENTS:,} events", "as of half-way", "as of now", measured)
