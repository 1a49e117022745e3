"""Seals batches: a second chain over what the hash of their events leaves out.

When and by which tier a batch was recorded, and which watermarks it proves, is evidence like the
events themselves. Whoever writes batches calls `seal_batches` last, in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import duckdb

from harness.resources import sql_queries

_FIRST = "0" * 64


def seal_batches(con: duckdb.DuckDBPyConnection) -> None:
    """Seal every batch that has no seal yet, inside the caller's transaction."""
    queries = sql_queries("journal/seal.sql")
    con.execute(queries["create_seals"])
    ((after, seal),) = con.execute(queries["select_last_seal"]).fetchall()
    new = dict(_chain(con, after=after or 0, seal=seal or _FIRST))
    if new:
        con.execute(queries["insert_seals"], {"batches": [*new], "seals": [*new.values()]})


def broken_seals(con: duckdb.DuckDBPyConnection) -> tuple[int, list[int]]:
    """How many batches have a seal, and those whose seal does not fit them.

    A journal of an older version has none.
    """
    queries = sql_queries("journal/seal.sql")
    if not con.execute(queries["has_seals"]).fetchall()[0][0]:
        return 0, []
    seals = dict(con.execute(queries["select_seals"]).fetchall())
    broken = []
    seal = _FIRST
    rows = con.execute(queries["select_sealed_texts"], {"after": 0}).fetchall()
    for batch, text in rows:
        if batch > max(seals, default=0):
            break
        seal = _next(seal, text)
        if seals.get(batch) != seal:
            broken.append(batch)
            # One altered batch does not put the blame on all that follow.
            seal = seals.get(batch, seal)
    # A seal without its batch: the batch was taken away.
    return len(seals), [*broken, *sorted(seals.keys() - {batch for batch, _ in rows})]


def _chain(con: duckdb.DuckDBPyConnection, *, after: int, seal: str) -> Iterator[tuple[int, str]]:
    rows = con.execute(
        sql_queries("journal/seal.sql")["select_sealed_texts"], {"after": after}
    ).fetchall()
    for batch, text in rows:
        seal = _next(seal, text)
        yield batch, seal


def _next(seal: str, text: str) -> str:
    return hashlib.sha256((seal + text).encode()).hexdigest()
