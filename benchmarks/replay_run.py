"""A whole replay beside a bare Playwright loop, and beside a worker as a company writes it.

1. The built-in worker with sandbox, seal, engine and journal against a loop that does the same
   steps on the same pages, shown by a plain server without TLS: wall and processor time.
2. The same against a worker that starts a browser for each submission, sleeps half a second after
   each step and waits for the network to be idle, unchanged in its own process.
3. That worker at 2, 4, 8 ... at once against its single speed, until the processor is full.
4. Memory over REPLAY_LONG submissions (2,000 take some ten minutes; left out by default), and what
   is left when the run is over.

Each contestant runs in a process of its own, in turn. REPLAY_SUBMISSIONS sets the size. Times are
from the moment at which all is ready, the browser too, to the last outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

SUBMISSIONS = 100
ROUNDS = 2
_EACH = 4
"""Submissions of each of a company's workers."""
AT_ONCE = 4
_HERE = Path(__file__).parent
_COMPANY = "python:listing_worker.submission_runner:run_plan"
_FOLDER = _HERE.parent / "tests" / "workers" / "company"
_BUSY = 0.85
"""Share of the processor from which on more at once cannot be quicker."""


def run() -> None:
    """Print the ratios."""
    size = int(os.environ.get("REPLAY_SUBMISSIONS", SUBMISSIONS))
    with tempfile.TemporaryDirectory(prefix="shadow-replay-") as name:
        folder = Path(name)
        _beside_a_bare_loop(folder, size)
        _beside_a_company_worker(folder, size)
        if long := int(os.environ.get("REPLAY_LONG", 0)):
            _memory(folder, long)


def _beside_a_bare_loop(folder: Path, size: int) -> None:
    rounds = [
        (_contest(folder, "replay", size, AT_ONCE), _contest(folder, "bare", size, AT_ONCE))
        for _ in range(ROUNDS)
    ]
    wall, cpu = (_ratio(rounds, what) for what in ("seconds", "cpu_s"))
    ours, bare = (statistics.median(one[side]["cpu_s"] for one in rounds) for side in (0, 1))
    print(
        f"replay of {size} submissions, {AT_ONCE} at once: {wall:.2f} times the time and {cpu:.2f} "
        f"times the processor time of a bare Playwright loop over the same pages "
        f"({1000 * ours / size:.0f} against {1000 * bare / size:.0f} ms of processor time each); "
        f"medians of {ROUNDS}",
        flush=True,
    )


def _beside_a_company_worker(folder: Path, size: int) -> None:
    single = _contest(folder, _COMPANY, _EACH, 1)
    ours = _contest(folder, "replay", size, AT_ONCE)
    at_once, found = 1, []
    while True:
        at_once *= 2
        several = _contest(folder, _COMPANY, _EACH * at_once, at_once)
        faster = several["per_s"] / single["per_s"]
        busy = several["cpu_s"] / several["seconds"] / (os.cpu_count() or 1)
        found.append(f"{at_once} at once {faster / at_once:.2f} ({busy:.0%} of the processor)")
        if busy >= _BUSY or at_once >= 32:
            break
    print(
        f"a company's worker, unchanged: {60 * single['per_s']:.1f} submissions a minute one at a "
        f"time, {60 * several['per_s']:.1f} at {at_once} at once; the built-in worker "
        f"{60 * ours['per_s']:.0f}: {ours['per_s'] / single['per_s']:.1f} and "
        f"{ours['per_s'] / several['per_s']:.1f} times as many. Speed per worker beside a single "
        f"one: {', '.join(found)}",
        flush=True,
    )


def _memory(folder: Path, size: int) -> None:
    told = _contest(folder, "replay", size, AT_ONCE)
    samples = told["memory_mb"]
    # The first fifth fills caches and pools.
    begin, end = samples[len(samples) // 5 : len(samples) // 2], samples[len(samples) // 2 :]
    print(
        f"memory of a replay of {size:,} submissions: {statistics.median(begin):.0f} MB in its "
        f"first half, {statistics.median(end):.0f} MB in its second; left when it was over: "
        f"{told['processes']} processes, {told['files']} files"
    )


def _ratio(rounds: list[tuple[Mapping[str, Any], Mapping[str, Any]]], what: str) -> float:
    return statistics.median(ours[what] / peer[what] for ours, peer in rounds)


def _contest(folder: Path, what: str, size: int, at_once: int) -> dict[str, Any]:
    """Run one contestant."""
    command = [sys.executable, "-m", "benchmarks.replay_run", str(folder), what, str(size),
               str(at_once)]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="shadow-contest-") as temporary:
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True,
            env={**os.environ, "TMPDIR": temporary},
        )  # fmt: skip
        if ended.returncode:
            raise SystemExit(f"replay_run: {what} failed: {ended.stderr[-2000:]}")
        told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        told["files"] = sum(path.is_file() for path in Path(temporary).rglob("*"))
    return told


def _main(folder: Path, what: str, size: int, at_once: int) -> None:
    memory_mb: list[float] = []
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(memory_mb, over))
    watch.start()
    if what == "bare":
        seconds, cpu_s = asyncio.run(_bare(size, at_once))
    else:
        seconds, cpu_s = _replay(folder, what, size, at_once)
    over.set()
    watch.join()
    told = {
        "seconds": seconds,
        "cpu_s": cpu_s,
        "per_s": size / seconds,
        "memory_mb": memory_mb,
        "processes": len(psutil.Process().children(recursive=True)),
    }
    print(json.dumps(told))


def _cpu_s() -> float:
    """Processor time of this process and of all below it, those that have ended among them."""
    me, total = psutil.Process(), 0.0
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            total += used.user + used.system + used.children_user + used.children_system
    return total


def _watch(memory_mb: list[float], over: threading.Event) -> None:
    """Sample the memory of this process and all below it, shared pages counted once a process."""
    me = psutil.Process()
    while not over.wait(1.0):
        total = 0
        for process in [me, *me.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        memory_mb.append(total / 1e6)


def _replay(folder: Path, what: str, size: int, at_once: int) -> tuple[float, float]:
    """Return seconds of the clock and of the processor."""
    from harness.journal.store import Journal
    from harness.model import Batch
    from replay.run import ReplayConfig, ReplayState, replay
    from replay.worker.choose import make_worker
    from tests.support.events import make_job
    from tests.support.replays import BUSINESS, accepted

    path = folder / f"{what.replace(':', '-')}-{size}-{time.monotonic_ns()}.duckdb"
    journal = Journal.create(path)
    journal.append(Batch(events=(make_job(business_data=BUSINESS), *accepted(size))))
    config = ReplayConfig(run="bench", concurrency=at_once)
    worker = None if what == "replay" else make_worker(what, folder=_FOLDER)
    told: list[tuple[float, float]] = []

    def listen(state: ReplayState) -> None:
        # First of all it tells that it is ready.
        if not told or state.done == size:
            told.append((time.perf_counter(), _cpu_s()))

    state = replay(journal, config, worker=worker, on_progress=listen)
    if not state.finished or state.agreeing != size:
        raise SystemExit(f"replay_run: {state}")
    (began, before), (ended, after) = told[:2]
    return ended - began, after - before


async def _bare(size: int, at_once: int) -> tuple[float, float]:
    """Return seconds of the clock and of the processor."""
    from playwright.async_api import async_playwright

    from benchmarks.replay_seal import BUSINESS, HOST, plain_server
    from harness.model import Order, PlanStep
    from replay.browser import find_browser, launch_browser
    from replay.sandbox.conditions import Condition
    from replay.sandbox.sites import make_site
    from replay.select import synthesise_plan
    from replay.worker.playwright_worker import PlaywrightWorker

    order = Order(job_id="bench", directory=HOST, plan=synthesise_plan(HOST, BUSINESS))
    left = iter(range(size))
    async with (
        async_playwright() as playwright,
        plain_server(make_site(order, Condition.ACCEPTED)) as port,
    ):
        browser = await launch_browser(playwright, find_browser())
        goto = PlanStep(action="goto", url=f"http://127.0.0.1:{port}/submit")
        plain = Order(job_id=order.job_id, directory=HOST, plan=(goto, *order.plan[1:]))

        async def drain() -> None:
            for _ in left:
                context = await browser.new_context()
                claim = await PlaywrightWorker().submit(plain, context)
                if claim.status != "submitted":
                    raise SystemExit(f"replay_run: {claim}")
                await context.close()

        began, before = time.perf_counter(), _cpu_s()
        await asyncio.gather(*(drain() for _ in range(at_once)))
        found = time.perf_counter() - began, _cpu_s() - before
        await browser.close()
    return found


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
