"""Workers are counted right where the view is not, in every shape of the tables."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from harness.record.postgres.connection import SourceConnection
from harness.record.samples.workers import sample_workers
from tests.support.postgres import Production, add_job


def sampled(production: Production) -> dict[str, Any]:
    connection = SourceConnection(production.recorder_dsn)
    try:
        with connection.snapshot() as snapshot:
            payload = dict(sample_workers(snapshot, schema="public").payload)
            # Whatever failed in it, the snapshot goes on.
            assert snapshot.execute("SELECT 1 AS one").fetchall() == [{"one": 1}]
            return payload
    finally:
        connection.close()


def beat(production: Production, status: str, *, minutes_ago: float, job: str | None = None) -> str:
    worker = str(uuid.uuid4())
    production.execute(
        "INSERT INTO worker_heartbeats (worker_id, queue_name, status, current_job_id,"
        " last_heartbeat) VALUES (%s, 'default', %s, %s, now() - %s * interval '1 minute')",
        [worker, status, job, minutes_ago],
    )
    return worker


def job_in(production: Production, status: str) -> str:
    with production.connect() as owner:
        return add_job(owner, status=status)


def test_the_view_counts_those_who_have_gone_home_and_our_own_count_does_not(
    production: Production,
) -> None:
    for _ in range(3):
        beat(production, "idle", minutes_ago=90)
    beat(production, "idle", minutes_ago=0)
    beat(production, "running", minutes_ago=1)
    hung = beat(production, "running", minutes_ago=5)
    holding = beat(production, "idle", minutes_ago=4, job=job_in(production, "in_progress"))
    beat(production, "idle", minutes_ago=4, job=job_in(production, "complete"))
    found = sampled(production)
    assert (found["view"], found["view_why"]) == (6, None)
    assert found["stale"] == [holding, hung]
    assert (found["stale_count"], found["stale_why"]) == (2, None)
    assert (found["running"], found["idle"]) == (1, 1)


def test_nobody_at_work_is_zero_and_not_unknown(production: Production) -> None:
    found = sampled(production)
    assert (found["view"], found["running"], found["idle"]) == (0, 0, 0)
    assert (found["stale"], found["stale_count"], found["control"]) == ([], 0, [])


def test_the_control_shows_what_it_does_and_what_it_shall_do(production: Production) -> None:
    production.execute(
        "INSERT INTO worker_status VALUES ('poller-1', '2026-11-20 09:00:00+00', 'running',"
        " 'paused'), ('poller-0', NULL, 'starting', 'running')"
    )
    assert sampled(production)["control"] == [
        {"worker": "poller-1", "status": "running", "desired_state": "paused",
         "seen_at": "2026-11-20T09:00:00+00:00"},
        {"worker": "poller-0", "status": "starting", "desired_state": "running", "seen_at": None},
    ]  # fmt: skip


def test_the_heartbeats_from_before_the_migration_are_read_too(production: Production) -> None:
    production.execute("DROP VIEW stale_workers")
    production.execute("DROP TABLE worker_heartbeats CASCADE")
    production.execute(
        "CREATE TABLE worker_heartbeats (worker_id text PRIMARY KEY, status text,"
        " last_seen timestamptz, ai_services_enabled boolean, jobs_processed integer)"
    )
    production.execute(
        "INSERT INTO worker_heartbeats VALUES ('old-1', 'running', now() - interval '1 hour'),"
        " ('old-2', 'running', now()), ('old-3', 'online', now() - interval '1 hour'),"
        " ('old-4', 'running', NULL)"
    )
    production.execute("GRANT SELECT ON worker_heartbeats TO shadow_recorder")
    found = sampled(production)
    assert (found["view"], found["view_why"]) == (None, "there is no stale_workers")
    assert found["stale"] == ["old-1", "old-4"]
    assert (found["running"], found["idle"]) == (1, 0)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("CREATE OR REPLACE VIEW stale_workers AS SELECT worker_id, queue_name, status,"
         " current_job_id, last_heartbeat, (1 / 0)::numeric AS seconds_since_heartbeat"
         " FROM worker_heartbeats WHERE 1 / (CASE WHEN queue_name = 'default' THEN 0 ELSE 1 END)"
         " = 1", "division by zero"),
        ("REVOKE SELECT ON stale_workers FROM shadow_recorder", "permission denied"),
    ],
)  # fmt: skip
def test_a_broken_view_is_said_and_costs_nothing_else(
    production: Production, broken: str, words: str
) -> None:
    hung = beat(production, "running", minutes_ago=5)
    production.execute(broken)
    found = sampled(production)
    assert found["view"] is None
    assert words in found["view_why"]
    assert "\n" not in found["view_why"]
    assert found["stale"] == [hung]


def test_without_any_table_every_part_says_so(production: Production) -> None:
    production.execute("DROP VIEW stale_workers")
    production.execute("DROP TABLE worker_heartbeats, worker_status CASCADE")
    found = sampled(production)
    assert (found["view"], found["stale"], found["running"]) == (None, None, None)
    assert found["stale_why"] == "there is no worker_heartbeats"
    assert found["control_why"] == "there is no worker_status"
