"""What is known of each recorded table, and how a row becomes an event. Pure: no driver, no clock.

A spec names alternatives where live and migrated tables of the same name differ; the columns that
a database really has come from ``introspect``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.journal.source_mapping import SourceMapping
from harness.model import EventDraft, EventKind, Source

_HOST = re.compile(r"^(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:[^/@?#]*@)?([^/:?#]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """One table worth recording; alternatives are tried in their order."""

    kind: str
    """The table's name: an `EventKind`, or a name from a mapping of one's own."""
    required: bool = False
    append_only: bool = False
    """Rows never change: one event a row. Otherwise each version seen is an event."""
    identity: tuple[str, ...] = ("id",)
    """Key columns where the database declares no primary key."""
    job: tuple[str, ...] = ()
    """Columns that hold the job's id; ``metadata.job_id`` is a key of an object in a column."""
    directory_url: str | None = None
    directory_name: str | None = None
    """Where there is no address."""
    created: tuple[str, ...] = ("created_at",)
    changed: tuple[str, ...] = ("updated_at",)
    """When this version was written, by the writer's word."""

    @property
    def name(self) -> str:
        """The table's name, which is also the event kind."""
        return str(self.kind)


TABLES = (
    TableSpec(kind=EventKind.CUSTOMERS),
    TableSpec(kind=EventKind.JOBS, required=True, job=("id",)),
    TableSpec(
        kind=EventKind.DIRECTORY_SUBMISSIONS,
        required=True,
        job=("submission_queue_id", "job_id", "queue_id"),
        directory_url="directory_url",
    ),
    TableSpec(
        kind=EventKind.JOB_RESULTS,
        job=("job_id",),
        directory_url="directory_url",
        directory_name="directory_name",
        changed=("updated_at", "submitted_at"),
    ),
    TableSpec(
        kind=EventKind.QUEUE_HISTORY,
        required=True,
        append_only=True,
        job=("job_id", "metadata.job_id"),
        directory_name="directory_name",
        changed=(),
    ),
    TableSpec(
        kind=EventKind.WORKER_HEARTBEATS,
        identity=("worker_id",),
        job=("current_job_id",),
        changed=("updated_at", "last_heartbeat", "last_seen"),
    ),
    TableSpec(
        kind=EventKind.WORKER_STATUS,
        identity=("worker_id",),
        created=(),
        changed=("last_heartbeat",),
    ),
)
"""In the order in which rows of one snapshot are copied: what others refer to comes first."""


def specs_of(mapping: SourceMapping | None) -> tuple[TableSpec, ...]:
    """The tables to record: the shipped ones, or all that a mapping of one's own names."""
    if mapping is None:
        return TABLES
    return tuple(
        TableSpec(
            kind=table.name,
            required=True,
            append_only=table.append_only,
            identity=table.identity,
            job=(table.job,) if table.job else (),
            directory_name=table.directory,
            created=table.created,
            changed=table.changed,
        )
        for table in mapping.tables
    )


def host_of(url: str) -> str:
    """Return the host in lower case, without scheme, user, ``www.``, port and path."""
    match = _HOST.match(url.strip().lower())
    return match.group(1).removeprefix("www.") if match else ""


def identity_of(key: tuple[str, ...], row: Mapping[str, Any]) -> str:
    """Return what tells a row from the others of its table: the values of its key columns."""
    return ",".join(str(row.get(column)) for column in key)


def event_key(spec: TableSpec, key: tuple[str, ...], row: Mapping[str, Any], xid: int) -> str:
    """Return the event's identity; a version of a row that changes in place carries its xid."""
    identity = identity_of(key, row)
    return f"{spec.name}:{identity}" if spec.append_only else f"{spec.name}:{identity}:{xid}"


def make_event(
    spec: TableSpec,
    row: Mapping[str, Any],
    *,
    key: str,
    snapshot_at: datetime,
) -> EventDraft:
    """Return the event of one row version.

    row: the row as JSON, times in ISO 8601. occurred_at is when the writer says that it wrote it
    and the snapshot's time where it does not say.
    """
    return EventDraft(
        source=Source.PRODUCTION,
        kind=spec.kind,
        key=key,
        occurred_at=_first_time(row, spec.changed + spec.created) or snapshot_at,
        payload=row,
        job_id=_first_text(row, spec.job),
        directory=_directory(spec, row),
    )


def _directory(spec: TableSpec, row: Mapping[str, Any]) -> str | None:
    if spec.directory_url and (url := row.get(spec.directory_url)):
        return host_of(str(url)) or None
    if spec.directory_name and (name := row.get(spec.directory_name)):
        text = str(name).strip()
        # Some writers put a title there ("Maple Listings"); only an address has a host.
        return host_of(text) if "." in text and " " not in text else text
    return None


def _first_text(row: Mapping[str, Any], columns: tuple[str, ...]) -> str | None:
    for column in columns:
        if (value := _look_up(row, column)) is not None:
            return str(value)
    return None


def _look_up(row: Mapping[str, Any], path: str) -> object:
    column, _, key = path.partition(".")
    value = row.get(column)
    if not key:
        return value
    return value.get(key) if isinstance(value, Mapping) else None


def _first_time(row: Mapping[str, Any], columns: tuple[str, ...]) -> datetime | None:
    for column in columns:
        if (moment := parse_time(row.get(column))) is not None:
            return moment
    return None


def parse_time(value: object) -> datetime | None:
    """Return an ISO time in UTC; None for none, ``infinity`` or a year that Python lacks.

    A column without time zone is read as UTC: the writers that leave the zone out use UTC clocks.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
