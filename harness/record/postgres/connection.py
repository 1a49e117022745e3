"""One read-only connection to production: short snapshots with time limits. Knows no table.

Settings are made inside each transaction, for it alone, and no statement is prepared, so that a
pooler in transaction mode (PgBouncer, Supavisor) may stand between.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from harness.errors import SourceError

APPLICATION_NAME = "shadow-recorder"
Snapshot: TypeAlias = psycopg.Connection[DictRow]
"""An open transaction: every statement sees the same moment."""

# In one statement, because a tick makes them twice.
_SETTINGS = sql.SQL(
    "SELECT set_config('statement_timeout', {statement}, true),"
    " set_config('lock_timeout', {lock}, true),"
    " set_config('idle_in_transaction_session_timeout', {idle}, true),"
    " set_config('TimeZone', 'UTC', true),"
    # A role under row level security would see fewer rows without a word. Off means: an error.
    " set_config('row_security', 'off', true),"
    # A cursor is read to its end here, so the planner must not favour a quick first row.
    " set_config('cursor_tuple_fraction', '1.0', true)"
)
_BEGIN = sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
_COMMIT = sql.SQL("COMMIT")

# A server that vanishes without a word would otherwise keep a poll waiting for hours, and the
# record would stand still without a gap.
_KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_CANCEL_TIMEOUT_S = 5.0
_HARMLESS = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)


class SourceConnection:
    """Opens at the first use and again after a failure.

    generation counts the connections made so far: whoever relies on what an earlier one saw
    (transaction numbers across a crash) compares it. Every failure is a SourceError of one line.
    """

    def __init__(
        self,
        dsn: str,
        *,
        statement_timeout_s: float = 30.0,
        lock_timeout_s: float = 3.0,
        idle_timeout_s: float = 120.0,
        connect_timeout_s: int = 10,
    ) -> None:
        try:
            parts = conninfo_to_dict(dsn)
            misread = is_misread(dsn, parts)
        except psycopg.Error:
            misread = True
        if misread:
            # libpq's words, and what it took for the host, may be a piece of the password.
            raise SourceError(
                "SHADOW_DSN is not a PostgreSQL DSN. Write it as "
                "postgresql://user:password@host:5432/database, with @, /, ? and # in the password "
                "percent-encoded"
            )
        self.place = describe_place(parts)
        self.generation = 0
        defaults = _KEEPALIVE | {"connect_timeout": connect_timeout_s}
        self._conninfo = make_conninfo(
            dsn,
            application_name=APPLICATION_NAME,
            **{name: value for name, value in defaults.items() if not parts.get(name)},
        )
        self._limits_s = (statement_timeout_s, lock_timeout_s, idle_timeout_s)
        self._connection: Snapshot | None = None

    @contextmanager
    def snapshot(self, *, statement_timeout_s: float | None = None) -> Iterator[Snapshot]:
        """Yield the connection inside a READ ONLY REPEATABLE READ transaction.

        The statement that makes the settings takes the snapshot. Raises SourceError.
        """
        with self._explained():
            connection = self._connected()
            with connection.transaction():
                connection.execute(self._settings(statement_timeout_s))
                yield connection

    def ask(self, *transactions: Sequence[sql.Composable]) -> list[list[list[DictRow]]]:
        """Run transactions like that of `snapshot` one after the other, in one round trip.

        Returns, for each of them, the rows of each statement. The limit of time holds for each
        statement. A statement carries its values as literals: the simple protocol knows no
        parameters. Raises SourceError.
        """
        settings = self._settings(None)
        script = [
            part for statements in transactions for part in (_BEGIN, settings, *statements, _COMMIT)
        ]
        with self._explained():
            connection = self._connected()
            try:
                answers = iter(_answers(connection.execute(sql.SQL(";\n").join(script))))
            finally:
                if connection.info.transaction_status == TransactionStatus.INERROR:
                    connection.execute("ROLLBACK")
        # BEGIN, the settings and COMMIT answer too, with nothing.
        found = []
        for statements in transactions:
            own = list(itertools.islice(answers, len(statements) + 3))
            found.append(own[2:-1])
        return found

    def _settings(self, statement_timeout_s: float | None) -> sql.Composed:
        statement_s, lock_s, idle_s = self._limits_s
        return _SETTINGS.format(
            statement=_milliseconds(statement_timeout_s or statement_s),
            lock=_milliseconds(lock_s),
            idle=_milliseconds(idle_s),
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the driver's error into ours; give up a connection that it may have broken."""
        try:
            yield
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and not isinstance(error, _HARMLESS):
                self.close()
            raise SourceError(f"{self.place}: {explain(error)}") from error

    def open(self) -> None:
        """Connect if nothing is open. Raises SourceError."""
        with self._explained():
            self._connected()

    def cancel(self) -> None:
        """Break off what another thread is asking right now; that thread gets a SourceError."""
        if self._connection is not None:
            self._connection.cancel_safe(timeout=_CANCEL_TIMEOUT_S)

    def close(self) -> None:
        """Close the connection; the next snapshot opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Snapshot:
        if self._connection is None or self._connection.closed:
            # Transactions are begun by us alone: `ask` writes its own into the script.
            self._connection = psycopg.connect(
                self._conninfo, row_factory=dict_row, prepare_threshold=None, autocommit=True
            )
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
            self.generation += 1
        return self._connection


def _milliseconds(seconds: float) -> sql.SQL:
    return sql.SQL(f"'{seconds * 1000:.0f}'")


def _answers(cursor: psycopg.Cursor[DictRow]) -> list[list[DictRow]]:
    answers = [cursor.fetchall() if cursor.description else []]
    while cursor.nextset():
        answers.append(cursor.fetchall() if cursor.description else [])
    return answers


def is_misread(dsn: str, parts: Mapping[str, Any]) -> bool:
    """Whether a character that separates the parts of a URI stands in the password.

    parts: what libpq made of `dsn`.
    """
    _, mark, rest = dsn.partition("://")
    strange = False
    if mark:
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        strange = rest.count("@") != authority.count("@") or authority.count("@") > 1
    ports = str(parts.get("port") or "5432").split(",")
    return strange or not all(port.isdigit() for port in ports)


def describe_place(parts: dict[str, Any]) -> str:
    """Return ``user@host:port/database``: never the password."""
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    port = f":{parts['port']}" if parts.get("port") else ""
    user = f"{parts['user']}@" if parts.get("user") else ""
    database = f"/{parts['dbname']}" if parts.get("dbname") else ""
    return f"{user}{host}{port}{database}"


def explain(error: psycopg.Error) -> str:
    """Return one line: what the server or libpq said, and the mend."""
    said = last_line(str(error)) or type(error).__name__
    mend = _mend(error, said.lower())
    return f"{said.rstrip('.')}. {mend}"


def last_line(text: str) -> str:
    """Return the last line of a message, which is where libpq puts the reason."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A server's message ends with a LINE and a caret that show the place in the statement.
    said = next((line for line in lines if not line.startswith(("LINE ", "^", "HINT"))), "")
    return lines[-1] if said.endswith(":") or "Multiple connection attempts" in text else said


def _mend(error: psycopg.Error, said: str) -> str:
    if "row-level security" in said or "row security" in said:
        return "Row level security would hide rows: ALTER ROLE … BYPASSRLS for the recorder's role."
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return "Grant SELECT on it to the recorder's role."
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn():
            return "The schema changed; the recorder looks at it again."
        case psycopg.errors.LockNotAvailable():
            return "Another session holds the table; the recorder tries again."
        case psycopg.errors.QueryCanceled():
            return "It took longer than the statement timeout; the recorder tries again."
    if "password" in said or "authentication" in said or "no pg_hba.conf entry" in said:
        return "Check user and password in SHADOW_DSN."
    if "does not exist" in said:
        return "Check database and user in SHADOW_DSN."
    if "too many connections" in said or "remaining connection slots" in said:
        return "Raise the connection limit of the recorder's role, or end other sessions."
    return "Check that the server runs and that host and port in SHADOW_DSN are right."
