"""Appends events to the journal soon after they happen, several at a time, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from types import TracebackType

from harness.errors import ShadowError
from harness.journal.store import Journal
from harness.model import Batch, EventDraft

LEAST_S, MOST_S = 1.0, 5.0
"""Bounds of the pause between two appends. A kill costs the submissions of one pause, which a
resumed run does again."""
SHARE = 0.02
"""Of the time, at most this much goes into appends, within the bounds: one takes 50 ms and more of
the processor and the journal's lock, whatever it holds."""


class Outbox:
    """Events on their way into the journal; an async context manager that leaves none behind.

    Appends one at a time and in order. An append that fails ends the run: the next `put`, or the
    exit, raises its error.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[EventDraft] = []
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def put(self, *events: EventDraft) -> None:
        """Take events to be appended in one transaction, after those put before."""
        if self._task is not None and self._task.done():
            self._task.result()
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
        with contextlib.suppress(ShadowError) if error is not None else contextlib.nullcontext():
            await self._task

    async def _work(self) -> None:
        pause_s = LEAST_S
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                events, self._waiting = tuple(self._waiting), []
                began = time.monotonic()
                await asyncio.to_thread(self._journal.append, Batch(events=events, tier="replay"))
                pause_s = min(max(LEAST_S, (time.monotonic() - began) / SHARE), MOST_S)
            elif self._closing.is_set():
                return
            if self._closing.is_set():
                self._wake.set()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), pause_s)
