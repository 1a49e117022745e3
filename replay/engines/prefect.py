"""Carries out submissions on the machines that work for a Prefect work pool.

The feed of a run is cut into units. Each has a flow run, which only names it; the machine that
Prefect gives it to fetches the unit from the collector, carries it out with the local engine, and
reports. Prefect finds machines and shows what they do; what counts is what the collector hears. So
a machine that dies is known by its silence, whether Prefect has noticed or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from harness.errors import ReplayError, ShadowError
from harness.model import Claim, Outcome
from harness.prefect_api import PrefectApi
from replay.collector.book import Book
from replay.collector.pool import PoolConfig
from replay.collector.service import Collector
from replay.collector.wire import Go, Terms
from replay.config import ReplayConfig
from replay.engines.prefect_pool import FINAL, RunState, WorkPool
from replay.feed import Feed
from replay.place import AnyWorker
from replay.sandbox.dressing import dressing_digest
from replay.sandbox.visit import Visit
from replay.select import Replayable
from replay.submission import Finished
from replay.worker.choose import spec_of

LEAST_UNIT = 20
"""Below this a flow run costs more for its start than it carries out."""
_PLACES_EACH = 2
"""Flow runs that are open for each worker: one that it carries out, one that waits."""
_TICK_S = 0.2
_LOOK_S = 3.0
"""How often Prefect is asked for its workers and the states of open flow runs."""
_START_S = 180.0
"""So long a flow run may be on its way from Prefect to its first word."""
_NO_WORKER_S = 8.0
_GRACE_S = 12.0
"""After a stop: a report's pause, what is in hand, and the last report."""
_END_S = 20.0
"""A flow run has so long to end after its machine said that it is through."""
_REFUSALS = 3
"""So many in a row, while no machine carries out anything, end the run."""


class Engine(Protocol):
    """Takes submissions from a feed and sees to it that each has an outcome."""

    async def run(self, feed: Feed, *, stop: threading.Event) -> None:
        """Return once the feed is through, or early once `stop` is set or the feed was ended."""
        ...


def unit_size(left: int, places: int, *, most: int) -> int:
    """How many submissions to put into the next unit.

    A part of what is left, so that the last units are small and all machines end together; within
    `LEAST_UNIT` and `most`. places: units that are carried out at once.
    """
    return min(most, max(LEAST_UNIT, math.ceil(left / max(1, places))))


def terms_of(config: ReplayConfig, worker: AnyWorker) -> Terms:
    """What holds for every unit of a run. ReplayError for a worker that has no words."""
    return Terms(
        run=config.run,
        worker=spec_of(worker),
        timeouts=config.timeouts,
        concurrency=config.concurrency,
        seed=config.seed,
        sites=dict(config.sites),
        archetypes=str(config.archetypes.absolute()) if config.archetypes else None,
        dressing=dressing_digest(config.sites, config.archetypes),
    )


class PrefectEngine:
    """One call of a run on the machines of a pool.

    on_joined: called with name and facts of a machine, for each unit that it begins. on_finished,
    on_abandoned: as of the local engine. on_note: what hinders the run just now; None: nothing.
    """

    def __init__(
        self,
        config: PoolConfig,
        terms: Terms,
        *,
        on_joined: Callable[[str, Mapping[str, Any]], None],
        on_finished: Callable[[Finished], None],
        on_abandoned: Callable[[Visit], None],
        on_note: Callable[[str | None], None],
    ) -> None:
        self._config = config
        self._run_name = terms.run
        self._on_joined = on_joined
        self._on_finished = on_finished
        self._on_note = on_note
        self._book = Book(name=secrets.token_hex(8), lease_s=config.lease_s)
        self._pool = WorkPool(PrefectApi(config.api_url, key=config.api_key), config.name)
        self._collector = Collector(
            config,
            terms,
            self._book,
            on_joined=self._join,
            on_finished=self._finish,
            on_abandoned=on_abandoned,
            on_refused=self._refuse,
            on_ended=self._close,
        )
        self._dead: dict[str, str] = {}
        """Units whose machine will not be heard of again, and why."""
        self._runs: dict[str, str] = {}
        """Flow runs that are not known to have ended, by their unit."""
        self._returned: deque[tuple[Replayable, ...]] = deque()
        """Units to be handed out again."""
        self._drained = False
        self._refusals: list[str] = []
        self._workers = 0
        self._since_s: dict[str, float] = {}
        """When a flow run that nobody asked for yet left Prefect's queue."""
        self._hindered: str | None = None
        """What keeps work from being begun, by the last look at Prefect."""
        self._happened: str | None = None
        """The last mishap, until a machine begins a unit."""

    async def run(self, feed: Feed, *, stop: threading.Event) -> None:
        """See `Engine`. Raises ReplayError, SourceError, or an error of the callbacks."""
        await asyncio.to_thread(self._pool.open, self._run_name)
        async with self._collector:
            look = asyncio.create_task(self._keep_looking())
            try:
                await self._work(feed, stop, look)
            finally:
                self._collector.go = Go.STOP
                look.cancel()
                await asyncio.wait({look})
                await self._tidy()
                self._tell(hindered=None, happened=None)

    async def _work(self, feed: Feed, stop: threading.Event, look: asyncio.Task[None]) -> None:
        deadline_s = math.inf
        while True:
            if self._collector.failure is not None:
                raise self._collector.failure
            if look.done():
                look.result()
            if len(self._refusals) >= _REFUSALS and not self._book.taken:
                raise ReplayError(self._refusals[-1])
            for unit in self._book.expired(now_s=time.monotonic()):
                machine = self._book.handouts[unit].machine
                self._dead[unit] = f"{machine} was silent for {self._config.lease_s:g} s"
            while self._dead:
                await self._lose(*self._dead.popitem())
            if stop.is_set() or feed.ended:
                if stop.is_set() and self._collector.go is not Go.STOP:
                    self._collector.go = Go.STOP
                    deadline_s = time.monotonic() + _GRACE_S
                elif self._collector.go is Go.ON:
                    self._collector.go = Go.END
                if not self._book.taken or time.monotonic() > deadline_s:
                    return
            else:
                await self._hand_out(feed)
                if self._drained and not self._book.handouts and not self._returned:
                    return
            await asyncio.sleep(_TICK_S)

    async def _hand_out(self, feed: Feed) -> None:
        """Make flow runs until each worker has its work and some to come."""
        places = _PLACES_EACH * max(1, self._workers)
        while len(self._book.handouts) < places and not feed.ended:
            submissions = self._returned.popleft() if self._returned else ()
            if not submissions:
                size = unit_size(feed.left, places, most=self._config.unit)
                submissions = await self._next(feed, size)
            if not submissions:
                return
            unit = self._book.add(submissions)
            try:
                self._runs[unit] = await asyncio.to_thread(
                    self._pool.submit, self._run_name, unit, self._collector.url
                )
            except ShadowError as error:
                self._returned.append(self._book.close(unit))
                self._tell(hindered=str(error))
                await asyncio.sleep(_LOOK_S)
                return

    async def _next(self, feed: Feed, size: int) -> tuple[Replayable, ...]:
        found: list[Replayable] = []
        while len(found) < size and not self._drained:
            due = await feed.take(slow=False)
            if due is None:
                self._drained = not feed.ended
                break
            found.append(due.submission)
        return tuple(found)

    def _join(self, machine: str, facts: Mapping[str, Any]) -> None:
        self._tell(happened=None)
        self._on_joined(machine, facts)

    def _finish(self, done: Finished) -> None:
        self._refusals.clear()
        self._on_finished(done)

    def _close(self, unit: str) -> None:
        """A machine is through with a unit: what it had not begun goes to another."""
        if left := self._book.close(unit):
            self._returned.append(left)

    def _refuse(self, unit: str, words: str) -> None:
        """A machine cannot carry out anything; others may."""
        self._refusals.append(words)
        self._tell(happened=words)
        self._close(unit)

    async def _lose(self, unit: str, why: str) -> None:
        """Nothing more is to be expected of whoever has this unit."""
        loss = self._book.lose(unit)
        self._returned.extend(loss.again)
        for submission in loss.given_up:
            self._on_finished(_given_up(submission, why, tries=self._book.most_tries))
        self._tell(happened=f"{why}; what it had not finished is handed out again")
        if (run := self._runs.pop(unit, None)) is not None:
            with contextlib.suppress(ShadowError):
                await asyncio.to_thread(self._pool.end, run, "CRASHED", why)

    async def _keep_looking(self) -> None:
        """See now and then who works for the pool, and what became of flow runs."""
        seen_s = time.monotonic()
        while True:
            try:
                self._workers = await asyncio.to_thread(self._pool.workers)
                runs = {run: unit for unit, run in self._runs.items()}
                states = await asyncio.to_thread(self._pool.states, runs)
            except ShadowError as error:
                # Machines that are at work do not need Prefect; new ones will when it is back.
                self._tell(hindered=str(error))
            else:
                now_s = time.monotonic()
                seen_s = now_s if self._workers else seen_s
                missing = now_s - seen_s > _NO_WORKER_S
                self._tell(hindered=self._no_worker() if missing else None)
                for run, unit in runs.items():
                    self._see(unit, states.get(run, RunState(type="CANCELLED")), now_s)
            await asyncio.sleep(_LOOK_S)

    def _no_worker(self) -> str:
        return (
            f"no worker polls the pool {self._pool.name}; start one on each machine: "
            f"prefect worker start --type process --limit 2 --pool '{self._pool.name}'"
        )

    def _see(self, unit: str, state: RunState, now_s: float) -> None:
        """Draw the conclusions from where the flow run of a unit is."""
        handout = self._book.handouts.get(unit)
        if state.type in FINAL:
            self._runs.pop(unit, None)
        if handout is None:
            return
        how = f"{state.type}: {_one_line(state.message)}"
        if handout.machine is not None:
            # While it lives it reports, whatever Prefect says. Only an end that it did not tell of
            # itself is news; to wait for its silence would take longer.
            if state.type == "CANCELLED":
                self._close(unit)
            elif state.type in FINAL:
                self._dead[unit] = f"{handout.machine} ended without a word ({how})"
        elif state.type in FINAL:
            self._refuse(unit, f"a flow run ended before it asked for its orders ({how})")
        elif state.type == "SCHEDULED":
            self._since_s.pop(unit, None)
        elif now_s - self._since_s.setdefault(unit, now_s) > _START_S:
            self._refuse(unit, f"a machine took a flow run and said nothing for {_START_S:g} s")

    async def _tidy(self) -> None:
        """Leave no flow run behind that waits or seems to run."""
        deadline_s = time.monotonic() + _END_S
        with contextlib.suppress(ShadowError):
            # Those whose machine is through end by themselves, and show so in Prefect.
            through = [run for unit, run in self._runs.items() if unit not in self._book.handouts]
            while through and time.monotonic() < deadline_s:
                await asyncio.sleep(_TICK_S)
                states = await asyncio.to_thread(self._pool.states, through)
                through = [run for run, state in states.items() if state.type not in FINAL]
            await asyncio.to_thread(self._pool.sweep, self._run_name)

    def _tell(self, **words: str | None) -> None:
        """Say what hinders the run, if that is news: `hindered` or `happened`."""
        before = (self._hindered, self._happened)
        self._hindered = words.get("hindered", self._hindered)
        self._happened = words.get("happened", self._happened)
        if before != (now := (self._hindered, self._happened)):
            self._on_note("; ".join(filter(None, now)) or None)


def _given_up(submission: Replayable, why: str, *, tries: int) -> Finished:
    text = f"crash of the worker: given up after {tries} machines were lost with it; {why}"
    return Finished(
        of=submission,
        visit=Visit(
            job_id=submission.order.job_id,
            directory=submission.order.directory,
            authorities=frozenset(),
            site=None,
        ),
        claim=Claim(status=Outcome.FAILED, duration_ms=0.0, error_text=text),
        crashed=True,
    )


def _one_line(text: str | None) -> str:
    return " ".join((text or "no reason given").split())[:300]
