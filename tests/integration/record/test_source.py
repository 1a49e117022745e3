"""The tiers that read PostgreSQL: the contract for each, and what is special to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness.errors import SourceError
from harness.journal.store import Journal
from harness.model import Batch, EventKind
from harness.record.chunk import Chunk, Done
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.horizon import read_horizon
from harness.record.postgres.source import PostgresSource
from tests.contracts.source import SourceContract, recorded
from tests.support.postgres import Production, add_history, add_job
from tests.support.processes import wait_for

POOR_ROLE = "recorder_without_statistics"


def make_source(dsn: str, *, chunk_rows: int = 10_000) -> PostgresSource:
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
    # Without the margin for late publication: it is longer than these tests and would hide an S
    # that is wrong.
    return PostgresSource(SourceConnection(dsn), pace=pace, chunk_rows=chunk_rows, margin_s=0.0)


def drain(source: PostgresSource, *, full: bool) -> tuple[list[Chunk], Done]:
    with closing(source.poll(full=full)) as chunks:
        found = list(chunks)
    done = found[-1].done
    assert done is not None
    return found, done


@pytest.fixture
def poor_dsn(production: Production) -> Iterator[str]:
    """A role that may read the tables and sees nothing of other sessions."""
    with production.connect() as owner:
        owner.execute(f"CREATE ROLE {POOR_ROLE} LOGIN".encode())
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {POOR_ROLE}".encode())
        yield make_conninfo(production.recorder_dsn, user=POOR_ROLE)
        owner.execute(f"DROP OWNED BY {POOR_ROLE}".encode())
        owner.execute(f"DROP ROLE {POOR_ROLE}".encode())


class TestFastTier(SourceContract):
    full = False

    def make(self, production: Production) -> PostgresSource:
        return make_source(production.recorder_dsn)


class TestSweep(SourceContract):
    """Sound without any privilege: the role cannot see other sessions."""

    full = True

    @pytest.fixture(autouse=True)
    def _poor(self, poor_dsn: str) -> None:
        self.dsn = poor_dsn

    def make(self, production: Production) -> PostgresSource:
        return make_source(self.dsn)


def test_s_is_no_later_than_the_oldest_transaction_and_moves_on_after_it(
    production: Production,
) -> None:
    connection = SourceConnection(production.recorder_dsn)
    with closing(connection):
        with production.connect(autocommit=False) as slow:
            (began,) = slow.execute("SELECT now()").fetchone() or (None,)
            # Longer ago than the margin, or the margin alone would explain S.
            slow.execute("SELECT pg_sleep(0.2)")
            horizon = read_horizon(connection, previous=None, margin_s=0.01)
            assert (horizon.since, horizon.held) == (began, None)
        later = read_horizon(connection, previous=horizon.since, margin_s=0.01)
        assert later.since is not None
        assert later.since > began


def test_s_stays_where_it_was_while_a_transaction_is_prepared(production: Production) -> None:
    connection = SourceConnection(production.recorder_dsn)
    with closing(connection):
        before = read_horizon(connection, previous=None)
        with production.connect(autocommit=False) as slow:
            slow.execute("SELECT txid_current()")
            slow.execute(f"PREPARE TRANSACTION '{production.name}'".encode())
        held = read_horizon(connection, previous=before.since)
        production.execute(f"ROLLBACK PREPARED '{production.name}'")
        assert held.since == before.since
        assert held.held is not None
        assert read_horizon(connection, previous=before.since).held is None


def test_a_role_without_statistics_is_provisional_and_says_why(
    production: Production, poor_dsn: str
) -> None:
    source = make_source(poor_dsn)
    with closing(source.connection):
        source.open()
        drain(source, full=True)
        _, done = drain(source, full=False)
    assert done.since is None
    assert done.held is not None
    assert "pg_read_all_stats" in done.held
    assert "queue_history" not in done.tables


def test_a_session_that_hides_its_activity_holds_s_back(production: Production) -> None:
    connection = SourceConnection(production.recorder_dsn)
    with closing(connection), production.connect(autocommit=False) as hidden:
        hidden.execute("SET track_activities = off")
        held = read_horizon(connection, previous=None).held
    assert held is not None
    assert "track_activities" in held


def test_a_first_copy_larger_than_a_chunk_is_one_snapshot_in_many_chunks(
    production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        job = add_job(session)
        session.execute(
            "INSERT INTO queue_history (job_id, event, details)"
            " SELECT %s, 'submitting', jsonb_build_object('n', n) FROM generate_series(1, 95) n",
            [job],
        )
        source = make_source(production.recorder_dsn, chunk_rows=10)
        with closing(source.connection):
            source.open()
            sizes = []
            with closing(source.poll(full=True)) as chunks:
                for number, chunk in enumerate(chunks):
                    sizes.append(len(chunk.events))
                    assert (chunk.done is not None) == (len(sizes) == 10)
                    journal.append(Batch(events=chunk.events))
                    # What is written meanwhile belongs to the next poll.
                    add_history(session, job, "submitted", chunk=number)
            assert sizes == [10] * 9 + [7]
            found, done = drain(source, full=True)
    assert done.tier == "sweep"
    assert sum(len(chunk.events) for chunk in found) >= 10
    for chunk in found:
        journal.append(Batch(events=chunk.events))
    assert sorted(recorded(journal, EventKind.QUEUE_HISTORY).values()) == [1] * 105


def test_more_rows_than_a_tick_may_fetch_are_left_to_a_sweep_and_none_is_lost(
    production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        job = add_job(session)
        source = make_source(production.recorder_dsn, chunk_rows=10)
        with closing(source.connection):
            source.open()
            drain(source, full=True)
            session.execute(
                "INSERT INTO queue_history (job_id, event)"
                " SELECT %s, 'submitting' FROM generate_series(1, 57)",
                [job],
            )
            tiers = []
            for _ in range(3):
                found, done = drain(source, full=False)
                tiers.append(done.tier)
                for chunk in found:
                    journal.append(Batch(events=chunk.events))
    assert tiers == ["fast", "sweep", "fast"]
    assert sorted(recorded(journal, EventKind.QUEUE_HISTORY).values()) == [1] * 57


def test_a_window_held_open_by_an_idle_transaction_does_not_make_every_second_poll_a_sweep(
    production: Production,
) -> None:
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=0.01)
    source = PostgresSource(SourceConnection(production.recorder_dsn), pace=pace, chunk_rows=10)
    with closing(source.connection), production.connect(autocommit=False) as idle:
        idle.execute("SELECT 1")
        with production.connect() as session:
            job = add_job(session)
            source.open()
            drain(source, full=True)
            pace.swept(cost_s=1.0, now_s=time.monotonic())
            session.execute(
                "INSERT INTO queue_history (job_id, event)"
                " SELECT %s, 'submitting' FROM generate_series(1, 30)",
                [job],
            )
        tiers = [drain(source, full=False)[1].tier for _ in range(20)]
    assert tiers == ["fast"] * 20


def test_a_customer_left_out_by_a_tick_that_read_its_job_is_recorded_by_the_sweep(
    production: Production, journal: Journal
) -> None:
    production.execute(
        "INSERT INTO customers (customer_id, business_name, email) VALUES"
        " ('DIR-20261120-AAAAAA', 'Maple Bakery', 'a@maple.example')"
    )
    pace = Pace(tick_s=1.0, min_interval_s=0.0, max_share=1.0)
    source = PostgresSource(SourceConnection(production.recorder_dsn), pace=pace)
    with closing(source.connection):
        source.open()
        drain(source, full=True)
        pace.measured("customers", 1e6)
        production.execute(
            "INSERT INTO jobs (customer_id, package_size) VALUES ('DIR-20261120-AAAAAA', 50)"
        )
        glances, done = drain(source, full=False)
        assert "jobs" in done.tables
        assert "customers" not in done.tables
        sweeps, _ = drain(source, full=True)
    for chunk in glances + sweeps:
        journal.append(Batch(events=chunk.events))
    with journal.reader() as reader:
        rows = reader.rows("SELECT payload->>'$.business_name' FROM events_now ORDER BY kind")
    assert ("Maple Bakery",) in rows


@pytest.mark.parametrize("column_type", ["timestamp", "timestamptz(0)"])
def test_a_time_that_cannot_be_compared_with_s_is_not_asked_for(
    production: Production, journal: Journal, column_type: str
) -> None:
    production.execute(f"ALTER TABLE queue_history ALTER created_at TYPE {column_type}")
    source = make_source(production.recorder_dsn)
    with closing(source.connection), production.connect() as writer:
        # A writer far to the west stamps its rows with hours that are long over.
        writer.execute("SET TimeZone = 'America/Los_Angeles'")
        job = add_job(writer)
        source.open()
        drain(source, full=True)
        row = add_history(writer, job, "submitting")
        found, done = drain(source, full=False)
    for chunk in found:
        journal.append(Batch(events=chunk.events))
    assert done.tier == "fast"
    assert recorded(journal, EventKind.QUEUE_HISTORY)[row] == 1
    assert "queue_history" in done.tables


def test_a_number_that_a_crashed_server_hands_out_again_is_still_swept(
    production: Production,
) -> None:
    with production.connect() as session:
        job = add_job(session)
        source = make_source(production.recorder_dsn)
        with closing(source.connection):
            source.open()
            _, done = drain(source, full=True)
            position = source.position(done)
        row = add_history(session, job, "submitting")
        for _ in range(40):
            session.execute("SELECT pg_current_xact_id()")
    # The journal says that everything below 30 more is known, as it does after a crash that
    # took the numbers of the last few transactions back.
    after_crash = make_source(production.recorder_dsn)
    with closing(after_crash.connection):
        after_crash.open(position | {"xid": position["xid"] + 30})
        found, done = drain(after_crash, full=True)
    assert done.tier == "sweep"
    assert f"queue_history:{row}" in {event.key for chunk in found for event in chunk.events}


def test_a_sweep_that_the_source_cuts_short_costs_its_share_and_ticks_go_on(
    production: Production,
) -> None:
    with production.connect() as session:
        job = add_job(session)
        pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=0.01)
        source = PostgresSource(SourceConnection(production.recorder_dsn), pace=pace, margin_s=0.0)
        with closing(source.connection):
            source.open()
            drain(source, full=True)
            row = add_history(session, job, "submitting")
            with cancelled_at_a_lock(production), pytest.raises(SourceError, match="canceling"):
                drain(source, full=True)
            assert not pace.sweep_due(time.monotonic(), urgent=True)
            assert source.connection.generation == 1
            found, done = drain(source, full=False)
    assert done.tier == "fast"
    assert f"queue_history:{row}" in {event.key for chunk in found for event in chunk.events}


def test_a_statement_can_be_broken_off_from_another_thread(production: Production) -> None:
    connection = SourceConnection(production.recorder_dsn)

    def cancel() -> None:
        asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s"
        wait_for(
            lambda: bool(production.execute(asked, [production.name])), what="the long statement"
        )
        connection.cancel()

    canceller = threading.Thread(target=cancel)
    with closing(connection):
        canceller.start()
        with (
            pytest.raises(SourceError, match="canceling statement"),
            connection.snapshot() as snapshot,
        ):
            snapshot.execute("SELECT pg_sleep(25)")
        canceller.join()
        with connection.snapshot() as snapshot:
            assert snapshot.execute("SELECT 7 AS n").fetchall() == [{"n": 7}]


@contextmanager
def cancelled_at_a_lock(production: Production) -> Iterator[None]:
    """Hold ``jobs`` until the recorder waits for it, then cancel its statement."""

    def cancel() -> None:
        with production.connect() as owner:
            wait_for(
                lambda: bool(
                    owner.execute(
                        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'shadow-recorder' AND wait_event_type = 'Lock'"
                    ).fetchall()
                ),
                what="the recorder's waiting for a lock",
            )

    with production.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        canceller = threading.Thread(target=cancel)
        canceller.start()
        yield
        canceller.join()
        holder.rollback()


def test_a_column_that_is_added_is_drift_and_is_recorded_from_then_on(
    production: Production,
) -> None:
    source = make_source(production.recorder_dsn)
    with closing(source.connection), production.connect() as session:
        job = add_job(session)
        source.open()
        _, first = drain(source, full=True)
        session.execute("ALTER TABLE queue_history ADD COLUMN region text")
        session.execute(
            "INSERT INTO queue_history (job_id, event, region) VALUES (%s, 'submitting', 'north')",
            [job],
        )
        found, second = drain(source, full=True)
    assert first.drift == ()
    (change,) = second.drift
    assert (change["table"], change["added"]) == ("queue_history", {"region": "text"})
    assert [event.payload["region"] for chunk in found for event in chunk.events] == ["north"]


def test_a_missing_table_is_named_with_the_mend(production: Production) -> None:
    production.execute("DROP TABLE queue_history")
    source = make_source(production.recorder_dsn)
    with closing(source.connection), pytest.raises(SourceError) as caught:
        source.open()
    assert str(caught.value).startswith("public.queue_history: there is no such table. ")


def test_a_table_that_may_not_be_read_is_named_with_the_mend(production: Production) -> None:
    production.execute("REVOKE SELECT ON jobs FROM shadow_recorder")
    source = make_source(production.recorder_dsn)
    with closing(source.connection), pytest.raises(SourceError, match="GRANT SELECT ON public"):
        source.open()


def test_row_level_security_that_would_hide_rows_is_an_error_not_an_empty_record(
    production: Production,
) -> None:
    source = make_source(production.recorder_dsn)
    with closing(source.connection):
        source.open()
        drain(source, full=True)
        production.execute("ALTER TABLE jobs ENABLE ROW LEVEL SECURITY")
        ended = [drain(source, full=full)[1] for full in (False, True)]
    for done in ended:
        problem = next(one for one in done.problems if one.table == "jobs")
        assert "BYPASSRLS" in problem.why
        assert not done.complete
        assert "jobs" not in done.tables
        assert "queue_history" in done.tables


def test_optional_tables_may_be_missing(production: Production) -> None:
    production.execute("DROP TABLE job_results, worker_status")
    source = make_source(production.recorder_dsn)
    with closing(source.connection):
        source.open()
        _, done = drain(source, full=True)
    assert "jobs" in done.tables
    assert not {"job_results", "worker_status"} & set(done.tables)


def test_a_journal_of_another_database_is_refused(production: Production) -> None:
    first = make_source(production.recorder_dsn)
    with closing(first.connection):
        first.open()
        _, done = drain(first, full=True)
        position = first.position(done)
    other = make_source(make_conninfo(production.recorder_dsn, dbname="postgres"))
    with closing(other.connection), pytest.raises(SourceError):
        other.open(position)
    position["identity"] = "1/1"
    again = make_source(production.recorder_dsn)
    with closing(again.connection), pytest.raises(SourceError, match="not the database"):
        again.open(position)


def test_an_x_from_the_future_means_that_everything_is_copied_again(
    production: Production,
) -> None:
    with production.connect() as session:
        add_history(session, add_job(session), "queue_claimed")
    source = make_source(production.recorder_dsn)
    with closing(source.connection):
        source.open()
        _, done = drain(source, full=True)
        position = source.position(done) | {"xid": done.mark.xmin + 10_000_000}
    restored = make_source(production.recorder_dsn)
    with closing(restored.connection):
        restored.open(position)
        found, again = drain(restored, full=True)
    assert again.tier == "copy"
    assert sum(len(chunk.events) for chunk in found) == 3


def test_the_recorder_can_write_nothing(production: Production) -> None:
    source = make_source(production.dsn)
    refused = pytest.raises(SourceError)
    with closing(source.connection), refused as caught, source.connection.snapshot() as snapshot:
        snapshot.execute("DELETE FROM worker_status")
    assert isinstance(caught.value.__cause__, psycopg.errors.ReadOnlySqlTransaction)
