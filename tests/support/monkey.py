"""Random keys and mouse events over a dashboard on a live journal, from a seed.

    .venv/bin/python -m tests.support.monkey --folder demo-output/rehearsal-… --inputs 20000

It works on a copy of the folder's journal, which grows meanwhile, and prints what it held. Inputs
come in bursts, as from a person who mashes keys: only after a burst is the app left to settle.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from harness.assess.criteria import load_criteria
from harness.cli.dashboard_ports import EvidenceBeside
from harness.cli.operations import JournalOperations, ReplayProcess
from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, EventDraft, EventKind, Source
from harness.settings import load_settings
from harness.tui.actions.port import ReplayOrder
from harness.tui.app import ShadowApp
from harness.tui.beside import DataBeside
from harness.tui.data import DashboardData
from harness.tui.ports import Ports
from harness.tui.screens.base import ShadowScreen
from tests.tui.support import DEADLINE_S, drive

PRINTED = "abcdefghijklmnoprstuvwxyzABCDEGHIJKLMNOPRSTUVWXYZ0123456789@[]{}()<>/?.,:-+* "
"""Without q and Q: leaving is tested elsewhere, and would end the run."""
NAMED = (
    "up", "down", "left", "right", "enter", "escape", "tab", "shift+tab", "home", "end",
    "pageup", "pagedown", "backspace", "delete", "ctrl+p", "ctrl+t", "ctrl+s", "f1", "f5",
)  # fmt: skip
SAID = frozenset({EventKind.TRIAGE, EventKind.ATTEST, EventKind.WAIVE})
"""What a person, and so a monkey, may add to a journal."""
GROWTH_MB = 80.0
"""Memory that random use may add after its first part, which fills caches."""
BESIDE_MOST_MB = 800.0
"""What the two processes beside may take; the second is begun when it is first asked."""
LONGEST_BURST = 20
PATIENCE_S = 0.5
"""How long a burst waits at most for what works beside the screen, such as a search."""
WRITE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was held after so many inputs."""

    inputs: int
    rss_mb: float
    """Of the process that paints."""
    beside_mb: float
    """Of the processes that look into the journal for it."""
    widgets: int
    screens: int


class NoReplay(JournalOperations):
    """A monkey would start a hundred browsers."""

    def replay(self, *, job_id: str, directory: str) -> ReplayProcess:
        raise ReplayError(f"a monkey replays nothing (job {job_id} at {directory})")

    def run_replay(self, order: ReplayOrder) -> ReplayProcess:
        raise ReplayError(f"a monkey replays nothing (run {order.run})")


def let_loose(
    folder: Path, *, inputs: int, seed: int, tell: Callable[[Held], None] = lambda _: None
) -> list[Held]:
    """Play over the journal of `folder`, a copy; AssertionError where anything went wrong."""
    path, config = folder / "shadow.duckdb", folder / "shadow.toml"
    before = kinds(path)
    held: list[Held] = []

    def keep(one: Held) -> None:
        held.append(one)
        tell(one)

    async def scenario(pilot: Pilot[int]) -> None:
        await _play(pilot, inputs=inputs, seed=seed, tell=keep)

    criteria = load_criteria(load_settings(config, {}))
    data = DataBeside(partial(DashboardData, path, criteria), criteria)
    # Before the app takes stderr over, which a new process would have to inherit.
    data.start()
    app = ShadowApp(
        data,
        operations=NoReplay(config, path, on_criteria=data.judge_by),
        ports=Ports(evidence=EvidenceBeside(path)),
    )
    try:
        with chdir(folder), _growing(path) as written:
            drive(app, scenario, size=(100, 30))
    finally:
        data.close()
    added = kinds(path) - before
    assert added[EventKind.MARK] == sum(written) > 0
    assert set(added) - {EventKind.MARK} <= SAID, added
    assert verify(path).clean
    first, last = held[max(0, len(held) // 4 - 1)], held[-1]
    assert last.rss_mb - first.rss_mb < GROWTH_MB, held
    assert max(one.beside_mb for one in held) < BESIDE_MOST_MB, held
    return held


def kinds(path: Path) -> Counter[str]:
    """Events by kind."""
    with Journal.open(path).reader() as reader:
        return Counter(dict(reader.rows("SELECT kind, count(*) FROM events GROUP BY kind")))


@contextmanager
def _growing(path: Path) -> Iterator[list[int]]:
    """Append a note from time to time: how many events each time."""
    ended = threading.Event()
    written: list[int] = []

    def record() -> None:
        while True:
            event = EventDraft(
                source=Source.OPERATOR, kind=EventKind.MARK, key=f"mark:monkey:{len(written)}",
                occurred_at=datetime.now(UTC),
                payload={"what": "note", "value": "tick", "by": "Ana", "note": None},
            )  # fmt: skip
            written.append(Journal(path).append(Batch(events=(event,), tier="operator")).new)
            if ended.wait(WRITE_EVERY_S):
                return

    writer = threading.Thread(target=record)
    writer.start()
    try:
        yield written
    finally:
        ended.set()
        writer.join()


async def _play(
    pilot: Pilot[int], *, inputs: int, seed: int, tell: Callable[[Held], object]
) -> None:
    chance, app, process = random.Random(seed), pilot.app, psutil.Process()
    assert isinstance(app, ShadowApp)
    # The palette offers to leave, and to write a picture somewhere.
    app.exit = lambda *_, **__: None  # type: ignore[method-assign]
    app.deliver_screenshot = lambda *_, **__: None  # type: ignore[method-assign]
    every = max(1, min(500, inputs // 8))
    done = 0
    while done < inputs:
        burst = min(chance.randint(1, LONGEST_BURST), inputs - done, every - done % every)
        for _ in range(burst):
            send(app, _one(chance, *app.size))
        done += burst
        await _settle(pilot)
        # After an exception the app is gone, and further keys would prove nothing.
        assert app._exception is None, (done, seed, app._exception)
        assert app.is_running, (done, seed)
        if app.faults:
            raise AssertionError(
                f"after {done} inputs of seed {seed}:\n{next(iter(app.faults.values()))}"
            )
        if done % every == 0 or done == inputs:
            await _leave_cards(pilot)
            gc.collect()
            screens = [screen for stack in app._screen_stacks.values() for screen in stack]
            tell(
                Held(
                    inputs=done,
                    rss_mb=process.memory_info().rss / 1e6,
                    beside_mb=sum(map(_rss_mb, process.children(recursive=True))),
                    widgets=sum(1 for screen in screens for _ in screen.walk_children()),
                    screens=len(screens),
                )
            )


def send(app: ShadowApp, sent: Iterable[events.Event]) -> None:
    """Hand events over as the terminal's driver does; it waits for no effect."""
    driver = app._driver
    assert driver is not None
    for event in sent:
        driver.process_message(event)


async def _settle(pilot: Pilot[int]) -> None:
    """Let every widget work off its messages; wait for workers as long as a person would.

    `tests.tui.support.settle` waits for an idle processor, and for a search through all moments.
    """
    app = pilot.app
    await pilot._wait_for_screen()
    deadline = time.monotonic() + PATIENCE_S
    while any(worker.is_running for worker in app.workers) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    await pilot._wait_for_screen()


def _rss_mb(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_info().rss) / 1e6
    return 0.0


async def _leave_cards(pilot: Pilot[int]) -> None:
    """Escape leads out of every card; a form that is being written ends by itself."""
    deadline = time.monotonic() + DEADLINE_S
    while not isinstance(pilot.app.screen, ShadowScreen):
        assert time.monotonic() < deadline, f"no way out of {pilot.app.screen}"
        await pilot.press("escape")


def _one(chance: random.Random, width: int, height: int) -> list[events.Event]:
    """The events of one input: a key, a click or two, a turn of the wheel, a drag, a move."""
    kind = chance.random()
    if kind < 0.55:
        printed = chance.choice(PRINTED)
        return [events.Key(printed if printed.isalnum() else _character_to_key(printed), printed)]
    if kind < 0.85:
        return [events.Key(chance.choice(NAMED), None)]
    here = (chance.randrange(width), chance.randrange(height))
    if kind < 0.93:
        click = (_mouse(events.MouseDown, here, 1), _mouse(events.MouseUp, here, 1))
        return [_mouse(events.MouseMove, here), *click, *(click if chance.random() < 0.3 else ())]
    if kind < 0.95:
        return [_mouse(chance.choice((events.MouseScrollDown, events.MouseScrollUp)), here)]
    if kind < 0.97:
        there = (chance.randrange(width), chance.randrange(height))
        return [
            _mouse(events.MouseMove, here), _mouse(events.MouseDown, here, 1),
            _mouse(events.MouseMove, there, 1), _mouse(events.MouseUp, there, 1),
        ]  # fmt: skip
    return [_mouse(events.MouseMove, here)]


def _mouse(kind: type[events.MouseEvent], at: tuple[int, int], button: int = 0) -> events.Event:
    x, y = at
    return kind(
        None, x=x, y=y, delta_x=0, delta_y=0, button=button, shift=False, meta=False, ctrl=False
    )


def main() -> int:
    """Play; return the exit code."""
    parser = argparse.ArgumentParser(description="Random keys over the dashboard.")
    parser.add_argument("--folder", type=Path, required=True, help="of a rehearsal")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()

    def tell(held: Held) -> None:
        print(f"{time.monotonic() - began:7.0f} s  {held}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = copied(options.folder, Path(name))
        os.environ["XDG_STATE_HOME"] = name
        let_loose(folder, inputs=options.inputs, seed=options.seed, tell=tell)
    print("no exception, memory within its bound, only what persons may say was added")
    return 0


def copied(folder: Path, to: Path) -> Path:
    """A copy of a rehearsal's journal and settings; returns `to`."""
    shutil.copy(folder / "shadow.duckdb", to)
    lines = (folder / "shadow.toml").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("journal")]
    (to / "shadow.toml").write_text("\n".join(['journal = "shadow.duckdb"', *kept]))
    return to


if __name__ == "__main__":
    sys.exit(main())
