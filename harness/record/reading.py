"""Asks one table for its new rows inside an open snapshot. Decides nothing about when or why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from harness.record.connection import Snapshot
from harness.record.introspect import Table
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A statement with its parameters and what it proves."""

    statement: sql.Composed
    params: Mapping[str, Any]
    by_xid: bool
    """True if the answer holds every version written since the transaction number asked for."""


def ask_all(table: Table, *, customers_of: tuple[Table, str] | None) -> Question:
    """Every row; of `customers` those that a job refers to."""
    if table.name == "customers" and customers_of is not None:
        jobs, link = customers_of
        return _question("select_customers_all", table, {}, jobs=jobs, link=link)
    if table.spec.append_only and table.created:
        return _question("select_all_by_time", table, {}, created=table.created)
    return _question("select_all", table, {})


def ask_changed(
    table: Table,
    *,
    age: int,
    customers_of: tuple[Table, str] | None,
    limit: int | None = None,
) -> Question:
    """Row versions written at most `age` transactions ago, whoever wrote them."""
    params = {"age": age, "limit": limit}
    if table.name == "customers" and customers_of is not None:
        jobs, link = customers_of
        return _question("select_customers_changed", table, params, jobs=jobs, link=link)
    return _question("select_changed", table, params)


def ask_created_since(table: Table, created: str, *, since: datetime, limit: int) -> Question:
    """Rows created at `since` or later."""
    params = {"since": since, "limit": limit}
    return _question("select_created_since", table, params, by_xid=False, created=created)


def ask_touched_since(table: Table, touched: str, *, since: datetime, limit: int) -> Question:
    """Rows whose writer says that it changed them at `since` or later."""
    params = {"since": since, "limit": limit}
    return _question("select_touched_since", table, params, by_xid=False, touched=touched)


def stream(snapshot: Snapshot, question: Question, *, chunk_rows: int) -> Iterator[list[Any]]:
    """Yield the answer in chunks through a server-side cursor; memory stays bounded."""
    with snapshot.cursor(name="shadow_recorder") as cursor:
        cursor.execute(question.statement, question.params)
        while rows := cursor.fetchmany(chunk_rows):
            yield rows


def fetch(snapshot: Snapshot, question: Question) -> list[Any]:
    """Return the whole answer in one round trip; the question carries its own limit."""
    return snapshot.execute(question.statement, question.params).fetchall()


def _question(
    name: str,
    table: Table,
    params: Mapping[str, Any],
    *,
    by_xid: bool = True,
    jobs: Table | None = None,
    **columns: str,
) -> Question:
    text = sql_queries("postgres/record/rows.sql")[name]
    identifiers = {key: sql.Identifier(column) for key, column in columns.items()}
    if jobs is not None:
        identifiers["jobs"] = jobs.identifier
    statement = sql.SQL(text).format(table=table.identifier, **identifiers)
    return Question(statement=statement, params=params, by_xid=by_xid)
