"""The file format of traces: one Parquet file of events with its manifest in the metadata.

Reads and writes that file; knows neither what is chosen nor how it is redacted.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from harness import __version__
from harness.errors import EnvironmentProblem, JournalError
from harness.resources import sql_queries

TRACE_VERSION = 1
"""Version of the columns and of the manifest. A trace of a newer version is refused by name."""
MANIFEST_KEY = b"shadow.manifest"
_ROWS_AT_ONCE = 20_000
_SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("recorded_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("occurred_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("job_id", pa.string()),
        pa.field("directory", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
        pa.field("batch", pa.int64(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
    ]
)
"""`seq` and `batch` are those of the journal that the events were recorded in."""

Tell = Callable[[int, int], None]
"""Called now and then with how many events are done, and of how many."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mark(_Part):
    """A watermark without what only the recorder needs of it."""

    source: str
    complete_until: AwareDatetime
    batch: int
    recorded_at: AwareDatetime
    tier: str


class Redaction(_Part):
    """What was done to the values."""

    policy: str
    """Digest of the rules."""
    own_rules: dict[str, list[str]]
    """Rules from the settings, by action."""
    values: dict[str, int]
    """How many values by what happened to them."""
    unknown_fields: dict[str, int]
    """Fields that no rule names, and how often they were dropped."""


class Span(_Part):
    """From the first to the last event; None where there is none."""

    first_recorded_at: AwareDatetime | None
    last_recorded_at: AwareDatetime | None
    first_occurred_at: AwareDatetime | None
    last_occurred_at: AwareDatetime | None


class Manifest(_Part):
    """What a trace says of itself."""

    schema_version: int = TRACE_VERSION
    tool_version: str = __version__
    journal: str
    """Name of the journal; hashed in a redacted trace."""
    as_of_seq: int
    selection: dict[str, Any]
    redaction: Redaction | None
    """None for a raw trace."""
    span: Span
    events: int
    jobs: int
    by_kind: dict[str, int]
    watermarks: tuple[Mark, ...]
    content_hash: str
    """SHA-256 over the hashes of all events, in their order."""

    @property
    def raw(self) -> bool:
        """True if it holds personal values as they were recorded."""
        return self.redaction is None


def read_manifest(path: Path) -> Manifest:
    """Read what a trace says of itself. JournalError if it is missing, none, damaged or newer."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no trace. Export one with: shadow trace export")
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise JournalError(
            f"{path} is not a readable trace ({_first_line(error)}). "
            "Give a file that shadow trace export wrote, or copy it again."
        ) from error
    if MANIFEST_KEY not in metadata:
        raise JournalError(
            f"{path} is a Parquet file but not a trace. Give a file that shadow trace export wrote."
        )
    try:
        data = json.loads(metadata[MANIFEST_KEY])
        version = data["schema_version"]
        if version > TRACE_VERSION:
            raise JournalError(
                f"{path} is a trace of version {version}; this tool reads up to {TRACE_VERSION}. "
                "Use a newer shadow-harness."
            )
        return Manifest.model_validate(data)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise JournalError(
            f"{path}: its manifest cannot be read ({_first_line(error)}). Export the trace again."
        ) from error


def check_content(path: Path, manifest: Manifest, *, on_progress: Tell | None = None) -> None:
    """Raise JournalError unless the events are those that the manifest was written for."""
    queries = sql_queries("journal/trace.sql")
    try:
        with memory_database() as con:
            con.execute("SET VARIABLE trace = ?", [str(path)])
            con.execute(queries["create_traced_of_file"])
            digest = hashlib.sha256()
            done = 0
            for piece in con.sql(queries["select_traced"]).to_arrow_reader(_ROWS_AT_ONCE):
                _add_hashes(digest, piece)
                done += piece.num_rows
                if on_progress is not None:
                    on_progress(done, manifest.events)
    except (duckdb.Error, pa.ArrowException) as error:
        raise JournalError(
            f"{path}: its events cannot be read ({_first_line(error)}). Copy the file again."
        ) from error
    if digest.hexdigest() != manifest.content_hash:
        raise JournalError(
            f"{path}: its events are not those it was exported with. Copy the file again, "
            "and ask who changed it if that does not help."
        )


def write_trace(
    con: duckdb.DuckDBPyConnection,
    out: Path,
    facts: Mapping[str, Any],
    *,
    on_progress: Tell | None = None,
) -> Manifest:
    """Write the view ``traced`` in the order of its seq, whole or not at all.

    facts: what the manifest says besides the counts. Replaces `out`.
    """
    queries = sql_queries("journal/trace.sql")
    counted = con.execute(queries["count_traced"]).fetchall()[0]
    by_kind = dict(con.execute(queries["count_traced_by_kind"]).fetchall())
    building = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    digest = hashlib.sha256()
    done = 0
    try:
        with pq.ParquetWriter(building, _SCHEMA, compression="zstd") as writer:
            for piece in con.sql(queries["select_traced"]).to_arrow_reader(_ROWS_AT_ONCE):
                _add_hashes(digest, piece)
                writer.write_table(pa.table(piece).drop_columns("row_hash").cast(_SCHEMA))
                done += piece.num_rows
                if on_progress is not None:
                    on_progress(done, counted[0])
            names = ("first_recorded_at", "last_recorded_at", "first_occurred_at",
                     "last_occurred_at")  # fmt: skip
            manifest = Manifest(
                **facts,
                events=counted[0],
                jobs=counted[1],
                span=Span(**dict(zip(names, counted[2:], strict=True))),
                by_kind=by_kind,
                content_hash=digest.hexdigest(),
            )
            writer.add_key_value_metadata({MANIFEST_KEY: manifest.model_dump_json().encode()})
        if manifest.raw:
            building.chmod(0o600)
        _make_durable(building)
        building.replace(out)
    except OSError as error:
        raise EnvironmentProblem(
            f"{out}: {error.strerror or _first_line(error)}. "
            "Give --out in a folder with room that you may write to."
        ) from error
    finally:
        building.unlink(missing_ok=True)
    return manifest


def check_target(out: Path, *, force: bool) -> None:
    """Raise before any work is done if `out` exists and may not be replaced, or has no folder."""
    if not out.parent.is_dir():
        raise EnvironmentProblem(f"{out}: the folder {out.parent} does not exist. Make it first.")
    if out.exists() and not force:
        raise JournalError(f"{out} exists already. Give another --out, or --force to replace it.")


def memory_database(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that takes little of it. spill: where the rest may go."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET memory_limit = '500MB'")
    if spill is not None:
        con.execute("SET temp_directory = ?", [str(spill)])
    return con


def _add_hashes(digest: Any, piece: pa.RecordBatch) -> None:
    digest.update("".join(piece.column("row_hash").to_pylist()).encode())


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def utc(moment: datetime) -> str:
    """A moment as a person reads it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
