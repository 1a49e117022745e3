"""Examines the way to production: DSN, server, TLS, pooler, and the limits that really hold."""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from harness.doctor import elsewhere
from harness.doctor.check import Findings, Subject
from harness.doctor.plan import DSN_FORM, Plan, system_authorities
from harness.doctor.refused import mend_refusal
from harness.errors import SourceError
from harness.record.postgres.connection import (
    APPLICATION_NAME,
    SourceConnection,
    describe_place,
    is_misread,
    last_line,
)
from harness.record.postgres.introspect import Server, read_server
from harness.resources import sql_queries

_PREAMBLE = re.compile(r"^.*(?:FATAL|ERROR|failed): +")
"""Where it happened, which the line above says, and how grave."""
NEWEST_TRIED = 18
"""Newest major version of PostgreSQL that the recorder is tested with."""
_PERCENT_ENCODE = (
    "python3 -c 'import getpass, urllib.parse as u; print(u.quote(getpass.getpass(), \"\"))'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A server that can be asked further."""

    connection: SourceConnection
    server: Server
    session: Mapping[str, Any]
    """The row of ``select_session``."""

    @property
    def role(self) -> str:
        """Whom the server takes us for."""
        return str(self.session["role"])


def examine_connection(plan: Plan) -> tuple[Findings, Reached | None]:
    """Connect and look; None if the server cannot be asked anything more."""
    found = Findings(Subject.CONNECTION)
    if not _read_dsn(plan, found):
        found.not_asked("server", "there is no usable DSN")
        return found, None
    connection = elsewhere.connect(plan.dsn or "")
    try:
        session, took_ms = _ask_session(connection)
        with connection.snapshot() as snapshot:
            server = read_server(snapshot)
        way = _look_at_way(connection)
    except SourceError as error:
        connection.close()
        _judge_refusal(error, plan, found)
        return found, None
    _judge_version(session, took_ms, found)
    _judge_encryption(way, plan, found)
    _judge_pooler(way, session, found)
    _judge_limits(session, found)
    if session["standby"]:
        found.look(
            "primary",
            "this server is a standby: other sessions' transactions are hidden from it, so "
            "only sweeps prove the record complete",
            "Point SHADOW_DSN at the primary; put its name for PRIMARY.",
            shell=[plan.export_with(host="PRIMARY")],
        )
    return found, Reached(connection=connection, server=server, session=session)


def _read_dsn(plan: Plan, found: Findings) -> bool:
    form = f"export SHADOW_DSN={shlex.quote(DSN_FORM)}"
    if not plan.dsn:
        found.missing(
            "DSN",
            "neither SHADOW_DSN nor DATABASE_URL is set",
            "Export the DSN of the role that only reads; keep the password out of the shell's "
            "history.",
            shell=[form],
        )
        return False
    parts = plan.parts()
    if not parts:
        found.missing(
            "DSN", f"{plan.variable} is not a PostgreSQL DSN", "Write it like this.", shell=[form]
        )
        return False
    if is_misread(plan.dsn, parts):
        # Whatever was made of it, a host or a database, is a piece of the password.
        found.missing(
            "DSN",
            f"{plan.variable} cannot be told apart: the password seems to hold @, /, ? or #",
            "Percent-encode the password; this prints the form to put into the DSN.",
            shell=[_PERCENT_ENCODE, form],
        )
        return False
    found.ok("DSN", f"{plan.variable} names {describe_place(dict(parts))}")
    return True


def _ask_session(connection: SourceConnection) -> tuple[Mapping[str, Any], float]:
    query = sql_queries("postgres/doctor/session.sql")["select_session"].encode()
    with connection.snapshot() as snapshot:
        began_s = time.perf_counter()
        row = snapshot.execute(query).fetchone()
        took_ms = (time.perf_counter() - began_s) * 1000
    if row is None:
        raise SourceError("The server does not know the role that it let in. Try again.")
    return row, took_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What lies between here and the server."""

    host: str
    encrypted: bool
    told: int
    """Process that the handshake named; a pooler makes up one of its own."""
    answered: frozenset[int]
    """Processes that answered in two transactions."""


def _look_at_way(connection: SourceConnection) -> _Way:
    query = sql_queries("postgres/doctor/session.sql")["select_pid"].encode()
    answered: set[int] = set()
    for _ in range(2):
        with connection.snapshot() as snapshot:
            answered.update(row["pid"] for row in snapshot.execute(query).fetchall())
            info, encrypted = snapshot.info, bool(snapshot.pgconn.ssl_in_use)
    return _Way(
        host=info.host,
        encrypted=encrypted,
        told=info.backend_pid,
        answered=frozenset(answered),
    )


def _judge_refusal(error: SourceError, plan: Plan, found: Findings) -> None:
    if isinstance(error.__cause__, psycopg.Error):
        said = last_line(str(error.__cause__)) or type(error.__cause__).__name__
        mend = mend_refusal(said, plan)
        reason = _PREAMBLE.sub("", said).rstrip(".")
        found.missing("server", f"refused: {reason}", mend.text, sql=mend.sql, shell=mend.shell)
    else:
        said, _, text = str(error).partition(". ")
        found.missing("server", said, text)


def _judge_version(session: Mapping[str, Any], took_ms: float, found: Findings) -> None:
    text = f"PostgreSQL {session['version_text']}, database {session['database']}"
    if int(session["version"]) // 10000 > NEWEST_TRIED:
        found.look(
            "server",
            f"{text}, is newer than {NEWEST_TRIED}, the newest that the recorder is tested with",
            "It should work. Compare counts after an hour of recording.",
        )
    else:
        found.ok("server", f"{text}, answers in {took_ms:.0f} ms")


def _judge_encryption(way: _Way, plan: Plan, found: Findings) -> None:
    mode = plan.parts().get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"
    verified = mode in ("verify-full", "verify-ca")
    if way.encrypted and verified:
        name = "" if mode == "verify-full" else ", but not the name in it"
        found.ok("encryption", f"TLS; the server's certificate is checked{name} ({mode})")
    elif way.encrypted:
        found.look(
            "encryption",
            f"TLS, but nobody checks whose certificate it is (sslmode={mode})",
            "Check it against the authorities that this machine trusts, or put the file with your "
            "provider's root certificate.",
            shell=[plan.export_with(sslmode="verify-full", sslrootcert=system_authorities())],
        )
    elif _is_local(way.host):
        found.ok("encryption", "none, and none needed: the server is on this machine")
    else:
        found.look(
            "encryption",
            f"none: rows and password cross the network readable (sslmode={mode})",
            "Ask for TLS; if the server then refuses, switch it on there (ssl = on).",
            shell=[plan.export_with(sslmode="require")],
        )


def _is_local(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _judge_pooler(way: _Way, session: Mapping[str, Any], found: Findings) -> None:
    if way.answered == {way.told}:
        found.ok("pooler", "none in between")
        return
    port = session["port"]
    behind = f"; the server behind it listens at port {port}" if port else ""
    found.ok(
        "pooler",
        f"one stands in between (PgBouncer, Supavisor){behind}. Fine: limits are set in each "
        "transaction, nothing is prepared, and nothing is kept between two",
    )


def _judge_limits(session: Mapping[str, Any], found: Findings) -> None:
    limits = {
        "statement_timeout": session["statement_timeout"],
        "lock_timeout": session["lock_timeout"],
        "idle_in_transaction_session_timeout": session["idle_timeout"],
    }
    unlimited = [name for name, value in limits.items() if value == "0"]
    bare = session["read_only"] != "on" or session["isolation"] != "repeatable read"
    if unlimited or bare or session["row_security"] != "off":
        found.missing(
            "limits",
            f"a transaction begins as {session['isolation']}, read_only {session['read_only']}, "
            f"without {', '.join(unlimited) or 'row_security = off'}",
            "Something between here and the server drops SET LOCAL. Go past it.",
        )
        return
    found.ok(
        "limits",
        "READ ONLY, REPEATABLE READ; a statement, a lock and an idle transaction have limits "
        f"({', '.join(limits.values())} here)",
    )
    name = session["application_name"]
    if name == APPLICATION_NAME:
        found.ok("application_name", f"sessions show as {name} in pg_stat_activity")
    else:
        found.look(
            "application_name",
            f"sessions show as {name!r}, not as {APPLICATION_NAME}: harder to find for a DBA",
            "The pooler overwrites it; let application_name through in its settings.",
        )
