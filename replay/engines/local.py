"""Carries out submissions on this machine, several at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import psutil

from harness.errors import BrowserError
from replay.browsers import Browsers
from replay.sandbox.conditions import Condition
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import SiteMaker
from replay.sandbox.visit import Visit
from replay.select import Replayable
from replay.submission import BrowserLostError, Finished, carry_out
from replay.worker.contract import Timeouts, Worker

STOP_GRACE_S = 5.0
"""How long submissions in hand may go on after a stop; later ones are left to a resumed run."""
_AT_ONCE_PER_CORE = 4
_MEMORY_EACH = 150 * 1024 * 1024
_TRIES = 3


def default_concurrency() -> int:
    """How many submissions to carry out at once on this machine.

    Most of a submission is waiting for the page to be idle, so there are several to a core.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    fits = int(psutil.virtual_memory().available // _MEMORY_EACH)
    return max(1, min(_AT_ONCE_PER_CORE * (cores or 1), fits))


class LocalEngine:
    """Takes submissions in order; each ends in a call of `on_finished`, or of `on_abandoned`.

    on_abandoned: the visit of one that was stopped before it had an outcome.
    """

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        browsers: Browsers,
        worker: Worker,
        site_for: SiteMaker,
        timeouts: Timeouts,
        concurrency: int,
        on_finished: Callable[[Finished], None],
        on_abandoned: Callable[[Visit], None],
    ) -> None:
        self._sandbox = sandbox
        self._browsers = browsers
        self._worker = worker
        self._site_for = site_for
        self._timeouts = timeouts
        self._concurrency = concurrency
        self._on_finished = on_finished
        self._on_abandoned = on_abandoned

    async def run(self, submissions: Iterable[Replayable], *, stop: threading.Event) -> None:
        """Carry all of them out; return early once `stop` is set and those in hand have ended.

        Raises what ends a whole run: BrowserError, or an error of the callbacks.
        """
        quick: deque[Replayable] = deque()
        waiting: deque[Replayable] = deque()
        for submission in submissions:
            # Who waits for a site that never answers needs no core, so it must not hold up those
            # who do: at 30 s each, one in twenty of them would double the time of a run.
            slow = submission.condition is Condition.SLOW and self._concurrency > 1
            (waiting if slow else quick).append(submission)
        lanes = [queue for queue in (quick, waiting) for _ in range(self._concurrency)]
        tasks: list[asyncio.Task[None]] = []
        watch = asyncio.create_task(_end_after(stop, tasks))
        try:
            async with asyncio.TaskGroup() as group:
                tasks.extend(group.create_task(self._drain(queue, stop)) for queue in lanes)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def _drain(self, queue: deque[Replayable], stop: threading.Event) -> None:
        while queue and not stop.is_set():
            await self._one(queue.popleft(), stop)

    async def _one(self, submission: Replayable, stop: threading.Event) -> None:
        order = submission.order
        visit = Visit.of(order, self._site_for(order, submission.condition))
        finished: Finished | None = None
        try:
            for tries_left in reversed(range(_TRIES)):
                async with self._browsers.lease() as browser:
                    try:
                        finished = await carry_out(
                            submission,
                            visit,
                            worker=self._worker,
                            browser=browser,
                            sandbox=self._sandbox,
                            limit_s=self._timeouts.longest_s(order.plan),
                        )
                    except BrowserLostError as error:
                        self._browsers.retire(browser)
                        if not tries_left:
                            raise BrowserError(
                                f"The browser died {_TRIES} times before it had a page: {error}. "
                                "See whether memory is short, then resume the run."
                            ) from error
                        continue
                    if finished.browser_lost:
                        self._browsers.retire(browser)
                    break
        finally:
            # A signal to the whole process group ends the driver too: no fault of the submission.
            if finished is None or (finished.browser_lost and stop.is_set()):
                self._on_abandoned(visit)
            else:
                self._on_finished(finished)


async def _end_after(stop: threading.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.1)
    await asyncio.sleep(STOP_GRACE_S)
    for task in tasks:
        task.cancel()
