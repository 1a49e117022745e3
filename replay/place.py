"""Where a submission is carried out: a context of a browser of ours, or a slot for a program.

All kinds of worker are driven the same way: a place takes a submission and its visit, and returns
how it ended. How many at once is for whoever drives it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.errors import BrowserError
from replay.browsers import Browsers
from replay.evidence.capture import Capture
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.seal.place import SlotPlace
from replay.select import Replayable
from replay.submission import BrowserLostError, Finished, carry_out
from replay.worker.contract import Worker
from replay.worker.process import ProcessWorker
from replay.worker.stack.worker import StackWorker

AnyWorker = Worker | ProcessWorker | StackWorker

_TRIES = 3


class Place(Protocol):
    """Carries out submissions, several at once."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a run's start tells of it: browser, layers of the seal."""
        ...

    async def carry_out(
        self, submission: Replayable, visit: Visit, *, limit_s: float, capture: Capture | None
    ) -> Finished:
        """Give the order to the worker and return how it ended.

        Raises what ends a whole run: BrowserError or EnvironmentProblem.
        """
        ...


class BrowserPlace:
    """Contexts of shared browsers, for a worker that is given one."""

    def __init__(
        self, worker: Worker, browsers: Browsers, sandbox: Sandbox, *, version: str
    ) -> None:
        self.facts: Mapping[str, Any] = {"browser": version}
        """What a run's start tells of this place."""
        self._worker = worker
        self._browsers = browsers
        self._sandbox = sandbox

    async def carry_out(
        self, submission: Replayable, visit: Visit, *, limit_s: float, capture: Capture | None
    ) -> Finished:
        """See `Place`. A browser that dies before the worker has a page costs nothing."""
        for tries_left in reversed(range(_TRIES)):
            async with self._browsers.lease() as browser:
                try:
                    finished = await carry_out(
                        submission,
                        visit,
                        worker=self._worker,
                        browser=browser,
                        sandbox=self._sandbox,
                        limit_s=limit_s,
                        capture=capture,
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
                return finished
        raise AssertionError("unreachable")


@contextlib.asynccontextmanager
async def open_place(worker: AnyWorker, sandbox: Sandbox, browser: Path) -> AsyncIterator[Place]:
    """Make the place that this worker needs; BrowserError or ReplayError if it cannot be made.

    browser: the Chromium to seal.
    """
    if isinstance(worker, ProcessWorker):
        async with SlotPlace(worker, sandbox, browser) as place:
            yield place
        return
    if isinstance(worker, StackWorker):
        # It reads tables through a journal, which a machine of a pool has no use for.
        from replay.worker.stack.place import StackPlace

        async with StackPlace(worker, sandbox, browser) as stacks:
            yield stacks
        return
    async with contextlib.AsyncExitStack() as stack:
        nowhere = await stack.enter_async_context(sandbox.door(sandbox.nobody))
        browsers = await stack.enter_async_context(
            Browsers(browser, args=launch_args(spki=sandbox.spki), proxy=nowhere.address)
        )
        async with browsers.lease() as first:
            version = first.version
        yield BrowserPlace(worker, browsers, sandbox, version=version)
