"""What a row looks like that comes from the log: every type, large values, changed columns."""

from __future__ import annotations

import json
import secrets
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.journal.store import Journal
from harness.model import Batch
from harness.record.slot.source import SlotSource
from tests.integration.record.slot.kit import Decoding, connected, gaps, payloads, poll, set_status
from tests.support.postgres import Production, add_history, add_job, add_submission

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
