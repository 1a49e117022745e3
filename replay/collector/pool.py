"""Where a run of many machines is collected, and the secret that its machines know."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness.errors import ReplayError, SettingsError
from harness.settings import TOKEN_VARIABLE

_LEAST_TOKEN = 32
_MAKE = f"export {TOKEN_VARIABLE}=$(openssl rand -hex 32)"
_ANYWHERE = frozenset({"0.0.0.0", "::", "[::]", ""})
_POOL = re.compile(r"[^/%&<>]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """The pool whose machines carry out a run, and how they reach its collector."""

    name: str
    """Of the Prefect work pool."""
    api_url: str
    api_key: str | None = field(default=None, repr=False)
    token: str = field(repr=False)
    host: str = "127.0.0.1"
    """Address to which the collector is bound."""
    port: int = 0
    """0 takes a free one."""
    url: str | None = None
    """Where the machines reach it, if that is not `host` and `port`."""
    unit: int = 200
    """Submissions in one flow run, at most."""
    lease_s: float = 60.0
    """So long a machine may be silent before its submissions are handed out again."""

    def url_at(self, port: int) -> str:
        """The address that machines are told, with the port that was taken."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{port}").rstrip("/")


def make_pool(
    name: str | None,
    *,
    api_url: str | None,
    listen: str,
    url: str | None,
    unit: int,
    lease_s: float,
    environ: Mapping[str, str],
) -> PoolConfig:
    """Read these words. Raises ReplayError or SettingsError that names the wrong one."""
    if not name:
        raise ReplayError("pool is not set. Name the Prefect work pool: --pool NAME")
    if not _POOL.fullmatch(name):
        raise ReplayError(f"pool = {name!r} is no name of a work pool. Leave out / % & < >.")
    if not api_url:
        raise ReplayError(
            "PREFECT_API_URL is not set. Export the address of the Prefect server, such as "
            "PREFECT_API_URL=http://prefect.example:4200/api"
        )
    host, _, port = listen.strip().rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise ReplayError(f"collector = {listen}: give HOST:PORT, such as 10.0.0.5:8790.")
    host = host.removeprefix("[").removesuffix("]")
    if host in _ANYWHERE and not url:
        raise ReplayError(
            f"collector = {listen}: machines cannot call that. Give the address that they call, "
            "such as 10.0.0.5:8790, or collector_url beside it."
        )
    parts = urlsplit(url or "http://given")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ReplayError(f"collector_url = {url}: give an address such as http://10.0.0.5:8790.")
    return PoolConfig(
        name=name,
        api_url=api_url,
        api_key=environ.get("PREFECT_API_KEY"),
        token=read_token(environ),
        host=host or "0.0.0.0",
        port=int(port),
        url=url,
        unit=unit,
        lease_s=lease_s,
    )


def read_token(environ: Mapping[str, str]) -> str:
    """The secret that collector and machines share. Raises SettingsError, without quoting it."""
    token = environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise SettingsError(
            f"{TOKEN_VARIABLE} is not set. Make one, and set the same on every machine: {_MAKE}"
        )
    if len(token) < _LEAST_TOKEN or not (token.isascii() and token.isprintable()):
        raise SettingsError(
            f"{TOKEN_VARIABLE} must be at least {_LEAST_TOKEN} plain characters. Make one: {_MAKE}"
        )
    return token


def header_of(token: str) -> str:
    """The Authorization header of who knows the token."""
    return f"Bearer {token}"


def is_allowed(header: str | None, token: str) -> bool:
    """Whether a header is that of the token; takes as long whatever is wrong with it."""
    return hmac.compare_digest((header or "").encode(), header_of(token).encode())
