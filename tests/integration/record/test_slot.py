"""Slot mode: the contract of every source, and what only a slot tells, keeps or breaks."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus, PGconn

from harness.demo.postgres import RECORDER_ROLE
from harness.errors import SourceError
from harness.journal.store import Journal
from harness.model import Batch, EventKind, Watermark
from harness.record.chunk import Chunk, Done
from harness.record.postgres.connection import SourceConnection
from harness.record.progress import RecorderConfig
from harness.record.recorder import Recorder
from harness.record.slot.source import SlotSource
from harness.record.writer import PRODUCTION
from tests.contracts.source import SourceContract, recorded
from tests.support.postgres import Cluster, Production, add_history, add_job, add_submission
from tests.support.processes import wait_for
from tests.support.servers import (
    LocalPostgres,
    PgBouncer,
    missing_pgbouncer,
    missing_postgres,
)
from tests.support.slots import (
    PUBLICATION,
    decoded_database,
    decoding_cluster,
    slot_source,
    slots,
)


@dataclass(frozen=True, slots=True)
class Decoding:
    """A server and the plugin that decodes its log."""

    cluster: Cluster
    plugin: str


@pytest.fixture(
    scope="module", params=[(18, "pgoutput"), (15, "test_decoding")], ids=lambda param: param[1]
)
def decoding(request: pytest.FixtureRequest) -> Iterator[Decoding]:
    version, plugin = request.param
    if missing := missing_postgres(version):
        pytest.skip(missing)
    with decoding_cluster(version) as cluster:
        yield Decoding(cluster, plugin)


@pytest.fixture
def production(decoding: Decoding) -> Iterator[Production]:
    with decoded_database(decoding.cluster) as database:
        yield database


@pytest.fixture
def source(decoding: Decoding, production: Production, journal: Journal) -> Iterator[SlotSource]:
    """Its first copy is made, of nothing."""
    with closing(connected(decoding, production, journal)) as made:
        poll(made, journal)
        assert made.streaming
        yield made


class Connected(SlotSource):
    """A source that `closing` can close."""

    def close(self) -> None:
        self.connection.close()


def connected(
    decoding: Decoding, production: Production, journal: Journal | None, **options: Any
) -> Connected:
    made = slot_source(production, journal, plugin=decoding.plugin, **options)
    made.__class__ = Connected
    assert isinstance(made, Connected)
    position, shape = None, None
    if journal is not None:
        with journal.reader() as reader:
            mark = reader.watermark(PRODUCTION)
        position = mark.position if mark else None
    try:
        made.open(position, shape)
    except BaseException:
        made.close()
        raise
    return made


def poll(
    source: SlotSource, journal: Journal, *, full: bool = False, chunks: int | None = None
) -> Done | None:
    """Copy what is new into the journal. chunks: then the recorder is killed."""
    with closing(source.poll(full=full)) as found:
        for number, chunk in enumerate(found, 1):
            append(source, journal, chunk)
            if number == chunks:
                return None
            if chunk.done is not None:
                next(found, None)
                return chunk.done
    return None


def append(source: SlotSource, journal: Journal, chunk: Chunk) -> None:
    marks: tuple[Watermark, ...] = ()
    if chunk.done is not None:
        marks = (
            Watermark(
                source=PRODUCTION,
                position=source.position(chunk.done),
                complete_until=chunk.done.mark.at,
            ),
        )
    journal.append(Batch(events=chunk.events, watermarks=marks, tier=chunk.tier))


def payloads(journal: Journal, kind: str) -> list[Any]:
    with journal.reader() as reader:
        rows = reader.rows("SELECT payload FROM events_now WHERE kind = $k ORDER BY seq", k=kind)
    return [json.loads(payload) for (payload,) in rows]


def statuses(journal: Journal) -> list[str]:
    return [row["status"] for row in payloads(journal, "directory_submissions")]


def gaps(journal: Journal) -> list[str]:
    return [row["why"] for row in payloads(journal, EventKind.RECORD_GAP)]


class TestSlot(SourceContract):
    full = False

    @pytest.fixture(autouse=True)
    def _with(self, decoding: Decoding, journal: Journal) -> None:
        self.decoding, self.journal = decoding, journal

    def make(self, production: Production) -> SlotSource:  # type: ignore[override]
        """The slot exists: one cannot begin while a transaction of these tests goes on."""
        with closing(connected(self.decoding, production, self.journal)) as first:
            for _ in first.poll(full=True):
                pass
        return slot_source(production, self.journal, plugin=self.decoding.plugin)


class TestSlotWithSweeps(TestSlot):
    full = True


def test_every_version_is_an_event_those_inside_a_transaction_too(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        for status in ("1", "2"):
            set_status(session, row, status)
        with session.transaction():
            set_status(session, row, "3")
            with session.transaction():
                set_status(session, row, "4")
            with session.transaction(force_rollback=True):
                set_status(session, row, "never")
            set_status(session, row, "5")
        with session.transaction(), session.transaction():
            set_status(session, row, "6")
    poll(source, journal)
    poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_version_written_in_a_savepoint_is_the_same_event_for_a_sweep(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        with session.transaction(), session.transaction():
            set_status(session, row, "1")
    poll(source, journal)
    with closing(source.connection):
        poll(source, journal, full=True)
        source.start_over()
        poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1"]


def test_a_sweep_does_not_get_ahead_of_the_slot(
    decoding: Decoding, source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")

        def change_between() -> None:
            with session.transaction(), session.transaction():
                set_status(session, row, "1")
            with session.transaction(), session.transaction():
                set_status(session, row, "2")

        before_the_tables_are_read(source, change_between)
        poll(source, journal, full=True)
        assert statuses(journal) == ["0"]
        with session.transaction(), session.transaction():
            set_status(session, row, "3")
    poll(source, journal)
    poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1", "2", "3"]


def test_what_a_sweep_left_to_the_slot_is_not_lost_with_it(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        before_the_tables_are_read(source, lambda: set_status(session, row, "1"))
        poll(source, journal, full=True)
        assert statuses(journal) == ["0"]
        production.execute("SELECT pg_drop_replication_slot(%s)", [production.name])
        poll(source, journal)
    assert statuses(journal) == ["0", "1"]
    assert not source.streaming


def before_the_tables_are_read(source: SlotSource, act: Any) -> None:
    """Do `act` once, after the slot was drained and before the sweep that follows."""
    read = source._sweeps.poll

    def acting(**options: Any) -> Any:
        source._sweeps.poll = read  # type: ignore[method-assign]
        act()
        return read(**options)

    source._sweeps.poll = acting  # type: ignore[method-assign]


def set_status(session: Any, row: str, status: str) -> None:
    session.execute("UPDATE directory_submissions SET status = %s WHERE id = %s", [status, row])


TYPED = {
    "a_text": ("text", "'it''s \"quoted\" \\ and\ttabbed\n'"),
    "a_name": ("varchar(9)", "'Bäckerei'"),
    "a_char": ("char(5)", "'ab'"),
    "a_small": ("smallint", "-3"),
    "a_big": ("bigint", "9007199254740993"),
    "a_price": ("numeric", "12345678901234567890.10"),
    "a_share": ("numeric(3,2)", "0.50"),
    "no_number": ("numeric", "'NaN'"),
    "a_float": ("double precision", "0.1::float8 + 0.2"),
    "an_infinite": ("real", "'-Infinity'"),
    "a_flag": ("boolean", "true"),
    "some_bytes": ("bytea", "'\\xdeadbeef00'"),
    "a_moment": ("timestamptz", "'2026-11-24 18:08:24.5+02'"),
    "no_zone": ("timestamp", "'2026-11-24 18:08:24'"),
    "for_ever": ("timestamptz", "'infinity'"),
    "never": ("timestamp", "'-infinity'"),
    "a_day": ("date", "'2026-11-24'"),
    "a_time": ("timetz", "'18:08:24+01'"),
    "a_while": ("interval", "'1 mon 2 days 03:04:05.6'"),
    "a_mood": ("mood", "'it''s ok'"),
    "a_domain": ("short_text", "'short'"),
    "a_pair": ("pair", '\'(1,"a, ""b""")\''),
    "some_texts": ("text[]", '\'{a,"b, c",NULL,""}\''),
    "a_grid": ("int[]", "'{{1,2},{3,4}}'"),
    "some_moods": ("mood[]", "'{sad}'"),
    "as_json": ("json", '\'{"b": 1.50, "a": [null, "x"], "b": 2}\''),
    "as_jsonb": ("jsonb", '\'{"b": 1.50, "a": [null, "x"]}\''),
    "some_json": ("jsonb[]", "ARRAY['{\"a\": 1}', 'null']::jsonb[]"),
    "json_text": ("jsonb", "'\"text\"'"),
    "an_address": ("inet", "'192.0.2.7/24'"),
    "some_bits": ("bit(3)", "'101'"),
    "a_letter": ('"char"', "'x'"),
    "a_range": ("tstzrange", "'[2026-11-24,2026-11-25)'"),
    "a_null": ("text", "NULL"),
    "odd Name": ("text", "'odd'"),
}


def add_typed_columns(session: Any) -> None:
    session.execute("CREATE TYPE mood AS ENUM ('sad', 'it''s ok')")
    session.execute("CREATE TYPE pair AS (a int, b text)")
    session.execute("CREATE DOMAIN short_text AS varchar(8)")
    columns = ", ".join(f'ADD COLUMN "{name}" {kind}' for name, (kind, _) in TYPED.items())
    session.execute(f"ALTER TABLE directory_submissions {columns}")


def test_a_row_of_every_type_has_the_payload_that_a_sweep_would_have_read(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    as_read = []
    with production.connect() as session:
        add_typed_columns(session)
        row = add_submission(session, add_job(session), "https://a.example/add")
        values = ", ".join(f'"{name}" = {value}' for name, (_, value) in TYPED.items())
        for change in (values, "status = 'next'", '"odd Name" = NULL'):
            session.execute(
                f"UPDATE directory_submissions SET {change} WHERE id = '{row}'".encode()
            )
            ((text,),) = session.execute("SELECT to_jsonb(t)::text FROM directory_submissions t")
            as_read.append(json.loads(text))
    poll(source, journal)
    assert payloads(journal, "directory_submissions")[1:] == as_read
    assert set(TYPED) <= as_read[0].keys()


def test_each_recorded_table_comes_as_a_sweep_would_have_read_it(
    decoding: Decoding, source: SlotSource, production: Production, journal: Journal, tmp_path: Path
) -> None:
    with production.connect() as session:
        job = add_job(
            session, business_data='{"name": "Maple"}', metadata="{}", started_at="2026-11-20"
        )
        add_submission(session, job, "https://a.example/add")
        worker = "7b1d2a52-0f58-4b35-9d0e-1f0f3b1c2d3e"
        session.execute(
            "INSERT INTO worker_heartbeats (worker_id, queue_name, status)"
            " VALUES (%s, 'q', 'idle')",
            [worker],
        )
        session.execute("INSERT INTO worker_status VALUES ('host:1', now(), 'idle')")
        session.execute(
            "INSERT INTO job_results (job_id, directory_name, status, idempotency_key, payload)"
            " VALUES (%s, 'a.example', 'submitting', 'k', '{\"a\": 1}')",
            [job],
        )
        add_history(session, job, "submitting", directory="a.example", number=1.5)
    poll(source, journal)
    swept = Journal.create(tmp_path / "swept.duckdb")
    with closing(connected(decoding, production, None)) as other:
        for chunk in other._sweeps.poll(full=True):
            swept.append(Batch(events=chunk.events))
    assert events(journal) == events(swept)
    assert len(events(journal)) == 7


def events(journal: Journal) -> set[tuple[Any, ...]]:
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT kind, key, occurred_at, job_id, directory, payload FROM events_now"
        )
    return {(*row[:-1], json.dumps(json.loads(row[-1]), sort_keys=True)) for row in rows}


def test_a_large_value_that_an_update_left_alone_is_kept(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    large = {"noise": secrets.token_hex(50_000)}
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        session.execute(
            "UPDATE directory_submissions SET listing_data = %s::jsonb", [json.dumps(large)]
        )
        poll(source, journal)
        # Nothing but the journal knows it: both versions are gone when the slot tells the first.
        set_status(session, row, "1")
        set_status(session, row, "2")
        session.execute("UPDATE directory_submissions SET listing_data = '{}', status = '3'")
        poll(source, journal)
    found = [
        (one["status"], one["listing_data"]) for one in payloads(journal, "directory_submissions")
    ]
    assert found == [("0", None), ("0", large), ("1", large), ("2", large), ("3", {})]


def test_a_large_value_is_kept_where_the_version_before_was_taken_for_this_one(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    large = json.dumps({"noise": secrets.token_hex(50_000)})
    with (
        closing(connected(decoding, production, journal, peek_messages=2)) as source,
        production.connect() as session,
    ):
        poll(source, journal)
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)
        session.execute("UPDATE directory_submissions SET listing_data = %s::jsonb", [large])
        # Looks like the update before, which a small peek shows alone.
        set_status(session, row, "0")
        poll(source, journal)
    found = [one.get("listing_data") for one in payloads(journal, "directory_submissions")]
    assert found == [None, json.loads(large), json.loads(large)]


def test_a_large_value_that_nobody_knows_any_more_is_left_out_and_not_invented(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with (
        closing(connected(decoding, production, None)) as forgetful,
        production.connect() as session,
    ):
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        session.execute(
            "UPDATE directory_submissions SET listing_data = %s::jsonb",
            [json.dumps(secrets.token_hex(50_000))],
        )
        poll(forgetful, journal)
        set_status(session, row, "1")
        session.execute("UPDATE directory_submissions SET listing_data = '{}', status = '2'")
        poll(forgetful, journal)
    first, second = payloads(journal, "directory_submissions")[-2:]
    assert (first["status"], "listing_data" in first) == ("1", False)
    assert (second["status"], second["listing_data"]) == ("2", {})


def test_a_deleted_row_and_a_changed_key_are_told(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        session.execute("INSERT INTO worker_status VALUES ('w:1', now(), 'idle')")
        session.execute("UPDATE worker_status SET worker_id = 'w:2'")
        session.execute("DELETE FROM worker_status")
    poll(source, journal)
    assert [row["worker_id"] for row in payloads(journal, "worker_status")] == ["w:1", "w:2"]
    deleted = payloads(journal, EventKind.ROW_DELETED)
    assert [(one["table"], one["identity"], one["key"]) for one in deleted] == [
        ("worker_status", "w:1", {"worker_id": "w:1"}),
        ("worker_status", "w:2", {"worker_id": "w:2"}),
    ]


def test_customers_without_a_job_leave_no_trace_not_even_of_their_end(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        job = add_job(session)
        session.execute(
            "INSERT INTO customers (customer_id, business_name, email) VALUES ('X', 'Nobody', 'x')"
        )
        session.execute("UPDATE customers SET phone = '555-0101'")
        poll(source, journal)
        session.execute("DELETE FROM customers WHERE customer_id = 'X'")
        session.execute("DELETE FROM jobs WHERE id = %s", [job])
        session.execute("DELETE FROM customers")
    poll(source, journal)
    phones = [row["phone"] for row in payloads(journal, "customers")]
    assert phones == ["555-0100", "555-0101"]
    tables = [row["table"] for row in payloads(journal, EventKind.ROW_DELETED)]
    assert tables == ["jobs", "customers"]


_NOBODY = "INSERT INTO customers (customer_id, business_name, email) VALUES ('X', 'Nobody', 'x')"
_THEIR_JOB = "INSERT INTO jobs (customer_id, package_size, status) VALUES ('X', 50, 'pending')"


def test_a_customer_told_before_a_job_named_it_is_recorded_with_the_job(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session, production.connect(autocommit=False) as other:
        # Its number is below all that follows, so nothing that follows is of a time that is over.
        add_job(other)
        session.execute(_NOBODY)
        poll(source, journal)
        assert payloads(journal, "customers") == []
        session.execute(_THEIR_JOB)
        done = poll(source, journal)
        other.rollback()
    assert [row["customer_id"] for row in payloads(journal, "customers")] == ["X"]
    assert done is not None
    assert done.complete


def test_nothing_is_claimed_of_customers_while_one_is_left_to_a_sweep(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session, production.connect(autocommit=False) as other:
        with closing(connected(decoding, production, journal)) as source:
            poll(source, journal)
            add_job(other)
            session.execute(_NOBODY)
            poll(source, journal)
        with closing(connected(decoding, production, journal)) as source:
            # Nothing remembers that the slot has told the customer.
            poll(source, journal)
            session.execute(_THEIR_JOB)
            for full in (False, True, False):
                done = poll(source, journal, full=full)
                assert done is not None
                assert not done.complete
                assert "customers" not in done.tables
                assert "jobs" in done.tables
            other.rollback()
            done = poll(source, journal, full=True)
            assert done is not None
            assert done.complete
    assert [row["customer_id"] for row in payloads(journal, "customers")] == ["X"]


def test_truncate_is_said_aloud(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        session.execute("INSERT INTO worker_status VALUES ('w', now(), 'idle')")
        session.execute("TRUNCATE worker_status")
    poll(source, journal)
    assert gaps(journal) == ["TRUNCATE emptied public.worker_status"]


@pytest.mark.parametrize("messages", [2, 10_000])
def test_updates_that_change_nothing_are_told_one_by_one(
    decoding: Decoding, production: Production, journal: Journal, messages: int
) -> None:
    """They cannot be told apart by what they wrote, and a small peek shows them one after another
    while the table has the last already."""
    with (
        closing(connected(decoding, production, journal, peek_messages=messages)) as source,
        production.connect() as session,
    ):
        poll(source, journal)
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        for _ in range(3):
            set_status(session, row, "0")
        for _ in range(2):
            with session.transaction(), session.transaction():
                set_status(session, row, "0")
        poll(source, journal)
        poll(source, journal, full=True)
    assert statuses(journal) == ["0"] * 6


@pytest.mark.parametrize("writers", ["plain", "savepoints"])
def test_a_kill_between_journal_and_slot_doubles_nothing_and_loses_nothing(
    decoding: Decoding, production: Production, journal: Journal, writers: str
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")

        def write(status: str) -> None:
            if writers == "plain":
                set_status(session, row, status)
            else:
                with session.transaction(), session.transaction():
                    set_status(session, row, status)

        with closing(connected(decoding, production, journal)) as first:
            poll(first, journal)
            write("1")
            write("2")
            with closing(first.poll(full=False)) as chunks:
                append(first, journal, next(chunks))
        write("3")
        with closing(connected(decoding, production, journal)) as second:
            poll(second, journal)
            write("4")
            poll(second, journal)
    assert statuses(journal) == ["0", "1", "2", "3", "4"]


def test_what_happened_while_no_recorder_ran_is_told_version_by_version(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        with closing(connected(decoding, production, journal)) as first:
            poll(first, journal)
        for status in "1234":
            set_status(session, row, status)
        with closing(connected(decoding, production, journal, peek_messages=2)) as second:
            poll(second, journal)
    assert statuses(journal) == ["0", "1", "2", "3", "4"]
    assert gaps(journal) == []


def test_the_watermark_says_no_more_than_what_is_journaled(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    """Commits that do not wait for the disk may be visible before decoding can read them."""
    with production.connect() as session:
        session.execute("SET synchronous_commit = off")
        job = add_job(session)
        for number in range(20):
            row = add_history(session, job, "submitting", number=number)
            ((at,),) = session.execute("SELECT clock_timestamp()").fetchall()
            done = poll(source, journal)
            assert done is not None
            assert done.mark.at < at or row in recorded(journal, EventKind.QUEUE_HISTORY)
        wait_for(
            lambda: (found := poll(source, journal)) is not None and found.mark.at >= at,
            what="the watermark's coming up",
        )
    assert len(payloads(journal, "queue_history")) == 20


def test_a_commit_that_nobody_may_see_yet_is_not_told(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    """It is in the log; but its standby has not answered, and a failover would undo it."""
    begun: list[str] = []
    ended = threading.Event()
    waits = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)

        def change_until_it_waits() -> None:
            # A setting takes effect a while after it was made.
            while not ended.is_set():
                begun.append(str(len(begun) + 1))
                set_status(session, row, begun[-1])

        writer = threading.Thread(target=change_until_it_waits)
        set_standby(production, "nobody")
        try:
            writer.start()
            wait_for(
                lambda: production.execute(waits, [session.info.backend_pid]) == [("SyncRep",)],
                what="the wait for a standby",
            )
            done = poll(source, journal)
            assert statuses(journal) == ["0", *begun[:-1]]
        finally:
            ended.set()
            set_standby(production, "")
            writer.join()
        later = poll(source, journal)
        assert statuses(journal) == ["0", *begun]
    assert done is not None
    assert later is not None
    assert done.mark.at < later.mark.at


def set_standby(production: Production, name: str) -> None:
    """Let commits wait for the standby of this name."""
    production.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    production.execute("SELECT pg_reload_conf()")


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


def test_columns_that_come_and_go_are_kept_and_a_rewritten_table_is_swept(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)
        session.execute("ALTER TABLE directory_submissions ADD COLUMN scratch int")
        session.execute("UPDATE directory_submissions SET scratch = 7")
        session.execute("ALTER TABLE directory_submissions DROP COLUMN scratch")
        set_status(session, row, "1")
        poll(source, journal)
        session.execute(
            "ALTER TABLE directory_submissions ALTER COLUMN directory_tier TYPE text USING 'new'"
        )
        done = poll(source, journal)
        assert done is not None
        assert done.tier == "sweep"
        poll(source, journal, full=True)
    found = payloads(journal, "directory_submissions")
    assert [(one["status"], one.get("scratch"), one["directory_tier"]) for one in found] == [
        ("0", None, None),
        ("0", 7, None),
        ("1", None, None),
        ("1", None, "new"),
    ]
    assert gaps(journal) == []


def test_a_type_that_is_gone_leaves_its_values_as_text(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        session.execute("CREATE TYPE mood AS ENUM ('sad')")
        session.execute("ALTER TABLE directory_submissions ADD COLUMN mood mood")
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        session.execute("UPDATE directory_submissions SET mood = 'sad', directory_tier = 3")
        session.execute("ALTER TABLE directory_submissions DROP COLUMN mood")
        session.execute("DROP TYPE mood")
        set_status(session, row, "1")
    poll(source, journal)
    found = payloads(journal, "directory_submissions")
    assert [(one["status"], one.get("mood"), one["directory_tier"]) for one in found] == [
        ("0", None, None),
        ("0", "sad", 3),
        ("1", None, 3),
    ]


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


def test_the_recorder_itself_misses_no_version_over_a_pause(
    decoding: Decoding, production: Production, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "week.duckdb")
    config = RecorderConfig(
        dsn=production.recorder_dsn,
        mode="slot",
        slot=production.name,
        slot_plugin=decoding.plugin,  # type: ignore[arg-type]
        tick_s=0.1,
        sweep_min_interval_s=0.5,
        sweep_max_share=1.0,
    )
    written = [str(number) for number in range(12)]
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "first")
        with recording(config, journal):
            wait_for(lambda: slots(production) != [], what="the slot's beginning")
            for status in written[:6]:
                set_status(session, row, status)
            wait_for(lambda: statuses(journal)[-1:] == ["5"], what="the last change")
        set_status(session, row, "between")
        with recording(config, journal):
            for status in written[6:]:
                set_status(session, row, status)
            wait_for(lambda: statuses(journal)[-1:] == ["11"], what="the last change")
    # What it was before the slot began, only the first copy can tell.
    assert [status for status in statuses(journal) if status != "first"] == [
        *written[:6],
        "between",
        *written[6:],
    ]
    assert gaps(journal) == []
    assert slots(production) == [production.name]


@contextmanager
def recording(config: RecorderConfig, journal: Journal) -> Iterator[None]:
    """A recorder at work for as long as the block."""
    stop = threading.Event()
    thread = threading.Thread(target=Recorder(config, journal).run, kwargs={"stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


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
