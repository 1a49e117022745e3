"""Writers at a steady rate, and what they know of their own transactions. Knows no recorder."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from tests.support.postgres import Production

_LATE_SHARE = 0.04
"""Transactions that have begun, or have written, long before they end."""
_LATEST_S = 4.0
_UNDONE_SHARE = 0.08
_AGAIN_S = 0.2
_BACKLOG_S = 20.0


@dataclass(slots=True)
class Ledger:
    """What the writers did with rows of queue_history, by id. Filled by many threads."""

    committed: dict[str, datetime] = field(default_factory=dict)
    """When the commit had been answered, by this machine's clock, which is the server's too."""
    undone: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    """The connection broke at the commit; the source knows."""
    rows: int = 0
    """Of all tables, committed."""
    transactions: int = 0
    broken: int = 0
    """Transactions that a fault ended."""


class Rate:
    """Lets rows pass at a steady rate, whoever asks; an outage is made up for afterwards."""

    def __init__(self, rows_per_s: float) -> None:
        self._every_s = 1 / rows_per_s
        self._next_s = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, rows: int, stop: threading.Event) -> None:
        """Wait for the turn of so many rows."""
        with self._lock:
            now_s = time.monotonic()
            self._next_s = max(self._next_s, now_s - _BACKLOG_S)
            turn_s = self._next_s
            self._next_s += rows * self._every_s
        stop.wait(max(0.0, turn_s - now_s))


class Writers:
    """Threads that write until the ``with`` block ends."""

    def __init__(self, production: Production, *, count: int, rate: float, seed: int) -> None:
        self.ledger = Ledger()
        self.failure: BaseException | None = None
        self._production = production
        self._rate = Rate(rate)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        jobs = [str(job) for (job,) in production.execute("SELECT id FROM jobs ORDER BY id")]
        self._threads = [
            threading.Thread(
                target=self._guarded,
                args=(random.Random(f"{seed} {number}"), jobs[number::count]),
                name=f"writer-{number}",
            )
            for number in range(count)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, rng: random.Random, jobs: list[str]) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._session(rng, jobs)
                except psycopg.Error:
                    # A fault: the server is down, the session was ended, the table is locked.
                    self._stop.wait(_AGAIN_S)
        except BaseException as error:
            self.failure = error

    def _session(self, rng: random.Random, jobs: list[str]) -> None:
        with self._production.connect(autocommit=False) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("SET lock_timeout = '20s'")
            connection.commit()
            while not self._stop.is_set():
                self._transaction(connection, rng, jobs)

    def _transaction(
        self, connection: psycopg.Connection[Any], rng: random.Random, jobs: list[str]
    ) -> None:
        late = rng.random() < _LATE_SHARE
        history: list[str] = []
        rows = 0
        at_the_end = False
        try:
            if late:
                connection.execute("SELECT 1")
                self._stop.wait(rng.random() * _LATEST_S / 2)
            for _ in range(rng.randint(1, 6)):
                self._rate.wait(1, self._stop)
                _write(connection, rng, rng.choice(jobs), history)
                rows += 1
            if late:
                self._stop.wait(rng.random() * _LATEST_S / 2)
            if rng.random() < _UNDONE_SHARE:
                connection.rollback()
                self._note(undone=history)
                return
            at_the_end = True
            connection.commit()
        except psycopg.Error:
            self._note(broken=1, **({"unsure": history} if at_the_end else {"undone": history}))
            raise
        self._note(committed=history, rows=rows)

    def _note(
        self,
        *,
        committed: list[str] | None = None,
        undone: list[str] | None = None,
        unsure: list[str] | None = None,
        rows: int = 0,
        broken: int = 0,
    ) -> None:
        now = datetime.now(UTC)
        with self._lock:
            if committed is not None:
                self.ledger.committed.update(dict.fromkeys(committed, now))
                self.ledger.rows += rows
                self.ledger.transactions += 1
            self.ledger.undone.update(undone or ())
            self.ledger.unsure.update(unsure or ())
            self.ledger.broken += broken


Write = Callable[[psycopg.Connection[Any], random.Random, str], None]


def _write(
    connection: psycopg.Connection[Any], rng: random.Random, job: str, history: list[str]
) -> None:
    """One row: of the history more often than not."""
    if rng.random() < 0.6:
        row = str(uuid.UUID(int=rng.getrandbits(128)))
        connection.execute(
            "INSERT INTO queue_history (id, job_id, directory_name, event, details)"
            " VALUES (%s, %s, %s, 'submitted', %s)",
            [row, job, f"site{rng.randrange(9)}.example", Jsonb({"ms": rng.random() * 9e3})],
        )
        history.append(row)
    else:
        rng.choice(_IN_PLACE)(connection, rng, job)


def _change_job(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    connection.execute(
        "UPDATE jobs SET status = %s, error_message = %s WHERE id = %s",
        [rng.choice(("in_progress", "failed")), f"try {rng.random():.9f}", job],
    )


def _change_submission(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    connection.execute(
        "UPDATE directory_submissions SET status = %s, updated_at = clock_timestamp(),"
        " listing_data = %s WHERE id = (SELECT id FROM directory_submissions"
        " WHERE submission_queue_id = %s ORDER BY id LIMIT 1)",
        [rng.choice(("submitting", "submitted", "failed")), Jsonb({"n": rng.random()}), job],
    )


def _claim_directory(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    connection.execute(
        "INSERT INTO job_results (job_id, directory_name, status, idempotency_key)"
        " VALUES (%s, 'site.example', 'submitting', %s) ON CONFLICT (idempotency_key)"
        " DO UPDATE SET response_log = to_jsonb(%s::float)",
        [job, f"{job}:{rng.randrange(20)}", rng.random()],
    )


def _drop_directory(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    connection.execute(
        "DELETE FROM job_results WHERE idempotency_key = %s", [f"{job}:{rng.randrange(20)}"]
    )


def _beat(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    connection.execute(
        "INSERT INTO worker_status (worker_id, last_heartbeat, status)"
        " VALUES (%s, clock_timestamp(), 'running') ON CONFLICT (worker_id)"
        " DO UPDATE SET last_heartbeat = excluded.last_heartbeat",
        [f"worker-{job[:8]}"],
    )


def _order(connection: psycopg.Connection[Any], rng: random.Random, job: str) -> None:
    customer = f"DIR-{uuid.UUID(int=rng.getrandbits(128))}"
    connection.execute(
        "INSERT INTO customers (customer_id, business_name, email)"
        " VALUES (%s, 'Ahorn & Söhne ☕', 'owner@maple.example')",
        [customer],
    )
    connection.execute("INSERT INTO jobs (customer_id, package_size) VALUES (%s, 50)", [customer])


_IN_PLACE: tuple[Write, ...] = (
    _change_job,
    _change_job,
    _change_submission,
    _change_submission,
    _claim_directory,
    _claim_directory,
    _drop_directory,
    _beat,
    _order,
)
