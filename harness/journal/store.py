"""The append-only event store. Knows DuckDB; knows nothing of Postgres, browsers or screens."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import polars as pl

from harness import __version__
from harness.errors import EnvironmentProblem, JournalError
from harness.journal.connect import DEFAULT_BUSY_TIMEOUT_S, opened
from harness.journal.projections import (
    create_projections,
    rebuild_projections,
    refresh_projections,
)
from harness.journal.reader import Reader, open_reader
from harness.journal.seal import seal_batches
from harness.journal.source_mapping import SourceMapping, mapping_of, require_mapping
from harness.model import JOURNAL_SCHEMA_VERSION, Appended, Batch, EventDraft, Watermark
from harness.resources import sql_queries

GENESIS_HASH = "0" * 64
"""What the first batch is chained to."""

_DRAFT_SCHEMA: dict[str, Any] = {
    "ordinal": pl.Int64,
    "occurred_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "kind": pl.String,
    "key": pl.String,
    "job_id": pl.String,
    "directory": pl.String,
    "payload": pl.String,
    "key_hash": pl.UInt64,
}

Stage: TypeAlias = Callable[[duckdb.DuckDBPyConnection], int]
"""Makes the relation ``drafts`` on an open journal; returns how many events it was made from.

Its columns are those above; `ordinal` counts from 0 without holes, and no key occurs twice.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest end of the journal."""

    seq: int
    hash: str
    recorded_at: datetime | None


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


class Journal:
    """One journal file. Cheap to construct; every call opens and closes the file."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = DEFAULT_BUSY_TIMEOUT_S,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.path = path
        self.busy_timeout_s = busy_timeout_s
        self._clock = clock

    @classmethod
    def create(
        cls, path: Path | str, *, mapping: SourceMapping | None = None, **options: Any
    ) -> Journal:
        """Create the file with its tables, or open it if it is a journal already.

        mapping: how its tables are read if not by the shipped mapping; JournalError if a journal
        that exists is read in another way.
        """
        journal = cls(Path(path), **options)
        if not journal.path.exists():
            journal._make(mapping)
        journal.check()
        journal.require(mapping)
        return journal

    @classmethod
    def open(cls, path: Path | str, **options: Any) -> Journal:
        """Open an existing journal; JournalError if it is missing, foreign or newer."""
        journal = cls(Path(path), **options)
        if not journal.path.exists():
            raise JournalError(f"{path}: there is no journal. Record one with: shadow record")
        journal.check()
        return journal

    def check(self) -> None:
        """Raise JournalError unless the file is a journal of a version we can read."""
        with opened(self.path, read_only=True, busy_timeout_s=self.busy_timeout_s) as handle:
            check_version(self.path, handle.con)

    def mapping(self) -> SourceMapping | None:
        """How its tables are read; None where the shipped mapping reads them."""
        with opened(self.path, read_only=True, busy_timeout_s=self.busy_timeout_s) as handle:
            check_version(self.path, handle.con)
            return mapping_of(handle.con)

    def require(self, mapping: SourceMapping | None) -> None:
        """Raise JournalError if `mapping` is given and is not the one of this journal."""
        if mapping is not None:
            require_mapping(self.path, self.mapping(), mapping)

    def append(self, batch: Batch) -> Appended:
        """Write the events whose key is not known yet, and the watermarks they prove.

        One transaction: after a crash either all of it is there or none. Appending the same batch
        again adds nothing.
        """
        drafts = _draft_frame(batch.events)

        def stage(con: duckdb.DuckDBPyConnection) -> int:
            con.register("drafts", drafts)
            return len(batch.events)

        return self.append_staged(stage, watermarks=batch.watermarks, tier=batch.tier)

    def append_staged(
        self, stage: Stage, *, watermarks: Sequence[Watermark], tier: str
    ) -> Appended:
        """Like `append`, of events that `stage` puts into the transaction itself."""
        queries = sql_queries("journal/append.sql")
        with self._transaction() as (con, retries):
            # Not before the file is ours: who waits for the lock would write a time from before
            # the events in front of its own, and "as of" that time would show those too.
            _upgrade(con)
            head, last_batch, last_at = _one(con.execute(queries["select_head"]))
            # A clock that was set back must not make what follows look older than what is there.
            recorded_at = max(self._clock(), last_at) if last_at else self._clock()
            number = last_batch + 1
            offered = stage(con)
            con.execute(queries["create_known"])
            (known,) = _one(con.execute("SELECT count(*) FROM known"))
            con.execute(queries["create_fresh" if known else "create_fresh_of_all"])
            (new,) = _one(con.execute("SELECT count(*) FROM fresh"))
            con.execute(
                queries["insert_events"],
                {"head": head, "recorded_at": recorded_at, "batch": number},
            )
            if new == 0 and not watermarks:
                return Appended(
                    first_seq=None,
                    last_seq=head,
                    new=0,
                    known=offered,
                    lock_retries=retries,
                )
            previous = GENESIS_HASH
            if last_batch:
                (previous,) = _one(con.execute(queries["select_hash"], {"batch": last_batch}))
            (digest,) = _one(
                con.execute(
                    queries["select_digest"],
                    {"previous": previous, "batch": number, "head": head},
                )
            )
            con.execute(
                queries["insert_batch"],
                {
                    "batch": number,
                    "recorded_at": recorded_at,
                    "tier": tier,
                    "first_seq": head + 1 if new else None,
                    "last_seq": head + new,
                    "events": new,
                    "hash": digest,
                },
            )
            for mark in watermarks:
                con.execute(
                    queries["insert_watermark"],
                    {
                        "source": mark.source,
                        "position": canonical_json(mark.position),
                        "complete_until": mark.complete_until,
                        "batch": number,
                        "seq": head + new,
                    },
                )
            refresh_projections(con)
            seal_batches(con)
        return Appended(
            first_seq=head + 1 if new else None,
            last_seq=head + new,
            new=new,
            known=offered - new,
            lock_retries=retries,
        )

    def rebuild(self) -> None:
        """Derive every projection from all events anew; no event is touched."""
        with self._transaction() as (con, _):
            rebuild_projections(con)

    def head(self) -> Head:
        """The newest seq and the running hash over all events."""
        with opened(self.path, read_only=True, busy_timeout_s=self.busy_timeout_s) as handle:
            rows = handle.con.execute(sql_queries("journal/read.sql")["select_head"]).fetchall()
        if not rows:
            return Head(seq=0, hash=GENESIS_HASH, recorded_at=None)
        seq, digest, recorded_at = rows[0]
        return Head(seq=seq, hash=digest, recorded_at=recorded_at.astimezone(UTC))

    def watermark(self, source: str) -> Watermark | None:
        """The newest watermark of `source`, None before the first."""
        with self.reader() as reader:
            return reader.watermark(source)

    @contextmanager
    def reader(self, as_of: int | datetime | None = None) -> Iterator[Reader]:
        """Open the journal read-only as of a seq, a time, or now; close it at the end."""
        with opened(self.path, read_only=True, busy_timeout_s=self.busy_timeout_s) as handle:
            check_version(self.path, handle.con)
            yield open_reader(handle.con, as_of)

    def _make(self, mapping: SourceMapping | None) -> None:
        """Build the file under another name and give it its own when it is whole.

        A process that is killed meanwhile leaves no half journal, and of two that make the same
        one the first wins.
        """
        folder = self.path.parent
        if not folder.is_dir():
            wrong = "is not a folder" if folder.exists() else "does not exist"
            raise JournalError(f"{self.path}: the folder {folder} {wrong}. Make it first.")
        building = folder / f".{self.path.name}.{uuid.uuid4().hex[:8]}"
        maker = Journal(building, busy_timeout_s=self.busy_timeout_s, clock=self._clock)
        try:
            with maker._transaction(new_journal=self.path) as (con, _):
                for statement in sql_queries("journal/schema.sql").values():
                    con.execute(statement)
                con.execute(
                    "INSERT INTO meta VALUES (?, ?, ?, ?)",
                    [str(uuid.uuid4()), JOURNAL_SCHEMA_VERSION, self._clock(), __version__],
                )
                create_projections(con)
            if mapping is not None:
                maker.append(Batch(events=(mapping.event(self._clock()),), tier="operator"))
            try:
                self.path.hardlink_to(building)
            except FileExistsError:
                pass
            except OSError:
                # A file system without hard links, such as exFAT or some network shares.
                building.rename(self.path)
        except OSError as error:
            raise EnvironmentProblem(
                f"{self.path}: {error.strerror}. Choose a --journal in a folder you may write to."
            ) from error
        finally:
            building.unlink(missing_ok=True)
            building.with_name(building.name + ".wal").unlink(missing_ok=True)

    @contextmanager
    def _transaction(
        self, *, new_journal: Path | None = None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, int]]:
        with opened(
            self.path,
            read_only=False,
            busy_timeout_s=self.busy_timeout_s,
            new_journal=new_journal,
        ) as handle:
            handle.con.execute("BEGIN")
            try:
                yield handle.con, handle.retries
            except BaseException:
                # The first error is the one to report; a database that it closed cannot roll back.
                with suppress(duckdb.Error):
                    handle.con.execute("ROLLBACK")
                raise
            handle.con.execute("COMMIT")


def check_version(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    """Raise JournalError if the open file is no journal or of a newer version."""
    try:
        rows = con.execute(sql_queries("journal/read.sql")["select_meta"]).fetchall()
    except duckdb.CatalogException as error:
        raise JournalError(
            f"{path} is a DuckDB file but not a journal. Give another --journal."
        ) from error
    version = rows[0][1] if rows else None
    if version is None or version > JOURNAL_SCHEMA_VERSION:
        raise JournalError(
            f"{path} is a journal of version {version or '?'}; this tool reads up to "
            f"{JOURNAL_SCHEMA_VERSION}. Use a newer shadow-harness."
        )


def canonical_json(value: object) -> str:
    """One text per value: sorted keys, no spaces, so that hashes are stable."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def key_hash(key: str) -> int:
    """The first half of the key's MD5 as DuckDB's ``md5_number_upper`` gives it; no secret."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little")


def _upgrade(con: duckdb.DuckDBPyConnection) -> None:
    """Bring the tables up to this version, inside the caller's transaction."""
    queries = sql_queries("journal/append.sql")
    (version,) = _one(con.execute(queries["select_version"]))
    if version < 2:
        con.execute(queries["upgrade_key_hash"])
        con.execute(queries["upgrade_version"], {"version": JOURNAL_SCHEMA_VERSION})


def _draft_frame(events: tuple[EventDraft, ...]) -> pl.DataFrame:
    # An event that comes twice counts where it came first, as it does in two batches.
    unique: dict[str, EventDraft] = {}
    for event in events:
        unique.setdefault(event.key, event)
    rows = [
        (
            ordinal,
            event.occurred_at.astimezone(UTC),
            event.source,
            event.kind,
            event.key,
            event.job_id,
            event.directory,
            canonical_json(event.payload),
            key_hash(event.key),
        )
        for ordinal, event in enumerate(unique.values())
    ]
    return pl.DataFrame(rows, schema=_DRAFT_SCHEMA, orient="row")


def _one(cursor: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    # fetchall, not fetchone: DuckDB 2 refuses further statements while a result is unfinished.
    (row,) = cursor.fetchall()
    return tuple(row)
