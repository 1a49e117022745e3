"""Looks into the tables: what a sweep costs, and three rows as the comparison would see them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from psycopg import sql

from harness.doctor.check import Findings
from harness.doctor.connection import Reached
from harness.doctor.plan import Plan
from harness.errors import ShadowError, SourceError
from harness.journal.source_mapping import SourceMapping
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.horizon import SnapshotMark, mark_snapshot
from harness.record.postgres.introspect import Table
from harness.record.postgres.tables import event_key, make_event
from harness.record.postgres.xids import full_xid
from harness.report.redact import mask_pair, mask_text
from harness.resources import sql_queries

SAMPLES = 3
SWEEP_MS_PER_MILLION = 120.0
"""What a scan costs where it was measured; only used where the tables are too big to try."""
_TOO_BIG_MB = 2_000.0


def examine_content(plan: Plan, reached: Reached, tables: Sequence[Table], found: Findings) -> None:
    """Add what is in the tables that the recorder will read."""
    _judge_sweep(plan, reached, tables, found)
    try:
        events = _newest(reached, tables) if plan.mapping is None else _some(reached, tables)
        lines = _as_compared(events, plan.mapping)
    except ShadowError as error:
        found.look("sample rows", str(error), "Recording does without; try again.")
        return
    if lines:
        found.ok("sample rows", "as the comparison sees them, values masked", detail=lines)
    else:
        found.ok("sample rows", "no job has a directory yet; the record will begin with the first")


def _judge_sweep(plan: Plan, reached: Reached, tables: Sequence[Table], found: Findings) -> None:
    share, pause_s = plan.settings.record.sweep_share, plan.settings.record.sweep_every
    query = sql_queries("postgres/doctor/tables.sql")["count_changed"]
    try:
        with reached.connection.snapshot() as snapshot:
            if _megabytes(snapshot, plan) > _TOO_BIG_MB:
                found.ok(
                    "sweep",
                    f"not tried, the tables are big; about {SWEEP_MS_PER_MILLION:.0f} ms per "
                    f"million rows, at most {share:.0%} of the time",
                )
                return
            began_s = time.perf_counter()
            for table in tables:
                snapshot.execute(sql.SQL(query).format(table=table.identifier)).fetchall()
            cost_s = time.perf_counter() - began_s
    except SourceError as error:
        found.look("sweep", str(error), "Sweeps get five minutes; raise record.sweep_every.")
        return
    every_s = max(pause_s, cost_s / share)
    found.ok(
        "sweep",
        f"reading all tables once took {cost_s * 1000:,.0f} ms; one every {every_s:,.0f} s "
        f"(at most {share:.0%} of the time)",
    )


def _megabytes(snapshot: Snapshot, plan: Plan) -> float:
    query = sql_queries("postgres/doctor/tables.sql")["select_sizes"].encode()
    params = {"schema": plan.schema, "names": plan.table_names}
    rows = snapshot.execute(query, params).fetchall()
    return sum(float(row["bytes"] or 0) for row in rows) / 1e6


def _newest(reached: Reached, tables: Sequence[Table]) -> list[EventDraft]:
    """The newest jobs with everything that refers to them, as the recorder would journal it."""
    by_name = {table.name: table for table in tables}
    jobs = by_name["jobs"]
    events: list[EventDraft] = []
    with reached.connection.snapshot() as snapshot:
        mark = mark_snapshot(snapshot)
        events += _read(snapshot, mark, jobs, _top(jobs))
        ids = [event.job_id for event in events if event.job_id]
        for name in ("directory_submissions", "queue_history"):
            table = by_name[name]
            column = next((c for c in table.spec.job if c in table.columns), None)
            if column and ids:
                kind = sql.SQL(table.columns[column])
                query = _query("select_of_jobs", table, column=sql.Identifier(column), type=kind)
                events += _read(snapshot, mark, table, query, jobs=ids)
    return sorted(events, key=lambda event: event.occurred_at)


def _some(reached: Reached, tables: Sequence[Table]) -> list[EventDraft]:
    """The newest rows of every table of a mapping of one's own, which no one here can join."""
    with reached.connection.snapshot() as snapshot:
        mark = mark_snapshot(snapshot)
        return [event for table in tables for event in _read(snapshot, mark, table, _top(table))]


def _top(table: Table) -> sql.Composed:
    if table.created:
        return _query("select_newest", table, created=sql.Identifier(table.created))
    return _query("select_any", table)


def _read(
    snapshot: Snapshot, mark: SnapshotMark, table: Table, query: sql.Composed, **params: Any
) -> list[EventDraft]:
    drafts = []
    for found in snapshot.execute(query, params).fetchall():
        xid = full_xid(found["xmin"], next_xid=mark.xmax)
        key = event_key(table.spec, table.key, found["row"], xid)
        drafts.append(make_event(table.spec, found["row"], key=key, snapshot_at=mark.at))
    return drafts


def _query(name: str, table: Table, **parts: sql.Composable) -> sql.Composed:
    text = sql_queries("postgres/doctor/tables.sql")[name]
    return sql.SQL(text).format(table=table.identifier, **parts)


def _as_compared(events: Sequence[EventDraft], mapping: SourceMapping | None) -> list[str]:
    """Up to three submissions through the very mappings that fill a journal."""
    if not events:
        return []
    with tempfile.TemporaryDirectory(prefix="shadow-doctor-") as folder:
        journal = Journal.create(Path(folder) / "sample.duckdb", mapping=mapping)
        journal.append(Batch(events=tuple(events), tier="copy"))
        with journal.reader() as reader:
            rows = reader.frame(sql_queries("views/select_submissions.sql")["select_submissions"])
    keys = rows.select("job_id", "directory").unique(maintain_order=True).head(SAMPLES)
    return [_line(rows, job_id, directory) for job_id, directory in keys.rows()]


def _line(rows: pl.DataFrame, job_id: str, directory: str | None) -> str:
    """``job 1f2c3d4e, maple.example: control submitted, candidate nothing yet; name •••••``."""
    own = rows.filter(
        (pl.col("job_id") == job_id) & pl.col("directory").eq_missing(pl.lit(directory))
    )
    words, name = [], None
    for side in ("control", "candidate"):
        found = own.filter(pl.col("side") == side).to_dicts()
        words.append(f"{side} {_word(found[0]) if found else 'nothing yet'}")
        name = name or next((row["sent_name"] for row in found if row["sent_name"]), None)
    masked = mask_pair(name, name, field="values.name")[0]
    where = f"job {job_id[:8]}, {directory or 'no address'}"
    return f"{where}: {', '.join(words)}{f'; name {masked}' if masked else ''}"


def _word(row: dict[str, Any]) -> str:
    """The outcome, and in brackets the source's own word and the class of error."""
    outcome = str(row["outcome"])
    extra = [str(row[name]) for name in ("raw_status", "error_class") if row[name]]
    own = [mask_text(word) for word in extra if word != outcome]
    return f"{outcome} ({', '.join(own)})" if own else outcome
