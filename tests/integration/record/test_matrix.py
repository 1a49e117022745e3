"""What other servers, a pooler and TLS change, and must not.

The recorder's other tests run on them too, see ``conftest``; here is what is special to each.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from harness.demo.postgres import RECORDER_ROLE
from harness.errors import SourceError
from harness.journal.store import Journal
from harness.model import EventKind
from harness.record.postgres.connection import SourceConnection
from harness.record.recorder import Recorder
from tests.contracts.source import recorded
from tests.integration.record.conftest import PGBOUNCER, started
from tests.integration.record.test_recorder import config_for, record_until_idle, running
from tests.integration.record.test_schedules import IN_A_BATCH, run_and_explain
from tests.integration.record.test_source import drain
from tests.support.load import Load, assert_same, fill
from tests.support.postgres import Cluster, Production, add_history, add_job
from tests.support.processes import wait_for
from tests.support.schedule_hand import poll_source
from tests.support.schedule_stage import Stage, Tally
from tests.support.schedules import base_seed, random_schedule
from tests.support.servers import (
    SUPPORTED_VERSIONS,
    LocalPostgres,
    PgBouncer,
    make_authority,
    missing_pgbouncer,
    missing_postgres,
)

TLS_VERSION = 15
"""Debian's is built with TLS; the embedded one is not."""


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_a_supported_version_is_recorded_completely(version: int, journal: Journal) -> None:
    if missing := missing_postgres(version):
        pytest.skip(missing)
    with LocalPostgres(version) as server, Cluster(server).database() as production:
        fill(production, history_rows=50, jobs=3)
        record_until_idle(config_for(production), journal)
        with production.connect() as session:
            add_history(session, add_job(session), "submitted")
            session.execute("UPDATE jobs SET status = 'in_progress'")
        ended = record_until_idle(config_for(production), journal)
        assert ended.provisional is None
        assert assert_same(production, journal) == 51


@pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")
@pytest.mark.parametrize("server", ["postgresql-15", PGBOUNCER])
def test_schedules_hold_there_too(server: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.duckdb"
    with ExitStack() as stack:
        cluster = started(server, stack)
        Journal.create(empty)
        stage = Stage(database=cluster.database, make_source=poll_source, empty_journal=empty)
        total = Tally()
        for number in range(IN_A_BATCH):
            schedule = random_schedule(base_seed() + number, poor=number % 2 == 0)
            total += run_and_explain(schedule, stage)
    assert total.rows > 10 * IN_A_BATCH


@pytest.fixture(scope="module")
def tls_server() -> Iterator[LocalPostgres]:
    if missing := missing_postgres(TLS_VERSION):
        pytest.skip(missing)
    with LocalPostgres(TLS_VERSION, tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def tls_cluster(tls_server: LocalPostgres) -> Cluster:
    return Cluster(tls_server, through=tls_server.over_tls)


@pytest.fixture
def over_tls(tls_cluster: Cluster) -> Iterator[Production]:
    """Production whose recorder comes over the network."""
    with tls_cluster.database() as production:
        yield production


def test_production_is_recorded_over_tls(over_tls: Production, journal: Journal) -> None:
    with over_tls.connect() as session:
        row = add_history(session, add_job(session), "submitted")
    record_until_idle(config_for(over_tls), journal)
    assert recorded(journal, EventKind.QUEUE_HISTORY)[row] == 1
    with closing(SourceConnection(over_tls.recorder_dsn)) as connection:
        asked = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        with connection.snapshot() as snapshot:
            (answer,) = snapshot.execute(asked).fetchall()
    assert answer["ssl"]
    assert answer["version"].startswith("TLSv1.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sslrootcert": "another authority"}, "certificate verify failed"),
        ({"host": "127.0.0.1"}, "does not match host name"),
        ({"sslmode": "disable", "sslrootcert": ""}, "no encryption"),
    ],
)
def test_a_server_that_cannot_be_trusted_is_refused_with_the_reason(
    over_tls: Production, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    if changes.get("sslrootcert"):
        changes = {"sslrootcert": str(make_authority(tmp_path / "another.pem"))}
    dsn = make_conninfo(over_tls.recorder_dsn, **changes)
    with (
        closing(SourceConnection(dsn)) as connection,
        pytest.raises(SourceError, match=said) as caught,
        connection.snapshot(),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def behind() -> Iterator[LocalPostgres]:
    """A server for a pooler."""
    if missing := missing_pgbouncer():
        pytest.skip(missing)
    with LocalPostgres(18) as server:
        yield server


@pytest.fixture(scope="module")
def pooler(behind: LocalPostgres) -> Iterator[PgBouncer]:
    with PgBouncer(behind.dsn) as running_pooler:
        yield running_pooler


@pytest.fixture(scope="module")
def pooled_cluster(behind: LocalPostgres, pooler: PgBouncer) -> Cluster:
    return Cluster(behind, through=pooler.route)


@pytest.fixture
def pooled(pooled_cluster: Cluster) -> Iterator[Production]:
    """Production whose recorder comes through a pooler in transaction mode."""
    with pooled_cluster.database() as production:
        yield production


SESSION_STATE = """
    SELECT ARRAY[
        current_setting('statement_timeout'), current_setting('lock_timeout'),
        current_setting('idle_in_transaction_session_timeout'), current_setting('row_security'),
        current_setting('cursor_tuple_fraction'), current_setting('transaction_isolation'),
        (SELECT count(*)::text FROM pg_prepared_statements),
        (SELECT count(*)::text FROM pg_cursors WHERE name <> ''),
        (SELECT count(*)::text FROM pg_listening_channels())
    ]
"""


def test_a_pooled_session_keeps_nothing_of_the_recorder(
    pooled: Production, journal: Journal
) -> None:
    fill(pooled, history_rows=50, jobs=3)
    direct = make_conninfo(pooled.dsn, user=RECORDER_ROLE)
    with psycopg.connect(direct) as fresh:
        untouched = fresh.execute(SESSION_STATE).fetchall()
    with running(Recorder(config_for(pooled, chunk_rows=10), journal)) as it:
        wait_for(lambda: it.now.polls > 10 and it.now.sweeps > 2, what="some polls")
        waiting = pooled.execute(
            "SELECT backend_xmin, xact_start FROM pg_stat_activity"
            f" WHERE usename = '{RECORDER_ROLE}' AND state = 'idle'"
        )
    # The sessions that the recorder used are the pool's, and the next client gets them.
    with psycopg.connect(pooled.recorder_dsn) as one, psycopg.connect(pooled.recorder_dsn) as two:
        assert one.execute(SESSION_STATE).fetchall() == untouched
        assert two.execute(SESSION_STATE).fetchall() == untouched
    assert set(waiting) <= {(None, None)}


def test_another_client_in_the_recorders_own_pool_disturbs_nothing(
    pooled: Production, journal: Journal
) -> None:
    with psycopg.connect(pooled.recorder_dsn) as reader:
        # It holds one of the two sessions, and an old snapshot.
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM jobs")
        with pooled.connect() as session:
            row = add_history(session, add_job(session), "submitted")
        with running(Recorder(config_for(pooled), journal)):
            wait_for(
                lambda: row in recorded(journal, EventKind.QUEUE_HISTORY), what="the row's record"
            )
    assert assert_same(pooled, journal) == 1


def test_nothing_is_lost_where_writers_and_recorder_come_through_poolers(
    pooled: Production, behind: LocalPostgres, journal: Journal
) -> None:
    fill(pooled, history_rows=100, jobs=16)
    with PgBouncer(behind.dsn, pool_size=8) as other:
        writers = Production(
            name=pooled.name, dsn=other.route(pooled.dsn), recorder_dsn=pooled.recorder_dsn
        )
        with running(Recorder(config_for(pooled), journal)) as it, Load(writers) as load:
            wait_for(lambda: load.committed > 60, what="some transactions", timeout_s=240)
            assert it.now.provisional is None
    record_until_idle(config_for(pooled), journal)
    assert assert_same(pooled, journal) > 100


def test_a_number_handed_out_again_after_a_crash_behind_a_pooler_is_still_swept(
    pooled: Production,
) -> None:
    with pooled.connect() as session:
        session.execute("SET synchronous_commit = on")
        job = add_job(session)
    schedule = replace(random_schedule(0), poor=False, patient=False, dear=(), chunk_rows=10_000)
    source = poll_source(pooled.recorder_dsn, schedule, Journal(Path("none")))
    with closing(source.connection):
        source.open()
        drain(source, full=True)
        with suppress(psycopg.OperationalError), pooled.connect() as session:
            # Numbers that no log has at the crash, so the server hands them out again.
            for _ in range(200):
                session.execute("SELECT pg_current_xact_id()")
            _, before = drain(source, full=True)
            # The others end with it, and the server recovers without being started again; the
            # recorder's connection is one to the pooler and outlives it.
            os.kill(session.info.backend_pid, signal.SIGKILL)
            session.execute("SELECT 1")
        wait_for(lambda: answers(pooled.dsn), what="the server's recovery")
        with pooled.connect() as session:
            row = add_history(session, job, "submitted")
            ((xid,),) = session.execute("SELECT xmin::text::bigint FROM queue_history").fetchall()
            for _ in range(400):
                session.execute("SELECT pg_current_xact_id()")
        found, done = drain(source, full=True)
    assert xid < before.mark.xmin < done.mark.xmin
    assert f"queue_history:{row}" in {event.key for chunk in found for event in chunk.events}


def answers(dsn: str) -> bool:
    """True if a server takes connections there."""
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True
