"""A writer's session in a schedule, and what it can write. Knows no schedule and no recorder."""

from __future__ import annotations

import psycopg

from tests.support.schedule_truth import HISTORY, Payload, Row

INSERT = {
    "customers": "(id, customer_id, business_name, email)"
    " VALUES (%(id)s::text, %(id)s::text, %(mark)s, 'owner@maple.example')",
    "jobs": "(id, customer_id, package_size, error_message)"
    " VALUES (%(id)s, %(customer)s, 50, %(mark)s)",
    "directory_submissions": "(id, submission_queue_id, directory_url, result_message)"
    " VALUES (%(id)s, %(job)s, 'https://www.elm.example/add', %(mark)s)",
    "job_results": "(id, job_id, directory_name, status, idempotency_key, error_message)"
    " VALUES (%(id)s, %(job)s, 'elm.example', 'submitting', %(mark)s::text, %(mark)s::text)",
    "worker_status": "(worker_id, last_heartbeat, status)"
    " VALUES (%(id)s, clock_timestamp(), %(mark)s)",
    "worker_heartbeats": "(worker_id, queue_name, status, metadata)"
    " VALUES (%(id)s, 'jobs', 'idle', to_jsonb(%(mark)s::text))",
    HISTORY: "(id, job_id, event, details) VALUES (%(id)s, %(job)s, 'submitted',"
    " to_jsonb(%(mark)s::text))",
}
UPDATE = {
    "customers": "business_name = %(mark)s",
    "jobs": "error_message = %(mark)s",
    "directory_submissions": "result_message = %(mark)s, updated_at = clock_timestamp()",
    "job_results": "error_message = %(mark)s",
    "worker_status": "status = %(mark)s, last_heartbeat = clock_timestamp()",
    "worker_heartbeats": "metadata = to_jsonb(%(mark)s::text)",
}

Frame = dict[Row, list[Payload | None]]
"""What one savepoint's span wrote."""


class Session:
    """One writer; `frames` is None outside a transaction, else one for each open savepoint."""

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute("SET synchronous_commit = on")
        self.connection.execute("SET lock_timeout = '200ms'")
        self.frames: list[Frame] | None = None
        self.held: set[Row] = set()
        """Rows that its transaction has locked, those of undone savepoints among them."""
        self.dark = False

    def written(self) -> Frame:
        """What it has written and not undone, as one."""
        return _merged(self.frames or [])

    def end(self) -> None:
        """Its transaction is over."""
        self.frames = None
        self.held = set()


def _merged(frames: list[Frame]) -> Frame:
    merged: Frame = {}
    for frame in frames:
        for row, words in frame.items():
            merged.setdefault(row, []).extend(words)
    return merged
