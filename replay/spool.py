"""Events on their way into the journal, on disk meanwhile, so that a kill loses none of them.

An append to the journal costs some 100 ms of the processor whatever it holds; a line of a file
costs next to nothing. So an outcome is a line at once, and an event a few seconds later.

A run writes segments, one at a time, into a folder beside the journal, and holds a lock on each;
the kernel frees it with the process. `recover` appends what dead runs have left. Like the journal's
own payloads these are personal data: only their owner may read them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import EnvironmentProblem
from harness.journal.store import Journal
from harness.model import Batch, EventDraft

_SUFFIX = ".jsonl"
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_FIELDS = tuple(field.name for field in fields(EventDraft))


def folder_of(journal: Path) -> Path:
    """Where the segments of all runs of a journal lie."""
    return journal.with_name(journal.name + ".replaying")


class Segment:
    """One file of a living run. As a context it goes at the end, and stays where that fails."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._size = 0
        self._unsynced = False

    def write(self, line: bytes) -> None:
        """Append a line; OSError, and none of it is there, if it cannot be written whole."""
        self._unsynced = True
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            # Or what is written later would be the end of a torn line.
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(line)

    def sync(self) -> None:
        """Have what was written survive the loss of power too."""
        if self._unsynced:
            self._unsynced = False
            os.fsync(self._descriptor)

    def __enter__(self) -> Segment:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave it to whoever recovers."""
        os.close(self._descriptor)


class Spool:
    """What one run has not journaled yet; a context manager that leaves no empty folder.

    `sync` may be called from another thread than the rest. Raises EnvironmentProblem where it
    cannot be written.
    """

    def __init__(self, journal: Journal, run: str) -> None:
        self._folder = folder_of(journal.path)
        self._name = f"{_identity(journal)}~{run}~{uuid.uuid4().hex[:12]}"
        self._turns = 0
        self._current: Segment | None = None

    def keep(self, events: Iterable[EventDraft]) -> None:
        """Write these down as one: either all of them are recovered or none."""
        # ASCII: half a surrogate pair that a page sent is no UTF-8.
        line = json.dumps([_to_json(event) for event in events], default=str).encode() + b"\n"
        with self._told():
            if self._current is None:
                self._current = self._begin()
            self._current.write(line)

    def turn(self) -> Segment:
        """Hand over what was kept since the last turn, for the journal; something must be."""
        assert self._current is not None
        current, self._current = self._current, None
        return current

    def sync(self) -> None:
        """Have what was kept survive the loss of power too."""
        if self._current is not None:
            with self._told():
                self._current.sync()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._current is not None:
            self.turn().release()
        _remove_if_empty(self._folder)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EnvironmentProblem(
                f"{self._folder} cannot be written ({error.strerror}). Free some space or let "
                "this user write there, then resume the run; nothing journaled was lost."
            ) from error

    def _begin(self) -> Segment:
        while True:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._turns += 1
            path = self._folder / f"{self._name}.{self._turns:08d}{_SUFFIX}"
            try:
                descriptor = os.open(path, _MAKE, 0o600)
            except FileNotFoundError:
                # Another run has just removed the empty folder.
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor):
                return Segment(path, descriptor)
            # Another run took it for a dead one's before we had the lock.
            os.close(descriptor)


def recover(journal: Journal) -> int:
    """Append what dead runs left of their outcomes; return how many events were new.

    Each counts once, however often this is done. Segments of living runs are left alone, and those
    of another journal that had this name. Raises JournalError as an append does, and
    EnvironmentProblem for a file that may not be read.
    """
    folder, new = folder_of(journal.path), 0
    if not folder.is_dir():
        return 0
    try:
        for path in sorted(folder.glob(f"{_identity(journal)}~*{_SUFFIX}")):
            with _dead(path) as descriptor:
                if descriptor is not None:
                    events = tuple(_events(descriptor))
                    if events:
                        new += journal.append(Batch(events=events, tier="replay")).new
                    path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"{error.filename or folder}: {error.strerror}. It holds outcomes of a run that was "
            "killed; let this user read and remove it."
        ) from error
    _remove_if_empty(folder)
    return new


@contextlib.contextmanager
def _dead(path: Path) -> Iterator[int | None]:
    """A descriptor of a segment whose run is gone, locked; None if it lives or is dealt with."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor if _is_at(path, descriptor) else None
    finally:
        os.close(descriptor)


def _events(descriptor: int) -> Iterator[EventDraft]:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        for line in file:
            try:
                found = json.loads(line)
            except ValueError:
                # The last line of a process that was killed, or blocks that lost power took: those
                # submissions are done again. Each line stands for itself.
                continue
            yield from map(_of_json, found)


def _identity(journal: Journal) -> str:
    with journal.reader() as reader:
        return reader.journal_id()


def _to_json(event: EventDraft) -> dict[str, Any]:
    found = {name: getattr(event, name) for name in _FIELDS}
    return found | {"occurred_at": event.occurred_at.isoformat()}


def _of_json(found: dict[str, Any]) -> EventDraft:
    return EventDraft(**found | {"occurred_at": datetime.fromisoformat(found["occurred_at"])})


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
