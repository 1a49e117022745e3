"""Checks that a journal is whole: dense, unique, chained, sealed, projected. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from harness.journal.connect import opened
from harness.journal.projections import PROJECTIONS, rebuild_projections
from harness.journal.seal import broken_seals
from harness.journal.store import GENESIS_HASH, check_version
from harness.resources import sql_queries

_EXPLANATIONS = {
    "seq_not_dense": "the sequence of events has holes or repeats",
    "duplicate_keys": "a key was journaled more than once",
    "wrong_key_hash": "an event would not be found by its key",
    "batch_mismatch": "a batch does not hold the events it announced",
    "orphan_events": "events belong to no batch",
    "batches_not_dense": "batches do not follow one another",
    "batch_time": "a batch was not recorded when its events were",
    "time_goes_back": "a batch was recorded before the one in front of it",
    "watermark_astray": "a watermark does not belong to the batch it names",
    "watermark_goes_back": "a source is complete up to an earlier moment than before",
    "projection_behind": "a projection has not seen all events; run: shadow journal rebuild",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What `verify` found."""

    events: int
    batches: int
    sealed: int
    """Batches whose time, tier and watermarks are under a seal; older tools set none."""
    hash: str
    problems: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems


def verify(path: Path, *, projections: bool = True) -> Verification:
    """Recompute both chains and check every invariant of the journal.

    projections: derive them anew too, which takes most of the time.
    """
    queries = sql_queries("journal/verify.sql")
    problems: list[str] = []
    with opened(path, read_only=True) as handle:
        con = handle.con
        check_version(path, con)
        for name, words in _EXPLANATIONS.items():
            rows = con.execute(queries[name]).fetchall()
            problems.extend(f"{words}: {row}" for row in rows)
        (events,) = con.execute("SELECT count(*) FROM events").fetchall()[0]
        running = GENESIS_HASH
        batches = 0
        for batch, stored, body in batch_digests(con, after=0):
            if stored is None:
                continue
            batches += 1
            running = chained(running, body)
            if running != stored:
                problems.append(f"the hash of batch {batch} does not match its events")
                running = stored
        sealed, broken = broken_seals(con)
        problems.extend(
            f"the seal of batch {batch} does not match its time, tier or watermarks"
            for batch in broken
        )
        if projections:
            problems.extend(_projections(con))
    return Verification(
        events=events, batches=batches, sealed=sealed, hash=running, problems=tuple(problems)
    )


def batch_digests(
    con: duckdb.DuckDBPyConnection, *, after: int
) -> Iterator[tuple[int, str | None, str]]:
    """Yield number, stored hash and the joined hashes of the events of every batch after `after`.

    The connection may run nothing else meanwhile.
    """
    queries = sql_queries("journal/verify.sql")
    con.execute(queries["create_event_hash"])
    cursor = con.execute(queries["select_batch_digests"], {"after": after})
    while rows := cursor.fetchmany(1000):
        yield from rows


def chained(previous: str, body: str) -> str:
    """The hash of a batch: over the one before and the hashes of its events."""
    return hashlib.sha256((previous + body).encode()).hexdigest()


def _projections(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Derive every projection once more, in temporary tables that stand before the journal's."""
    (name,) = con.execute("SELECT current_database()").fetchall()[0]
    journal = f'"{name}".main'
    names = [projection.name for projection in PROJECTIONS]
    for table in (*names, "projection_state"):
        con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {journal}.{table} LIMIT 0")
    con.execute(f"INSERT INTO projection_state SELECT * FROM {journal}.projection_state")
    rebuild_projections(con)
    for table in names:
        for what, one, other in (
            ("lacks", f"temp.{table}", f"{journal}.{table}"),
            ("has too many", f"{journal}.{table}", f"temp.{table}"),
        ):
            (count,) = con.execute(
                f"SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})"
            ).fetchall()[0]
            if count:
                yield (
                    f"the projection {table} {what} {count} of the rows that the events make; "
                    "run: shadow journal rebuild"
                )
