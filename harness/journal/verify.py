"""Checks that a journal is whole: dense, unique, chained, projected. Reads only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.journal.connect import opened
from harness.journal.store import GENESIS_HASH, check_version
from harness.resources import sql_queries

_EXPLANATIONS = {
    "seq_not_dense": "the sequence of events has holes or repeats",
    "duplicate_keys": "a key was journaled more than once",
    "batch_mismatch": "a batch does not hold the events it announced",
    "orphan_events": "events belong to no batch",
    "projection_behind": "a projection has not seen all events; run: shadow journal rebuild",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What `verify` found."""

    events: int
    batches: int
    hash: str
    problems: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems


def verify(path: Path) -> Verification:
    """Recompute the hash chain and check every invariant of the journal at `path`."""
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
        cursor = con.execute(queries["select_batch_digests"])
        while rows := cursor.fetchmany(1000):
            for batch, stored, body in rows:
                batches += 1
                running = hashlib.sha256((running + body).encode()).hexdigest()
                if running != stored:
                    problems.append(f"the hash of batch {batch} does not match its events")
                    running = stored
    return Verification(events=events, batches=batches, hash=running, problems=tuple(problems))
