"""Carries out submissions on this machine, several at once."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace

from replay.evidence.capture import Capture
from replay.feed import Supply
from replay.machine import EVERY_S, Watch
from replay.pace import Pace
from replay.place import Place
from replay.sandbox.conditions import KEEPS_WAITING
from replay.sandbox.sites import SiteMaker
from replay.sandbox.visit import Visit
from replay.select import Replayable
from replay.submission import Finished
from replay.worker.contract import Timeouts

STOP_GRACE_S = 5.0
"""How long submissions in hand may go on after a stop; later ones are left to a resumed run."""


class LocalEngine:
    """Takes submissions in order; each ends in a call of `on_finished`, or of `on_abandoned`.

    on_abandoned: the visit of one that was stopped before it had an outcome.
    watch: tells whether a timeout may be this machine's fault.
    capture: what keeps evidence of a submission, one each; None keeps none.
    """

    def __init__(
        self,
        *,
        place: Place,
        site_for: SiteMaker,
        timeouts: Timeouts,
        pace: Pace,
        watch: Watch,
        on_finished: Callable[[Finished], None],
        on_abandoned: Callable[[Visit], None],
        capture: Callable[[Replayable], Capture] | None = None,
    ) -> None:
        self._place = place
        self._site_for = site_for
        self._timeouts = timeouts
        self._pace = pace
        self._watch = watch
        self._on_finished = on_finished
        self._on_abandoned = on_abandoned
        self._capture = capture

    def again(
        self,
        *,
        on_finished: Callable[[Finished], None],
        capture: Callable[[Replayable], Capture],
    ) -> LocalEngine:
        """The same engine for a second pass."""
        other = copy(self)
        other._on_finished, other._capture = on_finished, capture
        return other

    async def run(self, feed: Supply, *, stop: threading.Event) -> None:
        """Carry out what `feed` hands out; return early once `stop` is set and those in hand ended.

        Raises what ends a whole run: BrowserError, or an error of the callbacks.
        """
        tasks: list[asyncio.Task[None]] = []
        watch = asyncio.create_task(_end_after(stop, feed, tasks))
        try:
            async with asyncio.TaskGroup() as group:
                for slow in (False, True):
                    tasks += [
                        group.create_task(self._drain(feed, stop, slow=slow))
                        for _ in range(self._pace.bound)
                    ]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def _drain(self, feed: Supply, stop: threading.Event, *, slow: bool) -> None:
        while (due := await feed.take(slow=slow)) is not None:
            # Waiting for a site that never answers costs no slot.
            async with contextlib.nullcontext() if slow else self._pace.slot():
                if stop.is_set() or feed.ended:
                    return
                feed.begun(due)
                await self._one(due.submission, stop)

    async def _one(self, submission: Replayable, stop: threading.Event) -> None:
        order = submission.order
        visit = Visit.of(order, self._site_for(order, submission.condition))
        finished: Finished | None = None
        try:
            finished = await self._place.carry_out(
                submission,
                visit,
                limit_s=self._timeouts.longest_s(order.plan),
                capture=self._capture(submission) if self._capture else None,
            )
        finally:
            # A signal to the whole process group ends the driver too: no fault of the submission.
            if finished is None or (finished.browser_lost and stop.is_set()):
                self._on_abandoned(visit)
            else:
                self._on_finished(replace(finished, overloaded=self._overloaded(finished)))

    def _overloaded(self, done: Finished) -> bool:
        """Whether it timed out, where no site was slow, while the machine was starved."""
        text = (done.claim.error_text or "").lower()
        if done.of.condition in KEEPS_WAITING or "timeout" not in text:
            return False
        took_s = done.claim.duration_ms / 1000 + EVERY_S
        return self._watch.starved_since(time.monotonic() - took_s)


async def _end_after(
    stop: threading.Event, feed: Supply, tasks: Sequence[asyncio.Task[None]]
) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)
    await feed.end()
    await asyncio.sleep(STOP_GRACE_S)
    for task in tasks:
        task.cancel()
