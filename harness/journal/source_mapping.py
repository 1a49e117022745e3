"""A mapping of one's own: which tables are recorded, and the SELECTs that read them.

A folder holds ``mapping.toml`` (the tables), ``jobs.sql``, ``control.sql`` and ``candidate.sql``:
each is one SELECT over ``new_events`` that gives canonical columns. The first event of a journal
holds the whole mapping, so that its projections can be made anew from the journal alone, and so
that one journal is never read in two ways.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.errors import JournalError
from harness.model import EventDraft, EventKind, Source
from harness.resources import sql_queries

_TIME = "TIMESTAMP WITH TIME ZONE"
_UNKNOWN_TYPE = '"NULL"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One canonical column of a fact."""

    type: str
    default: str | None = None
    """What stands for it where the SELECT does not give it; None: the SELECT must give it."""


_NOTHING = "NULL"
_JOB_COLUMNS: Mapping[str, Column] = {
    "seq": Column(type="BIGINT"),
    "job_id": Column(type="VARCHAR"),
    "created_at": Column(type=_TIME),
    "customer_id": Column(type="VARCHAR", default=_NOTHING),
    "package_size": Column(type="INTEGER", default=_NOTHING),
    "priority": Column(type="INTEGER", default=_NOTHING),
    "control_status": Column(type="VARCHAR", default=_NOTHING),
    "control_started_at": Column(type=_TIME, default=_NOTHING),
    "control_finished_at": Column(type=_TIME, default=_NOTHING),
    "control_error": Column(type="VARCHAR", default=_NOTHING),
    "business": Column(type="JSON", default=_NOTHING),
    "claimed_at": Column(type=_TIME, default=_NOTHING),
    "triggered_at": Column(type=_TIME, default=_NOTHING),
    "flow_started_at": Column(type=_TIME, default=_NOTHING),
    "candidate_finished_at": Column(type=_TIME, default=_NOTHING),
    "candidate_status": Column(type="VARCHAR", default=_NOTHING),
}
_SUBMISSION_COLUMNS: Mapping[str, Column] = {
    "seq": Column(type="BIGINT"),
    "job_id": Column(type="VARCHAR"),
    "directory": Column(type="VARCHAR"),
    "status": Column(type="VARCHAR"),
    "occurred_at": Column(type=_TIME),
    "unit": Column(type="VARCHAR", default="told.directory"),
    "raw_status": Column(type="VARCHAR", default="told.status"),
    "error_text": Column(type="VARCHAR", default=_NOTHING),
    "begins": Column(type="BOOLEAN", default="coalesce(told.status = 'in_flight', false)"),
    "terminal": Column(type="BOOLEAN", default="coalesce(told.status = 'submitted', false)"),
    "counts_each": Column(type="BOOLEAN", default="false"),
    "duration_ms": Column(type="DOUBLE", default=_NOTHING),
    "url": Column(type="VARCHAR", default=_NOTHING),
    "listing_url": Column(type="VARCHAR", default=_NOTHING),
    "sent": Column(type="JSON", default=_NOTHING),
}
QUERIES: Mapping[str, tuple[str, Mapping[str, Column]]] = {
    "jobs": ("jobs", _JOB_COLUMNS),
    "control": ("submissions", _SUBMISSION_COLUMNS),
    "candidate": ("submissions", _SUBMISSION_COLUMNS),
}
"""Per SELECT of a mapping: the projection that it feeds, and the columns that it may give."""

Columns = tuple[str, ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedTable(_Part):
    """One table to record, with what the recorder has to know of its columns."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")
    job: str | None = None
    """Column with the job's id."""
    directory: str | None = None
    """Column with where the submission goes."""
    identity: Columns = ("id",)
    """Columns that tell rows apart where the table declares no primary key."""
    created: Columns = ("created_at",)
    """Columns of which the first that exists holds the creation time."""
    changed: Columns = ("updated_at",)
    """The same of the time of the last change, by the writer's word."""
    append_only: bool = False
    """Its rows never change: one event a row."""


class SourceMapping(_Part):
    """A whole mapping, as the first event of a journal holds it."""

    name: str
    tables: tuple[MappedTable, ...]
    queries: dict[str, str]
    """``jobs``, ``control`` and ``candidate`` → the text of the SELECT."""

    @field_validator("queries")
    @classmethod
    def _whole(cls, queries: dict[str, str]) -> dict[str, str]:
        if queries.keys() != QUERIES.keys():
            raise ValueError(f"holds {sorted(queries)}, not {sorted(QUERIES)}")
        return queries

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits that name this mapping."""
        text = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def shown(self) -> str:
        """Name and digest, as a person is told."""
        return f"{self.name} ({self.digest})"

    def event(self, at: datetime) -> EventDraft:
        """The event that a journal of this mapping begins with."""
        return EventDraft(
            source=Source.OPERATOR,
            kind=EventKind.SOURCE_MAPPING,
            key=f"{EventKind.SOURCE_MAPPING}:{self.digest}",
            occurred_at=at,
            payload=self.model_dump(),
        )


def mapping_of(con: duckdb.DuckDBPyConnection) -> SourceMapping | None:
    """The mapping of an open journal; None where the shipped one reads it."""
    rows = con.execute(sql_queries("journal/mapping.sql")["select_mapping"]).fetchall()
    return _parsed(rows[0][0]) if rows else None


def mapping_of_trace(con: duckdb.DuckDBPyConnection) -> SourceMapping | None:
    """The mapping that the trace in the variable ``trace`` brings."""
    rows = con.execute(sql_queries("journal/mapping.sql")["select_mapping_of_trace"]).fetchall()
    return _parsed(rows[0][0]) if rows else None


@lru_cache(maxsize=4)
def _parsed(payload: str) -> SourceMapping:
    try:
        return SourceMapping.model_validate_json(payload)
    except ValidationError as error:
        raise JournalError(
            f"the mapping that a journal begins with cannot be read ({error.errors()[0]['msg']}). "
            "Use the version of shadow-harness that recorded it, or a newer one."
        ) from error


def require_mapping(path: Path, stored: SourceMapping | None, given: SourceMapping | None) -> None:
    """Raise JournalError unless the journal's mapping is the one that is set, if one is set."""
    if given is None or given == stored:
        return
    kept = f"the mapping {stored.shown}" if stored else "the shipped mapping"
    raise JournalError(
        f"{path}: recorded with {kept}, source.mapping names {given.shown}. A record is not read "
        "in two ways: set source.mapping to what it was, or give another --journal."
    )


def seal_off(con: duckdb.DuckDBPyConnection) -> None:
    """Keep what a mapping says away from files and networks, until the connection is closed."""
    con.execute("SET enable_external_access = false")


def facts_of(con: duckdb.DuckDBPyConnection, mapping: SourceMapping, projection: str) -> list[str]:
    """The mapping's SELECTs for one projection, each with every canonical column in its type.

    `con` has ``new_events``. Raises ValueError, worded to follow a file's name, for a SELECT that
    cannot be used, and duckdb.Error where DuckDB does not take it.
    """
    return [
        _composed(con, name, mapping.queries[name])
        for name, (feeds, _) in QUERIES.items()
        if feeds == projection
    ]


def _composed(con: duckdb.DuckDBPyConnection, name: str, text: str) -> str:
    feeds, columns = QUERIES[name]
    given = _given(con, name, text)
    parts = [
        f"TRY_CAST({f'told.{column}' if column in given else spec.default} AS {spec.type}) "
        f"AS {column}"
        for column, spec in columns.items()
        if column != "status"
    ]
    if feeds == "submissions":
        parts += [
            "'live' AS mode",
            f"'{name}' AS side",
            # A word that is none of ours is shown as unknown, never taken for one.
            "CASE WHEN told.status IN ('submitted', 'failed', 'skipped', 'in_flight') "
            "THEN told.status WHEN told.status IS NOT NULL THEN 'unknown' END AS status",
        ]
    return f"SELECT {', '.join(parts)} FROM {_bare(text)} AS told WHERE told.job_id IS NOT NULL"


_described: dict[tuple[str, str], frozenset[str]] = {}


def _given(con: duckdb.DuckDBPyConnection, name: str, text: str) -> frozenset[str]:
    """The columns that a SELECT gives, checked; what a text gives is asked once a process."""
    key = name, text
    if key not in _described:
        statements = con.extract_statements(text)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError("is not one SELECT. Leave everything else out")
        rows = con.execute(f"DESCRIBE {_bare(text)}").fetchall()
        types = {str(row[0]): str(row[1]) for row in rows}
        _check_columns(types, QUERIES[name][1])
        _described[key] = frozenset(types)
    return _described[key]


def _check_columns(types: Mapping[str, str], columns: Mapping[str, Column]) -> None:
    for column, spec in columns.items():
        if column not in types and spec.default is None:
            raise ValueError(f"gives no column {column}. Add it")
        if spec.type == _TIME and types.get(column, _TIME) not in (_TIME, _UNKNOWN_TYPE):
            raise ValueError(
                f"gives {column} as {types[column]}, not as a time with its zone. Write "
                f"moment_of(…) AS {column}"
            )
    unknown = sorted(types.keys() - columns.keys())
    if unknown:
        raise ValueError(
            f"gives a column {unknown[0]} that nothing reads. Leave it out; there are: "
            f"{', '.join(columns)}"
        )


def _bare(text: str) -> str:
    """As a subquery; on lines of its own, since its last line may be a comment."""
    return f"(\n{text.strip().rstrip(';')}\n)"
