"""Counts workers inside an open snapshot: the view where it works, and our own count beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from harness.model import EventKind
from harness.record.postgres.connection import Snapshot, last_line
from harness.record.samples.sampler import Observation
from harness.resources import sql_queries

_MOST = 50
"""Workers named in one sample at most."""


def sample_workers(snapshot: Snapshot, *, schema: str) -> Observation:
    """One `workers.sample`. What cannot be read is null, and `…_why` says why.

    view: rows of `stale_workers`, which also counts every process that ended in good order.
    stale, running, idle: our own reading of `worker_heartbeats`; running and idle are those that
    were heard of within two minutes. control: `worker_status`.
    A failure stays within a savepoint of its own, so that the snapshot lives on; only a lost
    connection is raised, as psycopg.OperationalError.
    """
    (there,) = _ask(snapshot, "find_relations", schema, {"schema": schema})
    view, view_why = _read(snapshot, "count_stale_view", schema, there, "stale_view")
    beats, beats_why = _read(snapshot, "select_heartbeats", schema, there, "heartbeats", "jobs")
    control, control_why = _read(snapshot, "select_control", schema, there, "control")
    own: Mapping[str, Any] = beats[0] if beats else {}
    return Observation(
        kind=EventKind.WORKERS_SAMPLE,
        payload={
            "view": view[0]["stale"] if view else None,
            "view_why": view_why,
            "running": own.get("running"),
            "idle": own.get("idle"),
            "stale_count": own.get("stale_count"),
            "stale": (own["stale"] or []) if own else None,
            "stale_why": beats_why,
            "control": [
                row | {"seen_at": row["seen_at"].isoformat() if row["seen_at"] else None}
                for row in control or []
            ],
            "control_why": control_why,
        },
    )


_NAMES = {
    "stale_view": "stale_workers",
    "heartbeats": "worker_heartbeats",
    "control": "worker_status",
    "jobs": "jobs",
}


def _read(
    snapshot: Snapshot, query: str, schema: str, there: Mapping[str, bool], *needs: str
) -> tuple[list[DictRow] | None, str | None]:
    missing = [_NAMES[name] for name in needs if not there[name]]
    if missing:
        return None, f"there is no {' and no '.join(missing)}"
    try:
        with snapshot.transaction():
            return _ask(snapshot, query, schema, {"most": _MOST}), None
    except psycopg.Error as error:
        if snapshot.closed:
            raise
        return None, last_line(str(error)) or type(error).__name__


def _ask(snapshot: Snapshot, query: str, schema: str, params: Mapping[str, Any]) -> list[DictRow]:
    text = sql_queries("postgres/record/workers.sql")[query]
    relations = {name: sql.Identifier(schema, table) for name, table in _NAMES.items()}
    return snapshot.execute(sql.SQL(text).format(**relations), params).fetchall()
