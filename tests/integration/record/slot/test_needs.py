"""What a slot needs of server, role and publication, and the way there where it is missing."""

from __future__ import annotations

from contextlib import closing

import pytest

from harness.demo.postgres import RECORDER_ROLE
from harness.errors import SourceError
from harness.journal.store import Journal
from harness.record.postgres.connection import SourceConnection
from harness.record.slot.source import SlotSource
from tests.integration.record.slot.kit import (
    Decoding,
    connected,
    gaps,
    payloads,
    poll,
    set_status,
    statuses,
)
from tests.support.postgres import Cluster, Production, add_job, add_submission
from tests.support.servers import LocalPostgres, PgBouncer, missing_pgbouncer
from tests.support.slots import PUBLICATION, decoded_database, slot_source, slots


def test_a_name_that_is_taken_is_refused_with_the_way_out(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with decoded_database(decoding.cluster) as elsewhere:
        elsewhere.execute(
            "SELECT pg_create_logical_replication_slot(%s, %s)", [production.name, decoding.plugin]
        )
        with pytest.raises(SourceError, match=f"in database {elsewhere.name}.*record.slot"):
            connected(decoding, production, journal)
        assert slots(elsewhere) == [production.name]


def test_a_role_that_may_not_decode_is_told_what_it_lacks(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    production.execute(f"ALTER ROLE {RECORDER_ROLE} NOREPLICATION")
    try:
        with pytest.raises(SourceError, match=f"ALTER ROLE {RECORDER_ROLE} REPLICATION"):
            connected(decoding, production, journal)
    finally:
        production.execute(f"ALTER ROLE {RECORDER_ROLE} REPLICATION")


class TestPublication:
    """Only pgoutput reads one."""

    @pytest.fixture(autouse=True)
    def _pgoutput(self, decoding: Decoding) -> None:
        if decoding.plugin != "pgoutput":
            pytest.skip("test_decoding needs no publication")

    @pytest.mark.parametrize(
        ("wrong", "mend"),
        [
            (
                "DROP PUBLICATION {}",
                "CREATE PUBLICATION {} FOR TABLE public.customers, public.jobs",
            ),
            ("ALTER PUBLICATION {} DROP TABLE jobs", "ALTER PUBLICATION {} ADD TABLE public.jobs"),
            (
                "ALTER PUBLICATION {} SET (publish = 'insert, update')",
                "publish = 'insert, update, ",
            ),
            (
                "ALTER PUBLICATION {} SET TABLE customers, directory_submissions, job_results,"
                " worker_heartbeats, worker_status, queue_history, jobs WHERE (id IS NULL)",
                "DROP TABLE public.jobs; ALTER PUBLICATION {} ADD TABLE public.jobs",
            ),
            ("ALTER TABLE worker_status DROP CONSTRAINT worker_status_pkey", "DROP TABLE public.w"),
            (
                "CREATE TABLE other (n int); ALTER PUBLICATION {} ADD TABLE other",
                "TABLE public.oth",
            ),
            ("ALTER TABLE worker_status SET UNLOGGED", "no trace"),
        ],
    )
    def test_one_that_does_not_tell_everything_is_refused_with_the_mend(
        self, decoding: Decoding, production: Production, journal: Journal, wrong: str, mend: str
    ) -> None:
        if "UNLOGGED" in wrong:
            production.execute(f"ALTER PUBLICATION {PUBLICATION} DROP TABLE worker_status")
        for statement in wrong.format(PUBLICATION, PUBLICATION).split(";"):
            production.execute(statement)
        with pytest.raises(SourceError) as caught:
            connected(decoding, production, journal)
        assert mend.format(PUBLICATION, PUBLICATION) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert slots(production) == []

    def test_the_statement_that_it_proposes_makes_a_publication_that_works(
        self, decoding: Decoding, production: Production, journal: Journal
    ) -> None:
        production.execute(f"DROP PUBLICATION {PUBLICATION}")
        with pytest.raises(SourceError) as caught:
            connected(decoding, production, journal)
        statement = str(caught.value).split("owner: ")[1].split(";")[0]
        production.execute(statement)
        with closing(connected(decoding, production, journal)) as source:
            poll(source, journal)
            assert source.streaming

    @pytest.mark.parametrize(
        "change", ["DROP PUBLICATION {0}", "ALTER PUBLICATION {0} DROP TABLE jobs"]
    )
    def test_one_that_stops_telling_a_table_ends_the_slot_and_not_the_record(
        self, source: SlotSource, production: Production, journal: Journal, change: str
    ) -> None:
        with production.connect() as session:
            production.execute(change.format(PUBLICATION))
            add_job(session)
            poll(source, journal)
            assert not source.streaming
            assert slots(production) == []
            assert len(payloads(journal, "jobs")) == 1
            assert PUBLICATION in gaps(journal)[0]
            add_job(session)
            poll(source, journal)
        assert len(payloads(journal, "jobs")) == 2

    def test_one_that_was_changed_and_changed_back_is_noticed_and_swept_after(
        self, source: SlotSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            session.execute(f"ALTER PUBLICATION {PUBLICATION} DROP TABLE jobs".encode())
            add_job(session)
            session.execute(f"ALTER PUBLICATION {PUBLICATION} ADD TABLE jobs".encode())
        poll(source, journal)
        assert len(payloads(journal, "jobs")) == 1
        assert gaps(journal) == ["the publication or a recorded table was changed"]

    def test_a_partitioned_table_comes_under_its_own_name_or_is_refused(
        self, decoding: Decoding, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            session.execute("DROP TABLE worker_status")
            session.execute(
                "CREATE TABLE worker_status (worker_id text PRIMARY KEY, status text)"
                " PARTITION BY HASH (worker_id)"
            )
            session.execute(
                "CREATE TABLE worker_status_0 PARTITION OF worker_status"
                " FOR VALUES WITH (MODULUS 1, REMAINDER 0)"
            )
            session.execute(f"GRANT SELECT ON worker_status TO {RECORDER_ROLE}".encode())
            session.execute(f"ALTER PUBLICATION {PUBLICATION} ADD TABLE worker_status".encode())
            with pytest.raises(SourceError, match="publish_via_partition_root = true"):
                connected(decoding, production, journal)
            session.execute(
                f"ALTER PUBLICATION {PUBLICATION} SET (publish_via_partition_root = true)".encode()
            )
            with closing(connected(decoding, production, journal)) as source:
                poll(source, journal)
                session.execute("INSERT INTO worker_status VALUES ('w', 'idle')")
                session.execute("UPDATE worker_status SET status = 'running'")
                poll(source, journal)
        assert [row["status"] for row in payloads(journal, "worker_status")] == ["idle", "running"]


def test_a_server_that_does_not_decode_is_told_how_to(journal: Journal) -> None:
    with LocalPostgres(18) as server:
        cluster = Cluster(server)
        with cluster.database() as production:
            production.execute(f"ALTER ROLE {RECORDER_ROLE} REPLICATION")
            source = slot_source(production, journal)
            with closing(source.connection), pytest.raises(SourceError) as caught:
                source.open()
    assert "wal_level is replica" in str(caught.value)
    assert "ALTER SYSTEM SET wal_level = logical" in str(caught.value)


def test_a_pooler_may_stand_between(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    if missing := missing_pgbouncer():
        pytest.skip(missing)
    with PgBouncer(decoding.cluster.server.dsn) as pooler:
        source = slot_source(production, journal, plugin=decoding.plugin)
        source._sweeps.connection = source.connection = source._slot._connection = SourceConnection(
            pooler.route(production.recorder_dsn)
        )
        with closing(source.connection), production.connect() as session:
            source.open()
            poll(source, journal)
            row = add_submission(session, add_job(session), "https://a.example/add", "0")
            for status in "123":
                set_status(session, row, status)
                poll(source, journal, full=status == "3")
            assert source.streaming
    assert statuses(journal) == ["0", "1", "2", "3"]
