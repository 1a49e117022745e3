"""Rewrites a journal without dead space: same events, same batches, same hashes, smaller file."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import duckdb

from harness.errors import EnvironmentProblem, JournalError
from harness.journal.connect import DEFAULT_BUSY_TIMEOUT_S, opened
from harness.journal.store import check_version
from harness.journal.verify import verify

_ORDER = {
    "events": "seq", "batches": "batch", "watermarks": "batch", "seals": "batch",
    "submissions": "from_seq", "jobs": "from_seq",
}  # fmt: skip
"""Rows lie in the order in which they are read, so that little of the file is touched."""
_LATECOMERS_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a compaction did."""

    before_bytes: int
    after_bytes: int
    events: int
    hash: str


def compact(path: Path, *, busy_timeout_s: float = DEFAULT_BUSY_TIMEOUT_S) -> Compacted:
    """Rewrite the journal at `path` and put the new file in its place once it is proved whole.

    Nobody else can open the journal meanwhile; whoever records into it must be kept off by the
    caller. A full disk, a kill or a journal that is not clean leave the old file as it is: raises
    EnvironmentProblem, or JournalError with what is wrong.
    """
    path = path.resolve()
    building = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with opened(path, read_only=False, busy_timeout_s=busy_timeout_s) as handle:
            check_version(path, handle.con)
            # What a killed writer left in the write-ahead log belongs to the old file's size too.
            handle.con.execute("CHECKPOINT")
            before = path.stat().st_size
            _copy(handle.con, building)
            shutil.copymode(path, building)
            found = verify(building, projections=False)
            if not found.clean:
                raise JournalError(
                    f"{path} is not clean ({found.problems[0]}). It is left as it is; "
                    "see: shadow journal verify"
                )
            after = building.stat().st_size
            _make_durable(building)
            building.replace(path)
            _make_durable(path.parent)
            # A process that opened the old file just now has not locked it yet. It must not get
            # that lock: what it wrote there would be lost.
            time.sleep(_LATECOMERS_S)
    except OSError as error:
        raise EnvironmentProblem(
            f"{path}: {error.strerror}. The journal is as it was; give its folder room and "
            "permission to write."
        ) from error
    finally:
        building.unlink(missing_ok=True)
        building.with_name(building.name + ".wal").unlink(missing_ok=True)
    return Compacted(before_bytes=before, after_bytes=after, events=found.events, hash=found.hash)


def _copy(con: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Copy every table into a new file, each in its own order."""
    (journal,) = con.execute("SELECT current_database()").fetchall()[0]
    name = str(target).replace("'", "''")
    con.execute(f"ATTACH '{name}' AS compacted")
    con.execute(f'COPY FROM DATABASE "{journal}" TO compacted (SCHEMA)')
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT temporary "
        "ORDER BY table_name",
        [journal],
    ).fetchall()
    for (table,) in tables:
        order = f"ORDER BY {_ORDER[table]}" if table in _ORDER else ""
        con.execute(
            f'INSERT INTO compacted.main.{table} SELECT * FROM "{journal}".main.{table} {order}'
        )
    con.execute("CHECKPOINT compacted")
    con.execute("DETACH compacted")


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
