"""Runs a worker against the cases, one after another, and watches what it does and leaves.

The way to the worker is that of a replay. One case at a time, so that CPU and time are its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness.errors import BrowserError
from replay.browsers import Browsers
from replay.check.judge import judge, judge_run
from replay.check.model import Case, Leftovers, Report, Request, Result, Seen
from replay.check.small_sites import CRASH
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.seal import launch_args
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.select import Replayable
from replay.submission import BrowserLostError, Finished, carry_out
from replay.worker.contract import Timeouts, Worker

_GONE_S = 3.0
"""How long processes that were told to end may take for it."""
_TRIES = 3

CarryOut = Callable[[Replayable, Visit], Awaitable[Finished]]
"""Gives one submission to the worker under test and returns how it ended."""
Carrier = Callable[[Sandbox], AbstractAsyncContextManager[CarryOut]]
"""Makes the way to a worker in an open sandbox, and closes it."""


def in_context(worker: Worker, browser: Path, timeouts: Timeouts) -> Carrier:
    """The way of a replay to a worker that is given a sealed browser context."""

    @asynccontextmanager
    async def carrier(sandbox: Sandbox) -> AsyncIterator[CarryOut]:
        async with (
            sandbox.door(sandbox.nobody) as nowhere,
            Browsers(
                browser, args=launch_args(spki=sandbox.spki), proxy=nowhere.address
            ) as browsers,
        ):

            async def carry(submission: Replayable, visit: Visit) -> Finished:
                limit_s = timeouts.longest_s(submission.order.plan)
                for _ in range(_TRIES):
                    async with browsers.lease() as leased:
                        try:
                            finished = await carry_out(
                                submission,
                                visit,
                                worker=worker,
                                browser=leased,
                                sandbox=sandbox,
                                limit_s=limit_s,
                            )
                        except BrowserLostError:
                            browsers.retire(leased)
                            continue
                        if finished.browser_lost:
                            browsers.retire(leased)
                        return finished
                raise BrowserError(
                    f"The browser died {_TRIES} times before it had a page. "
                    "See whether memory is short, then check again."
                )

            # The first start of a browser is no part of the first case.
            async with browsers.lease():
                pass
            yield carry

    return carrier


def check(
    name: str,
    carrier: Carrier,
    cases: Sequence[Case],
    *,
    on_case: Callable[[Case], None] = lambda case: None,
) -> Report:
    """Run the worker `name` against `cases` and judge it.

    on_case: called before each. Runs an event loop of its own. While it runs, the temporary folder
    of this process and its children is a new one, so that files left behind are seen.
    Raises BrowserError.
    """
    began = time.monotonic()
    before = {process.pid for process in _descendants()}
    working = Path.cwd()
    here = _names(working)
    with _temporary_folder() as folder:
        results = asyncio.run(_run(carrier, cases, on_case))
        left = Leftovers(
            processes=_still_there(before),
            files=(*_names(folder), *(f"./{file}" for file in _names(working) if file not in here)),
        )
    return Report(
        worker=name,
        results=tuple(results),
        overall=judge_run(results, left),
        elapsed_s=time.monotonic() - began,
    )


async def _run(
    carrier: Carrier, cases: Sequence[Case], on_case: Callable[[Case], None]
) -> list[Result]:
    results = []
    async with Sandbox() as sandbox, carrier(sandbox) as carry:
        for case in cases:
            on_case(case)
            seen = await _see(case, carry)
            results.append(Result(case=case, seen=seen, findings=judge(case, seen)))
    return results


async def _see(case: Case, carry: CarryOut) -> Seen:
    watched = _Watched(case.make())
    visit = Visit.of(case.order, watched)
    submission = Replayable(order=case.order, condition=Condition.ACCEPTED)
    cpu_s, began = _cpu_s(), time.perf_counter()
    watched.began = began
    finished = await carry(submission, visit)
    wall_s = time.perf_counter() - began
    claim = finished.claim
    return Seen(
        claim=claim,
        wall_s=wall_s,
        cpu_s=max(0.0, _cpu_s() - cpu_s),
        requests=tuple(watched.requests),
        crashed=finished.crashed,
        stuck=(claim.error_text or "").startswith("stuck:"),
        escapes=tuple(escape.url for escape in visit.escapes),
    )


@dataclass(slots=True)
class _Watched:
    """A site that notes what it is asked and when."""

    site: Site
    began: float = 0.0
    requests: list[Request] = field(default_factory=list)

    def answer(self, hit: Hit) -> Reply | None:
        """Let the site answer."""
        reply = self.site.answer(hit)
        self.requests.append(
            Request(
                at_s=round(time.perf_counter() - self.began, 3),
                method=hit.method,
                address=f"{hit.path}?{hit.query}" if hit.query else hit.path,
                status=reply.status if reply is not None else None,
                accepts=reply is not None and reply.accepts,
                values=hit.values if hit.method == "POST" else {},
            )
        )
        if CRASH in hit.asked:
            _kill_pages()
        return reply


def _kill_pages() -> None:
    """Kill the processes in which pages live, as memory that runs out does."""
    for process in _descendants():
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in process.cmdline():
                process.send_signal(signal.SIGKILL)


def _descendants() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _cpu_s() -> float:
    """Seconds of CPU of this process and all below it, those that have ended included."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def _still_there(before: set[int]) -> tuple[str, ...]:
    """Names of the processes below this one that were not there before and do not end."""
    deadline = time.monotonic() + _GONE_S
    while left := [process for process in _descendants() if process.pid not in before]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    names = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            names.append(f"{process.name()} ({process.pid})")
    return tuple(names)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A new temporary folder, which everything that asks for one gets."""
    former, cached = os.environ.get("TMPDIR"), tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="shadow-check-", ignore_cleanup_errors=True) as name:
        os.environ["TMPDIR"], tempfile.tempdir = name, None
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = cached
            if former is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = former


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir()))
