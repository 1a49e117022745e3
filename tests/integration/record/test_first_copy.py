"""The first copy: every row once, as the tiers would record it, however often it breaks off."""

from __future__ import annotations

import json
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from harness.errors import JournalBusyError, SourceError
from harness.journal.connect import opened
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch
from harness.record.copy.first_copy import (
    PRODUCTION_COPY,
    CopyLimits,
    CopyProgress,
    CopyResult,
    copy_first,
)
from harness.record.copy.plan import Form, resume
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.horizon import mark_snapshot
from harness.record.postgres.introspect import Table, read_tables
from harness.record.postgres.source import PostgresSource
from harness.record.postgres.tables import parse_time
from harness.record.postgres.xids import CRASH_REUSE_XIDS, HALF_CYCLE, full_xid
from harness.resources import sql_queries
from tests.support.load import (
    KEYS,
    assert_same,
    committed_rows,
    fill,
    history_ids,
    recorded_history_ids,
    recorded_rows,
)
from tests.support.postgres import Production, add_history, add_job, add_submission

SMALL = CopyLimits(chunk_rows=100, step_pages=3)
STEADY = CopyLimits(chunk_rows=100, step_pages=3, spool_bytes=1)
"""Reading is never more than two chunks ahead of the journal."""
NASTY = (
    "", "\t", "a\tb\nc\r\nd", '"', "'", "\\", "\\N", "\\.", "\\t", ",", "NULL", "None", "null",
    "\x01\x02\x1f\x7f", "Grüße 🦆", "\ufeff", "NaN", '{"a": "}\\""}', "x" * 9000, "%s {table}",
)  # fmt: skip
TIMES = (
    "2026-11-20 09:00:00.5+02", "infinity", "-infinity", "0044-03-15 00:00:00+00 BC",
    "9999-12-31 23:59:59.999999+00", "10000-01-01 00:00:00+00", "0001-01-01 00:00:00+00", None,
)  # fmt: skip
DETAILS = (
    '{"b": 1.00, "a": [1e300, -0.0, 123456789012345678901234567890], "é": "\\u00e9\\t\\u0001"}',
    "null", '"text"', "[]", "3", None,
)  # fmt: skip


@pytest.fixture
def connection(production: Production) -> Iterator[SourceConnection]:
    with closing(SourceConnection(production.recorder_dsn)) as made:
        yield made


def tables_of(connection: SourceConnection) -> tuple[Table, ...]:
    with connection.snapshot() as snapshot:
        return read_tables(snapshot, schema="public")


def copied(
    connection: SourceConnection,
    journal: Journal,
    *,
    limits: CopyLimits = SMALL,
    stop: threading.Event | None = None,
    on_progress: Callable[[CopyProgress], None] = lambda _: None,
    identity: str | None = None,
) -> CopyResult | None:
    return copy_first(
        connection,
        journal,
        tables_of(connection),
        identity=identity,
        stop=stop or threading.Event(),
        on_progress=on_progress,
        limits=limits,
    )


def sweep(production: Production, journal: Journal, result: CopyResult | None) -> int:
    """The tiers take over; return how many events were new."""
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
    source = PostgresSource(SourceConnection(production.recorder_dsn), pace=pace)
    new = 0
    with closing(source.connection):
        if result is None:
            source.open()
        else:
            # A new connection makes it go back further; that must not hide what X alone would miss.
            xid = min(result.xids.values()) + CRASH_REUSE_XIDS
            source.open({"xid": xid, "tables": list(result.xids)})
        with closing(source.poll(full=True)) as chunks:
            for chunk in chunks:
                new += journal.append(Batch(events=chunk.events, tier=chunk.tier)).new
    return new


def events_of(journal: Journal) -> dict[str, tuple[Any, ...]]:
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT key, source, kind, job_id, directory, epoch_us(occurred_at), payload"
            " FROM events_now"
        )
    found = {row[0]: (*row[1:-1], json.loads(row[-1])) for row in rows}
    assert len(found) == len(rows)
    return found


def insert(session: psycopg.Connection[Any], table: str, row: Mapping[str, Any]) -> None:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    session.execute(statement, list(row.values()))


def plant_nasty_rows(production: Production) -> None:
    """In every table each text, time and value that could break a line, a column or a number."""
    with production.connect() as owner:
        owner.execute("ALTER TABLE queue_history ALTER created_at DROP NOT NULL")
        owner.execute(
            "ALTER TABLE queue_history ADD price numeric, ADD ratio float8, ADD raw bytea"
        )
        for number in range(40):
            text = NASTY[number % len(NASTY)]
            customer = f"DIR-{number}-{text[:80]}"
            insert(owner, "customers", {
                "id": f"{number}{text[:80]}", "customer_id": customer, "business_name": text,
                "email": "owner@maple.example", "created_at": TIMES[number % len(TIMES)],
                "updated_at": TIMES[(number + 3) % len(TIMES)],
            })  # fmt: skip
            insert(owner, "jobs", {
                "customer_id": customer, "package_size": 50, "error_message": text,
                "business_data": DETAILS[number % len(DETAILS)],
            })  # fmt: skip
            ((job,),) = owner.execute(
                "SELECT id::text FROM jobs WHERE customer_id = %s", [customer]
            ).fetchall()
            insert(owner, "directory_submissions", {
                "submission_queue_id": job if number % 3 else None, "directory_url": text,
                "listing_data": DETAILS[number % len(DETAILS)],
                "updated_at": TIMES[number % len(TIMES)],
                "created_at": TIMES[(number + 1) % len(TIMES)],
            })  # fmt: skip
            insert(owner, "job_results", {
                "job_id": job, "directory_name": text, "status": "submitting",
                "idempotency_key": f"{number}", "payload": DETAILS[number % len(DETAILS)],
            })  # fmt: skip
            insert(owner, "queue_history", {
                "job_id": job, "directory_name": text or None, "event": text,
                "details": DETAILS[number % len(DETAILS)], "created_at": TIMES[number % len(TIMES)],
                "price": ("NaN", "1.00", "-Infinity", "1e-40")[number % 4],
                "ratio": ("NaN", "1e300", "Infinity", "-0")[number % 4], "raw": b"\x00\n\t\\",
            })  # fmt: skip
            insert(owner, "worker_status", {"worker_id": f"{number}{text[:80]}", "status": text})
        owner.execute(
            "INSERT INTO worker_heartbeats (worker_id, queue_name, status)"
            " VALUES (gen_random_uuid(), E'a\\tb', 'idle')"
        )
        owner.execute("INSERT INTO customers (id, customer_id, business_name, email)"
                      " VALUES ('x', 'nobody', 'Without a job', 'x@maple.example')")  # fmt: skip


def test_the_events_are_those_of_the_sweep(
    production: Production, connection: SourceConnection, tmp_path: Path
) -> None:
    plant_nasty_rows(production)
    one, other = (Journal.create(tmp_path / f"{name}.duckdb") for name in ("one", "other"))
    sweep(production, one, None)
    result = copied(connection, other)
    assert result is not None
    assert set(result.xids) == {
        "customers", "jobs", "directory_submissions", "job_results", "queue_history",
        "worker_heartbeats", "worker_status",
    }  # fmt: skip
    theirs, ours = events_of(one), events_of(other)
    assert len(ours) == 40 * 6 + 1
    assert ours.keys() == theirs.keys()
    untold = [key for key, event in theirs.items() if event[:4] != ours[key][:4]]
    assert untold == []
    for key, event in theirs.items():
        assert event[5] == ours[key][5]
        # Without a time of its own a row occurred when it was read, and they were read in turn.
        assert event[4] == ours[key][4] or _tells_no_time(event[5])
    assert verify(other.path).clean
    assert sweep(production, other, result) == 0


def _tells_no_time(row: Mapping[str, Any]) -> bool:
    names = ("updated_at", "submitted_at", "last_heartbeat", "created_at")
    return not any(parse_time(row.get(name)) for name in names)


def test_the_full_number_of_a_transaction_is_told_as_python_tells_it(
    production: Production,
) -> None:
    rng = random.Random(7)
    tops = [3, 10, 2**31, 2**32 - 1, 2**32, 2**32 + 3, *(rng.randrange(3, 2**40) for _ in range(9))]
    raws = [0, 1, 2, 3, 4, 9, 2**31, 2**32 - 1, *(rng.randrange(2**32) for _ in range(9))]
    text = sql_queries("postgres/record/copy.sql")["version_of"]
    with production.connect() as session:
        for top in tops:
            for raw in raws:
                part = sql.SQL(text).format(raw=sql.Literal(raw), xmax=sql.Literal(top))
                ((told,),) = session.execute(sql.SQL("SELECT ") + part).fetchall()
                assert told == full_xid(raw, next_xid=top), (raw, top)


_RUN = """
import sys, threading
from contextlib import closing
from pathlib import Path
from harness.journal.store import Journal
from tests.integration.record.test_first_copy import SMALL, copied
from harness.record.postgres.connection import SourceConnection

with closing(SourceConnection(sys.argv[1])) as connection:
    copied(
        connection,
        Journal.open(Path(sys.argv[2])),
        on_progress=lambda progress: print(progress.all_rows, flush=True),
    )
"""


def killed_copy(production: Production, journal: Journal, *, chunks: int, pause_s: float) -> bool:
    """Copy in a process of its own and kill that after so many chunks; False if it had ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, production.recorder_dsn, str(journal.path)],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process, process.stdout as told:
        for _ in range(chunks):
            told.readline()
        threading.Event().wait(pause_s)
        process.kill()
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0


def disturb(production: Production, rng: random.Random) -> None:
    """What production may do between two sessions of a recorder."""
    with production.connect() as owner:
        jobs = [str(job) for (job,) in owner.execute("SELECT id FROM jobs")]
        for _ in range(20):
            job = rng.choice(jobs)
            add_history(owner, job, "submitted", number=rng.random())
            add_submission(owner, job, f"https://new{rng.random()}.example/add")
        ids = [str(row) for (row,) in owner.execute("SELECT id FROM directory_submissions")]
        some = rng.sample(ids, len(ids) // 4)
        half = len(some) // 2
        owner.execute(
            "UPDATE directory_submissions SET status = 'submitted', result_message = %s"
            " WHERE id = ANY(%s::uuid[])",
            ["x" * rng.randrange(400), some[:half]],
        )
        owner.execute("DELETE FROM directory_submissions WHERE id = ANY(%s::uuid[])", [some[half:]])
        add_job(owner)
        done = rng.choice(
            ["VACUUM", "VACUUM FULL directory_submissions", "VACUUM FULL", "VACUUM FREEZE",
             "CLUSTER directory_submissions USING directory_submissions_pkey", "ANALYZE"]
        )  # fmt: skip
        owner.execute(done.encode())
        # Free space in early pages is used again, so rows move to where the copy has been.
        for job in rng.sample(jobs, 5):
            owner.execute(
                "UPDATE directory_submissions SET status = 'failed' WHERE submission_queue_id = %s",
                [job],
            )


@pytest.mark.parametrize("seed", range(3))
def test_a_copy_killed_anywhere_goes_on_and_every_row_is_there_once(
    production: Production, connection: SourceConnection, journal: Journal, seed: int
) -> None:
    rng = random.Random(seed)
    fill(production, history_rows=1500, jobs=200)
    kills = 0
    for _ in range(3):
        kills += killed_copy(
            production, journal, chunks=rng.randrange(24), pause_s=rng.random() * 0.05
        )
        assert verify(journal.path).clean
        disturb(production, rng)
    result = copied(connection, journal)
    assert kills
    assert result is not None
    sweep(production, journal, result)
    assert_is_production(production, journal)
    assert verify(journal.path).clean
    assert list(journal.path.parent.glob(".*")) == []


def assert_is_production(production: Production, journal: Journal) -> None:
    """As `assert_same`, but rows of the work list may have been deleted since."""
    assert history_ids(production) == recorded_history_ids(journal)
    for table in KEYS:
        truth, record = committed_rows(production, table), recorded_rows(journal, table)
        if table == "directory_submissions":
            record = {key: row for key, row in record.items() if key in truth}
        assert record == truth, table


def test_a_session_goes_on_where_the_last_one_was(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=2000, jobs=100)
    stop = threading.Event()
    whole: list[CopyProgress] = []

    def halfway(progress: CopyProgress) -> None:
        whole.append(progress)
        if progress.table == "queue_history" and progress.rows >= 1000:
            stop.set()

    assert copied(connection, journal, limits=STEADY, stop=stop, on_progress=halfway) is None
    mark = journal.watermark(PRODUCTION_COPY)
    assert mark is not None
    assert mark.position["tables"]["jobs"]["done"]
    first_xid = mark.position["tables"]["queue_history"]["xid"]
    before = journal.head().seq
    production.execute("INSERT INTO worker_status (worker_id) VALUES ('later')")
    rest: list[CopyProgress] = []
    result = copied(connection, journal, on_progress=rest.append)
    assert result is not None
    assert result.xids["queue_history"] == first_xid < result.mark.xmin
    assert {progress.table for progress in rest} == {
        "queue_history", "worker_heartbeats", "worker_status",
    }  # fmt: skip
    # Of the history no more than the rest and the rows of one moment are read again.
    assert journal.head().seq - before == 2000 + 1 - whole[-1].rows
    assert rest[-1].all_rows == rest[-1].all_expected
    assert sweep(production, journal, result) == 0
    assert_same(production, journal)


def test_being_told_to_stop_does_not_wait_for_what_was_read_ahead(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=2000)
    stop = threading.Event()
    chunks: list[CopyProgress] = []

    def stop_at_once(progress: CopyProgress) -> None:
        chunks.append(progress)
        stop.set()

    assert copied(connection, journal, stop=stop, on_progress=stop_at_once) is None
    assert len(chunks) == 1
    assert sweep(production, journal, copied(connection, journal)) == 0
    assert_same(production, journal)


def test_pages_that_were_copied_are_not_read_again(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=0, jobs=400)
    stop = threading.Event()

    def halfway(progress: CopyProgress) -> None:
        if progress.table == "directory_submissions" and progress.rows >= 1000:
            stop.set()

    assert copied(connection, journal, limits=STEADY, stop=stop, on_progress=halfway) is None
    mark = journal.watermark(PRODUCTION_COPY)
    assert mark is not None
    state = mark.position["tables"]["directory_submissions"]
    assert state["page"] >= 3
    rest: list[CopyProgress] = []
    assert copied(connection, journal, on_progress=rest.append) is not None
    ((size,),) = production.execute(
        "SELECT sum(length(to_jsonb(t)::text)) FROM directory_submissions AS t"
    )
    assert rest[-1].bytes < size * 3 / 4
    assert_same(production, journal)


def test_a_table_whose_file_was_written_anew_is_copied_from_its_first_page(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=0, jobs=400)
    stop = threading.Event()

    def halfway(progress: CopyProgress) -> None:
        if progress.table == "directory_submissions" and progress.rows >= 1000:
            stop.set()

    assert copied(connection, journal, limits=STEADY, stop=stop, on_progress=halfway) is None
    # The rows change places without a new xmin: those of the last pages now lie in the first.
    with production.connect() as owner:
        owner.execute("CREATE INDEX backwards ON directory_submissions (id DESC)")
        owner.execute("CLUSTER directory_submissions USING backwards")
    result = copied(connection, journal)
    assert result is not None
    assert sweep(production, journal, result) == 0
    assert_same(production, journal)


def test_an_append_only_table_is_journaled_in_the_order_of_its_times(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=0, jobs=3)
    with production.connect() as owner:
        owner.execute("ALTER TABLE queue_history ALTER created_at DROP NOT NULL")
        owner.execute(
            "INSERT INTO queue_history (job_id, event, details, created_at)"
            " SELECT (SELECT min(id::text)::uuid FROM jobs), 'submitting',"
            " jsonb_build_object('n', n),"
            " CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN timestamptz '0044-03-15 00:00:00+00 BC'"
            " ELSE now() - (n * 7919 % 900 / 3) * interval '1 s' END"
            " FROM generate_series(1, 900) AS n"
        )
        ours = owner.execute(
            "SELECT details->>'n' FROM queue_history ORDER BY created_at, ctid"
        ).fetchall()
    stop = threading.Event()

    def soon(progress: CopyProgress) -> None:
        if progress.table == "queue_history" and progress.rows >= 400:
            stop.set()

    assert copied(connection, journal, limits=STEADY, stop=stop, on_progress=soon) is None
    assert copied(connection, journal) is not None
    with journal.reader() as reader:
        told = reader.rows(
            "SELECT payload->>'$.details.n' FROM events_now WHERE kind = 'queue_history'"
            " ORDER BY seq"
        )
    assert told == ours


def test_a_connection_cut_midway_loses_nothing(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=3000)
    cut: list[int] = []

    def cut_it(progress: CopyProgress) -> None:
        if progress.rows >= 500 and not cut:
            cut.append(progress.rows)
            production.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'shadow-recorder' AND datname = current_database()"
            )

    with pytest.raises(SourceError):
        copied(connection, journal, limits=STEADY, on_progress=cut_it)
    assert 0 < journal.head().seq < 3000
    assert verify(journal.path).clean
    result = copied(connection, journal)
    assert sweep(production, journal, result) == 0
    assert_same(production, journal)


def test_a_locked_journal_is_waited_for_and_then_said_by_name(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=500)
    released, held = threading.Event(), threading.Event()

    def hold() -> None:
        with opened(journal.path, read_only=False):
            held.set()
            released.wait(60)

    holder = threading.Thread(target=hold)

    def lock_it(_: CopyProgress) -> None:
        if not held.is_set():
            holder.start()
            held.wait(60)

    hasty = Journal(journal.path, busy_timeout_s=0.2)
    try:
        with pytest.raises(JournalBusyError, match="locked"):
            copied(connection, hasty, on_progress=lock_it)
    finally:
        released.set()
        holder.join()
    assert copied(connection, journal) is not None
    assert_same(production, journal)


def test_rows_on_their_way_are_for_nobody_else_and_leave_nothing(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=500)
    folder = journal.path.with_name(f".{journal.path.name}.copy")
    folder.mkdir()
    (folder / "left by a killed one").write_text("owner@maple.example")
    seen: list[tuple[int, list[str]]] = []

    def look(_: CopyProgress) -> None:
        names = [path.name for path in folder.iterdir() if path.is_file()]
        seen.append((stat.S_IMODE(folder.stat().st_mode), names))

    assert copied(connection, journal, on_progress=look) is not None
    assert set(map(str, seen)) == {str((0o700, []))}
    assert not folder.exists()


def test_a_table_without_a_primary_key_is_left_to_the_first_sweep(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=50)
    production.execute("ALTER TABLE queue_history DROP CONSTRAINT queue_history_pkey")
    production.execute("ALTER TABLE worker_status ADD UNIQUE (worker_id)")
    result = copied(connection, journal)
    assert result is not None
    assert "queue_history" not in result.xids
    assert "jobs" in result.xids
    assert sweep(production, journal, result) == 50
    assert_same(production, journal)


def test_a_partitioned_table_is_copied(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=50)
    with production.connect() as owner:
        owner.execute("DROP TABLE worker_status")
        owner.execute(
            "CREATE TABLE worker_status (worker_id text PRIMARY KEY, last_heartbeat timestamptz,"
            " status text) PARTITION BY HASH (worker_id)"
        )
        for part in range(3):
            owner.execute(
                f"CREATE TABLE worker_status_{part} PARTITION OF worker_status"
                f" FOR VALUES WITH (MODULUS 3, REMAINDER {part})".encode()
            )
        owner.execute("INSERT INTO worker_status SELECT 'w' || n FROM generate_series(1, 250) AS n")
        owner.execute("GRANT SELECT ON worker_status TO shadow_recorder")
    result = copied(connection, journal)
    assert result is not None
    assert "worker_status" in result.xids
    assert sweep(production, journal, result) == 0
    assert_same(production, journal)


def test_a_copy_that_is_done_reads_nothing_more(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=50)
    first = copied(connection, journal)
    again: list[CopyProgress] = []
    second = copied(connection, journal, on_progress=again.append)
    assert first is not None
    assert second is not None
    assert second.xids == first.xids
    # A watermark without events counts from the next event on, so empty tables are asked again.
    assert {progress.rows for progress in again} <= {0}


def test_another_server_is_refused(
    production: Production, connection: SourceConnection, journal: Journal
) -> None:
    fill(production, history_rows=50)
    copied(connection, journal, identity="1/2")
    with pytest.raises(SourceError, match="not the database"):
        copied(connection, journal, identity="1/3")


FORM = Form(filenode=7, paged=True, keyed=True, pages=9, rows=9, server_version=180000)
REMEMBERED = {"xid": 4000, "filenode": 7, "page": 3, "created": None, "rows": 5, "done": False}


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        ({}, True),
        ({"filenode": 8}, False),
        ({"filenode": 8, "done": True}, True),
        ({"filenode": 8, "page": 0, "created": "2026-11-20"}, True),
        ({"xid": 5001}, False),
        ({"xid": 5000 - HALF_CYCLE}, False),
    ],
)
def test_a_state_is_taken_up_only_where_that_is_sound(
    connection: SourceConnection, change: dict[str, Any], goes_on: bool
) -> None:
    with connection.snapshot() as snapshot:
        mark = replace(mark_snapshot(snapshot), xmin=5000, xmin_age=0)
    remembered = REMEMBERED | change
    state = resume(remembered, FORM, mark)
    if goes_on:
        assert (state.xid, state.page) == (remembered["xid"], remembered["page"])
    else:
        assert (state.xid, state.page, state.rows, state.done) == (5000, 0, 0, False)
