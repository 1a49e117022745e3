"""Appends events to the journal soon after they happen, several at a time, off the event loop.

Until then they are in the spool, so that a kill of this process loses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import TracebackType

from harness.errors import ShadowError
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from replay.spool import Segment, Spool

EVERY_S = 5.0
"""Pause between two appends, and so how old what the journal shows may be. An append costs some
100 ms of the processor and the journal's lock, whatever it holds."""
SYNC_S = 1.0
"""How often the spool is made to survive a loss of power; that costs the submissions since then,
which a resumed run does again."""


class Outbox:
    """Events on their way into the journal; an async context manager that leaves none behind.

    Appends one at a time and in order. An append that fails ends the run: the next `put`, or the
    exit, raises its error.
    """

    def __init__(self, journal: Journal, run: str, *, every_s: float = EVERY_S) -> None:
        self._journal = journal
        self._spool = Spool(journal, run)
        self._every_s = every_s
        self._waiting: list[EventDraft] = []
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, *events: EventDraft) -> None:
        """Take events to be appended in one transaction, after those put before.

        A kill from now on loses none of them. Raises EnvironmentProblem if they cannot be kept.
        """
        if self._task is not None and self._task.done():
            self._task.result()
        if not events:
            return
        self._spool.keep(events)
        self._waiting.extend(events)
        self._wake.set()

    async def __aenter__(self) -> Outbox:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._closing.set()
        self._wake.set()
        # Where something else has ended the run already, that is what the caller must hear of.
        with (
            self._spool,
            contextlib.suppress(ShadowError) if error is not None else contextlib.nullcontext(),
        ):
            await self._task

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                events, self._waiting = tuple(self._waiting), []
                await asyncio.to_thread(self._append, events, self._spool.turn())
            elif self._closing.is_set():
                return
            if self._closing.is_set():
                self._wake.set()
            else:
                await self._pause()

    def _append(self, events: tuple[EventDraft, ...], segment: Segment) -> None:
        with segment:
            self._journal.append(Batch(events=events, tier="replay"))

    async def _pause(self) -> None:
        ends = time.monotonic() + self._every_s
        while (left_s := ends - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), min(SYNC_S, left_s))
                return
            await asyncio.to_thread(self._spool.sync)
