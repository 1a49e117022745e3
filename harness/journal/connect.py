"""Opens the journal file for one short use, waiting politely for its lock.

DuckDB lets one process hold a file read-write or several read-only, so nobody here holds it:
every use is open, work, close. A conflict with another process is retried with jitter up to a
bound; inside one process a lock per file keeps the two modes apart, which DuckDB cannot mix.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from harness.errors import EnvironmentProblem, JournalBusyError, JournalError

DEFAULT_BUSY_TIMEOUT_S = 30.0

_registry_guard = threading.Lock()
_process_locks: dict[Path, threading.RLock] = {}


class Opened:
    """A connection and how often the lock had to be asked for again."""

    __slots__ = ("con", "retries")

    def __init__(self, con: duckdb.DuckDBPyConnection, retries: int) -> None:
        self.con = con
        self.retries = retries


def _process_lock(path: Path) -> threading.RLock:
    with _registry_guard:
        return _process_locks.setdefault(path.resolve(), threading.RLock())


@contextmanager
def opened(
    path: Path,
    *,
    read_only: bool,
    busy_timeout_s: float = DEFAULT_BUSY_TIMEOUT_S,
    new_journal: Path | None = None,
) -> Iterator[Opened]:
    """Yield an open connection; close it in every case.

    new_journal: `path` is a file to be made, which is going to be the journal of this name.
    Raises JournalBusyError after `busy_timeout_s`, JournalError for a file that is missing or no
    journal, EnvironmentProblem when the disk is full or the folder cannot be written.
    """
    # DuckDB would make an empty database of a journal that somebody has moved away.
    if not read_only and new_journal is None and not path.exists():
        raise _missing(path)
    name = new_journal or path
    lock = _process_lock(path)
    if not lock.acquire(timeout=busy_timeout_s):
        raise _busy(path, busy_timeout_s)
    try:
        file = _inode(path)
        try:
            con, retries = _connect(path, read_only=read_only, busy_timeout_s=busy_timeout_s)
        except duckdb.Error as error:
            raise _translated(name, error) from error
        try:
            if not read_only and new_journal is None and _inode(path) != file and _is_bare(con):
                # It was moved away between our look and DuckDB's: the file that is there now is
                # the empty one that DuckDB has just made.
                con.close()
                path.unlink(missing_ok=True)
                raise _missing(path)
            # Of every connection to the file, also one that is opened beside this.
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            yield Opened(con, retries)
        except duckdb.Error as error:
            raise _translated(name, error) from error
        finally:
            con.close()
    finally:
        lock.release()


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _is_bare(con: duckdb.DuckDBPyConnection) -> bool:
    return not con.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall()


def _connect(
    path: Path, *, read_only: bool, busy_timeout_s: float
) -> tuple[duckdb.DuckDBPyConnection, int]:
    deadline = time.monotonic() + busy_timeout_s
    retries = 0
    pause_s = 0.005
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only), retries
        except duckdb.Error as error:
            if "lock on file" not in str(error) and "different configuration" not in str(error):
                raise
            if time.monotonic() >= deadline:
                raise _busy(path, busy_timeout_s) from error
        retries += 1
        # Jitter keeps a reader and a writer from meeting at the same beat again and again.
        time.sleep(pause_s * (0.5 + random.random()))
        pause_s = min(pause_s * 1.5, 0.02)


def _busy(path: Path, busy_timeout_s: float) -> JournalBusyError:
    return JournalBusyError(
        f"{path}: another process kept the journal locked for {busy_timeout_s:g} s. "
        "Stop it, or try again; nothing recorded was lost."
    )


def _missing(path: Path) -> JournalError:
    return JournalError(f"{path}: there is no journal. Record one with: shadow record")


def _translated(path: Path, error: duckdb.Error) -> Exception:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    low = text.lower()
    if "no space left" in low or "enospc" in low:
        return EnvironmentProblem(
            f"{path}: the disk is full. Free some space and start again; "
            "what was recorded so far is kept."
        )
    if "file too large" in low or "quota exceeded" in low:
        return EnvironmentProblem(
            f"{path}: a limit of file size or disk quota is reached. Raise it (ulimit -f, quota) "
            "and start again; what was recorded so far is kept."
        )
    if "permission denied" in low or "read-only file system" in low:
        return EnvironmentProblem(f"{path}: permission denied. Check the owner of the folder.")
    if "does not exist" in low and "cannot open" in low:
        return _missing(path)
    if isinstance(
        error, duckdb.IOException | duckdb.SerializationException | duckdb.FatalException
    ):
        return JournalError(
            f"{path} is not a readable journal ({text}). Give another --journal, "
            "or restore this file from a copy."
        )
    return error
