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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from replay.check.judge import judge, judge_run
from replay.check.model import Case, Leftovers, Report, Request, Result, Seen
from replay.check.small_sites import CRASH
from replay.place import AnyWorker, Place, open_place
from replay.sandbox.conditions import Condition
from replay.sandbox.exchange import Hit, Reply, Site
from replay.sandbox.server import Sandbox
from replay.sandbox.visit import Visit
from replay.seal.place import SlotPlace
from replay.select import Replayable
from replay.worker.contract import Timeouts

_GONE_S = 3.0
"""How long processes that were told to end may take for it."""


def check(
    worker: AnyWorker,
    cases: Sequence[Case],
    *,
    browser: Path,
    timeouts: Timeouts,
    on_case: Callable[[Case], None] = lambda case: None,
) -> Report:
    """Run `worker` against `cases` and judge it.

    browser: the Chromium to seal. timeouts: tell when a worker must be stuck. on_case: called
    before each. Runs an event loop of its own. While it runs, the temporary folder of this process
    and its children is a new one, so that files left behind are seen.
    Raises BrowserError, or ReplayError if the worker does not start.
    """
    began = time.monotonic()
    before = {process.pid for process in _descendants()}
    working = Path.cwd()
    here = _names(working)
    with _temporary_folder() as folder:
        results, facts, left = asyncio.run(_run(worker, cases, browser, timeouts, on_case))
        added = tuple(f"./{file}" for file in _names(working) if file not in here)
        left = Leftovers(
            processes=(*left.processes, *_still_there(before)),
            files=(*left.files, *_names(folder), *added),
        )
    return Report(
        worker=worker.name,
        results=tuple(results),
        overall=judge_run(results, left),
        elapsed_s=time.monotonic() - began,
        facts=facts,
    )


async def _run(
    worker: AnyWorker,
    cases: Sequence[Case],
    browser: Path,
    timeouts: Timeouts,
    on_case: Callable[[Case], None],
) -> tuple[list[Result], Mapping[str, Any], Leftovers]:
    results = []
    async with Sandbox() as sandbox, open_place(worker, sandbox, browser) as place:
        for case in cases:
            on_case(case)
            seen = await _see(case, place, timeouts)
            results.append(Result(case=case, seen=seen, findings=judge(case, seen)))
    return results, place.facts, _left_in(place)


def _left_in(place: Place) -> Leftovers:
    """What the slots of a place held when it was closed; a browser of ours leaves none."""
    slots = place.left if isinstance(place, SlotPlace) else []
    return Leftovers(
        processes=tuple(one for slot in slots for one in slot.processes),
        files=tuple(one for slot in slots for one in slot.files),
    )


async def _see(case: Case, place: Place, timeouts: Timeouts) -> Seen:
    watched = _Watched(case.make())
    visit = Visit.of(case.order, watched)
    submission = Replayable(order=case.order, condition=Condition.ACCEPTED)
    cpu_s, began = _cpu_s(), time.perf_counter()
    watched.began = began
    limit_s = timeouts.longest_s(case.order.plan)
    finished = await place.carry_out(submission, visit, limit_s=limit_s, capture=None)
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
