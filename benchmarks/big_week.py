"""A week of any size, made by SQL: jobs of nine directories, one in fifty fails at one of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from harness.journal.store import Journal
from harness.model import EventDraft, Watermark

_APART_S = 150
DIRECTORIES = 9
PER_JOB = 6 + 5 * DIRECTORIES
_START = datetime(2026, 9, 1, tzinfo=UTC)
CHUNK = 500_000


def fill(journal: Journal, events: int, *, since: int = 0, chunk: int = CHUNK) -> None:
    """Append the events from number `since` up to `events`, and prove the record complete to there.

    chunk: how many at once.
    """
    for first in range(since, events, chunk):
        last = min(first + chunk, events)
        journal.append_staged(staged(first, last), watermarks=(mark(last),), tier="bench")


_WEEK = """
CREATE OR REPLACE TEMP VIEW drafts AS
WITH placed AS (
    SELECT n - {first} AS ordinal, n // {per_job} AS number, n % {per_job} AS slot
    FROM range({first}, {last}) t(n)
), jobs AS (
    SELECT ordinal, number, slot, printf('job-%08d', number) AS job_id,
           TIMESTAMPTZ '2026-09-01 00:00:00+00' + to_seconds({apart} * number) AS begun,
           CASE WHEN slot BETWEEN 4 AND {per_job} - 3 THEN (slot - 4) // 5 END AS place,
           CASE WHEN slot BETWEEN 4 AND {per_job} - 3 THEN (slot - 4) % 5 END AS part
    FROM placed
), words AS (
    SELECT *, 'site-' || ((number + place) % 80) || '.example' AS directory,
           CASE WHEN slot = 0 THEN 'jobs' WHEN part < 3 THEN 'directory_submissions'
                ELSE 'queue_history' END AS kind,
           CASE WHEN slot = 0 THEN 1 WHEN slot < 4 THEN slot - 1 WHEN part < 3 THEN part
                WHEN part IS NOT NULL THEN 10 + 2 * place + part - 3
                ELSE 90 + slot - ({per_job} - 2) END AS version,
           CASE WHEN slot = 0 THEN begun WHEN slot < 4 THEN begun + to_seconds(1 + slot)
                WHEN part = 0 THEN begun WHEN part IN (1, 3) THEN begun + to_seconds(8)
                WHEN part IN (2, 4) THEN begun + to_seconds(20 + place)
                ELSE begun + to_seconds(40) END AS occurred_at,
           CASE WHEN slot < 4
                THEN ['pending', 'queue_claimed', 'flow_triggered', 'flow_started'][slot + 1]
                WHEN part < 4 THEN ['pending', 'submitting', 'submitted', 'submitting'][part + 1]
                WHEN part = 4
                THEN CASE WHEN number % 50 = 0 AND place = 0 THEN 'failed' ELSE 'submitted' END
                WHEN slot = {per_job} - 2 THEN 'job_finalized' ELSE 'flow_completed' END AS word,
           CASE WHEN slot < {per_job} - 2 THEN '{{}}'
                WHEN slot = {per_job} - 2 THEN '{{"final_status":"completed"}}'
                ELSE '{{"status":"completed"}}' END AS details
    FROM jobs
), told AS (
    SELECT ordinal, occurred_at, kind, job_id, directory,
           kind || ':' || job_id || '/' || coalesce(directory, 'None') || ':' || version AS key,
           CASE kind
               WHEN 'jobs' THEN
                   '{{"created_at":"' || strftime(begun, '%Y-%m-%dT%H:%M:%S+00:00')
                   || '","customer_id":"DIR-' || number || '","id":"' || job_id
                   || '","package_size":50,"priority_level":3,"status":"pending"}}'
               WHEN 'directory_submissions' THEN
                   '{{"directory_url":"https://' || directory || '/add","id":"' || job_id || '/'
                   || directory || '","listing_data":null,"result_message":null,"status":"'
                   || word || '"}}'
               ELSE '{{"details":' || details || ',"directory_name":'
                   || coalesce('"' || directory || '"', 'null') || ',"event":"' || word
                   || '","id":' || version || '}}'
           END AS payload
    FROM words
)
SELECT ordinal, occurred_at, 'production' AS source, kind, key, job_id, directory, payload,
       md5_number_upper(key) AS key_hash
FROM told
"""
"""Events number `first` to `last` of `make_week`, made by the database."""


def staged(first: int, last: int) -> Callable[[duckdb.DuckDBPyConnection], int]:
    """Puts events `first` to `last` of the week where a journal takes them from."""

    def stage(con: duckdb.DuckDBPyConnection) -> int:
        con.execute("SET enable_progress_bar = false")
        con.execute(_WEEK.format(first=first, last=last, per_job=PER_JOB, apart=_APART_S))
        return last - first

    return stage


def mark(events: int) -> Watermark:
    """How far a week of so many events is complete."""
    (last,) = itertools.islice(
        make_week((events - 1) // PER_JOB), (events - 1) % PER_JOB, (events - 1) % PER_JOB + 1
    )
    return Watermark(source="production", position={"xid": 7}, complete_until=last.occurred_at)


def make_week(first: int = 0) -> Iterator[EventDraft]:
    """Jobs without end, each with all its events; every fiftieth fails at one directory.

    first: the number of the first job.
    """
    for number in itertools.count(first):
        job = f"job-{number:08d}"
        at = _START + timedelta(seconds=_APART_S * number)
        yield _event("jobs", job, None, at, 1, {
            "id": job, "customer_id": f"DIR-{number}", "status": "pending", "package_size": 50,
            "priority_level": 3, "created_at": at.isoformat(),
        })  # fmt: skip
        for place, word in enumerate(("queue_claimed", "flow_triggered", "flow_started")):
            yield _history(job, None, at + timedelta(seconds=2 + place), place, word)
        for place in range(DIRECTORIES):
            host = f"site-{(number + place) % 80}.example"
            begun, ended = at + timedelta(seconds=8), at + timedelta(seconds=20 + place)
            row: dict[str, Any] = {"id": f"{job}/{host}", "directory_url": f"https://{host}/add"}
            for version, word in enumerate(("pending", "submitting", "submitted")):
                moment = (at, begun, ended)[version]
                yield _event("directory_submissions", job, host, moment, version, {
                    **row, "status": word, "result_message": None, "listing_data": None,
                })  # fmt: skip
            bad = number % 50 == 0 and place == 0
            yield _history(job, host, begun, 10 + 2 * place, "submitting")
            yield _history(job, host, ended, 11 + 2 * place, "failed" if bad else "submitted")
        end = at + timedelta(seconds=40)
        yield _history(job, None, end, 90, "job_finalized", final_status="completed")
        yield _history(job, None, end, 91, "flow_completed", status="completed")


def _history(
    job: str, host: str | None, at: datetime, number: int, event: str, **details: Any
) -> EventDraft:
    payload = {"id": number, "event": event, "directory_name": host, "details": details}
    return _event("queue_history", job, host, at, number, payload)


def _event(
    kind: str, job: str, host: str | None, at: datetime, version: int, payload: dict[str, Any]
) -> EventDraft:
    return EventDraft(
        source="production", kind=kind, key=f"{kind}:{job}/{host}:{version}", occurred_at=at,
        job_id=job, directory=host, payload=payload,
    )  # fmt: skip
