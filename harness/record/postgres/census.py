"""Asks a snapshot what a table holds in all: bucket by bucket, or the rows of some buckets."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from psycopg import sql

from harness.record.chunk import Bucket, Census, CensusRequest, Listed
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.introspect import Table, customer_link
from harness.resources import sql_queries


def take_census(snapshot: Snapshot, tables: Sequence[Table], request: CensusRequest) -> Census:
    """Count every bucket of every table, or list the rows of the buckets that are asked for."""
    link = customer_link(tables)
    began_s = time.monotonic()
    buckets = {}
    listed = {}
    for table in tables:
        if not request.listed:
            buckets[table.name] = count_buckets(snapshot, table, customers_of=link)
        elif wanted := request.listed.get(table.name):
            listed[table.name] = list_buckets(snapshot, table, wanted, customers_of=link)
    return Census(
        buckets=buckets,
        listed=listed,
        asked={name: tuple(request.listed[name]) for name in listed},
        cost_ms=(time.monotonic() - began_s) * 1000,
    )


def count_buckets(
    snapshot: Snapshot, table: Table, *, customers_of: tuple[Table, str] | None
) -> dict[int, Bucket]:
    """Return rows and stamp of every bucket that is not empty."""
    rows = snapshot.execute(_statement("select_census", table, customers_of)).fetchall()
    return {row["bucket"]: Bucket(rows=row["rows"], stamp=int(row["stamp"])) for row in rows}


def list_buckets(
    snapshot: Snapshot,
    table: Table,
    buckets: Sequence[int],
    *,
    customers_of: tuple[Table, str] | None,
) -> tuple[Listed, ...]:
    """Return every row of these buckets."""
    statement = _statement("select_bucket_rows", table, customers_of, buckets=list(buckets))
    return tuple(
        Listed(xmin=row["xmin"], row=json.loads(row["row"]), related=row["related"])
        for row in snapshot.execute(statement).fetchall()
    )


def _statement(
    name: str,
    table: Table,
    customers_of: tuple[Table, str] | None,
    *,
    buckets: list[int] | None = None,
) -> sql.Composed:
    text = sql_queries("postgres/record/reconcile.sql")[name].rstrip(";")
    # The scalar as JSON writes it, because that is what the journal's key is made of.
    columns = [sql.SQL("to_jsonb(t.{})#>>'{{}}'").format(sql.Identifier(c)) for c in table.key]
    identity = sql.SQL("concat_ws(',', {})").format(sql.SQL(", ").join(columns))
    version = sql.SQL("''") if table.spec.append_only else sql.SQL("t.xmin::text")
    related: sql.Composable = sql.SQL("true")
    if table.name == "customers" and customers_of is not None:
        jobs, link = customers_of
        related = sql.SQL("t.{link}::text IN (SELECT j.customer_id::text FROM {jobs} AS j)").format(
            link=sql.Identifier(link), jobs=jobs.identifier
        )
    return sql.SQL(text).format(
        identity=identity,
        version=version,
        table=table.identifier,
        related=related,
        buckets=sql.Literal(buckets or []),
    )
