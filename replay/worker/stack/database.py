"""The database of one stack under test: a copy of the one that a person names, and gone with it.

Knows PostgreSQL and the tables that the company's stack works on; what rows mean is not for here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from harness.errors import ReplayError
from harness.resources import sql_queries
from harness.settings import STACK_VARIABLE
from replay.worker.stack.addresses import DatabaseAddress
from replay.worker.stack.message import StackJob
from replay.worker.stack.names import PREFIX, is_left_over, new_name

_WANTED = (
    "customers.customer_id", "customers.business_name", "jobs.id", "jobs.customer_id",
    "directory_submissions.submission_queue_id", "directory_submissions.directory_url",
    "queue_history.job_id", "queue_history.directory_name", "queue_history.event",
    "queue_history.details", "job_results.job_id",
)  # fmt: skip
_ROLE = "CREATE ROLE stack LOGIN CREATEDB; then make it the owner of the database and of its tables"
_MAINTENANCE = "postgres"
_BUSY_S = 15.0
"""How long to wait for others who are at the database that is copied."""
_PAUSE_S = 0.3


def check_database(address: DatabaseAddress) -> None:
    """Raise ReplayError unless copies of this database can be made, and are safe to work on."""
    with _connected(address) as connection:
        too_many, creates = connection.execute(_query("select_rights")).fetchone() or (True, False)
        if too_many:
            raise ReplayError(
                f"{STACK_VARIABLE}: the role {address.user} may run programs and read files of its "
                f"server, which lie outside of the seal. Name a role that may not: {_ROLE}."
            )
        if not creates:
            raise ReplayError(
                f"{STACK_VARIABLE}: the role {address.user} may not create databases, and each "
                f"stack works on a copy. Allow it: ALTER ROLE {address.user} CREATEDB."
            )
        missing = connection.execute(_query("select_missing"), {"wanted": list(_WANTED)}).fetchall()
        if missing:
            names = ", ".join(name for (name,) in missing)
            raise ReplayError(
                f"{STACK_VARIABLE}: the database {address.name} lacks {names}. Apply the stack's "
                "migrations to it; an outcome is read from them."
            )
        (jobs,) = connection.execute(_query("count_jobs")).fetchone() or (0,)
        if jobs:
            raise ReplayError(
                f"{STACK_VARIABLE}: {address.name} holds {jobs} jobs or more, so it is somebody's. "
                "Name a database that has the stack's tables and no jobs."
            )


def drop_left_over(address: DatabaseAddress) -> None:
    """Drop the copies that killed runs left behind."""
    with _connected(address, _MAINTENANCE) as connection:
        found = connection.execute(_query("select_copies"), {"prefix": f"{PREFIX}%"}).fetchall()
        for (name,) in found:
            if is_left_over(name):
                # Who is still connected to it may be another machine's run, whose process we miss.
                with contextlib.suppress(psycopg.errors.ObjectInUse):
                    connection.execute(_composed("drop_unused_copy", copy=name))


class StackDatabase:
    """A copy, from `create` until `drop`; used by one thread at a time."""

    def __init__(self, address: DatabaseAddress) -> None:
        self.name = new_name()
        self._address = address
        self._connection: psycopg.Connection[Any] | None = None

    def create(self) -> None:
        """Make the copy; waits a little for others who are at what is copied."""
        deadline = time.monotonic() + _BUSY_S
        statement = _composed("create_copy", copy=self.name, of=self._address.name)
        with _connected(self._address, _MAINTENANCE) as connection:
            while True:
                try:
                    connection.execute(statement)
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE_S)
                else:
                    return

    def seed(self, job: StackJob) -> None:
        """Write the rows that the shop would have written, in one transaction."""
        queries = sql_queries("postgres/actors/shop.sql")
        business = {key: value or None for key, value in job.business.items()}
        fields = ("phone", "website", "address", "city", "state", "zip", "description", "category")
        shared = {"customer_id": job.customer_id, "job_id": job.job_id}
        with self._at_work() as connection, connection.transaction():
            connection.execute(
                queries["insert_customer"].encode(),
                shared
                | {name: business.get(name) for name in fields}
                | {
                    "id": job.job_id,
                    "business_name": business.get("name") or "",
                    "email": business.get("email") or "",
                    "package_type": None,
                },
            )
            connection.execute(
                queries["insert_job"].encode(),
                shared
                | {
                    "id": job.job_id,
                    "package_size": job.package_size,
                    "priority": job.priority,
                    "package_type": None,
                    "business_data": Jsonb(dict(job.business)),
                },
            )
            connection.execute(
                queries["insert_submission"].encode(),
                shared
                | {
                    "id": job.row_id,
                    "url": job.directory_url,
                    "category": None,
                    "listing_data": None,
                },
            )

    def rows(self, job_id: str) -> tuple[list[str], list[str]]:
        """The rows of a job in queue_history and in job_results, each as JSON."""
        with self._at_work() as connection:
            told = [
                [text for (text,) in connection.execute(_query(name), {"job_id": job_id})]
                for name in ("select_history", "select_results")
            ]
        return told[0], told[1]

    def drop(self) -> None:
        """Drop it, with the sessions that are left in it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        with _connected(self._address, _MAINTENANCE) as connection:
            connection.execute(_composed("drop_copy", copy=self.name))

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[psycopg.Connection[Any]]:
        with _told_as_ours():
            if self._connection is None:
                self._connection = psycopg.connect(self._address.dsn(self.name), autocommit=True)
            yield self._connection


@contextlib.contextmanager
def _connected(
    address: DatabaseAddress, name: str | None = None
) -> Iterator[psycopg.Connection[Any]]:
    with (
        _told_as_ours(),
        contextlib.closing(psycopg.connect(address.dsn(name), autocommit=True)) as connection,
    ):
        yield connection


@contextlib.contextmanager
def _told_as_ours() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        line = " ".join(str(error).split()) or type(error).__name__
        raise ReplayError(f"{STACK_VARIABLE}: {line}.") from error


def _query(name: str) -> bytes:
    return sql_queries("postgres/replay/stack.sql")[name].encode()


def _composed(name: str, **names: str) -> sql.Composed:
    text = sql_queries("postgres/replay/stack.sql")[name].rstrip(";")
    return sql.SQL(text).format(**{key: sql.Identifier(value) for key, value in names.items()})
