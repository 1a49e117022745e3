"""A load on production that a recorder must survive, and the truth to compare its journal with.

The writers do what makes recording hard: transactions of very different length that commit out of
order, that begin long before they write, savepoints, rollbacks, rows that change in place.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from harness.journal.store import Journal
from tests.support.postgres import Production, add_history, add_job, add_submission

KEYS = {
    "jobs": "id",
    "directory_submissions": "id",
    "job_results": "id",
    "worker_heartbeats": "worker_id",
    "worker_status": "worker_id",
    "customers": "id",
}
"""The tables that change in place, each with its key."""

_STATUSES = ("submitting", "submitted", "failed", "skipped")
_LONGEST_S = 2.0


def fill(
    production: Production, *, history_rows: int, jobs: int = 40, transactions_ago: int = 0
) -> None:
    """A past: customers, jobs with five submissions each, and `history_rows` of queue_history.

    transactions_ago: so many transactions of others have come and gone since.
    """
    with production.connect() as owner:
        owner.execute(
            "INSERT INTO customers (customer_id, business_name, email)"
            " SELECT 'DIR-20261101-' || n, 'Bakery ' || n, n || '@maple.example'"
            " FROM generate_series(1, %s) AS n",
            [jobs],
        )
        owner.execute(
            "INSERT INTO jobs (customer_id, package_size) SELECT customer_id, 50 FROM customers"
        )
        owner.execute(
            "INSERT INTO directory_submissions (submission_queue_id, directory_url)"
            " SELECT j.id, 'https://site' || n || '.example/add' FROM jobs AS j,"
            " generate_series(1, 5) AS n"
        )
        owner.execute(
            "INSERT INTO queue_history (job_id, directory_name, event, details, created_at)"
            " SELECT j.ids[1 + n %% cardinality(j.ids)], 'site' || n %% 5 || '.example',"
            " 'submitted', jsonb_build_object('n', n),"
            " now() - interval '1 day' + n * interval '1 ms'"
            " FROM generate_series(1, %s) AS n, (SELECT array_agg(id) AS ids FROM jobs) AS j",
            [history_rows],
        )
        owner.execute(
            "DO $$ BEGIN FOR n IN 1.."
            + str(int(transactions_ago))
            + " LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
        owner.execute("ANALYZE")


@dataclass(slots=True)
class Tally:
    """What the writers did."""

    committed: int = 0
    rolled_back: int = 0


class Load:
    """Concurrent writers that work for as long as the ``with`` block runs."""

    def __init__(self, production: Production, *, writers: int = 8, seed: int = 1) -> None:
        self._production = production
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._tallies = [Tally() for _ in range(writers)]
        jobs = [str(row) for (row,) in production.execute("SELECT id FROM jobs ORDER BY id")]
        # Each writer has jobs of its own, or they would spend the time waiting for each other.
        self._threads = [
            threading.Thread(
                target=self._guarded,
                args=(random.Random(seed * 1000 + number), jobs[number::writers], number),
                name=f"writer-{number}",
            )
            for number in range(writers)
        ]

    @property
    def committed(self) -> int:
        """Transactions committed so far. Raises what ended a writer before its time."""
        if self._failures:
            raise self._failures[0]
        return sum(tally.committed for tally in self._tallies)

    @property
    def rolled_back(self) -> int:
        """Transactions rolled back so far."""
        return sum(tally.rolled_back for tally in self._tallies)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failures and error is None:
            raise self._failures[0]

    def _guarded(self, rng: random.Random, jobs: list[str], number: int) -> None:
        try:
            with self._production.connect(autocommit=False) as session:
                while not self._stop.is_set():
                    self._transaction(session, rng, jobs, self._tallies[number])
        except BaseException as error:
            self._failures.append(error)
            self._stop.set()

    def _transaction(
        self, session: psycopg.Connection[Any], rng: random.Random, jobs: list[str], tally: Tally
    ) -> None:
        length_s = rng.random() * _LONGEST_S
        steps = rng.randint(1, 4)
        if rng.random() < 0.3:
            # It has begun, and its rows will bear this moment, long before it has a number.
            session.execute("SELECT 1")
            self._stop.wait(length_s / 2)
        for _ in range(steps):
            _write(session, rng, jobs)
            if rng.random() < 0.3:
                undo = rng.random() < 0.5
                with session.transaction(force_rollback=undo):
                    _write(session, rng, jobs)
            self._stop.wait(length_s / steps)
        if rng.random() < 0.15:
            session.rollback()
            tally.rolled_back += 1
        else:
            session.commit()
            tally.committed += 1


def _write(session: psycopg.Connection[Any], rng: random.Random, jobs: list[str]) -> None:
    job = rng.choice(jobs)
    status = rng.choice(_STATUSES)
    for number in range(rng.randint(1, 3)):
        add_history(session, job, status, directory=f"site{number}.example", ms=rng.random() * 9e3)
    match rng.randrange(5):
        case 0:
            session.execute(
                "UPDATE directory_submissions SET status = %s, updated_at = clock_timestamp(),"
                " listing_data = %s WHERE submission_queue_id = %s",
                [status, Jsonb({"name": "Ahorn & Söhne ☕", "n": rng.random()}), job],
            )
        case 1:
            session.execute(
                "UPDATE jobs SET status = %s, error_message = %s WHERE id = %s",
                [rng.choice(("in_progress", "failed")), status, job],
            )
        case 2:
            session.execute(
                "INSERT INTO job_results (job_id, directory_name, status, idempotency_key)"
                " VALUES (%s, 'site.example', %s, %s)"
                " ON CONFLICT (idempotency_key) DO UPDATE SET status = excluded.status",
                [job, status, f"{job}:{rng.randrange(5)}"],
            )
        case 3:
            session.execute(
                "INSERT INTO worker_status (worker_id, last_heartbeat, status)"
                " VALUES (%s, clock_timestamp(), 'running') ON CONFLICT (worker_id)"
                " DO UPDATE SET last_heartbeat = excluded.last_heartbeat",
                [f"worker-{jobs[0]}"],
            )
        case _:
            add_submission(session, add_job(session), "https://www.new.example/add")


class NaivePoller:
    """The obvious way, beside ours: ``created_at > last seen``, at the same pace."""

    def __init__(self, production: Production, *, tick_s: float) -> None:
        self.seen: set[str] = set()
        self._production = production
        self._tick_s = tick_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="naive")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last: datetime | None = None
        with self._production.connect() as session:
            while True:
                ends = self._stop.is_set()
                rows = session.execute(
                    "SELECT id::text, created_at FROM queue_history"
                    " WHERE created_at > coalesce(%s, '-infinity'::timestamptz)",
                    [last],
                ).fetchall()
                self.seen.update(row_id for row_id, _ in rows)
                last = max([created for _, created in rows] + ([last] if last else []))
                if ends:
                    return
                self._stop.wait(self._tick_s)


def history_ids(production: Production) -> Counter[str]:
    """The ids of every committed queue_history row."""
    return Counter(row for (row,) in production.execute("SELECT id::text FROM queue_history"))


def recorded_history_ids(journal: Journal) -> Counter[str]:
    """The ids of every recorded queue_history row, with how often each occurs."""
    with journal.reader() as reader:
        rows = reader.rows("SELECT payload->>'$.id' FROM events_now WHERE kind = 'queue_history'")
    return Counter(row for (row,) in rows)


def committed_rows(production: Production, table: str) -> dict[str, dict[str, Any]]:
    """Every committed row of `table` by its key, as JSON; of customers those that have a job."""
    statement = sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table))
    if table == "customers":
        statement += sql.SQL(" WHERE t.customer_id IN (SELECT customer_id FROM jobs)")
    with production.connect() as session:
        session.execute("SET TimeZone = 'UTC'")
        return {row[KEYS[table]]: row for (row,) in session.execute(statement)}


def recorded_rows(journal: Journal, table: str) -> dict[str, dict[str, Any]]:
    """The last recorded version of every row of `table` by its key."""
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT arg_max(payload, seq) FROM events_now WHERE kind = $kind"
            f" GROUP BY payload->>'$.{KEYS[table]}'",
            kind=table,
        )
    found = [json.loads(text) for (text,) in rows]
    return {row[KEYS[table]]: row for row in found}


def assert_same(production: Production, journal: Journal) -> int:
    """The journal holds what production holds, each row once; return the rows of the history."""
    committed, recorded = history_ids(production), recorded_history_ids(journal)
    lost = committed - recorded
    surplus = recorded - committed
    assert not lost, f"{lost.total()} of {committed.total()} committed rows were lost"
    assert not surplus, f"{surplus.total()} rows were recorded twice or never committed"
    for table in KEYS:
        truth, record = committed_rows(production, table), recorded_rows(journal, table)
        missing = truth.keys() - record.keys()
        assert not missing, f"{table}: {len(missing)} of {len(truth)} rows were never recorded"
        assert truth.keys() == record.keys(), f"{table}: rows that were never committed"
        stale = [key for key, row in truth.items() if row != record[key]]
        assert not stale, f"{table}: {len(stale)} of {len(truth)} rows differ, such as {stale[0]}"
    return committed.total()
