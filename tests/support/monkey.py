"""Random keys and mouse events over a dashboard on a live journal, from a seed.

    .venv/bin/python -m tests.support.monkey --folder demo-output/rehearsal-… --inputs 20000

It works on a copy of the folder's journal, which grows meanwhile, and prints what it held.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from textual.pilot import Pilot

from harness.assess.criteria import load_criteria
from harness.cli.operations import JournalOperations, ReplayProcess
from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, EventDraft, EventKind, Source
from harness.settings import load_settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
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
WRITE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was held after so many inputs."""

    inputs: int
    rss_mb: float
    widgets: int
    screens: int


class NoReplay(JournalOperations):
    """A monkey would start a hundred browsers."""

    def replay(self, *, job_id: str, directory: str) -> ReplayProcess:
        raise ReplayError(f"a monkey replays nothing (job {job_id} at {directory})")


def let_loose(
    folder: Path, *, inputs: int, seed: int, tell: Callable[[Held], None] = lambda _: None
) -> list[Held]:
    """Play over the journal of `folder`, a copy; AssertionError where anything went wrong."""
    path, config = folder / "shadow.duckdb", folder / "shadow.toml"
    before = kinds(path)
    held: list[Held] = []

    async def scenario(pilot: Pilot[int]) -> None:
        await _play(pilot, inputs=inputs, seed=seed, tell=lambda one: (held.append(one), tell(one)))

    app = ShadowApp(
        DashboardData(path, load_criteria(load_settings(config, {}))),
        operations=NoReplay(config, path),
        refresh_s=2.0,
    )
    with chdir(folder), _growing(path) as written:
        drive(app, scenario, size=(100, 30))
    added = kinds(path) - before
    assert added[EventKind.MARK] == sum(written) > 0
    assert set(added) - {EventKind.MARK} <= SAID, added
    assert verify(path).clean
    first = held[max(0, len(held) // 4 - 1)]
    assert held[-1].rss_mb - first.rss_mb < GROWTH_MB, held
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
    for number in range(1, inputs + 1):
        await _one(pilot, chance)
        # After an exception the app is gone, and further keys would prove nothing.
        assert app._exception is None, (number, seed, app._exception)
        assert app.is_running, (number, seed)
        if app.faults:
            raise AssertionError(
                f"after {number} inputs of seed {seed}:\n{next(iter(app.faults.values()))}"
            )
        if number % every == 0 or number == inputs:
            await _leave_cards(pilot)
            gc.collect()
            screens = [screen for stack in app._screen_stacks.values() for screen in stack]
            tell(
                Held(
                    inputs=number,
                    rss_mb=process.memory_info().rss / 1e6,
                    widgets=sum(1 for screen in screens for _ in screen.walk_children()),
                    screens=len(screens),
                )
            )


async def _leave_cards(pilot: Pilot[int]) -> None:
    """Escape leads out of every card; a form that is being written ends by itself."""
    deadline = time.monotonic() + DEADLINE_S
    while not isinstance(pilot.app.screen, ShadowScreen):
        assert time.monotonic() < deadline, f"no way out of {pilot.app.screen}"
        await pilot.press("escape")


async def _one(pilot: Pilot[int], chance: random.Random) -> None:
    width, height = pilot.app.size
    place = (chance.randrange(width), chance.randrange(height))
    kind = chance.random()
    if kind < 0.55:
        await pilot.press(chance.choice(PRINTED))
    elif kind < 0.85:
        await pilot.press(chance.choice(NAMED))
    elif kind < 0.95:
        await pilot.click(offset=place, times=chance.choice((1, 1, 2)))
    else:
        await pilot.hover(offset=place)


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
