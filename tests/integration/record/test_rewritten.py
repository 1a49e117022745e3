"""A table that is written anew, or emptied, while a poll waits for its lock, is not claimed.

Such commands show a snapshot that is older than they are an empty table.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from harness.journal.store import Journal
from harness.model import Batch, EventKind
from harness.record.chunk import CensusRequest, Done
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.source import PostgresSource
from harness.record.reconcile.reconciler import Reconciler
from tests.support.postgres import Production, add_history, add_job
from tests.support.processes import wait_for

DELETED = EventKind.ROW_DELETED


@contextmanager
def migration(production: Production, table: str) -> Iterator[None]:
    """Write `table` anew; commit when the recorder waits for it."""

    def watch() -> None:
        asked = f"SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        wait_for(lambda: bool(production.execute(asked)), what="the recorder's waiting")
        session.commit()

    with production.connect(autocommit=False) as session:
        session.execute(
            f"ALTER TABLE {table} ADD COLUMN extra uuid DEFAULT gen_random_uuid()".encode()
        )
        thread = threading.Thread(target=watch)
        thread.start()
        yield
        thread.join()


def poll(
    source: PostgresSource, journal: Journal, *, full: bool, census: CensusRequest | None = None
) -> tuple[list[str], Done]:
    found: list[str] = []
    done = None
    with closing(source.poll(full=full, census=census)) as chunks:
        for chunk in chunks:
            journal.append(Batch(events=chunk.events))
            found += [event.key for event in chunk.events]
            done = chunk.done
    assert done is not None
    return found, done


@pytest.fixture
def source(production: Production) -> Iterator[PostgresSource]:
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
    made = PostgresSource(SourceConnection(production.recorder_dsn), pace=pace, margin_s=0.0)
    with closing(made.connection):
        made.open()
        yield made


@pytest.mark.parametrize("full", [False, True])
def test_a_poll_does_not_claim_a_table_that_was_written_anew_meanwhile(
    production: Production, journal: Journal, source: PostgresSource, full: bool
) -> None:
    with production.connect() as session:
        job = add_job(session)
        poll(source, journal, full=True)
        poll(source, journal, full=False)
        row = f"queue_history:{add_history(session, job, 'submitted')}"
        with migration(production, "queue_history"):
            found, done = poll(source, journal, full=full)
    assert row not in found
    assert "queue_history" not in done.tables
    assert not done.complete
    more, again = poll(source, journal, full=False)
    assert row in more
    assert again.tier == "sweep"
    assert "queue_history" in again.tables


@pytest.mark.parametrize("table", ["queue_history", "worker_status"])
def test_a_comparison_does_not_take_a_rewritten_table_for_an_empty_one(
    production: Production, journal: Journal, source: PostgresSource, table: str
) -> None:
    reconciler = Reconciler(journal)
    with production.connect() as session:
        add_history(session, add_job(session), "submitted")
        session.execute("INSERT INTO worker_status (worker_id, status) VALUES ('w-1', 'running')")
    poll(source, journal, full=True)
    with migration(production, table):
        _, done = poll(source, journal, full=True, census=reconciler.request())
    verdict = reconciler.take(done, source.tables)
    while reconciler.busy:
        _, done = poll(source, journal, full=True, census=reconciler.request())
        verdict = reconciler.take(done, source.tables)
    assert [event.kind for event in verdict.events if event.kind == DELETED] == []
    assert not verdict.vanished


def test_rows_of_a_table_rewritten_while_they_are_listed_are_not_said_to_be_deleted(
    production: Production, journal: Journal, source: PostgresSource
) -> None:
    reconciler = Reconciler(journal)
    with production.connect() as session:
        session.execute(
            "INSERT INTO worker_status (worker_id, status)"
            " SELECT 'w-' || n, 'running' FROM generate_series(1, 600) AS n"
        )
        poll(source, journal, full=True)
        session.execute("DELETE FROM worker_status WHERE worker_id = 'w-7'")
    _, done = poll(source, journal, full=True, census=reconciler.request())
    reconciler.take(done, source.tables)
    assert reconciler.busy
    gone: list[str] = []
    with migration(production, "worker_status"):
        _, done = poll(source, journal, full=True, census=reconciler.request())
    for _ in range(5):
        verdict = reconciler.take(done, source.tables)
        gone += [event.payload["identity"] for event in verdict.events if event.kind == DELETED]
        journal.append(Batch(events=verdict.events))
        _, done = poll(source, journal, full=True, census=reconciler.request())
    assert gone == ["w-7"]
