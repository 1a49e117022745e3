"""A poll that loses nothing, against the naive one that loses rows, at a million rows.

Peers: ``created_at > last seen`` of queue_history, and the like for each of the seven tables that
are recorded. Ours: a tick of the fast tier as shipped (two transactions, seven tables) and a sweep.
All read the same ten new rows, in turn, from one PostgreSQL; the pause between two rounds keeps the
time that our window looks back from piling up rounds as no recorder ever meets them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.measure import Ratio, machine, tell
from harness.demo.postgres import EmbeddedPostgres
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.source import PostgresSource

EARLIER = 1_000_000
ROUNDS = 40
BATCH = 10
PAUSE_S = 2.0

_FILL = """
INSERT INTO queue_history (job_id, directory_name, event, details, created_at)
SELECT %(job)s, 'site' || n %% 50 || '.example', 'submitted',
       jsonb_build_object('duration_ms', n), now() - (%(rows)s - n) * interval '1 ms'
FROM generate_series(1, %(rows)s) AS n
"""
_NEW = """
INSERT INTO queue_history (job_id, directory_name, event, details)
SELECT %(job)s, 'site.example', 'submitted', '{"duration_ms": 812}'
FROM generate_series(1, %(rows)s)
"""
_NAIVE = """
SELECT {column} AS at, to_jsonb(t) AS row FROM {table} AS t
WHERE {column} > coalesce(%s, '-infinity'::timestamptz) ORDER BY {column}
"""
ONE_TABLE = {"queue_history": "created_at"}
ALL_TABLES = ONE_TABLE | {
    "customers": "updated_at",
    "jobs": "updated_at",
    "directory_submissions": "updated_at",
    "job_results": "updated_at",
    "worker_heartbeats": "updated_at",
    "worker_status": "last_heartbeat",
}


class NaivePoll:
    """``time > last seen`` for each table, in a session of its own."""

    def __init__(self, session: psycopg.Connection[Any], tables: Mapping[str, str]) -> None:
        self._session = session
        self._last: dict[str, datetime | None] = {}
        self._queries = {}
        for table, column in tables.items():
            names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
            newest = sql.SQL("SELECT max({column}) FROM {table}").format(**names)
            self._last[table] = session.execute(newest).fetchall()[0][0]
            self._queries[table] = sql.SQL(_NAIVE).format(**names)

    def __call__(self) -> int:
        found = 0
        for table, query in self._queries.items():
            rows = self._session.execute(query, [self._last[table]]).fetchall()
            if rows:
                self._last[table] = rows[-1][0]
            found += len(rows)
        return found


Turn = tuple[Callable[[], int], list[float]]
"""A poll and where its times go."""


@dataclass(slots=True)
class Times:
    """Seconds of each poll."""

    naive: list[float] = field(default_factory=list)
    naive_all: list[float] = field(default_factory=list)
    tick: list[float] = field(default_factory=list)
    sweep: list[float] = field(default_factory=list)


def run(earlier: int = EARLIER, rounds: int = ROUNDS) -> None:
    """Print the ratios."""
    with EmbeddedPostgres() as server:
        server.apply_schema()
        with psycopg.connect(server.dsn, autocommit=True) as owner:
            job = _fill(owner, earlier)
            source = _copied_source(server.recorder_dsn)
            with (
                closing(source.connection),
                psycopg.connect(server.recorder_dsn, autocommit=True) as session,
            ):
                times = _measure(owner, session, source, job, rounds)
    what = f"Poll of {BATCH} new rows beside {earlier:,}"
    one, every = "created_at > last seen of one table", "the same of seven tables"
    tell(what, "a sound tick of seven tables", one, _ratio(times.tick, times.naive))
    tell(what, "a sound tick of seven tables", every, _ratio(times.tick, times.naive_all))
    tell(what, "a sweep of seven tables", every, _ratio(times.sweep, times.naive_all))


def _ratio(ours: list[float], peer: list[float]) -> Ratio:
    return Ratio(ours_s=statistics.median(ours), peer_s=statistics.median(peer), rounds=len(ours))


def _fill(owner: psycopg.Connection[Any], rows: int) -> str:
    owner.execute(
        "INSERT INTO customers (customer_id, business_name, email)"
        " VALUES ('DIR-20261120-AAAAAA', 'Maple Bakery', 'owner@maple.example')"
    )
    found = owner.execute(
        "INSERT INTO jobs (customer_id, package_size) VALUES ('DIR-20261120-AAAAAA', 50)"
        " RETURNING id::text"
    ).fetchall()
    owner.execute(_FILL, {"job": found[0][0], "rows": rows})
    owner.execute("VACUUM ANALYZE")
    return str(found[0][0])


def _copied_source(dsn: str) -> PostgresSource:
    """A source that has copied everything, with a budget that leaves no table out."""
    pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
    source = PostgresSource(SourceConnection(dsn), pace=pace)
    source.open()
    _drain(source, full=True)
    return source


def _drain(source: PostgresSource, *, full: bool) -> int:
    with closing(source.poll(full=full)) as chunks:
        return sum(len(chunk.events) for chunk in chunks)


def _measure(
    owner: psycopg.Connection[Any],
    session: psycopg.Connection[Any],
    source: PostgresSource,
    job: str,
    rounds: int,
) -> Times:
    times = Times()
    naive = (NaivePoll(session, ONE_TABLE), times.naive)
    naive_all = (NaivePoll(session, ALL_TABLES), times.naive_all)
    tick = (lambda: _drain(source, full=False), times.tick)
    _alternate(owner, job, rounds, naive, naive_all, tick)
    _drain(source, full=True)
    for _ in range(rounds):
        owner.execute(_NEW, {"job": job, "rows": BATCH})
        times.sweep.append(_timed(lambda: _drain(source, full=True)))
    return times


def _alternate(owner: psycopg.Connection[Any], job: str, rounds: int, *turns: Turn) -> None:
    """Let each poll read the same new rows, in this order and then in the other."""
    for number in range(rounds):
        owner.execute(_NEW, {"job": job, "rows": BATCH})
        for poll, taken_s in turns if number % 2 else reversed(turns):
            taken_s.append(_timed(poll))
        time.sleep(PAUSE_S)


def _timed(poll: Callable[[], int]) -> float:
    began_s = time.perf_counter()
    found = poll()
    taken_s = time.perf_counter() - began_s
    if found != BATCH:
        raise RuntimeError(f"the poll found {found} rows instead of {BATCH}")
    return taken_s


if __name__ == "__main__":
    print(machine())
    run()
