"""Carries chunks of rows from a reader that must not wait to a journal that may be slow.

Rows lie in files without a name that only their owner may read, so that nothing of them is left
however the process ends. Knows no SQL and no table.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from harness.errors import EnvironmentProblem


class Lines:
    """Some lines of one stream, in a file without a name. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self.size = 0
        """Bytes."""
        self.longest = 0
        """Bytes of the longest line."""
        self.last = b""
        """The last whole line."""
        self._folder = folder
        self._begun = b""
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        except OSError as error:
            raise _unusable(folder, error) from error

    @property
    def path(self) -> Path:
        """A name for the open file that this process may use until it is closed."""
        return Path(f"/dev/fd/{self._file.fileno()}")

    def write(self, piece: bytes) -> bool:
        """Add a piece of the stream; return True if it ends a line. Raises EnvironmentProblem."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise _unusable(self._folder, error) from error
        self.size += len(piece)
        if not piece.endswith(b"\n"):
            self._begun += piece
            return False
        self.last = self._begun + piece if self._begun else piece
        self._begun = b""
        self.count += 1
        self.longest = max(self.longest, len(self.last))
        return True

    def flush(self) -> None:
        """Make what was written readable under `path`. Raises EnvironmentProblem."""
        try:
            self._file.flush()
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def close(self) -> None:
        """Give the file up; nothing of it remains."""
        self._file.close()


class Conveyor:
    """Hands work to one thread, in order, and lets the giver wait only when too much lies ahead.

    On leaving the block everything handed over is done, unless a step failed or `stop` was set:
    then the steps after it are not begun.
    """

    def __init__(self, *, most_bytes: int, stop: threading.Event) -> None:
        self.skipped = False
        """True once a step was not begun because of `stop`."""
        self._most_bytes = most_bytes
        self._stop = stop
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="first-copy")
        self._ahead: deque[tuple[Future[None], Lines]] = deque()
        self._failed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._failed.set()
        try:
            while self._ahead:
                self._settle(raising=error is None)
        finally:
            self._failed.set()
            self._pool.shutdown()
            for _, lines in self._ahead:
                lines.close()

    def give(self, lines: Lines, step: Callable[[Lines], None]) -> None:
        """Have `step` done with `lines`, and close them; raise what an earlier step has raised."""
        try:
            while self._ahead and (self._ahead[0][0].done() or self._is_full(lines)):
                self._settle(raising=True)
        except BaseException:
            lines.close()
            raise
        self._ahead.append((self._pool.submit(self._do, lines, step), lines))

    def _is_full(self, lines: Lines) -> bool:
        return sum(waiting.size for _, waiting in self._ahead) + lines.size > self._most_bytes

    def _do(self, lines: Lines, step: Callable[[Lines], None]) -> None:
        if self._failed.is_set():
            return
        if self.skipped or self._stop.is_set():
            # None after it either, or the journal would have a hole.
            self.skipped = True
            return
        try:
            lines.flush()
            step(lines)
        except BaseException:
            self._failed.set()
            raise

    def _settle(self, *, raising: bool) -> None:
        future, lines = self._ahead[0]
        error = future.exception()
        self._ahead.popleft()
        lines.close()
        if error is not None and raising:
            raise error


@contextmanager
def workplace(journal: Path) -> Iterator[Path]:
    """Yield a folder beside the journal that nobody else can read; remove it in the end.

    One that a killed process left is removed first: the recorder's lock keeps living ones away.
    Raises EnvironmentProblem.
    """
    folder = journal.with_name(f".{journal.name}.copy")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def room_for(folder: Path, *, most_bytes: int) -> int:
    """Return how many bytes may lie in `folder`: at most a quarter of what the disk has left."""
    return min(most_bytes, shutil.disk_usage(folder).free // 4)


def _unusable(folder: Path, error: OSError) -> EnvironmentProblem:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return EnvironmentProblem(
        f"{folder}: the first copy cannot put rows there ({reason}). Free some space, or choose a "
        "--journal in a folder you may write to; what was recorded so far is kept."
    )
