"""Production in every shape that is known, and in shapes that change while it is recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from harness.demo.postgres import SCHEMA_FILES
from harness.journal.findings import detect
from harness.journal.store import Journal, utc_now
from harness.model import EventKind
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.introspect import (
    Survey,
    Table,
    describe_drift,
    shape_of,
    survey_tables,
)
from harness.record.postgres.mapping import TableMapping, describe_mapping
from harness.record.recorder import Recorder, RecorderConfig, RecorderProgress
from harness.resources import sql_queries, sql_text
from tests.support.postgres import Production, add_history, add_job, add_submission
from tests.support.processes import wait_for

DEADLINE_S = 60.0
LIVE_RESULTS = "postgres/schema/011_live_results.sql"
TO_020 = """
ALTER TABLE jobs DROP CONSTRAINT jobs_status_check, DROP COLUMN package_size,
    ADD COLUMN directories_to_process integer NOT NULL DEFAULT 0,
    ADD COLUMN directories_completed integer NOT NULL DEFAULT 0,
    ADD COLUMN progress_percentage numeric(5, 2) DEFAULT 0, ADD COLUMN assigned_to text,
    ADD COLUMN retry_count integer NOT NULL DEFAULT 0,
    ADD CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'paused', 'cancelled'));
ALTER TABLE directory_submissions RENAME COLUMN submission_queue_id TO job_id;
ALTER TABLE directory_submissions DROP COLUMN customer_job_id;
"""
TO_UUID = """
ALTER TABLE directory_submissions DROP COLUMN customer_job_id;
ALTER TABLE jobs DROP CONSTRAINT jobs_customer_id_fkey CASCADE,
    ALTER COLUMN customer_id TYPE uuid USING gen_random_uuid();
"""


def make_anew(production: Production, *statements: str) -> None:
    """Give the database an empty schema made by these statements."""
    with production.connect(autocommit=False) as owner:
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *statements):
            owner.execute(statement.encode())


def make_live(production: Production) -> None:
    """The database as it was before any migration."""
    live = sql_queries(LIVE_RESULTS).values()
    make_anew(production, sql_text(SCHEMA_FILES[0]), *live, sql_text(SCHEMA_FILES[2]))


def replace_results(production: Production) -> None:
    """A mixture: job_results of before the migration beside a migrated queue_history."""
    production.execute("DROP TABLE job_results")
    production.execute(sql_queries(LIVE_RESULTS)["create_job_results"])


def config_for(production: Production) -> RecorderConfig:
    return RecorderConfig(
        dsn=production.recorder_dsn, tick_s=0.05, sweep_min_interval_s=0.1, sweep_max_share=0.5
    )


def record(production: Production, journal: Journal) -> None:
    Recorder(config_for(production), journal).run(until_idle_s=0.1, for_s=DEADLINE_S)


@contextmanager
def recording(production: Production, journal: Journal) -> Iterator[list[RecorderProgress]]:
    """Record while the block runs; an error of the recorder is raised at its end."""
    stop, heard, failures = threading.Event(), [RecorderProgress()], []

    def work() -> None:
        try:
            Recorder(config_for(production), journal).run(stop=stop, on_progress=heard.append)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="recorder")
    thread.start()
    try:
        wait_for(lambda: heard[-1].sweeps > 0 or bool(failures), what="the first copy")
        yield heard
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def look(production: Production, *, expected: Sequence[str] = ()) -> Survey:
    connection = SourceConnection(production.recorder_dsn)
    with closing(connection), connection.snapshot() as snapshot:
        return survey_tables(snapshot, schema="public", expected=expected)


def by_table(tables: Sequence[Table]) -> dict[str, TableMapping]:
    return {mapping.table: mapping for mapping in describe_mapping(tables)}


def variants(production: Production) -> dict[str, str]:
    mappings = by_table(look(production).tables).items()
    return {table: f"{mapping.variant}/{mapping.evidence}" for table, mapping in mappings}


def findings(journal: Journal, *, deadline_s: float = -1.0) -> dict[str, list[str]]:
    """Finding → details; every silence is past its deadline unless one is given."""
    with journal.reader() as reader:
        found = detect(reader, until=utc_now(), deadline_s=deadline_s, time_scale=1.0)
    return {one.id: [evidence.detail for evidence in one.evidence] for one in found}


def rows(journal: Journal, sql: str) -> list[tuple[Any, ...]]:
    with journal.reader() as reader:
        return reader.rows(sql)


def drifts(journal: Journal) -> list[dict[str, Any]]:
    told = rows(journal, "SELECT payload FROM events_now WHERE kind = 'schema.drift' ORDER BY seq")
    return [json.loads(text) for (text,) in told]


def wait_for_row(journal: Journal, kind: EventKind, row: str) -> None:
    asked = f"SELECT 1 FROM events_now WHERE kind = '{kind}' AND payload->>'$.id' = '{row}'"
    wait_for(lambda: bool(rows(journal, asked)), what=f"the row of {kind}", timeout_s=DEADLINE_S)


def add_old_result(session: psycopg.Connection[Any], job: str, directory: str, word: str) -> str:
    (row,) = session.execute(
        "INSERT INTO job_results (job_id, directory_name, status, submitted_at)"
        " VALUES (%s, %s, %s, now()) RETURNING id::text",
        [job, directory, word],
    ).fetchone() or ("",)
    return str(row)


def work_one_job(session: psycopg.Connection[Any]) -> str:
    """A job that the control fails at one of two directories."""
    job = add_job(session)
    add_submission(session, job, "https://www.maple.example/add", "submitted")
    add_submission(session, job, "https://birch.example/add", "failed")
    return job


CONTROL = "SELECT directory, outcome FROM submissions_now WHERE side = 'control' ORDER BY directory"
BOTH = [("birch.example", "failed"), ("maple.example", "submitted")]


def test_the_live_schema_tells_of_the_control_and_says_that_it_is_blind_to_the_candidate(
    production: Production, journal: Journal
) -> None:
    make_live(production)
    assert variants(production) == {
        "customers": "live/complete",
        "jobs": "live/complete",
        "directory_submissions": "live/complete",
        "job_results": "live/none",
        "queue_history": "live/none",
        "worker_heartbeats": "live/partial",
        "worker_status": "live/complete",
    }
    with production.connect() as owner:
        job = work_one_job(owner)
        customer = "(SELECT customer_id FROM jobs)"
        owner.execute("UPDATE customers SET status = 'active'")
        owner.execute(
            "INSERT INTO queue_history (customer_id, status_from, status_to, metadata)"
            f" VALUES ({customer}, 'in_progress', 'pending', %s)".encode(),
            [Jsonb({"job_id": job, "event": "requeued_stale", "reason": "no heartbeat"})],
        )
        for _ in range(3):
            add_old_result(owner, job, "maple.example", "submitted")
        add_old_result(owner, job, "COMPLETION_LOG", "submitted")
    record(production, journal)
    assert rows(journal, CONTROL) == BOTH
    found = findings(journal)
    assert found.keys() == {"candidate_not_observable", "requeued_stale", "unknown_writer"}
    (blind,) = found["candidate_not_observable"]
    assert (
        blind == "from the beginning until now: 1 job(s) of which nothing is known of the candidate"
    )
    assert found["unknown_writer"] == ["job_results says submitted, the control submitted"]
    assert rows(journal, "SELECT count(*) FROM events_now WHERE kind = 'queue_history'") == [(2,)]


def test_the_migrated_schema_tells_of_both_sides(production: Production, journal: Journal) -> None:
    assert set(variants(production).values()) <= {"live/complete", "migrated/complete"}
    with production.connect() as owner:
        add_history(owner, work_one_job(owner), "submitted", directory="maple.example")
        add_job(owner)
    record(production, journal)
    assert rows(journal, CONTROL) == BOTH
    # Of the job whose claim is missing an outcome is known all the same.
    assert findings(journal).keys() == {"never_enqueued"}


def test_a_mixture_tells_of_the_candidate_but_not_of_what_it_sent(
    production: Production, journal: Journal
) -> None:
    replace_results(production)
    found = variants(production)
    assert (found["queue_history"], found["job_results"]) == ("migrated/complete", "live/none")
    with production.connect() as owner:
        job = work_one_job(owner)
        add_old_result(owner, job, "birch.example", "retry")
        add_history(owner, job, "submitted", directory="maple.example")
    record(production, journal)
    sides = "SELECT side, directory, outcome FROM submissions_now ORDER BY ALL"
    assert rows(journal, sides) == [
        ("candidate", "maple.example", "submitted"),
        ("control", "birch.example", "failed"),
        ("control", "maple.example", "submitted"),
        ("other", "birch.example", "in_flight"),
    ]
    assert findings(journal) == {
        "unknown_writer": ["job_results says retry, the control failed"],
    }


def test_the_020_schema_has_its_own_words_and_names(
    production: Production, journal: Journal
) -> None:
    make_anew(
        production, sql_text(SCHEMA_FILES[0]), TO_020, *map(sql_text, SCHEMA_FILES[1:])
    )  # fmt: skip
    found = variants(production)
    assert (found["jobs"], found["directory_submissions"]) == ("020/complete", "job_id/complete")
    with production.connect() as owner:
        (job,) = owner.execute(
            "WITH c AS (INSERT INTO customers (customer_id, business_name, email)"
            " VALUES ('DIR-20261120-AAAAAA', 'Maple Bakery', 'a@maple.example')"
            " RETURNING customer_id)"
            " INSERT INTO jobs (customer_id, status, directory_limit, directories_to_process)"
            " SELECT customer_id, 'completed', 100, 2 FROM c RETURNING id::text"
        ).fetchone() or ("",)
        owner.execute(
            "INSERT INTO directory_submissions (job_id, directory_url, status) VALUES"
            " (%(job)s, 'https://maple.example/', 'submitted'),"
            " (%(job)s, 'https://birch.example/', 'failed')",
            {"job": job},
        )
        add_history(owner, job, "queue_claimed")
    record(production, journal)
    assert rows(journal, CONTROL) == BOTH
    assert rows(journal, "SELECT package_size, control_status FROM jobs_now") == [
        (100, "completed")
    ]
    assert findings(journal).keys() == {"lost_after_claim"}


def test_jobs_that_refer_to_customers_by_uuid_are_the_autobolt_schema(
    production: Production,
) -> None:
    production.execute(TO_UUID)
    assert variants(production)["jobs"] == "autobolt/complete"


def test_the_columns_of_the_migration_make_the_candidate_visible_from_then_on(
    production: Production, journal: Journal
) -> None:
    make_live(production)
    mend = by_table(look(production).tables)["queue_history"].mend
    assert mend is not None
    with production.connect() as owner, recording(production, journal):
        early = add_job(owner)
        wait_for_row(journal, EventKind.JOBS, early)
        owner.execute(mend.encode())
        wait_for(lambda: len(drifts(journal)) > 0, what="the drift", timeout_s=DEADLINE_S)
        late = work_one_job(owner)
        row = add_history(owner, late, "submitted", directory="maple.example")
        lost = add_job(owner)
        wait_for_row(journal, EventKind.QUEUE_HISTORY, row)
        wait_for_row(journal, EventKind.JOBS, lost)
        # The old writers go on as before.
        owner.execute("UPDATE customers SET status = 'active'")
    assert variants(production)["queue_history"] == "both/complete"
    found = findings(journal, deadline_s=0.0)
    assert [f"{len(found[name])} {name}" for name in sorted(found)] == [
        "1 candidate_not_observable",
        "1 never_enqueued",
    ]
    assert "from the beginning to " in found["candidate_not_observable"][0]
    with journal.reader() as reader:
        silent = detect(reader, until=utc_now(), deadline_s=0.0, time_scale=1.0)
    assert {e.job_id for f in silent if f.id == "never_enqueued" for e in f.evidence} == {lost}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ADD COLUMN region text", {"added": {"region": "text"}}),
        ("DROP COLUMN result_message", {"missing": {"result_message": "text"}}),
        ("RENAME COLUMN result_message TO message",
         {"added": {"message": "text"}, "missing": {"result_message": "text"}}),
        ("ALTER COLUMN processing_time_seconds TYPE bigint",
         {"retyped": {"processing_time_seconds": ["integer", "bigint"]}}),
        ("DROP CONSTRAINT directory_submissions_pkey, ADD PRIMARY KEY (directory_url, id)",
         {"key": [["id"], ["directory_url", "id"]]}),
    ],
)  # fmt: skip
def test_a_table_that_is_altered_while_recording_is_drift_and_rows_are_recorded_all_the_same(
    production: Production, journal: Journal, statement: str, expected: dict[str, Any]
) -> None:
    with production.connect() as owner, recording(production, journal) as heard:
        job = add_job(owner)
        add_submission(owner, job, "https://maple.example/", "submitted")
        owner.execute(f"ALTER TABLE directory_submissions {statement}".encode())
        row = add_submission(owner, job, "https://birch.example/", "submitted")
        wait_for_row(journal, EventKind.DIRECTORY_SUBMISSIONS, row)
        wait_for(lambda: len(drifts(journal)) > 0, what="the drift", timeout_s=DEADLINE_S)
    (drift,) = drifts(journal)
    told = {key: value for key, value in drift.items() if value and key in (*CHANGES, "change")}
    assert told == {"change": "altered", **expected}
    assert len(rows(journal, CONTROL)) == 2
    assert heard[-1].failing == ()
    assert ("schema_drift" in findings(journal)) == (expected.keys() != {"added"})


CHANGES = ("added", "missing", "retyped", "key", "by_time")


def test_an_exact_creation_time_that_is_lost_is_drift_and_every_row_is_found_all_the_same(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner, recording(production, journal):
        job = add_job(owner)
        add_history(owner, job, "queue_claimed")
        owner.execute("ALTER TABLE queue_history ALTER created_at TYPE timestamp")
        row = add_history(owner, job, "flow_triggered")
        wait_for_row(journal, EventKind.QUEUE_HISTORY, row)
        wait_for(lambda: len(drifts(journal)) > 0, what="the drift", timeout_s=DEADLINE_S)
    (drift,) = drifts(journal)
    assert drift["by_time"] == [True, False]
    assert findings(journal)["schema_drift"] == [
        "queue_history changed the type of created_at, has no exact creation time any more"
    ]


def test_a_table_that_is_made_again_is_drift_and_its_rows_are_recorded(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner, recording(production, journal):
        add_old = "INSERT INTO worker_status (worker_id, status) VALUES (%s, 'idle')"
        owner.execute(add_old, ["old-poller-1"])
        with owner.transaction():
            owner.execute("DROP TABLE worker_status")
            owner.execute(
                "CREATE TABLE worker_status (worker_id text PRIMARY KEY, last_heartbeat"
                " timestamptz, status text, desired_state text DEFAULT 'running')"
            )
            owner.execute(add_old, ["old-poller-2"])
        asked = (
            "SELECT 1 FROM events_now WHERE kind = 'worker_status'"
            " AND payload->>'$.worker_id' = 'old-poller-2'"
        )
        wait_for(lambda: bool(rows(journal, asked)), what="the new row", timeout_s=DEADLINE_S)
        wait_for(lambda: len(drifts(journal)) > 0, what="the drift", timeout_s=DEADLINE_S)
    assert [(d["table"], d["change"]) for d in drifts(journal)] == [("worker_status", "recreated")]
    assert findings(journal)["schema_drift"] == ["worker_status was made anew"]


def test_a_table_that_may_not_be_read_for_a_while_is_a_gap_of_its_own_and_loses_no_row(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner, recording(production, journal) as heard:
        job = add_job(owner)
        owner.execute("REVOKE SELECT ON queue_history FROM shadow_recorder")
        wait_for(lambda: heard[-1].failing != (), what="the notice", timeout_s=DEADLINE_S)
        unseen = add_history(owner, job, "queue_claimed")
        seen = add_submission(owner, job, "https://maple.example/", "submitted")
        wait_for_row(journal, EventKind.DIRECTORY_SUBMISSIONS, seen)
        complete = journal.watermark("production")
        sweeps = heard[-1].sweeps
        wait_for(lambda: heard[-1].sweeps > sweeps + 1, what="sweeps", timeout_s=DEADLINE_S)
        # Nothing is proved complete meanwhile, so no silence of the candidate is judged.
        assert journal.watermark("production") == complete
        owner.execute("GRANT SELECT ON queue_history TO shadow_recorder")
        wait_for_row(journal, EventKind.QUEUE_HISTORY, unseen)
        wait_for(lambda: heard[-1].failing == (), what="the gap's end", timeout_s=DEADLINE_S)
    gaps = rows(journal, "SELECT payload FROM events_now WHERE kind = 'record.gap'")
    told = [json.loads(text) for (text,) in gaps]
    assert {gap["what"] for gap in told} <= {"production", "production:queue_history"}
    assert any("GRANT SELECT ON public.queue_history" in gap["why"] for gap in told)
    assert drifts(journal) == []


def test_a_table_that_vanishes_is_drift_and_the_others_are_recorded_until_it_comes_again(
    production: Production, journal: Journal
) -> None:
    with production.connect() as owner, recording(production, journal) as heard:
        job = add_job(owner)
        definition = sql_text(SCHEMA_FILES[1]).split("-- 003\n")[1].split(";")[0]
        owner.execute("DROP TABLE queue_history")
        wait_for(lambda: len(drifts(journal)) > 0, what="the drift", timeout_s=DEADLINE_S)
        seen = add_submission(owner, job, "https://maple.example/", "submitted")
        wait_for_row(journal, EventKind.DIRECTORY_SUBMISSIONS, seen)
        assert heard[-1].failing != ()
        owner.execute(definition.encode())
        row = add_history(owner, job, "queue_claimed")
        wait_for_row(journal, EventKind.QUEUE_HISTORY, row)
    changes = [(drift["table"], drift["change"]) for drift in drifts(journal)]
    assert changes == [("queue_history", "vanished"), ("queue_history", "appeared")]
    blind = findings(journal, deadline_s=0.0)
    assert "queue_history vanished" in blind["schema_drift"]
    # What went on in it meanwhile is in no table any more.
    assert "never_enqueued" not in blind


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE {table} CASCADE", "there is no such table"),
        ("ALTER TABLE {table} RENAME TO put_away", "there is no such table"),
        ("REVOKE SELECT ON {table} FROM shadow_recorder", "GRANT SELECT ON public.{table}"),
        ("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", "BYPASSRLS"),
        ("ALTER TABLE {table} DROP COLUMN {key} CASCADE", "add a primary key"),
    ],
)
@pytest.mark.parametrize(
    ("table", "key"), [("job_results", "id"), ("queue_history", "id"), ("jobs", "id")]
)
def test_a_table_that_cannot_be_read_any_more_is_a_problem_and_the_others_are_not(
    production: Production, table: str, key: str, statement: str, words: str
) -> None:
    before = look(production)
    assert before.problems == ()
    shape = shape_of(before.tables)
    production.execute(statement.format(table=table, key=key))
    after = look(production, expected=list(shape))
    (problem,) = after.problems
    assert problem.table == table
    assert problem.why.startswith(f"public.{table}: ")
    assert words.format(table=table) in problem.why
    assert {one.name for one in after.tables} == shape.keys() - {table}
    # Only one that is gone has drifted; what may not be read is as it was for all that is known.
    drift = describe_drift(shape, shape_of(after.tables, before=shape, absent=after.absent))
    gone = "no such table" in words
    assert [(one["table"], one["change"]) for one in drift] == [(table, "vanished")] * gone


def test_an_optional_table_that_never_was_there_is_no_problem(production: Production) -> None:
    production.execute("DROP TABLE job_results, worker_status")
    survey = look(production)
    assert survey.problems == ()
    assert survey.absent == {"job_results", "worker_status"}
