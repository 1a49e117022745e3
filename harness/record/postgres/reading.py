"""Asks one table for its new rows inside an open snapshot. Decides nothing about when or why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.rows import DictRow

from harness.record.postgres.connection import Snapshot
from harness.record.postgres.introspect import Table
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A statement, complete with its values, and what its answer proves."""

    statement: sql.Composed
    by_xid: bool
    """True if the answer holds every version written since the transaction number asked for."""


def ask_all(table: Table, *, customers_of: tuple[Table, str] | None) -> Question:
    """Every row; of `customers` those that a job refers to."""
    if table.name == "customers" and customers_of is not None:
        jobs, link = customers_of
        return _question("select_customers_all", table, jobs=jobs, link=sql.Identifier(link))
    if table.spec.append_only and table.created:
        return _question("select_all_by_time", table, created=sql.Identifier(table.created))
    return _question("select_all", table)


def ask_changed(
    table: Table,
    *,
    age: int | sql.Composable,
    customers_of: tuple[Table, str] | None,
    limit: int | None = None,
) -> Question:
    """Row versions written at most `age` transactions ago, whoever wrote them."""
    aged, limited = _value(age), _value(limit)
    if table.name == "customers" and customers_of is not None:
        jobs, link = customers_of
        return _question(
            "select_customers_changed",
            table,
            jobs=jobs,
            link=sql.Identifier(link),
            age=aged,
            limit=limited,
        )
    return _question("select_changed", table, age=aged, limit=limited)


def age_since(xid: int) -> sql.Composed:
    """The age of X, a 64-bit transaction number, as the snapshot of the statement sees it."""
    return _text("age_since").format(since_xid=_value(xid))


def ask_created_since(
    table: Table, created: str, *, since: datetime | sql.Composable, limit: int
) -> Question:
    """Rows created at `since` or later."""
    return _question(
        "select_created_since",
        table,
        by_xid=False,
        created=sql.Identifier(created),
        since=_value(since),
        limit=_value(limit),
    )


def ask_touched_since(
    table: Table, touched: str, *, since: datetime | sql.Composable, limit: int
) -> Question:
    """Rows whose writer says that it changed them at `since` or later."""
    return _question(
        "select_touched_since",
        table,
        by_xid=False,
        touched=sql.Identifier(touched),
        since=_value(since),
        limit=_value(limit),
    )


def together(questions: Mapping[str, Question]) -> sql.Composed:
    """One statement for several tables; each row also tells its table's name in ``name``."""
    return sql.SQL("\nUNION ALL\n").join(
        sql.SQL("SELECT {name} AS name, q.xmin, q.row FROM ({question}) AS q").format(
            name=sql.Literal(name), question=question.statement
        )
        for name, question in questions.items()
    )


def rewritten_query(tables: Iterable[Table]) -> sql.Composed:
    """Ask which of `tables` got another file since the snapshot; after they were read."""
    return _text("select_rewritten").format(oids=sql.Literal([table.oid for table in tables]))


def stream(snapshot: Snapshot, question: Question, *, chunk_rows: int) -> Iterator[list[DictRow]]:
    """Yield the answer in chunks through a server-side cursor; memory stays bounded."""
    with snapshot.cursor(name="shadow_recorder") as cursor:
        cursor.execute(question.statement)
        while rows := cursor.fetchmany(chunk_rows):
            yield rows


def _question(
    name: str,
    table: Table,
    *,
    by_xid: bool = True,
    jobs: Table | None = None,
    **parts: sql.Composable,
) -> Question:
    if jobs is not None:
        parts["jobs"] = jobs.identifier
    statement = _text(name).format(table=table.identifier, **parts)
    return Question(statement=statement, by_xid=by_xid)


def _text(name: str) -> sql.SQL:
    text = sql_queries("postgres/record/rows.sql")[name].rstrip(";")
    return sql.SQL(text)


def _value(value: int | datetime | sql.Composable | None) -> sql.Composable:
    if isinstance(value, int):
        # Adapting one costs more than all the rest of writing a tick's statements.
        return sql.SQL(str(value))
    return value if isinstance(value, sql.Composable) else sql.Literal(value)
