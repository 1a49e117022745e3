"""Looks for the tables where the DSN does not point: other ports, databases and schemas."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from harness.doctor.plan import Plan
from harness.errors import SourceError
from harness.record.postgres.connection import Snapshot, SourceConnection
from harness.resources import sql_queries

MAINTENANCE_DATABASE = "postgres"
USUAL_PORTS = (5432, 6543, 6432)
"""PostgreSQL's own, and those that Supavisor and PgBouncer listen on by default."""
_PROBE_S = 1.0
_SOCKET = re.compile(r"^\.s\.PGSQL\.(\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where tables of ours are."""

    database: str
    schema: str
    tables: int


def connect(dsn: str, **parameters: str) -> SourceConnection:
    """A connection like the recorder's with the limits of somebody who only looks."""
    return SourceConnection(
        make_conninfo(dsn, **parameters) if parameters else dsn,
        statement_timeout_s=5.0,
        lock_timeout_s=1.0,
        connect_timeout_s=5,
    )


def open_ports(parts: Mapping[str, str]) -> list[int]:
    """Ports of the DSN's host where something listens, other than the DSN's own."""
    host = parts.get("host", "localhost")
    if host.startswith("/"):
        found = [_SOCKET.match(path.name) for path in Path(host).glob(".s.PGSQL.*")]
        ports = sorted(int(match.group(1)) for match in found if match)
    else:
        ports = [port for port in USUAL_PORTS if _listens(host, port)]
    return [port for port in ports if str(port) != parts.get("port", "5432")]


def databases(plan: Plan) -> list[str]:
    """Databases that the role may enter, other than the DSN's own; empty if none can be asked."""
    query = sql_queries("postgres/doctor/session.sql")["select_databases"].encode()
    own = plan.parts().get("dbname", MAINTENANCE_DATABASE)
    for name in (own, MAINTENANCE_DATABASE):
        connection = connect(plan.dsn or "", dbname=name)
        try:
            with connection.snapshot() as snapshot:
                rows = snapshot.execute(query, {"but": own}).fetchall()
                return [row["name"] for row in rows]
        except SourceError:
            continue
        finally:
            connection.close()
    return []


def places(plan: Plan) -> list[Place]:
    """Schemas of other databases that hold every required table, the fullest first."""
    found = []
    for database in databases(plan):
        connection = connect(plan.dsn or "", dbname=database)
        try:
            with connection.snapshot() as snapshot:
                found += [
                    Place(database=database, schema=schema, tables=count)
                    for schema, count in schemas(snapshot, plan).items()
                    if count >= sum(spec.required for spec in plan.specs)
                ]
        except SourceError:
            continue
        finally:
            connection.close()
    return sorted(found, key=lambda place: -place.tables)


def schemas(snapshot: Snapshot, plan: Plan) -> dict[str, int]:
    """Schemas of this database → how many tables of ours each holds, the fullest first."""
    query = sql_queries("postgres/doctor/tables.sql")["select_schemas"]
    rows = snapshot.execute(query.encode(), {"names": plan.table_names}).fetchall()
    return {row["name"]: row["tables"] for row in rows}


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=_PROBE_S):
            return True
    except OSError:
        return False
