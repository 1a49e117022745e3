"""Finds out which known tables the source has and in which shape. Assumes no column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from harness.errors import SourceError
from harness.record.connection import Snapshot
from harness.record.tables import TABLES, TableSpec
from harness.resources import sql_queries

OLDEST_SERVER = 130000
"""PostgreSQL 13 brought 64-bit snapshots (``pg_current_snapshot``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A known table as this database has it."""

    spec: TableSpec
    schema: str
    columns: Mapping[str, str]
    """Name → type, in the table's order."""
    key: tuple[str, ...]
    created: str | None
    """Column with the creation time."""
    touched: str | None
    """Column with the time of the last change, where an index makes it cheap to ask for."""

    @property
    def name(self) -> str:
        """Its name without schema."""
        return self.spec.name

    @property
    def by_time(self) -> bool:
        """True if its rows never change and `created` can be the start of their transaction.

        A column without time zone holds the writer's local time, and one of less precision is
        rounded, to before the start as well as after it: neither may be compared with S.
        """
        exact = self.created and self.columns[self.created] == "timestamp with time zone"
        return self.spec.append_only and bool(exact)

    @property
    def identifier(self) -> sql.Identifier:
        """Its quoted name with schema."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Which server and database this is."""

    version: int
    database: str
    identity: str | None
    """Same for a server and its physical copies; None where we may not ask."""


def read_server(snapshot: Snapshot) -> Server:
    """Return the server's version and identity; SourceError if it is too old."""
    queries = sql_queries("postgres/record/catalogue.sql")
    row = _one(snapshot, queries["select_server"])
    if row["version"] < OLDEST_SERVER:
        raise SourceError(
            f"PostgreSQL {row['version'] // 10000} is too old to be recorded soundly. "
            "Record from version 13 or newer."
        )
    identity = None
    if row["identifiable"]:
        system = _one(snapshot, queries["select_system"])["system"]
        identity = f"{system}/{row['database_oid']}"
    return Server(version=row["version"], database=row["database"], identity=identity)


def read_tables(snapshot: Snapshot, *, schema: str) -> tuple[Table, ...]:
    """Return the recordable tables in the order of ``TABLES``.

    Raises SourceError that names the table and the mend if a required one is missing, unreadable,
    filtered by row level security or without a key.
    """
    query = sql_queries("postgres/record/catalogue.sql")["select_tables"]
    names = [spec.name for spec in TABLES]
    rows = snapshot.execute(query.encode(), {"schema": schema, "names": names}).fetchall()
    found = {row["name"]: row for row in rows if row["is_table"]}
    tables = []
    for spec in TABLES:
        row = found.get(spec.name)
        if row is None:
            if spec.required:
                raise SourceError(
                    f"{schema}.{spec.name}: there is no such table. Point SHADOW_DSN at the "
                    "database that the poller and the worker share, or give its --schema."
                )
            continue
        if not row["readable"]:
            raise SourceError(
                f"{schema}.{spec.name}: permission denied. Run: "
                f"GRANT SELECT ON {schema}.{spec.name} TO the recorder's role"
            )
        if row["filtered"]:
            raise SourceError(
                f"{schema}.{spec.name}: row level security would hide rows from this role. "
                "Run: ALTER ROLE … BYPASSRLS for the recorder's role"
            )
        tables.append(_table(spec, schema, row))
    return tuple(tables)


def _table(spec: TableSpec, schema: str, row: Mapping[str, Any]) -> Table:
    columns = dict(_name_and_type(text) for text in row["columns"])
    key = tuple(row["primary_key"] or ())
    if not key:
        key = tuple(column for column in spec.identity if column in columns)
    if not key:
        raise SourceError(
            f"{schema}.{spec.name}: neither a primary key nor a column "
            f"{' or '.join(spec.identity)}. Its rows cannot be told apart; add a primary key."
        )
    indexed = set(row["indexed"] or ())
    return Table(
        spec=spec,
        schema=schema,
        columns=columns,
        key=key,
        created=_first_present(spec.created, columns),
        touched=_first_present(spec.changed, indexed & columns.keys()),
    )


def customer_link(tables: Sequence[Table]) -> tuple[Table, str] | None:
    """Return `jobs` and the column of `customers` that ``jobs.customer_id`` refers to.

    The live table refers to the text ``customer_id``, the autobolt one to the uuid ``id``.
    """
    by_name = {table.name: table for table in tables}
    jobs, customers = by_name["jobs"], by_name.get("customers")
    if customers is None or "customer_id" not in jobs.columns:
        return None
    if jobs.columns["customer_id"] == "uuid" or "customer_id" not in customers.columns:
        return (jobs, "id") if "id" in customers.columns else None
    return jobs, "customer_id"


def shape_of(tables: Sequence[Table]) -> dict[str, dict[str, str]]:
    """Return table → column → type, for the journal to remember."""
    return {table.name: dict(table.columns) for table in tables}


def describe_drift(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Return what changed between two shapes, one entry a table; empty if nothing did."""
    changes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name, {}), now.get(name, {})
        change = {
            "table": name,
            "added": {column: new[column] for column in new if column not in old},
            "missing": {column: old[column] for column in old if column not in new},
            "retyped": {
                column: [old[column], new[column]]
                for column in new
                if column in old and old[column] != new[column]
            },
        }
        if change["added"] or change["missing"] or change["retyped"]:
            changes.append(change)
    return changes


def _name_and_type(text: str) -> tuple[str, str]:
    name, _, kind = text.partition(" ")
    return name, kind


def _first_present(names: Sequence[str], present: Mapping[str, str] | set[str]) -> str | None:
    return next((name for name in names if name in present), None)


def _one(snapshot: Snapshot, query: str) -> dict[str, Any]:
    row = snapshot.execute(query.encode()).fetchone()
    if row is None:
        raise SourceError("The source answered a question about itself with nothing. Try again.")
    return row
