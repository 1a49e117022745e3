"""Keeps a second recorder off the same journal. Knows neither journal nor source."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EnvironmentProblem, JournalBusyError


@contextmanager
def recorder_lock(journal: Path) -> Iterator[None]:
    """Hold ``<journal>.recorder`` for as long as the block runs.

    The kernel frees the lock with the process, so a killed recorder leaves none behind. Raises
    JournalBusyError that names the process if another recorder holds it, EnvironmentProblem if the
    journal's folder is missing or cannot be written.
    """
    path = journal.with_name(journal.name + ".recorder")
    descriptor = _acquire(path, journal)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path, journal: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EnvironmentProblem(
                f"{journal}: {path} cannot be made ({error.strerror}). "
                "Choose a --journal in a folder that exists and that you may write to."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise JournalBusyError(
                f"{journal}: process {holder or '?'} already records into it. "
                "Stop that one, or give another --journal."
            ) from error
        # The holder before us may have removed the file between our open and our lock; a lock on
        # a file without a name keeps nobody off.
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)
