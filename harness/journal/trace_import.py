"""Adds a trace to a journal, exactly once, with its own batches, times and watermarks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from harness.errors import JournalError
from harness.journal.connect import opened
from harness.journal.projections import refresh_projections
from harness.journal.seal import seal_batches
from harness.journal.source_mapping import mapping_of, mapping_of_trace
from harness.journal.store import GENESIS_HASH, Journal, utc_now
from harness.journal.trace import Manifest, Tell, check_content, read_manifest
from harness.journal.verify import batch_digests, chained
from harness.model import Batch, EventDraft, EventKind, Source
from harness.resources import sql_queries

_IMPORTED = "import"
_HASHES: dict[str, Any] = {"batch": pl.Int64, "hash": pl.String}
_MARKS: dict[str, Any] = {
    "source": pl.String,
    "complete_until": pl.Datetime("us", "UTC"),
    "batch": pl.Int64,
    "recorded_at": pl.Datetime("us", "UTC"),
    "tier": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did."""

    manifest: Manifest
    new: int
    known: int
    """Events that the journal had already."""
    last_seq: int


def import_trace(path: Path, journal_path: Path, *, on_progress: Tell | None = None) -> Imported:
    """Make the journal of a trace, or add the trace to it, all of it or nothing.

    The events keep their order, sources and times; a ``trace.imported`` event follows them. A
    second import adds nothing. Raises JournalError if the trace is damaged or the journal is none.
    """
    manifest = read_manifest(path)
    check_content(path, manifest, on_progress=on_progress)
    journal = Journal.create(journal_path)
    # Without events this only brings the tables of an older journal up to date.
    journal.append(Batch(events=()))
    with opened(journal.path, read_only=False) as handle:
        handle.con.execute("BEGIN")
        try:
            new = _add(handle.con, path, manifest)
        except BaseException:
            with suppress(duckdb.Error):
                handle.con.execute("ROLLBACK")
            raise
        handle.con.execute("COMMIT")
    # At the time of the last event: the age of the record is counted from there, not from today.
    recorded_at = journal.head().recorded_at or utc_now()
    told = Journal(journal.path, clock=lambda: recorded_at).append(
        Batch(events=(_fact(manifest),), tier=_IMPORTED)
    )
    return Imported(manifest=manifest, new=new, known=manifest.events - new, last_seq=told.last_seq)


def _add(con: duckdb.DuckDBPyConnection, path: Path, manifest: Manifest) -> int:
    """Insert what the journal does not have, inside the caller's transaction; return how much."""
    queries = sql_queries("journal/trace.sql")
    head, batch, _ = con.execute(sql_queries("journal/append.sql")["select_head"]).fetchall()[0]
    running, recorded_at = GENESIS_HASH, datetime.fromtimestamp(0, UTC)
    for end in con.execute(sql_queries("journal/read.sql")["select_head"]).fetchall():
        _, running, recorded_at = end
    con.execute("SET memory_limit = '1GB'")
    con.execute("SET VARIABLE trace = ?", [str(path)])
    if head:
        _check_mapping(con, path)
    con.execute(queries["create_fresh"])
    marks = [mark.model_dump() for mark in manifest.watermarks]
    con.register("marks", pl.DataFrame(marks, schema=_MARKS, orient="row"))
    con.execute(queries["create_advancing_marks"])
    where = {"head": head, "batch": batch, "recorded_at": recorded_at}
    con.execute(queries["create_new_batches"], where)
    con.execute(queries["insert_events"], {"head": head})
    rows = con.execute("SELECT batch FROM new_batches ORDER BY batch").fetchall()
    numbers = iter([number for (number,) in rows])
    hashes = []
    for found, _, body in batch_digests(con, after=batch):
        for number in numbers:
            running = chained(running, body if number == found else "")
            hashes.append((number, running))
            if number == found:
                break
    # Batches without events come last, if they do, and chain to nothing of their own.
    for number in numbers:
        running = chained(running, "")
        hashes.append((number, running))
    con.register("new_hashes", pl.DataFrame(hashes, schema=_HASHES, orient="row"))
    con.execute(queries["insert_batches"])
    con.execute(queries["insert_watermarks"])
    seal_batches(con)
    refresh_projections(con)
    return int(con.execute("SELECT count(*) FROM fresh").fetchall()[0][0])


def _check_mapping(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """A journal is read in one way; one that is new takes that of the trace."""
    stored, other = mapping_of(con), mapping_of_trace(con)
    if stored != other:
        ours, theirs = (one.shown if one else "the shipped one" for one in (stored, other))
        raise JournalError(
            f"{path}: recorded with another mapping ({theirs}) than this journal ({ours}). "
            "Import it into a journal of its own."
        )


def _fact(manifest: Manifest) -> EventDraft:
    return EventDraft(
        source=Source.OPERATOR,
        kind=EventKind.TRACE_IMPORTED,
        key=f"{EventKind.TRACE_IMPORTED}:{manifest.content_hash}",
        occurred_at=utc_now(),
        payload={
            "content_hash": manifest.content_hash,
            "journal": manifest.journal,
            "events": manifest.events,
            "jobs": manifest.jobs,
            "raw": manifest.raw,
            "policy": manifest.redaction.policy if manifest.redaction else None,
            "tool_version": manifest.tool_version,
        },
    )
