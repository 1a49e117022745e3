"""Replays what a journal recorded, through a worker, in the sandbox; each outcome is an event.

    replay(journal: Journal, config: ReplayConfig, *, worker: Worker | None = None,
           stop: threading.Event | None = None,
           on_progress: Callable[[ReplayState], None] | None = None,
           site_for: SiteMaker = make_site) -> ReplayState

A run has a name. Its first start records what was selected and as of which seq; the same name
continues it with the submissions that have no event yet, whatever ended it before.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import LIVE, Batch, EventDraft
from replay import events
from replay.browser import find_browser
from replay.browsers import Browsers
from replay.engines.local import LocalEngine, default_concurrency
from replay.events import Ended, RunRecord, read_run
from replay.outbox import Outbox
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.sites import SiteMaker, make_site
from replay.sandbox.visit import Visit
from replay.select import Excluded, Replayable, Selected, select_submissions
from replay.submission import Finished
from replay.worker.contract import Timeouts, Worker
from replay.worker.playwright_worker import PlaywrightWorker

_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayConfig:
    """What to replay and how."""

    run: str
    """Name of the run: letters, digits, dot, dash and underscore."""
    jobs: tuple[str, ...] = ()
    """Only these; all where empty."""
    limit: int | None = None
    """So many submissions, the excluded ones among them."""
    seed: int | None = None
    """Shuffles the submissions; without it they keep the control's order of jobs."""
    concurrency: int | None = None
    """How many at once; None fits it to the machine."""
    browser: Path | None = None
    """The Chromium to use; found by itself otherwise."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """Of the built-in worker; also what tells that any worker is stuck."""
    resume: bool = False
    """The run must be there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayState:
    """How far a run is."""

    run: str
    selected: int = 0
    done: int = 0
    """Submissions with an outcome."""
    excluded: int = 0
    agreeing: int = 0
    """Of those done: the worker claims what the control's record says."""
    unconfirmed: int = 0
    """Of those done: it claims "submitted" for what the site never accepted."""
    crashed: int = 0
    escapes: int = 0
    """Attempts to leave the sandbox, all of them stopped."""
    elapsed_s: float = 0.0
    """Of this call, without what a resumed run had done before."""
    rate_per_s: float | None = None
    """Submissions of this call a second, None before the first."""
    finished: bool = False
    """Every selected submission has its event."""

    @property
    def left(self) -> int:
        """Submissions without an event."""
        return self.selected - self.done - self.excluded


def replay(
    journal: Journal,
    config: ReplayConfig,
    *,
    worker: Worker | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[ReplayState], None] | None = None,
    site_for: SiteMaker = make_site,
) -> ReplayState:
    """Carry out a run, or what is left of it, and return how it stands.

    worker: the built-in one if None. stop: set it from any thread to end the run after the
    submissions in hand. on_progress: called in this thread at the start, after each submission and
    at the end. site_for: makes the sites in place of the recorded ones.
    Runs an event loop of its own, in whatever thread it is called; touches no signal handler.
    Raises ReplayError, BrowserError or JournalError; what was finished until then is journaled.
    """
    _check(config)
    with journal.reader() as reader:
        record, head = read_run(reader, config.run), reader.as_of_seq
    if config.resume and record.started is None:
        raise ReplayError(
            f"run = {config.run}: the journal holds no such run. Start it with --run {config.run}"
        )
    config, as_of = _as_started(config, record, head)
    worker = worker or PlaywrightWorker(config.timeouts)
    if record.started is not None and record.started["worker"] != worker.name:
        raise ReplayError(
            f"worker = {worker.name}: run {config.run} was started with "
            f"{record.started['worker']}. Give another --run."
        )
    with journal.reader(as_of) as reader:
        selected = select_submissions(
            reader, jobs=config.jobs, limit=config.limit, seed=config.seed
        )
    run = _Run(config, record, selected, as_of=as_of, on_progress=on_progress)
    if record.finished:
        return run.state
    if not any(isinstance(one, Replayable) for one in run.left):
        opening = run.opening(worker.name, browser_version=None)
        journal.append(Batch(events=(*opening, run.closing()), tier="replay"))
        return run.state
    browser = find_browser(config.browser)
    asyncio.run(run.carry_out(journal, worker, browser, site_for, stop or threading.Event()))
    return run.state


class _Run:
    """One call of `replay`: what is left to do, and how it stands."""

    def __init__(
        self,
        config: ReplayConfig,
        record: RunRecord,
        selected: Sequence[Selected],
        *,
        as_of: int,
        on_progress: Callable[[ReplayState], None] | None,
    ) -> None:
        self._config = config
        self._record = record
        self._as_of = as_of
        self._on_progress = on_progress
        self._concurrency = config.concurrency or default_concurrency()
        self._began = time.monotonic()
        self._done_here = 0
        known = {(ended.job_id, ended.directory) for ended in record.ended}
        self.left = tuple(one for one in selected if one.key not in known)
        self.state = ReplayState(
            run=config.run,
            selected=len(selected),
            escapes=record.escapes,
            finished=record.finished,
        )
        for ended in record.ended:
            self._count(ended)

    async def carry_out(
        self,
        journal: Journal,
        worker: Worker,
        browser: Path,
        site_for: SiteMaker,
        stop: threading.Event,
    ) -> None:
        """Open the sandbox, replay what is left, close everything."""
        asyncio.get_running_loop().set_exception_handler(_report)
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(Sandbox())
            nowhere = await stack.enter_async_context(sandbox.door(sandbox.nobody))
            browsers = await stack.enter_async_context(
                Browsers(browser, args=launch_args(spki=sandbox.spki), proxy=nowhere.address)
            )
            async with browsers.lease() as first:
                version = first.version
            outbox = await stack.enter_async_context(Outbox(journal))
            outbox.put(*self.opening(worker.name, browser_version=version))
            self._tell()

            def finish(done: Finished) -> None:
                # One transaction: whoever has the submission has its escapes too.
                draft = events.submission(self._config.run, done)
                outbox.put(draft, *self._escapes(done.visit), *self._escapes(sandbox.nobody))
                self._done_here += 1
                self._count(Ended.of_finished(done))
                self._tell()

            engine = LocalEngine(
                sandbox=sandbox,
                browsers=browsers,
                worker=worker,
                site_for=site_for,
                timeouts=self._config.timeouts,
                concurrency=self._concurrency,
                on_finished=finish,
                on_abandoned=lambda visit: outbox.put(*self._escapes(visit)),
            )
            await engine.run((one for one in self.left if isinstance(one, Replayable)), stop=stop)
            outbox.put(*self._escapes(sandbox.nobody))
            if not self.state.left:
                outbox.put(self.closing())
        self._tell()

    def opening(self, worker: str, *, browser_version: str | None) -> list[EventDraft]:
        """Events of this call's start: the start itself, and what is excluded."""
        config = self._config
        payload = {
            "worker": worker,
            "selected": self.state.selected,
            "as_of_seq": self._as_of,
            "jobs": config.jobs,
            "limit": config.limit,
            "seed": config.seed,
            "concurrency": self._concurrency,
            "timeouts": asdict(config.timeouts),
            "browser": browser_version,
        }
        drafts = [events.started(config.run, payload, number=self._record.starts)]
        for one in self.left:
            if isinstance(one, Excluded):
                drafts.append(events.excluded(config.run, one))
                self._count(Ended(job_id=one.job_id, directory=one.directory, excluded=True))
        return drafts

    def closing(self) -> EventDraft:
        """The event of a run in which nothing is left."""
        self.state = replace(self.state, finished=True)
        counts = ("done", "excluded", "agreeing", "unconfirmed", "crashed", "escapes")
        return events.finished(
            self._config.run, {name: getattr(self.state, name) for name in counts}
        )

    def _escapes(self, visit: Visit) -> list[EventDraft]:
        """Events of the visit's attempts since the last call."""
        tried = visit.take_escapes()
        self.state = replace(self.state, escapes=self.state.escapes + len(tried))
        return list(events.escapes(self._config.run, tried))

    def _count(self, ended: Ended) -> None:
        state = self.state
        self.state = replace(
            state,
            done=state.done + (not ended.excluded),
            excluded=state.excluded + ended.excluded,
            agreeing=state.agreeing + ended.agrees,
            unconfirmed=state.unconfirmed + ended.unconfirmed,
            crashed=state.crashed + ended.crashed,
        )

    def _tell(self) -> None:
        elapsed_s = time.monotonic() - self._began
        rate = self._done_here / elapsed_s if self._done_here else None
        self.state = replace(self.state, elapsed_s=elapsed_s, rate_per_s=rate)
        if self._on_progress is not None:
            self._on_progress(self.state)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Be silent about a future that Playwright leaves behind when its driver dies; we know."""
    if "reading from the driver" not in str(context.get("exception")):
        loop.default_exception_handler(context)


def _check(config: ReplayConfig) -> None:
    if not _RUN_NAME.fullmatch(config.run) or config.run == LIVE:
        raise ReplayError(
            f"run = {config.run!r} is no name for a run. Use letters, digits, dot, dash and "
            f"underscore, and not {LIVE!r}, which is production."
        )
    for name in ("limit", "concurrency"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ReplayError(f"{name} = {value}: give at least 1.")


def _as_started(config: ReplayConfig, record: RunRecord, head: int) -> tuple[ReplayConfig, int]:
    """The configuration that the run was started with, and as of which seq it selects."""
    if record.started is None:
        return config, head
    began = record.started
    asked = {"jobs": list(config.jobs) or None, "limit": config.limit, "seed": config.seed}
    for name, given in asked.items():
        first = began[name]
        if given is not None and given != first:
            raise ReplayError(
                f"{name} = {given}: run {config.run} was started with {first}. "
                "Give another --run, or leave it out."
            )
    resumed = replace(
        config,
        jobs=tuple(began["jobs"]),
        limit=began["limit"],
        seed=began["seed"],
        timeouts=Timeouts(**began["timeouts"]),
    )
    return resumed, int(began["as_of_seq"])
