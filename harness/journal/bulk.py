"""Appends a whole file of rows at once: parsed, keyed and hashed by DuckDB, not row by row.

The events are those that `Journal.append` makes of the same rows one by one; only the text of the
payload is the source's own, with its spaces and its order of names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from harness.journal.store import Journal
from harness.model import Appended, Watermark
from harness.resources import sql_queries

_SHORTEST_LINE_LIMIT = 2_097_152
"""Bytes; DuckDB's own limit. Its buffers grow with it, so it is raised for longer lines only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMapping:
    """How a row as JSON becomes an event.

    A path is the names that lead to a value, outermost first. The values are strings, whole
    numbers or null.
    """

    source: str
    kind: str
    keys: tuple[tuple[str, ...], ...]
    """What identifies the row, never null; with its version, if the file gives one, it is the
    event's key. No two rows of one file have the same."""
    jobs: tuple[tuple[str, ...], ...]
    """The first that is not null is the job's id."""
    times: tuple[tuple[str, ...], ...]
    """The first that is a time is when it occurred."""
    places: tuple[tuple[str, ...], ...]
    directory_of: Callable[[tuple[str | None, ...]], str | None]
    """The directory from the values of `places`; asked once for each that differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFile:
    """Rows of one table: a line is a version or nothing, a tab, and the row as JSON."""

    path: Path
    longest_line: int
    """Bytes."""
    read_at: datetime
    """When a row occurred that does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What DuckDB may take of this machine during an append."""

    memory_mb: int
    """More only where a single row would not fit."""
    spill: Path
    """A folder for what does not fit; nobody else may read it."""


def append_rows(
    journal: Journal,
    rows: RowFile,
    mapping: RowMapping,
    *,
    limits: Limits,
    watermarks: Sequence[Watermark] = (),
    tier: str = "-",
) -> Appended:
    """Append an event for each row whose key is not known yet, in the order of the file.

    One transaction with the watermarks, as `Journal.append`. Raises what that raises.
    """

    def append(memory_mb: int) -> Appended:
        def stage(con: duckdb.DuckDBPyConnection) -> int:
            con.execute(f"SET memory_limit = '{memory_mb}MB'")
            con.execute("SET temp_directory = ?", [str(limits.spill)])
            return _stage(con, rows, mapping)

        return journal.append_staged(stage, watermarks=watermarks, tier=tier)

    try:
        return append(limits.memory_mb)
    except duckdb.OutOfMemoryException:
        # One row may be larger than everything that was thought of.
        return append(limits.memory_mb * 20)


def _stage(con: duckdb.DuckDBPyConnection, rows: RowFile, mapping: RowMapping) -> int:
    queries = sql_queries("journal/bulk.sql")
    parts = (mapping.keys, mapping.jobs, mapping.places, mapping.times)
    con.execute(queries["create_written_at"])
    con.execute(
        queries["create_staged"],
        {
            "kind": mapping.kind,
            "pointers": [_pointer(path) for part in parts for path in part],
            "keys": len(mapping.keys),
            "jobs": len(mapping.keys + mapping.jobs),
            "places": len(mapping.keys + mapping.jobs + mapping.places),
            "otherwise": rows.read_at,
            "path": str(rows.path),
            "longest_line": max(_SHORTEST_LINE_LIMIT, rows.longest_line + 1),
        },
    )
    ((offered, first),) = con.execute(queries["count_staged"]).fetchall()
    found = [tuple(places) for (places,) in con.execute(queries["select_places"]).fetchall()]
    directories = pl.DataFrame(
        {
            "places": [list(places) for places in found],
            "directory": [mapping.directory_of(places) for places in found],
        },
        schema={"places": pl.List(pl.String), "directory": pl.String},
    )
    con.register("directories", directories)
    con.execute("SET VARIABLE draft_source = ?::VARCHAR", [mapping.source])
    con.execute("SET VARIABLE draft_kind = ?::VARCHAR", [mapping.kind])
    con.execute("SET VARIABLE draft_first = ?::BIGINT", [first])
    con.execute(queries["create_drafts"])
    return int(offered)


def _pointer(path: Sequence[str]) -> str:
    """A JSON pointer: names may hold any character."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in path)
