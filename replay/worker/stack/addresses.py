"""Where a stack's queue and database may be: on this machine, and never production's. Pure.

A replay sends messages and writes rows. So both addresses are checked before anything is opened,
and what libpq would take from its environment is given explicitly.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from harness.errors import ReplayError
from harness.settings import STACK_VARIABLE

_SUCH_AS = "such as postgresql://stack@127.0.0.1/stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """A database of a PostgreSQL on this machine."""

    host: str
    """A loopback address, or the folder of its Unix socket."""
    port: int
    name: str
    user: str
    password: str | None = None

    @property
    def socket(self) -> str | None:
        """Path of its Unix socket; None where it is reached by a port."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    def dsn(self, name: str | None = None) -> str:
        """Of this database, or of another one of the same server; nothing of it is left open."""
        return make_conninfo(
            host=self.host, hostaddr="", port=self.port, user=self.user, password=self.password,
            dbname=name or self.name, connect_timeout=10, application_name="shadow replay",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEndpoint:
    """An SQS endpoint on this machine."""

    url: str
    host: str
    port: int


def read_database(dsn: str | None, *, production: Sequence[str | None] = ()) -> DatabaseAddress:
    """Return the database that a DSN names; ReplayError if it may not be used.

    production: DSNs that must not be it, None where there is none.
    """
    if not dsn:
        raise ReplayError(
            f"{STACK_VARIABLE} is not set. Export the DSN of a database on this machine that has "
            f"the stack's tables and no jobs, {_SUCH_AS}."
        )
    told = _parsed(dsn)
    if told is None:
        raise ReplayError(f"{STACK_VARIABLE} is no DSN. Write one {_SUCH_AS}.")
    host, name = told.get("host", ""), told.get("dbname", "")
    for key in ("service", "hostaddr"):
        if key in told:
            raise ReplayError(f"{STACK_VARIABLE} names a {key}. Name the host instead, {_SUCH_AS}.")
    if not host or not name:
        raise ReplayError(
            f"{STACK_VARIABLE} names no {'database' if host else 'host'}. Name both, {_SUCH_AS}."
        )
    port = told.get("port") or "5432"
    if not is_local(host) or not port.isdigit():
        raise ReplayError(
            f"{STACK_VARIABLE}: {host}:{port} is not on this machine. A replay writes into copies "
            f"of that database, so it takes only one that is, {_SUCH_AS}."
        )
    found = DatabaseAddress(
        host=host,
        port=int(port),
        name=name,
        user=told.get("user") or getpass.getuser(),
        password=told.get("password"),
    )
    for other in filter(None, production):
        if _is_same(found, _parsed(other) or {}):
            raise ReplayError(
                f"{STACK_VARIABLE} names {name} at {host}:{port}, which is production by "
                "SHADOW_DSN or DATABASE_URL. Name one that has the stack's tables and no jobs."
            )
    return found


def read_endpoint(url: str | None) -> QueueEndpoint:
    """Return the endpoint of an SQS on this machine; ReplayError if it is none."""
    if not url:
        raise ReplayError(
            "stack.endpoint_url is not set. Name an SQS on this machine, such as "
            "http://127.0.0.1:5000 for moto_server -p 5000."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme != "http" or not is_local(host) or host.startswith("/"):
        raise ReplayError(
            f"stack.endpoint_url = {url}: no http:// address of this machine. A replay sends "
            "messages, so it takes only an SQS that runs here, such as http://127.0.0.1:5000."
        )
    return QueueEndpoint(url=f"http://{parts.netloc}", host=host, port=port)


def is_local(host: str) -> bool:
    """Whether a host is this machine's loopback, or the folder of a Unix socket."""
    if host.startswith("/") or host.lower() == "localhost":
        return "," not in host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(dsn: str) -> Mapping[str, str] | None:
    try:
        return {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value}
    except ProgrammingError:
        return None


def _is_same(one: DatabaseAddress, other: Mapping[str, str]) -> bool:
    """A socket and a port of the same number belong to the same server."""
    hosts = (other.get("hostaddr") or other.get("host") or "localhost").split(",")
    ports = (other.get("port") or "5432").split(",")
    name = other.get("dbname") or other.get("user") or getpass.getuser()
    return name == one.name and str(one.port) in ports and any(map(is_local, hosts))
