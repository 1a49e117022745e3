"""Examines the recorded tables one by one: there, readable, with a key, and in which shape."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.doctor import elsewhere
from harness.doctor.check import Findings, Status, Subject
from harness.doctor.connection import Reached
from harness.doctor.plan import Plan, mend_query, quoted
from harness.errors import SourceError
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.introspect import Table, read_tables
from harness.record.postgres.mapping import TableMapping, describe_mapping
from harness.record.postgres.shapes import EvidenceLevel
from harness.record.postgres.tables import TableSpec
from harness.resources import sql_queries

_EXACT = "timestamp with time zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One table as the catalogue has it."""

    spec: TableSpec
    row: Mapping[str, Any]
    """Of the recorder's ``select_tables``."""
    size: Mapping[str, Any]
    """Of ``select_sizes``."""

    @property
    def columns(self) -> dict[str, str]:
        """Name → type."""
        pairs = (text.partition(" ") for text in self.row["columns"])
        return {name: kind for name, _, kind in pairs}

    def mapping(self, schema: str) -> TableMapping:
        """Which known shape it has, and what that means."""
        table = Table(
            spec=self.spec, schema=schema, columns=self.columns, key=(), created=None, touched=None
        )
        (mapping,) = describe_mapping([table])
        return mapping


def examine_tables(
    plan: Plan, reached: Reached, *, may_read: bool
) -> tuple[Findings, tuple[Table, ...]]:
    """Look at each table; the second is what the recorder will read, empty if it would refuse.

    may_read: whether the role may look into the schema. Raises SourceError if the server stops
    answering.
    """
    found = Findings(Subject.TABLES)
    with reached.connection.snapshot() as snapshot:
        seen = _read(snapshot, plan)
    if not seen:
        _judge_nothing(plan, reached, found)
        return found, ()
    _judge_rights(plan, reached, seen, found)
    for spec in plan.specs:
        if spec.name in seen:
            _judge_table(plan, reached, seen[spec.name], found)
        else:
            _judge_absent(plan, reached, spec, found)
    if not may_read or any(check.status is Status.FAIL for check in found.checks):
        return found, ()
    try:
        with reached.connection.snapshot() as snapshot:
            return found, read_tables(snapshot, schema=plan.schema, specs=plan.specs)
    except SourceError as error:
        found.missing("tables", str(error), "Mend that, then ask again.")
        return found, ()


def _read(snapshot: Snapshot, plan: Plan) -> dict[str, _Seen]:
    params = {"schema": plan.schema, "names": plan.table_names}
    rows = snapshot.execute(
        sql_queries("postgres/record/catalogue.sql")["select_tables"].encode(), params
    ).fetchall()
    sizes = snapshot.execute(
        sql_queries("postgres/doctor/tables.sql")["select_sizes"].encode(), params
    ).fetchall()
    size_of = {row["name"]: row for row in sizes}
    spec_of = {spec.name: spec for spec in plan.specs}
    return {
        row["name"]: _Seen(spec=spec_of[row["name"]], row=row, size=size_of.get(row["name"], {}))
        for row in rows
    }


def _judge_nothing(plan: Plan, reached: Reached, found: Findings) -> None:
    database = str(reached.session["database"])
    with reached.connection.snapshot() as snapshot:
        schemas = elsewhere.schemas(snapshot, plan)
    what = f"none of the tables is in schema {plan.schema} of database {database}"
    if schemas:
        other = next(iter(schemas))
        found.missing(
            "tables",
            f"{what}; {schemas[other]} of {len(plan.specs)} are in schema {other}",
            "Name that schema, here and for shadow record.",
            shell=[f"shadow doctor --schema {shlex.quote(other)}"],
        )
        return
    places = elsewhere.places(plan)
    if places:
        best = places[0]
        schema = "" if best.schema == plan.schema else f" --schema {shlex.quote(best.schema)}"
        found.missing(
            "tables",
            f"{what}; {best.tables} of {len(plan.specs)} are in database {best.database}",
            "Point SHADOW_DSN at that database.",
            shell=[plan.export_with(dbname=best.database), f"shadow doctor{schema}"],
        )
        return
    found.missing(
        "tables",
        f"{what}, nor in any other that {reached.role} may enter",
        "Point SHADOW_DSN at the database that the old poller and the new worker share; put its "
        "name for DATABASE. The tables are the application's; the recorder makes none. To see "
        "the tool at work without any, run the rehearsal.",
        shell=[plan.export_with(dbname="DATABASE"), "shadow demo"],
    )


def _judge_rights(plan: Plan, reached: Reached, seen: Mapping[str, _Seen], found: Findings) -> None:
    """What one statement mends for all tables."""
    who = quoted(reached.role)
    tables = [table for table in seen.values() if table.row["is_table"]]
    unreadable = [table.spec.name for table in tables if not table.row["readable"]]
    if unreadable:
        listed = ", ".join(quoted(plan.schema, name) for name in unreadable)
        found.missing(
            "select",
            f"{reached.role} may not read {', '.join(unreadable)}",
            "Let it.",
            sql=[f"GRANT SELECT ON {listed} TO {who};"],
        )
    filtered = [table.spec.name for table in tables if table.row["filtered"]]
    if filtered:
        found.missing(
            "row security",
            f"row level security would hide rows of {', '.join(filtered)} from {reached.role} "
            "without a word",
            "Let the role see every row. That takes a superuser, or your provider's administrator.",
            sql=[f"ALTER ROLE {who} BYPASSRLS;"],
        )


def _judge_absent(plan: Plan, reached: Reached, spec: TableSpec, found: Findings) -> None:
    grant = f"GRANT SELECT ON {quoted(plan.schema, spec.name)} TO {quoted(reached.role)};"
    schema = plan.schema
    match spec.name:
        case "queue_history":
            found.missing(
                spec.name,
                "not there: it is the candidate's history, and without it nothing of the candidate "
                "can be seen",
                "Run the candidate's migration 003; if you do not have it, this makes the table.",
                sql=[*_create_history(schema), grant],
            )
        case "job_results" | "worker_heartbeats":
            number = "001" if spec.name == "job_results" else "002"
            found.look(
                spec.name,
                f"not there: the candidate's migration {number} makes it. Recording does without",
                "Run that migration; if you do not have it, this makes the table.",
                sql=[mend_query(f"create_{spec.name}", schema=schema), grant],
            )
        case _ if spec.required:
            found.missing(
                spec.name,
                "not there, while others of the tables are",
                "Point SHADOW_DSN at the database that the old poller and the new worker share, "
                "and name its schema; put them for DATABASE and SCHEMA.",
                shell=[plan.export_with(dbname="DATABASE"), "shadow doctor --schema SCHEMA"],
            )
        case _:
            found.look(
                spec.name,
                f"not there. Recording does without: {_use_of(spec.name)}",
                "Nothing, if this system has none.",
            )


def _judge_table(plan: Plan, reached: Reached, seen: _Seen, found: Findings) -> None:
    name, row, columns = seen.spec.name, seen.row, seen.columns
    table, mapping = quoted(plan.schema, name), seen.mapping(plan.schema)
    if not row["is_table"]:
        found.missing(
            name,
            "is a view: its rows do not tell which transaction wrote them",
            "Name the schema of the table itself; put it for SCHEMA.",
            shell=["shadow doctor --schema SCHEMA"],
        )
    elif not row["primary_key"] and not set(seen.spec.identity) & columns.keys():
        found.missing(
            name,
            f"neither a primary key nor a column {' or '.join(seen.spec.identity)}: its rows "
            "cannot be told apart",
            "Give it a key. This writes the table anew under a lock; choose a quiet hour.",
            sql=[
                f"ALTER TABLE {table} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY "
                "PRIMARY KEY;"
            ],
        )
    elif seen.spec.required and mapping.evidence is EvidenceLevel.NONE:
        sql = [f"{mapping.mend.replace(f'{plan.schema}.{name}', table)};"] if mapping.mend else []
        found.missing(
            name,
            mapping.meaning,
            "This adds what is missing and leaves the rows as they are; try it on a copy first."
            if sql
            else "Point SHADOW_DSN at the tables that both systems share, or rename its columns.",
            sql=sql,
        )
    elif not row["primary_key"]:
        key = next(column for column in seen.spec.identity if column in columns)
        found.look(
            name,
            f"no primary key; its rows are told apart by {key}, which must then be unique",
            "Have the database promise it.",
            sql=[f"ALTER TABLE {table} ADD PRIMARY KEY ({quoted(key)});"],
        )
    elif seen.spec.append_only and columns.get("created_at", _EXACT) != _EXACT:
        found.look(
            name,
            f"created_at is a {columns['created_at']}, which cannot be held against a "
            "transaction's start: the fast tier passes it over and sweeps find its rows",
            "Retype it, if it holds UTC. This writes the table anew under a lock.",
            sql=[
                f"ALTER TABLE {table} ALTER COLUMN created_at TYPE timestamptz "
                "USING created_at AT TIME ZONE 'UTC';"
            ],
        )
    elif not row["readable"] or row["filtered"]:
        found.not_asked(name, f"{reached.role} may not read all of it")
    elif mapping.evidence is not EvidenceLevel.COMPLETE:
        found.look(
            name,
            f"shape {mapping.variant}. {mapping.meaning}",
            "Nothing, where the comparison can do without; the columns are the application's.",
        )
    else:
        key = ", ".join(row["primary_key"])
        found.ok(name, f"shape {mapping.variant}, key {key}, {_size(seen.size)}")


def _create_history(schema: str) -> list[str]:
    return [mend_query(f"{verb}_queue_history", schema=schema) for verb in ("create", "index")]


def _use_of(name: str) -> str:
    return {
        "customers": "a replay then has only the job's own business data",
        "worker_status": "the old poller's heartbeat is then unknown",
    }.get(name, "it is then unknown")


def _size(size: Mapping[str, Any]) -> str:
    rows, megabytes = size.get("rows"), (size.get("bytes") or 0) / 1e6
    about = f"about {rows:,} rows, " if rows and rows > 0 else ""
    return f"{about}{megabytes:,.1f} MB"
