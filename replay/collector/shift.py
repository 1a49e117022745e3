"""Carries out one unit on this machine, with the engine and the sandbox of a local run."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from harness.errors import ReplayError, ShadowError
from harness.settings import TOKEN_VARIABLE
from replay.browser import find_browser
from replay.collector.courier import CollectorError, Courier
from replay.collector.pool import read_token
from replay.collector.version import code_version
from replay.collector.wire import Go, Opening, Report, Result, Unit
from replay.engines.local import LocalEngine
from replay.feed import Due
from replay.machine import Watch, new_pace
from replay.place import open_place
from replay.sandbox.conditions import KEEPS_WAITING
from replay.sandbox.dressing import dressing_digest, site_maker
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import SiteMaker
from replay.sandbox.visit import Escape, Visit
from replay.scratch import scratch_folder
from replay.select import Replayable
from replay.selection import Pair
from replay.submission import Finished
from replay.worker.playwright_worker import PlaywrightWorker


class RefusedError(Exception):
    """This machine could not carry out its unit. The collector has been told why."""


def carry_out_unit(url: str, unit: str) -> int:
    """Fetch a unit, carry it out, bring the results; return how many.

    The token is read from the environment, and taken out of it: neither browser nor worker shall
    know it. Raises ShadowError, CollectorError or RefusedError; none of them holds recorded data.
    """
    courier = Courier(url, read_token(os.environ))
    os.environ.pop(TOKEN_VARIABLE, None)
    opening = Opening(unit=unit, machine=socket.gethostname(), version=code_version())
    return asyncio.run(Shift(courier, courier.open(opening)).work())


class UnitFeed:
    """The submissions of one unit, in their order; see `replay.feed.Supply`."""

    def __init__(self, submissions: Iterable[Replayable], *, apart: bool) -> None:
        """apart: whether those whose site never answers are handed out beside the others."""
        self.in_hand: set[Pair] = set()
        """Begun; whoever hears of their end takes them out."""
        self._ended = False
        self._queues: dict[bool, deque[Replayable]] = {False: deque(), True: deque()}
        for submission in submissions:
            self._queues[apart and submission.condition in KEEPS_WAITING].append(submission)

    @property
    def ended(self) -> bool:
        """Whether nothing more is handed out."""
        return self._ended

    async def take(self, *, slow: bool) -> Due | None:
        """The next one; None: no more."""
        queue = self._queues[slow]
        return Due(submission=queue.popleft(), due_s=0.0) if queue and not self._ended else None

    def begun(self, due: Due) -> None:
        """Note that it is in hand."""
        self.in_hand.add(due.submission.key)

    async def end(self) -> None:
        """Hand out nothing more."""
        self._ended = True


class Shift:
    """One unit, from its fetching to its last report."""

    def __init__(self, courier: Courier, unit: Unit) -> None:
        self._courier = courier
        self._unit = unit
        self._pace = new_pace(unit.terms.concurrency)
        self._feed = UnitFeed(unit.submissions, apart=self._pace.bound > 1)
        self._stop = threading.Event()
        self._results: list[Result] = []
        self._escapes: list[Escape] = []
        self._lost: CollectorError | None = None
        self._brought = 0

    async def work(self) -> int:
        """Carry the unit out, and return how many of its submissions have a result."""
        try:
            await self._work()
        except CollectorError:
            raise
        except Exception as error:
            words = str(error) if isinstance(error, ShadowError) else _unforeseen(error)
            await self._report(refused=words)
            # Not as a cause: a traceback goes to Prefect, and may quote what was recorded.
            raise RefusedError(f"{type(error).__name__}; the collector has its words") from None
        if self._lost is not None:
            raise self._lost
        return self._brought

    async def _work(self) -> None:
        terms = self._unit.terms
        worker = terms.worker.make() or PlaywrightWorker(terms.timeouts)
        site_for = self._site_maker()
        async with AsyncExitStack() as stack:
            stack.enter_context(scratch_folder())
            sandbox = await stack.enter_async_context(Sandbox())
            place = await stack.enter_async_context(open_place(worker, sandbox, find_browser()))
            watch = Watch(self._pace.adapt)
            engine = LocalEngine(
                place=place,
                site_for=site_for,
                timeouts=terms.timeouts,
                pace=self._pace,
                watch=watch,
                on_finished=self._finish,
                on_abandoned=self._abandon,
            )
            await self._report(facts=place.facts)
            beside = [asyncio.create_task(watch.run()), asyncio.create_task(self._keep_in_touch())]
            try:
                await engine.run(self._feed, stop=self._stop)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)
            self._escapes += sandbox.nobody.take_escapes()
        if self._lost is None:
            await self._report(ended=True)

    def _site_maker(self) -> SiteMaker:
        terms = self._unit.terms
        folder = Path(terms.archetypes) if terms.archetypes else None
        site_for = site_maker(terms.sites, folder=folder, seed=terms.seed)
        if dressing_digest(terms.sites, folder) != terms.dressing:
            raise ReplayError(
                f"replay.archetypes = {folder}: its files are not those of the run. Copy them here."
            )
        return site_for

    def _finish(self, done: Finished) -> None:
        self._feed.in_hand.discard(done.of.key)
        self._results.append(Result.of(done))

    def _abandon(self, visit: Visit) -> None:
        self._escapes += visit.take_escapes()

    async def _keep_in_touch(self) -> None:
        """Report every second or so, and do as the collector says."""
        while not self._stop.is_set():
            await asyncio.sleep(self._unit.terms.report_every_s)
            try:
                go = await self._report()
            except CollectorError as error:
                self._lost = error
                go = Go.GONE
            if go is Go.END:
                await self._feed.end()
            elif go is not Go.ON:
                self._stop.set()

    async def _report(
        self,
        *,
        facts: Mapping[str, Any] | None = None,
        ended: bool = False,
        refused: str | None = None,
    ) -> Go:
        report = Report(
            unit=self._unit.unit,
            facts=dict(facts) if facts is not None else None,
            results=tuple(self._results),
            escapes=tuple(self._escapes),
            in_hand=tuple(sorted(self._feed.in_hand)),
            ended=ended,
            refused=refused,
        )
        go = await asyncio.to_thread(self._courier.report, report)
        del self._results[: len(report.results)]
        del self._escapes[: len(report.escapes)]
        self._brought += len(report.results)
        return go


def _unforeseen(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}".rstrip(": ")
