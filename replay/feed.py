"""Hands out the submissions of a run one by one, and reads them from the journal piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from replay.sandbox.conditions import KEEPS_WAITING
from replay.schedule import Schedule
from replay.select import Excluded, Replayable, load_submissions
from replay.selection import Key, Keys

if TYPE_CHECKING:
    # Machines that carry out the units of others read no journal.
    from harness.journal.store import Journal

_FIRST = 32
_CHUNK = 256
_LARGEST = 2_048
"""Submissions read at once where none of the last could be replayed: of those only keys stay."""
_BACKLOG = 1_000
"""Submissions of sites that never answer, read and not begun, beyond which no more are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A submission that may begin."""

    submission: Replayable
    due_s: float
    """Seconds after the first one was handed out."""


class Supply(Protocol):
    """Hands out submissions to an engine."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is handed out."""
        ...

    async def take(self, *, slow: bool) -> Due | None:
        """The next one, of those whose site never answers or of the others; None: no more."""
        ...

    def begun(self, due: Due) -> None:
        """Note that a submission that was handed out begins now."""
        ...

    async def end(self) -> None:
        """Hand out nothing more, also to those who wait."""
        ...


class Feed:
    """What is left of a run, in its order; those that cannot be replayed are only told of.

    apart: whether those whose site never answers are handed out beside the others.
    on_excluded: called in the event loop's thread for each of those, as they are met.
    """

    def __init__(
        self,
        journal: Journal,
        keys: Keys,
        *,
        as_of: int,
        schedule: Schedule,
        apart: bool,
        on_excluded: Callable[[Excluded], None],
    ) -> None:
        self._journal = journal
        self._keys = keys
        self._as_of = as_of
        self._schedule = schedule
        self._first = keys.first_began()
        self._apart = apart
        self._on_excluded = on_excluded
        self._next = 0
        self._size = _FIRST
        self._quick: deque[Due] = deque()
        self._waiting: deque[Due] = deque()
        self._changed = asyncio.Condition()
        self._ended = asyncio.Event()
        self._began: float | None = None
        self.lag_s = 0.0
        """How far the run fell behind its schedule at worst."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is handed out."""
        return self._ended.is_set()

    @property
    def left(self) -> int:
        """How many are not handed out, those included that will turn out not replayable."""
        return len(self._keys) - self._next + len(self._quick) + len(self._waiting)

    async def prime(self) -> bool:
        """Read ahead to the first submission that can be replayed; whether there is one."""
        async with self._changed:
            while not (self._quick or self._waiting) and self._next < len(self._keys):
                await self._load()
            return bool(self._quick or self._waiting)

    async def take(self, *, slow: bool) -> Due | None:
        """The next one once it is due, of those whose site never answers or of the others.

        None: there is none any more.
        """
        found = await self._take(slow=slow)
        return found if found is not None and await self._reached(found.due_s) else None

    def begun(self, due: Due) -> None:
        """Note that a submission that was handed out begins now."""
        if self._schedule.speed is not None and self._began is not None:
            self.lag_s = max(self.lag_s, time.monotonic() - self._began - due.due_s)

    async def end(self) -> None:
        """Hand out nothing more, also to those who wait."""
        self._ended.set()
        async with self._changed:
            self._changed.notify_all()

    async def _take(self, *, slow: bool) -> Due | None:
        queue = self._waiting if slow else self._quick
        async with self._changed:
            while not self.ended:
                if queue:
                    self._changed.notify_all()
                    return queue.popleft()
                if self._next >= len(self._keys):
                    return None
                if slow or len(self._waiting) >= _BACKLOG:
                    await self._changed.wait()
                else:
                    await self._load()
                    self._changed.notify_all()
        return None

    async def _load(self) -> None:
        keys = self._keys.chunk(self._next, self._size)
        found = await asyncio.to_thread(self._read, keys)
        self._next += len(keys)
        fruitless = all(isinstance(submission, Excluded) for submission in found)
        self._size = min(2 * self._size, _LARGEST) if fruitless else _CHUNK
        for key, submission in zip(keys, found, strict=True):
            if isinstance(submission, Excluded):
                self._on_excluded(submission)
                continue
            due_s = self._schedule.due_s(key.began_at, self._first)
            # Who waits for a site that never answers needs no core, so it must not hold up those
            # who do: at 30 s each, one in twenty of them would double the time of a run.
            slow = self._apart and submission.condition in KEEPS_WAITING
            (self._waiting if slow else self._quick).append(Due(submission=submission, due_s=due_s))

    def _read(self, keys: list[Key]) -> tuple[Replayable | Excluded, ...]:
        with self._journal.reader(self._as_of) as reader:
            return load_submissions(reader, keys)

    async def _reached(self, due_s: float) -> bool:
        """Wait until then; False if the feed ended meanwhile."""
        if self._began is None:
            self._began = time.monotonic()
        left_s = self._began + due_s - time.monotonic()
        if left_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), left_s)
        return not self.ended
