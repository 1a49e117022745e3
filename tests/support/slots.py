"""A PostgreSQL that decodes its log, and databases on it whose slots are cleaned away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from harness.demo.postgres import RECORDER_ROLE
from harness.journal.store import Journal
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.tables import TABLES
from harness.record.slot.recorded import JournalVersions
from harness.record.slot.source import SlotOptions, SlotSource, SweepingSource
from tests.support.postgres import Cluster, Production
from tests.support.servers import LocalPostgres

PUBLICATION = "shadow_recorder"
RECORDED = tuple(spec.name for spec in TABLES)
_SETTINGS = {
    "wal_level": "logical",
    "max_replication_slots": "20",
    # A sweep waits until the log is flushed, which an idle server does this often.
    "wal_writer_delay": "10ms",
}


@contextmanager
def decoding_cluster(version: int) -> Iterator[Cluster]:
    """Start a server of this version with ``wal_level = logical``."""
    with LocalPostgres(version, settings=_SETTINGS) as server:
        cluster = Cluster(server)
        with psycopg.connect(server.dsn, autocommit=True) as admin:
            # Decoding sees what is flushed; these tests look right after a commit.
            admin.execute("ALTER SYSTEM SET synchronous_commit = on")
            admin.execute("SELECT pg_reload_conf()")
            admin.execute(f"ALTER ROLE {RECORDER_ROLE} REPLICATION".encode())
        yield cluster


@contextmanager
def decoded_database(cluster: Cluster, *, publish: bool = True) -> Iterator[Production]:
    """A database that lives as long as the block, with the publication of the recorded tables."""
    with cluster.database() as production:
        if publish:
            production.execute(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE {', '.join(RECORDED)}")
        try:
            yield production
        finally:
            production.execute(
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                " WHERE database = current_database() AND active_pid IS NOT NULL"
            )
            production.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE database = current_database()"
            )


def slot_source(
    production: Production,
    journal: Journal | None = None,
    *,
    chunk_rows: int = 10_000,
    **options: object,
) -> SlotSource:
    """A source that has not looked at the database yet; options are those of the slot."""
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
    sweeps = SweepingSource(
        SourceConnection(production.recorder_dsn), pace=pace, chunk_rows=chunk_rows, margin_s=0.0
    )
    settings = SlotOptions(**({"name": production.name, "retry_s": 0.0} | options))  # type: ignore[arg-type]
    recorded = JournalVersions(journal) if journal is not None else None
    return SlotSource(sweeps, settings, recorded=recorded)


def slots(production: Production) -> Sequence[str]:
    """The names of the slots that this database has."""
    rows = production.execute(
        "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"
    )
    return [name for (name,) in rows]
