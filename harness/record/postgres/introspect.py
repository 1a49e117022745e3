"""Finds out which known tables the source has and in which shape. Assumes no column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from harness.errors import SourceError
from harness.record.chunk import Problem
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.tables import TABLES, TableSpec
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
    oid: int = 0
    """Which table of that name this is: one that is dropped and made again has another."""
    filenode: int | None = None
    """Which file holds its rows; another one after VACUUM FULL, CLUSTER or TRUNCATE."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one look at the catalogue found."""

    tables: tuple[Table, ...]
    """Those that can be recorded, in the order of their specs."""
    problems: tuple[Problem, ...]
    """Of each other table that is wanted why it cannot."""
    absent: frozenset[str]
    """Known tables that do not exist."""


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


def read_tables(
    snapshot: Snapshot, *, schema: str, specs: Sequence[TableSpec] = TABLES
) -> tuple[Table, ...]:
    """Return the recordable tables in the order of `specs`.

    Raises SourceError that names the table and the mend if a required one is missing, or one that
    exists is unreadable, filtered by row level security or without a key.
    """
    survey = survey_tables(snapshot, schema=schema, specs=specs)
    if survey.problems:
        raise SourceError(survey.problems[0].why)
    return survey.tables


def survey_tables(
    snapshot: Snapshot,
    *,
    schema: str,
    expected: Collection[str] = (),
    specs: Sequence[TableSpec] = TABLES,
) -> Survey:
    """Find the known tables; one that cannot be recorded is a problem of its own, not an error.

    expected: names of tables that were there before, so that their absence is a problem even if
    they are not required.
    """
    query = sql_queries("postgres/record/catalogue.sql")["select_tables"]
    names = [spec.name for spec in specs]
    rows = snapshot.execute(query.encode(), {"schema": schema, "names": names}).fetchall()
    found = {row["name"]: row for row in rows if row["is_table"]}
    wanted = [
        spec for spec in specs if spec.required or spec.name in expected or spec.name in found
    ]
    hindrances = {
        spec.name: _hindrance(spec, schema, found[spec.name])
        if spec.name in found
        else _missing(spec)
        for spec in wanted
    }
    return Survey(
        tables=tuple(
            _table(spec, schema, found[spec.name])
            for spec in wanted
            if hindrances[spec.name] is None
        ),
        problems=tuple(
            Problem(table=name, why=f"{schema}.{name}: {why}")
            for name, why in hindrances.items()
            if why is not None
        ),
        absent=frozenset(spec.name for spec in specs if spec.name not in found),
    )


def _missing(spec: TableSpec) -> str:
    mend = (
        "Point SHADOW_DSN at the database that the poller and the worker share, or give its "
        "--schema."
        if spec.required
        else "It was there before: make it again, or start the recorder anew to do without it."
    )
    return f"there is no such table. {mend}"


def _hindrance(spec: TableSpec, schema: str, row: Mapping[str, Any]) -> str | None:
    """Why a table that exists cannot be recorded, None if it can."""
    if not row["readable"]:
        return (
            f"permission denied. Run: GRANT SELECT ON {schema}.{spec.name} TO the recorder's role"
        )
    if row["filtered"]:
        return (
            "row level security would hide rows from this role. "
            "Run: ALTER ROLE … BYPASSRLS for the recorder's role"
        )
    if not _key(spec, row):
        return (
            f"neither a primary key nor a column {' or '.join(spec.identity)}. Its rows cannot be "
            "told apart; add a primary key."
        )
    return None


def _key(spec: TableSpec, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns of the primary key, else those that identify a row by what is known of the table."""
    if row["primary_key"]:
        return tuple(row["primary_key"])
    columns = dict(_name_and_type(text) for text in row["columns"] or ())
    return tuple(column for column in spec.identity if column in columns)


def _table(spec: TableSpec, schema: str, row: Mapping[str, Any]) -> Table:
    columns = dict(_name_and_type(text) for text in row["columns"] or ())
    indexed = set(row["indexed"] or ())
    return Table(
        spec=spec,
        schema=schema,
        columns=columns,
        key=_key(spec, row),
        created=_first_present(spec.created, columns),
        touched=_first_present(spec.changed, indexed & columns.keys()),
        oid=row["oid"],
        filenode=row["filenode"],
    )


def customer_link(tables: Sequence[Table]) -> tuple[Table, str] | None:
    """Return `jobs` and the column of `customers` that ``jobs.customer_id`` refers to.

    The live table refers to the text ``customer_id``, the autobolt one to the uuid ``id``.
    """
    by_name = {table.name: table for table in tables}
    jobs, customers = by_name.get("jobs"), by_name.get("customers")
    if jobs is None or customers is None or "customer_id" not in jobs.columns:
        return None
    if jobs.columns["customer_id"] == "uuid" or "customer_id" not in customers.columns:
        return (jobs, "id") if "id" in customers.columns else None
    return jobs, "customer_id"


def shape_of(
    tables: Sequence[Table],
    *,
    before: Mapping[str, Mapping[str, Any]] | None = None,
    absent: Collection[str] = (),
) -> dict[str, dict[str, Any]]:
    """Return what the journal is to remember of each table: columns, key, identity, exactness.

    before, absent: the shape last remembered and the tables that are no longer there. A table of
    it that exists and merely could not be read keeps its entry, so that it does not seem to vanish.
    """
    kept = {name: dict(old) for name, old in (before or {}).items() if name not in absent}
    return kept | {
        table.name: {
            "columns": dict(table.columns),
            "key": list(table.key),
            "oid": table.oid,
            "by_time": table.by_time,
        }
        for table in tables
    }


def describe_drift(
    before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what changed between two shapes, one entry a table; empty if nothing did.

    change: ``appeared``, ``vanished``, ``recreated`` or ``altered``. added, missing: column → type;
    retyped: column → [old, new]. key, by_time: [old, new], None where it is the same.
    """
    changes = []
    for name in sorted(before.keys() | now.keys()):
        old, new = _remembered(before.get(name)), _remembered(now.get(name))
        was, now_has = old.get("columns", {}), new.get("columns", {})
        drift = {
            "added": {column: now_has[column] for column in now_has if column not in was},
            "missing": {column: was[column] for column in was if column not in now_has},
            "retyped": {
                column: [was[column], now_has[column]]
                for column in now_has
                if column in was and was[column] != now_has[column]
            },
            "key": _differs(old, new, "key"),
            "by_time": _differs(old, new, "by_time"),
        }
        change = "altered"
        if name not in before or name not in now:
            change = "vanished" if name in before else "appeared"
        elif _differs(old, new, "oid"):
            change = "recreated"
        if change != "altered" or any(drift.values()):
            changes.append({"table": name, "change": change, **drift})
    return changes


def _remembered(entry: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """An entry of a shape; one of an older journal holds the columns alone."""
    if entry is None:
        return {}
    return entry if isinstance(entry.get("columns"), Mapping) else {"columns": entry}


def _differs(old: Mapping[str, Any], new: Mapping[str, Any], what: str) -> list[Any] | None:
    if what not in old or what not in new or old[what] == new[what]:
        return None
    return [old[what], new[what]]


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
