"""Replays what a journal recorded, through a worker, in the sandbox; each outcome is an event.

    replay(journal: Journal, config: ReplayConfig, *, worker: AnyWorker | None = None,
           stop: threading.Event | None = None,
           on_progress: Callable[[ReplayState], None] | None = None,
           site_for: SiteMaker | None = None) -> ReplayState

A run has a name. Its first start records what was selected and as of which seq; the same name
continues it with the submissions that have no event yet, whatever ended it before.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any

from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from replay import events
from replay.again import EvidenceKeeper, worth_repeating
from replay.browser import find_browser
from replay.config import ReplayConfig, ReplayState, as_started, check
from replay.engines.local import LocalEngine
from replay.engines.prefect import Engine, PrefectEngine, terms_of
from replay.events import Ended, RunRecord, read_run
from replay.evidence.store import EvidenceStore
from replay.feed import Feed
from replay.machine import Watch, new_pace
from replay.outbox import Outbox
from replay.place import AnyWorker, open_place
from replay.sandbox.dressing import dressing_digest, site_maker
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import SiteMaker
from replay.sandbox.visit import Visit
from replay.schedule import Schedule
from replay.scratch import scratch_folder
from replay.select import Excluded
from replay.selection import Keys, Pair, select_keys
from replay.spool import recover
from replay.submission import Finished
from replay.worker.playwright_worker import PlaywrightWorker
from replay.worker.process import ProcessWorker

__all__ = ["ReplayConfig", "ReplayState", "replay"]


def replay(
    journal: Journal,
    config: ReplayConfig,
    *,
    worker: AnyWorker | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[ReplayState], None] | None = None,
    site_for: SiteMaker | None = None,
) -> ReplayState:
    """Carry out a run, or what is left of it, and return how it stands.

    worker: the built-in one if None. stop: set it from any thread to end the run after the
    submissions in hand. on_progress: called in this thread at the start, after each submission and
    at the end. site_for: makes the sites in place of the recorded ones and those of `config`.
    Runs an event loop of its own, in whatever thread it is called; touches no signal handler.
    Raises ReplayError, BrowserError or JournalError; what was finished until then is journaled.
    """
    check(config)
    recover(journal)
    with journal.reader() as reader:
        record, head = read_run(reader, config.run), reader.as_of_seq
        model = read_run(reader, config.like) if config.like is not None else None
    config, as_of = as_started(config, record, model, head)
    check(config)
    worker = worker or PlaywrightWorker(config.timeouts)
    if record.started is not None and record.started["worker"] != worker.name:
        raise ReplayError(
            f"worker = {worker.name}: run {config.run} was started with "
            f"{record.started['worker']}. Give another --run."
        )
    hurried = isinstance(worker, ProcessWorker) and worker.fast_sleeps
    if record.started is not None and record.started.get("fast_sleeps", False) != hurried:
        raise ReplayError(
            f"fast_sleeps = {hurried}: run {config.run} was started with {not hurried}. "
            "Give another --run."
        )
    for known in filter(None, (record, model)):
        _check_sites(config, known)
    site_for = site_for or site_maker(config.sites, folder=config.archetypes, seed=config.seed)
    with journal.reader(as_of) as reader:
        keys = select_keys(reader, config.selection)
    run = _Run(journal, config, record, keys, as_of=as_of, on_progress=on_progress)
    if not record.finished or run.to_repeat():
        asyncio.run(run.carry_out(worker, site_for, stop or threading.Event()))
    return run.state


def _check_sites(config: ReplayConfig, record: RunRecord) -> None:
    """Other sites are another question: a run that was asked of them answers nothing here."""
    if record.started is None:
        return
    before = record.started.get("sites", "")
    if before != (now := dressing_digest(config.sites, config.archetypes)):
        raise ReplayError(
            f"replay.sites are others ({now or 'none'}) than those that run "
            f"{record.started['run']} was started with ({before or 'none'}). Set them back, or "
            "give a --run of its own."
        )


class _Run:
    """One call of `replay`: what is left to do, and how it stands."""

    def __init__(
        self,
        journal: Journal,
        config: ReplayConfig,
        record: RunRecord,
        keys: Keys,
        *,
        as_of: int,
        on_progress: Callable[[ReplayState], None] | None,
    ) -> None:
        self._journal = journal
        self._config = config
        self._record = record
        self._as_of = as_of
        self._on_progress = on_progress
        self._began = time.monotonic()
        self._done_here = 0
        self._pace = new_pace(config.concurrency)
        self._watch = Watch(self._pace.adapt)
        self._sandbox: Sandbox | None = None
        self._machines: dict[str, str] = {}
        """Names of other machines, by the key of the event that tells of each."""
        self._keys = keys
        self._differing: dict[Pair, Ended] = {}
        self._again = dict(record.again)
        self._escaped: set[str] = set()
        self._opening: list[EventDraft] = []
        self._outbox: Outbox | None = None
        self._out_of_time = False
        self.state = ReplayState(
            run=config.run,
            selected=len(keys),
            escapes=record.escapes,
            finished=record.finished,
            again=len(record.again),
            flaky=sum(record.again.values()),
        )
        for ended in record.ended:
            self._count(ended)

    async def carry_out(
        self, worker: AnyWorker, site_for: SiteMaker, stop: threading.Event
    ) -> None:
        """Open the sandbox, replay what is left, look again at what differs, close everything."""
        asyncio.get_running_loop().set_exception_handler(_report)
        known = (ended.key for ended in self._record.ended)
        feed = self._feed(self._keys.without(known), self._config.schedule or Schedule())
        if not await feed.prime() and not self.to_repeat():
            drafts = (*self._opened(worker.name, {"browser": None}), self._closed())
            self._journal.append(Batch(events=drafts, tier="replay"))
            return
        async with AsyncExitStack() as stack:
            stack.enter_context(scratch_folder())
            outbox = await stack.enter_async_context(Outbox(self._journal, self._config.run))
            here: LocalEngine | None = None
            if self._config.pool is None:
                here = await self._open_here(worker, site_for, outbox, stack)
                await self._drive(here, feed, stop)
            else:
                await self._drive(self._open_pool(worker, outbox), feed, stop)
            self.state = replace(self.state, lag_s=feed.lag_s, at_once=self._pace.most)
            if not self.state.left and not stop.is_set() and not self._out_of_time:
                if here is None and self.to_repeat():
                    here = await self._open_here(worker, site_for, outbox, stack)
                if here is not None:
                    await self._look_again(here, site_for, stop, outbox)
            outbox.put(*self._escapes_of_nobody())
            if not self.state.left and not self.to_repeat():
                outbox.put(self._closed())
        self._tell()

    async def _open_here(
        self, worker: AnyWorker, site_for: SiteMaker, outbox: Outbox, stack: AsyncExitStack
    ) -> LocalEngine:
        """The engine of this machine; its sandbox and place are open as long as `stack`."""
        path = find_browser(self._config.browser)
        self._sandbox = await stack.enter_async_context(Sandbox())
        place = await stack.enter_async_context(open_place(worker, self._sandbox, path))
        await stack.enter_async_context(_beside(self._watch.run()))
        self._announce(worker, place.facts, outbox)
        return LocalEngine(
            place=place,
            site_for=site_for,
            timeouts=self._config.timeouts,
            pace=self._pace,
            watch=self._watch,
            on_finished=self._finish,
            on_abandoned=lambda visit: self._put(*self._escapes(visit)),
        )

    def _open_pool(self, worker: AnyWorker, outbox: Outbox) -> PrefectEngine:
        """The engine of the machines that work for a pool."""
        config = self._config
        assert config.pool is not None

        def join(machine: str, facts: Mapping[str, Any]) -> None:
            self._announce(worker, facts, outbox)
            draft = events.machine(config.run, machine, facts)
            if draft.key not in self._machines:
                self._machines[draft.key] = machine
                self._put(draft)

        return PrefectEngine(
            config.pool,
            terms_of(config, worker),
            on_joined=join,
            on_finished=self._finish,
            on_abandoned=lambda visit: self._put(*self._escapes(visit)),
            on_note=self._note,
        )

    def _announce(self, worker: AnyWorker, facts: Mapping[str, Any], outbox: Outbox) -> None:
        """A place is open: from now on there is a run to be told of."""
        missing = dict.fromkeys((*self.state.not_sealed_by, *facts.get("not_sealed_by", ())))
        self.state = replace(self.state, not_sealed_by=tuple(missing))
        if self._outbox is None:
            outbox.put(*self._opened(worker.name, facts))
            self._outbox = outbox
        self._tell()

    def _note(self, words: str | None) -> None:
        self.state = replace(self.state, note=words)
        self._tell()

    async def _drive(self, engine: Engine, feed: Feed, stop: threading.Event) -> None:
        """Run an engine on a feed until it is through, stopped, or out of time."""
        async with AsyncExitStack() as stack:
            if self._config.max_minutes is not None:
                await stack.enter_async_context(_beside(self._end_in_time(feed)))
            await engine.run(feed, stop=stop)

    async def _look_again(
        self, engine: LocalEngine, site_for: SiteMaker, stop: threading.Event, outbox: Outbox
    ) -> None:
        """Carry out once more, with evidence on, what differs."""
        chosen = self.to_repeat()
        if not chosen:
            return
        keeper = EvidenceKeeper(
            EvidenceStore(self._journal.path),
            run=self._config.run,
            site_for=site_for,
            most_bytes=round(self._config.evidence_mb * 1_000_000),
        )

        def finish(done: Finished) -> None:
            first = self._differing[done.of.key]
            flaky = events.is_flaky(first, done)
            kept = keeper.file(done, first, flaky=flaky)
            draft = events.again(self._config.run, done, first=first, evidence=kept)
            outbox.put(draft, *self._escapes(done.visit))
            self._again[done.of.key] = flaky
            self.state = replace(
                self.state,
                again=len(self._again),
                flaky=sum(self._again.values()),
                evidence=keeper.kept,
            )
            self._tell()

        self._pace.limit = min(self._pace.limit, self._pace.floor)
        feed = self._feed(self._keys.only(chosen), Schedule())
        try:
            await self._drive(engine.again(on_finished=finish, capture=keeper.capture), feed, stop)
        finally:
            self.state = replace(self.state, evidence_dropped=keeper.bound())

    def _finish(self, done: Finished) -> None:
        # One transaction: whoever has the submission has its posts and escapes too.
        draft = events.submission(self._config.run, done)
        posts = events.received(self._config.run, done)
        self._put(draft, *posts, *self._escapes(done.visit), *self._escapes_of_nobody())
        self._done_here += 1
        self._count(Ended.of_finished(done))
        self._tell()

    def _put(self, *drafts: EventDraft) -> None:
        """Into the journal; before the start is told of, behind it."""
        if self._outbox is None:
            self._opening += drafts
        else:
            self._outbox.put(*drafts)

    def _opened(self, worker: str, facts: Mapping[str, Any]) -> list[EventDraft]:
        """Events of this call's start: the start itself, and what is excluded so far."""
        config = self._config
        payload = {
            "worker": worker,
            "selected": self.state.selected,
            "as_of_seq": self._as_of,
            **config.selection.to_payload(),
            "schedule": str(config.schedule or Schedule()),
            "concurrency": config.concurrency or "auto",
            "engine": "local" if config.pool is None else "prefect",
            "sites": dressing_digest(config.sites, config.archetypes),
            "timeouts": asdict(config.timeouts),
            **facts,
        }
        return [events.started(config.run, payload, number=self._record.starts), *self._opening]

    def _closed(self) -> EventDraft:
        """The event of a run in which nothing is left."""
        self.state = replace(self.state, finished=True)
        counts = (
            "done", "excluded", "agreeing", "unconfirmed", "crashed", "escapes", "overloaded",
            "again", "flaky", "at_once", "lag_s",
        )  # fmt: skip
        return events.finished(
            self._config.run, {name: getattr(self.state, name) for name in counts}
        )

    def _feed(self, keys: Keys, schedule: Schedule) -> Feed:
        return Feed(
            self._journal,
            keys.by_time() if schedule.speed is not None else keys,
            as_of=self._as_of,
            schedule=schedule,
            apart=self._pace.bound > 1 and self._config.pool is None,
            on_excluded=self._exclude,
        )

    def _exclude(self, one: Excluded) -> None:
        self._put(events.excluded(self._config.run, one))
        self._count(Ended(job_id=one.job_id, directory=one.directory, excluded=True))

    def to_repeat(self) -> tuple[Pair, ...]:
        """What differs and is still to be looked at again."""
        if not self._config.evidence:
            return ()
        return worth_repeating(
            self._differing.values(),
            known=self._again,
            places=self._keys.places(self._differing),
            most=self._config.evidence,
        )

    async def _end_in_time(self, feed: Feed) -> None:
        assert self._config.max_minutes is not None
        await asyncio.sleep(self._began + 60 * self._config.max_minutes - time.monotonic())
        self._out_of_time = True
        await feed.end()

    def _escapes(self, visit: Visit) -> list[EventDraft]:
        """Events of the visit's attempts since the last call; the same ones again count once."""
        drafts = list(events.escapes(self._config.run, visit.take_escapes()))
        fresh = [draft for draft in drafts if draft.key not in self._escaped]
        self._escaped.update(draft.key for draft in fresh)
        tried = sum(int(draft.payload["count"]) for draft in fresh)
        self.state = replace(self.state, escapes=self.state.escapes + tried)
        return drafts

    def _escapes_of_nobody(self) -> list[EventDraft]:
        return self._escapes(self._sandbox.nobody) if self._sandbox is not None else []

    def _count(self, ended: Ended) -> None:
        state = self.state
        if ended.differs:
            self._differing[ended.key] = ended
        self.state = replace(
            state,
            done=state.done + (not ended.excluded),
            excluded=state.excluded + ended.excluded,
            agreeing=state.agreeing + ended.agrees,
            differing=len(self._differing),
            unconfirmed=state.unconfirmed + ended.unconfirmed,
            crashed=state.crashed + ended.crashed,
            overloaded=state.overloaded + ended.overloaded,
        )

    def _tell(self) -> None:
        elapsed_s = time.monotonic() - self._began
        rate = self._done_here / elapsed_s if self._done_here else None
        self.state = replace(
            self.state,
            elapsed_s=elapsed_s,
            rate_per_s=rate,
            out_of_time=self._out_of_time,
            machines=len(set(self._machines.values())),
            to_repeat=len(self.to_repeat()) if not self.state.left else 0,
        )
        if self._on_progress is not None:
            self._on_progress(self.state)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do this work meanwhile, and end it at the exit."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Be silent about a future that Playwright leaves behind when its driver dies; we know."""
    if "reading from the driver" not in str(context.get("exception")):
        loop.default_exception_handler(context)
