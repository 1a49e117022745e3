"""The old poller: one job at a time, its directories one after another, statuses in place.

It behaves as the code that production runs does, with its words and its job-status rule, but for
one thing: that code has no guard against polling while a job still runs, and then works a job
several times at once. What that does is a matter of chance, so it has no place in a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any

import psycopg

from harness.demo.actors.actor import Actor, ScaledClock
from harness.demo.script import JobScript, SubmissionScript
from harness.resources import sql_queries

POLL_INTERVAL_S = 30.0
HEARTBEAT_S = 10.0
LEAST_HEARTBEAT_S = 1.0
"""Real seconds: compressed time must not turn heartbeats into the main load."""
WORKER_ID = "old-poller-1"
_NOTHING_LEFT = "No pending submissions available for processing"
_FAILED = frozenset({"failed", "rejected", "no_form", "error"})


class Control(Actor):
    """Polls ``jobs``, works ``directory_submissions``; writes nothing else but its heartbeat."""

    def __init__(self, jobs: Sequence[JobScript], *, dsn: str, clock: ScaledClock) -> None:
        super().__init__("old poller")
        self.finished = 0
        """Jobs that it has marked failed or tried to mark completed for good."""
        self._rows: dict[str, SubmissionScript] = {
            row.submission_id: row for job in jobs for row in job.submissions
        }
        self._open = {job.job_id for job in jobs}
        self._dsn = dsn
        self._clock = clock
        self._next_beat_s = 0.0
        self._queries = sql_queries("postgres/actors/control.sql")

    def run(self, stop: Event) -> None:
        """Poll until told to stop; `done` once every scripted job is closed."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            next_poll_s = 0.0
            while self._wait(connection, next_poll_s, stop, status="idle"):
                next_poll_s += POLL_INTERVAL_S
                self._poll(connection, stop)
                next_poll_s = max(next_poll_s, self._clock.now_s())
                if not self._open:
                    self.done.set()

    def _poll(self, connection: psycopg.Connection[Any], stop: Event) -> None:
        found = connection.execute(self._queries["select_next_job"].encode()).fetchone()
        if found is None:
            return
        (job_id,) = found
        self._write(connection, "start_job", job_id=job_id)
        work = connection.execute(
            self._queries["select_work"].encode(), {"job_id": job_id}
        ).fetchall()
        if not work:
            self._close(connection, job_id, _NOTHING_LEFT)
            return
        failed = 0
        for (row_id,) in work:
            script = self._rows[row_id]
            self._write(connection, "begin_submission", id=row_id)
            if not self._wait(connection, self._clock.now_s() + script.control_s, stop):
                return
            status, message = script.control.status, script.control.message
            self._write(connection, "end_submission", id=row_id, status=status, message=message)
            failed += status in _FAILED
        if failed:
            self._close(connection, job_id, f"Failed {failed} submission(s)")
            return
        try:
            self._write(connection, "complete_job", job_id=job_id)
        except psycopg.errors.CheckViolation:
            # The poller logs this and goes on; its next poll finds the job again, with no work.
            return
        self._forget(job_id)

    def _close(self, connection: psycopg.Connection[Any], job_id: str, message: str) -> None:
        self._write(connection, "fail_job", job_id=job_id, message=message)
        self._forget(job_id)

    def _forget(self, job_id: str) -> None:
        self._open.discard(job_id)
        self.finished += 1

    def _write(self, connection: psycopg.Connection[Any], query: str, **params: Any) -> None:
        connection.execute(self._queries[query].encode(), {"now": datetime.now(UTC)} | params)

    def _wait(
        self,
        connection: psycopg.Connection[Any],
        moment_s: float,
        stop: Event,
        *,
        status: str = "running",
    ) -> bool:
        """Sleep until the scaled moment with a heartbeat whenever one is due."""
        while moment_s > self._next_beat_s:
            if not self._clock.wait_until(self._next_beat_s, stop):
                return False
            self._write(connection, "beat", worker=WORKER_ID, status=status)
            self._next_beat_s = self._clock.now_s() + max(
                HEARTBEAT_S, LEAST_HEARTBEAT_S * self._clock.scale
            )
        return self._clock.wait_until(moment_s, stop)
