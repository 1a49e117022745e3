"""A whole replay beside a bare Playwright loop, and beside a worker as a company writes it.

1. The built-in worker with sandbox, seal, engine and journal against a loop that does the same
   steps on the same pages (`benchmarks/bare_loop.py`): wall and processor time. At most 1.10.
2. The same against a worker that starts a browser for each submission, sleeps half a second after
   each step and waits for the network to be idle, unchanged in its own process. At least 10 times.
3. That worker at 2, 4, 8 ... at once: at least 0.8 of its single speed each, until the processor is
   full. How full it was is measured beside: of the run's own processes, and of all.
4. Memory over REPLAY_LONG submissions (2,000 take some ten minutes; left out by default), and what
   is left when the run is over.

Each contestant runs in a process of its own, in turn. REPLAY_SUBMISSIONS sets the size, REPLAY_ONLY
one of bare, company and memory. Times are from the moment at which all is ready, the browser too,
to the last outcome.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.bare_loop import run_bare
from harness.journal.store import Journal
from harness.model import Batch
from replay.run import ReplayConfig, ReplayState, replay
from replay.select import Replayable, select_submissions
from replay.worker.choose import make_worker
from tests.support.events import make_job
from tests.support.replays import BUSINESS, accepted

SUBMISSIONS = 100
ROUNDS = 3
_EACH = 8
"""Submissions of each of a company's workers: the more, the less the last ones weigh, which have
the machine to themselves."""
AT_ONCE = 4
_HERE = Path(__file__).parent
_COMPANY = "python:listing_worker.submission_runner:run_plan"
_FOLDER = _HERE.parent / "tests" / "workers" / "company"
_MOST_OVERHEAD = 1.10
_LEAST_FASTER = 10.0
_LEAST_SCALING = 0.8
_FULL = 0.90
"""Share of the processor from which on more at once cannot be quicker."""
_OTHERS = 0.10
"""Share of it beyond which others are told of."""
_MOST_AT_ONCE = 16
_MARKS = (0.1, 0.5, 1.0)
"""Shares of the submissions after which memory is told; the median of the tenth up to there."""
_MOST_GROWTH = 1.10
_SAMPLE_EACH = 10
"""Memory is looked at once in so many submissions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """Where the clocks stand."""

    wall_s: float
    own_s: float
    """Processor time of this process and of all below it, and of those that ended and were waited
    for: a browser that is replaced takes what its pages used with it."""
    all_s: float
    """Processor time that anybody took of this machine. Nothing of a contestant is lost here, so
    that it must run alone."""

    def since(self, before: _Moment) -> dict[str, float]:
        """What was used, and what share of all cores that was."""
        seconds = self.wall_s - before.wall_s
        room_s = seconds * (os.cpu_count() or 1)
        own_s, all_s = self.own_s - before.own_s, self.all_s - before.all_s
        return {
            "seconds": seconds,
            "cpu_s": all_s,
            "busy": own_s / room_s,
            "machine_busy": all_s / room_s,
        }


def run() -> None:
    """Print the ratios, and whether each is what it has to be."""
    size = int(os.environ.get("REPLAY_SUBMISSIONS", SUBMISSIONS))
    long = int(os.environ.get("REPLAY_LONG", 0))
    only = os.environ.get("REPLAY_ONLY")
    with tempfile.TemporaryDirectory(prefix="shadow-replay-bench-") as name:
        folder = Path(name)
        if only in (None, "bare"):
            _beside_a_bare_loop(folder, size)
        if only in (None, "company"):
            _beside_a_company_worker(folder, size)
        if long and only in (None, "memory"):
            _memory(folder, long)


def _beside_a_bare_loop(folder: Path, size: int) -> None:
    others = psutil.cpu_percent(2.0) / 100
    # One after the other: what else goes on here hits both.
    rounds = [
        (_contest(folder, "replay", size, AT_ONCE), _contest(folder, "bare", size, AT_ONCE))
        for _ in range(ROUNDS)
    ]
    wall, cpu = (
        statistics.median(ours[what] / peer[what] for ours, peer in rounds)
        for what in ("seconds", "cpu_s")
    )
    ours, bare = (statistics.median(one[side]["cpu_s"] for one in rounds) for side in (0, 1))
    print(
        f"replay of {size} submissions, {AT_ONCE} at once: {wall:.2f} times the time and {cpu:.2f} "
        f"times the processor time of a bare Playwright loop over the same pages "
        f"({1000 * ours / size:.0f} against {1000 * bare / size:.0f} ms of processor time each); "
        f"medians of {ROUNDS}: {_holds(max(wall, cpu) <= _MOST_OVERHEAD)} at most "
        f"{_MOST_OVERHEAD:.2f}; before, others took {others:.0%} of the processor, which counts "
        "for both",
        flush=True,
    )


def _beside_a_company_worker(folder: Path, size: int) -> None:
    single = _contest(folder, _COMPANY, _EACH, 1)
    ours = _contest(folder, "replay", size, AT_ONCE)
    faster = ours["per_s"] / single["per_s"]
    print(
        f"a company's worker, unchanged: {60 * single['per_s']:.1f} submissions a minute one at a "
        f"time; the built-in worker {60 * ours['per_s']:.0f}, {faster:.1f} times as many: "
        f"{_holds(faster >= _LEAST_FASTER)} at least {_LEAST_FASTER:g}",
        flush=True,
    )
    print(_scaling_line(1, 1.0, single), flush=True)
    at_once, wrong, full_at, others = 1, [], None, 0.0
    while at_once < _MOST_AT_ONCE and full_at is None:
        at_once *= 2
        several = _contest(folder, _COMPANY, _EACH * at_once, at_once)
        each = several["per_s"] / single["per_s"] / at_once
        print(_scaling_line(at_once, each, several), flush=True)
        others = several["machine_busy"] - several["busy"]
        if several["machine_busy"] >= _FULL:
            full_at = at_once
        elif each < _LEAST_SCALING:
            wrong.append(str(at_once))
    until = f"the processor is full at {full_at}" if full_at else "it never was full"
    if full_at and others > _OTHERS:
        until += f", and others took {others:.0%} of it: measure again without them"
    print(
        f"  at least {_LEAST_SCALING} each until the processor is full ({until}): "
        + (f"MISSED at {', '.join(wrong)}" if wrong else "holds"),
        flush=True,
    )


def _scaling_line(at_once: int, each: float, told: Mapping[str, Any]) -> str:
    return (
        f"  {at_once} at once: {60 * told['per_s']:.1f} a minute, each at {each:.2f} of the single "
        f"speed; processor {told['busy']:.0%} busy with it, {told['machine_busy']:.0%} in all, "
        f"full {told['full']:.0%} of the time"
    )


def _memory(folder: Path, size: int) -> None:
    told = _contest(folder, "memory", size, AT_ONCE)
    samples = [(done / size, own, below) for done, own, below in told["memory_mb"]]
    found = []
    for mark in _MARKS:
        near = [(own, below) for share, own, below in samples if mark - 0.1 <= share <= mark]
        found.append(tuple(statistics.median(side) for side in zip(*near, strict=True)))
    growth = sum(found[-1]) / sum(found[0])
    left = (told["processes"], told["zombies"], told["files"])
    stages = ", ".join(
        f"{mark:.0%} {own:.0f} + {below:.0f}"
        for mark, (own, below) in zip(_MARKS, found, strict=True)
    )
    print(
        f"memory of a replay of {size:,} submissions in {told['seconds']:.0f} s, MB resident of "
        f"the replayer + of all below it, after {stages}: {growth:.2f} times as much at the end, "
        f"{_holds(growth <= _MOST_GROWTH)} at most {_MOST_GROWTH:.2f}; left when it was over: "
        f"{left[0]} processes, {left[1]} zombies, {left[2]} files: {_holds(not any(left))} none"
    )


def _holds(holds: bool) -> str:
    return "holds" if holds else "MISSED,"


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
        told["per_s"] = size / told["seconds"]
        left = [path for path in Path(temporary).rglob("*") if path.is_file()]
        left += [path for path in folder.iterdir() if path.suffix != ".duckdb"]
        told["files"] = len(left)
        told["processes"] += _those_of(temporary)
    return told


def _those_of(temporary: str) -> int:
    """Processes of a contest that is over."""
    found = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            found += process.environ().get("TMPDIR", "").startswith(temporary)
    return found


def _main(folder: Path, what: str, size: int, at_once: int) -> None:
    memory_mb: list[tuple[int, float, float]] = []
    journal = _journal(folder, what, size)
    if what == "bare":
        used = _bare(journal, at_once)
    else:
        used = _replay(journal, what, size, at_once, memory_mb)
    below = psutil.Process().children(recursive=True)
    zombies = sum(process.status() == psutil.STATUS_ZOMBIE for process in below)
    told = {"memory_mb": memory_mb, "processes": len(below) - zombies, "zombies": zombies}
    print(json.dumps(used | told))


def _now() -> _Moment:
    me, own_s = psutil.Process(), 0.0
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            own_s += used.user + used.system + used.children_user + used.children_system
    everybody = psutil.cpu_times()
    idle_s = everybody.idle + getattr(everybody, "iowait", 0.0)
    return _Moment(
        wall_s=time.perf_counter(), own_s=own_s, all_s=sum(_distinct(everybody)) - idle_s
    )


def _distinct(times: Any) -> list[float]:
    """Guests' time is in that of users already."""
    return [took for name, took in times._asdict().items() if not name.startswith("guest")]


def _resident_mb() -> tuple[float, float]:
    """Memory of this process, and of all below it; shared pages count in each."""
    me, below = psutil.Process(), 0
    for process in me.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            below += process.memory_info().rss
    return me.memory_info().rss / 1e6, below / 1e6


def _journal(folder: Path, what: str, size: int) -> Journal:
    path = folder / f"{what.replace(':', '-')}-{size}-{time.monotonic_ns()}.duckdb"
    journal = Journal.create(path)
    journal.append(Batch(events=(make_job(business_data=BUSINESS), *accepted(size))))
    return journal


def _replay(
    journal: Journal,
    what: str,
    size: int,
    at_once: int,
    memory_mb: list[tuple[int, float, float]],
) -> dict[str, float]:
    watched = what == "memory"
    config = ReplayConfig(run="bench", concurrency=at_once)
    worker = None if watched or what == "replay" else make_worker(what, folder=_FOLDER)
    told: list[_Moment] = []
    looks: list[float] = []
    over = threading.Event()
    looking = threading.Thread(target=_look, args=(looks, over), daemon=True)

    def listen(state: ReplayState) -> None:
        # First of all it tells that it is ready.
        if not told:
            looking.start()
        if not told or state.done == size:
            told.append(_now())
        if state.done == size:
            over.set()
        if watched and state.done % _SAMPLE_EACH == 0:
            memory_mb.append((state.done, *_resident_mb()))

    state = replay(journal, config, worker=worker, on_progress=listen)
    if not state.finished or state.agreeing != size:
        raise SystemExit(f"replay_run: {state}")
    full = sum(busy >= _FULL for busy in looks) / max(1, len(looks))
    return told[1].since(told[0]) | {"full": full}


def _look(looks: list[float], over: threading.Event) -> None:
    """How busy the machine was, each half second: workers in step fill it only now and then."""
    psutil.cpu_percent()
    while not over.wait(0.5):
        looks.append(psutil.cpu_percent() / 100)


def _bare(journal: Journal, at_once: int) -> dict[str, float]:
    with journal.reader() as reader:
        found = select_submissions(reader)
    orders = [one.order for one in found if isinstance(one, Replayable)]
    before, after = asyncio.run(run_bare(orders, at_once, _now))
    return after.since(before)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
