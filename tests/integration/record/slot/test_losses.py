"""What a slot cannot tell or keeps too long is said aloud, and recording goes on."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus, PGconn

from harness.demo.postgres import RECORDER_ROLE
from harness.errors import SourceError
from harness.journal.store import Journal
from harness.model import EventKind
from harness.record.slot.source import SlotSource
from tests.contracts.source import recorded
from tests.integration.record.slot.kit import (
    Decoding,
    connected,
    gaps,
    payloads,
    poll,
    set_status,
    statuses,
)
from tests.support.postgres import Production, add_history, add_job, add_submission
from tests.support.processes import wait_for
from tests.support.slots import PUBLICATION, slots


def test_truncate_is_said_aloud(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        session.execute("INSERT INTO worker_status VALUES ('w', now(), 'idle')")
        session.execute("TRUNCATE worker_status")
    poll(source, journal)
    assert gaps(journal) == ["TRUNCATE emptied public.worker_status"]


def test_much_log_is_a_warning_and_too_much_ends_the_slot_and_nothing_else(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    limits = {"warn_mb": 2.0, "drop_mb": 12.0, "retry_s": 1e6}
    with closing(connected(decoding, production, journal, **limits)) as source:
        with production.connect() as session:
            row = add_submission(session, add_job(session), "https://a.example/add", "0")
            poll(source, journal)
            assert source.warning is None
            with production.connect(autocommit=False) as slow:
                # The slot has to keep the log from the start of this one on.
                add_job(slow)
                fill_log(session, megabytes=3)
                poll(source, journal)
                assert source.streaming
                assert source.warning is not None
                assert "keeps" in source.warning
                fill_log(session, megabytes=12)
                set_status(session, row, "1")
                set_status(session, row, "2")
                poll(source, journal)
                assert slots(production) == []
                assert "was dropped" in (source.warning or "")
                slow.commit()
        poll(source, journal)
    assert statuses(journal) == ["0", "2"]
    assert len(payloads(journal, "jobs")) == 2
    (why,) = gaps(journal)
    assert "limit 12 MB" in why


def fill_log(session: Any, *, megabytes: int) -> None:
    session.execute("CREATE TABLE IF NOT EXISTS noise (n int, filler text)")
    session.execute(
        "INSERT INTO noise SELECT n, repeat('x', 900) FROM generate_series(1, %s) AS n",
        [megabytes * 1100],
    )


def test_a_slot_that_vanished_is_a_gap_and_is_made_anew(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)
        production.execute("SELECT pg_drop_replication_slot(%s)", [production.name])
        set_status(session, row, "unseen")
        set_status(session, row, "1")
        poll(source, journal)
        assert not source.streaming
        poll(source, journal)
        assert source.streaming
        set_status(session, row, "2")
        set_status(session, row, "3")
        poll(source, journal)
    assert statuses(journal) == ["0", "1", "2", "3"]
    (why,) = gaps(journal)
    assert "does not exist" in why


def test_a_slot_that_vanished_while_no_recorder_ran_is_a_gap(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        with closing(connected(decoding, production, journal)) as source:
            row = add_submission(session, add_job(session), "https://a.example/add", "0")
            poll(source, journal)
            assert gaps(journal) == []
        with closing(connected(decoding, production, journal)) as source:
            source.drop()
        set_status(session, row, "1")
        set_status(session, row, "2")
        with closing(connected(decoding, production, journal)) as source:
            poll(source, journal)
            poll(source, journal)
    assert statuses(journal) == ["0", "2"]
    (why,) = gaps(journal)
    assert why.endswith("was gone when recording went on")


def test_a_transaction_that_stays_open_delays_the_slot_and_not_the_record(
    decoding: Decoding, production: Production, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.record.slot.replication_slot.CREATION_PATIENCE_S", 1.0)
    with (
        closing(connected(decoding, production, journal)) as source,
        production.connect() as session,
        production.connect(autocommit=False) as slow,
    ):
        job = add_job(session)
        late = add_history(slow, job, "submitting")
        poll(source, journal)
        assert not source.streaming
        assert len(payloads(journal, "jobs")) == 1
        assert "cannot begin" in (source.warning or "")
        slow.commit()
        poll(source, journal)
        assert source.streaming
        assert source.warning is None
    assert list(recorded(journal, EventKind.QUEUE_HISTORY)) == [late]
    assert len(gaps(journal)) == 1


def test_a_slot_that_somebody_else_advances_is_noticed_and_swept_after(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)
        set_status(session, row, "1")
        production.execute(
            "SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", [production.name]
        )
        poll(source, journal)
    assert statuses(journal) == ["0", "1"]
    (why,) = gaps(journal)
    assert "somebody else advanced" in why


def test_a_slot_that_another_session_reads_is_named_as_such(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    options = ""
    if source._options.plugin == "pgoutput":
        options = f"(proto_version '1', publication_names '{PUBLICATION}')"
    with production.connect() as session:
        add_job(session)
    reader = PGconn.connect(make_conninfo(production.dsn, replication="database").encode())
    try:
        start = f"START_REPLICATION SLOT {production.name} LOGICAL 0/0 {options}"
        assert reader.exec_(start.encode()).status == ExecStatus.COPY_BOTH
        with pytest.raises(SourceError, match=r"being read by another session.*record\.slot"):
            poll(source, journal)
    finally:
        reader.finish()
    wait_for(lambda: not in_use(production), what="the other session's end")
    poll(source, journal)
    assert len(payloads(journal, "jobs")) == 1
    assert gaps(journal) == []


def in_use(production: Production) -> bool:
    query = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
    ((active,),) = production.execute(query, [production.name])
    return bool(active)


def test_a_halted_table_is_left_out_until_it_is_started_over(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    source.halt("worker_status", "a person must look")
    with production.connect() as session:
        session.execute("INSERT INTO worker_status VALUES ('w', now(), 'idle')")
        add_job(session)
        done = poll(source, journal)
        assert done is not None
        assert not done.complete
        assert payloads(journal, "worker_status") == []
        assert len(payloads(journal, "jobs")) == 1
    source.start_over()
    poll(source, journal)
    assert len(payloads(journal, "worker_status")) == 1


def test_a_change_of_a_table_that_may_not_be_read_is_a_gap_that_outlives_the_recorder(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        with closing(connected(decoding, production, journal)) as source:
            row = add_submission(session, add_job(session), "https://a.example/add", "0")
            poll(source, journal)
            session.execute(f"REVOKE SELECT ON worker_status FROM {RECORDER_ROLE}")
            poll(source, journal, full=True)
            session.execute("INSERT INTO worker_status VALUES ('w', now(), 'idle')")
            session.execute("UPDATE worker_status SET status = 'running'")
            set_status(session, row, "1")
            # The journal did not take the first answer; the second says it all the same.
            next(source.poll(full=False))
            poll(source, journal)
        session.execute(f"GRANT SELECT ON worker_status TO {RECORDER_ROLE}")
        with closing(connected(decoding, production, journal)) as source:
            poll(source, journal)
    assert [row["status"] for row in payloads(journal, "worker_status")] == ["running"]
    assert statuses(journal) == ["0", "1"]
    assert gaps(journal).count("worker_status was changed while it could not be read") == 1


def test_a_right_taken_away_meanwhile_is_a_gap_and_polling_goes_on(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    production.execute(f"ALTER ROLE {RECORDER_ROLE} NOREPLICATION")
    try:
        with production.connect() as session:
            add_job(session)
        poll(source, journal)
    finally:
        production.execute(f"ALTER ROLE {RECORDER_ROLE} REPLICATION")
    assert len(payloads(journal, "jobs")) == 1
    (why,) = gaps(journal)
    assert "ALTER ROLE" in why
    assert "pg_drop_replication_slot" in why


def test_drop_ends_what_production_keeps(source: SlotSource, production: Production) -> None:
    assert slots(production) == [production.name]
    source.drop()
    source.drop()
    assert slots(production) == []


def test_what_the_journal_has_production_need_not_keep(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    query = (
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)"
        " FROM pg_replication_slots WHERE slot_name = %s"
    )
    with production.connect() as session:
        add_job(session)
        ((before,),) = production.execute(query, [production.name])
        poll(source, journal)
        ((after,),) = production.execute(query, [production.name])
        assert after < before
        # Changes of others cost a second decoding, so they are let go by the megabyte.
        fill_log(session, megabytes=2)
        poll(source, journal)
        ((idle,),) = production.execute(query, [production.name])
    assert idle < 2**20
