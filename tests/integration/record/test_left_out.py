"""Ticks while a table cannot be asked as before, and the next sweep is still a long time off."""

from __future__ import annotations

from contextlib import closing

import pytest

from harness.errors import SourceError
from harness.record.chunk import Chunk, Done
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.source import PostgresSource
from tests.support.postgres import Production, add_history, add_job


def poll(source: PostgresSource, *, full: bool) -> tuple[set[str], Done]:
    """Return the keys of the events, and what the poll proved."""
    with closing(source.poll(full=full)) as found:
        chunks: list[Chunk] = list(found)
    done = chunks[-1].done
    assert done is not None
    return {event.key for chunk in chunks for event in chunk.events}, done


def seldom_swept(production: Production) -> PostgresSource:
    """A source whose sweeps are too dear to come before they are asked for."""
    pace = Pace(tick_s=1e6, min_interval_s=1e6, max_share=1e-5)
    return PostgresSource(SourceConnection(production.recorder_dsn), pace=pace, margin_s=0.0)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ("DROP TABLE worker_status", {"worker_status"}),
        ("REVOKE SELECT ON job_results FROM shadow_recorder", {"job_results"}),
        ("REVOKE SELECT ON jobs FROM shadow_recorder", {"jobs", "customers"}),
        ("ALTER TABLE job_results ENABLE ROW LEVEL SECURITY", {"job_results"}),
        ("ALTER TABLE jobs RENAME customer_id TO client", {"jobs", "customers"}),
    ],
)
def test_a_tick_goes_on_with_the_others_when_a_table_cannot_be_read_any_more(
    production: Production, change: str, lost: set[str]
) -> None:
    source = seldom_swept(production)
    with closing(source.connection), production.connect() as session:
        source.open()
        job = add_job(session)
        poll(source, full=True)
        _, before = poll(source, full=False)
        assert before.problems == ()
        session.execute(change.encode())
        for _ in range(2):
            row = add_history(session, job, "submitting")
            keys, done = poll(source, full=False)
            assert done.tier == "fast"
            assert f"queue_history:{row}" in keys
            assert {problem.table for problem in done.problems} == lost
            assert all(problem.table in problem.why for problem in done.problems)
            assert not lost & set(done.tables)
            assert not done.complete
        _, swept = poll(source, full=True)
        _, after = poll(source, full=False)
    assert after.problems == ()
    assert after.complete == swept.complete


def test_a_tick_that_lacks_the_history_claims_no_time_for_it(production: Production) -> None:
    source = seldom_swept(production)
    with closing(source.connection), production.connect() as session:
        source.open()
        job = add_job(session)
        poll(source, full=True)
        _, before = poll(source, full=False)
        session.execute("REVOKE SELECT ON queue_history FROM shadow_recorder")
        row = add_history(session, job, "submitting")
        _, done = poll(source, full=False)
        assert done.since == before.since
        session.execute("GRANT SELECT ON queue_history TO shadow_recorder")
        _, still = poll(source, full=False)
        assert still.since == before.since
        keys, _ = poll(source, full=True)
    assert f"queue_history:{row}" in keys


def test_a_failure_that_is_no_tables_own_is_told(production: Production) -> None:
    source = seldom_swept(production)
    with closing(source.connection), production.connect() as session:
        source.open()
        poll(source, full=True)
        session.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC, shadow_recorder")
        with pytest.raises(SourceError, match="permission denied"):
            poll(source, full=False)
