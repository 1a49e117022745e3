"""Every key of the dashboard, on a journal that the demo has made: it does what it says.

`WALKS` (tests/tui/walks.py) names each binding by the class that declares it and by its action,
with the keys that lead there and what must hold after. A test fails when a binding is in no walk.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Input

import harness.tui
from harness.assess.criteria import load_criteria
from harness.cli.operations import JournalOperations
from harness.journal.store import Journal
from harness.settings import load_settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from harness.tui.ports import Ports
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.overview import OverviewScreen
from harness.tui.screens.picture import PictureScreen
from harness.tui.widgets.replay_card import ReplayCard, StartingCard
from tests.support.monkey import copied
from tests.tui.fake_ports import FakeEvidence
from tests.tui.support import NEVER_S, at_rest, drive, key_of, look_again, press, text_of, until
from tests.tui.test_actions import FakeChild
from tests.tui.test_picture import png
from tests.tui.walks import STEPS, WALKS, Before, cursor_of, seq_of

pytestmark = pytest.mark.serial

REPLAY_S = 240.0
APART = {
    "test_replays_are_started_stopped_and_continued": {
        ("ShadowApp", "replay"), ("ReplaysScreen", "new"), ("ReplaysScreen", "stop"),
        ("ReplaysScreen", "resume"), *((card, step) for card in ("ReplayCard", "StartingCard")
                                       for step in STEPS),
    },
    "test_evidence_is_drawn_and_opened": {
        ("DifferenceScreen", "picture"), ("DifferenceScreen", "open_evidence"),
        ("PictureScreen", "dismiss"),
    },
    "test_leaving_asks_what_becomes_of_a_replay": {
        ("ShadowApp", "leave"), *(("LeavingScreen", f"answer('{word}')")
                                  for word in ("", "go on", "stop")),
    },
}  # fmt: skip
"""What takes more than a line, by its test."""


def declared() -> dict[tuple[str, str], set[str]]:
    """The keys of every binding of ours, by the class that declares it and its action."""
    found: dict[tuple[str, str], set[str]] = {}
    for module in pkgutil.walk_packages(harness.tui.__path__, "harness.tui."):
        for thing in vars(importlib.import_module(module.name)).values():
            own = isinstance(thing, type) and thing.__module__ == module.name
            for one in vars(thing).get("BINDINGS", ()) if own else ():
                assert isinstance(one, Binding), thing
                keys = {key.strip() for key in one.key.split(",")}
                found.setdefault((thing.__name__, one.action), set()).update(keys)
    return found


def test_every_binding_is_in_a_walk_with_a_key_of_its_own() -> None:
    keys = declared()
    walked = [use for walk in WALKS.values() for use in walk]
    assert {(one.owner, one.action) for one in walked}.union(*APART.values()) == set(keys)
    assert set(APART) <= set(globals())
    for one in walked:
        assert key_name(one.keys[-1]) in keys[one.owner, one.action], one


def key_name(key: str) -> str:
    """As a binding names the key of a character."""
    if len(key) > 1 or key.isalnum():
        return key
    return unicodedata.name(key).lower().replace(" ", "_").replace("-", "_")


@pytest.fixture
def week(rehearsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rehearsal's folder, and the current one."""
    copied(rehearsed, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(folder: Path, **options: Any) -> ShadowApp:
    config, path = folder / "shadow.toml", folder / "shadow.duckdb"
    criteria = load_criteria(load_settings(config, {}))
    newest = Journal.open(path).head().recorded_at
    assert newest is not None
    data = DashboardData(path, criteria, clock=lambda: newest)
    operations = JournalOperations(config, path)
    return at_rest(ShadowApp(data, operations=operations, refresh_s=NEVER_S, **options))


@pytest.mark.parametrize("name", WALKS)
def test_each_key_does_what_it_says(week: Path, name: str) -> None:
    app = opened(week)

    async def scenario(pilot: Pilot[int]) -> None:
        for use in WALKS[name]:
            await press(pilot, *use.keys[:-1])
            before = Before(text_of(app), seq_of(app), app.focused, app.theme, cursor_of(app))
            await press(pilot, use.keys[-1])
            assert use.holds(app, before), (use.owner, use.action, text_of(app))
            await press(pilot, *use.after)

    drive(app, scenario)
    assert app.faults == {}


def test_replays_are_started_stopped_and_continued(week: Path) -> None:
    app = opened(week)

    def runs() -> list[str]:
        shown = app.view.assessment
        return [run.run for run in shown.replays] if shown else []

    async def in_journal(pilot: Pilot[int], name: str) -> None:
        deadline = time.monotonic() + REPLAY_S
        while name not in runs():
            assert time.monotonic() < deadline, app.runs_here[name].last_words()
            await pilot.pause(0.3)
            await look_again(pilot)

    async def ended(pilot: Pilot[int], name: str) -> None:
        deadline = time.monotonic() + REPLAY_S
        while app.runs_here[name].poll() is None:
            assert time.monotonic() < deadline, app.runs_here[name].last_words()
            await pilot.pause(0.1)
        await look_again(pilot)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "m", "R")
        await until(pilot, lambda: len(app.runs_here) == 1)
        (again,) = app.runs_here
        await in_journal(pilot, again)
        await ended(pilot, again)
        assert app.runs_here[again].poll() in (0, 1), app.runs_here[again].last_words()

        await press(pilot, key_of("replays"), "n")
        app.screen.query_one("#field-run", Input).value = "mine"
        await press(pilot, "ctrl+s")
        assert isinstance(app.focused, StartingCard)
        await press(pilot, "down")
        assert isinstance(app.focused, ReplayCard)
        await press(pilot, "up")
        assert isinstance(app.focused, StartingCard)
        await in_journal(pilot, "mine")
        card = next(one for one in app.screen.query(ReplayCard) if one.run.run == "mine")
        card.focus()
        await press(pilot, "down")
        assert app.focused is not card
        await press(pilot, "up", "s")
        assert any("ending what is in hand" in said.message for said in app._notifications)
        await ended(pilot, "mine")
        first = app.runs_here["mine"]

        await press(pilot, "c")
        assert "Continue mine?" in text_of(app)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.runs_here["mine"] is not first)
        await press(pilot, "s")
        await ended(pilot, "mine")

    try:
        drive(app, scenario)
    finally:
        # A replay outlives its dashboard; it must not outlive its test.
        for child in app.runs_here.values():
            child.stop()
            child.log.unlink(missing_ok=True)
    assert app.faults == {}


def test_evidence_is_drawn_and_opened(week: Path) -> None:
    evidence = FakeEvidence()
    evidence.png = png(np.zeros((4, 4, 3), np.uint8), kind=2, filters=[0])
    app = opened(week, ports=Ports(evidence=evidence))

    async def scenario(pilot: Pilot[int]) -> None:
        app.console._color_system = 3  # type: ignore[assignment]
        await press(pilot, "m", "enter", "o")
        assert evidence.opened == ["monday"]
        await press(pilot, "i")
        assert isinstance(app.screen, PictureScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, DifferenceScreen)

    drive(app, scenario)
    assert app.faults == {}


@pytest.mark.parametrize(("key", "stopped"), [("q", False), ("s", True)])
def test_leaving_asks_what_becomes_of_a_replay(week: Path, key: str, stopped: bool) -> None:
    app, child = opened(week), FakeChild()

    async def scenario(pilot: Pilot[int]) -> None:
        app.started.append(child)
        await press(pilot, "q", "escape")
        assert isinstance(app.screen, OverviewScreen)
        await press(pilot, "q", key)

    drive(app, scenario)
    assert app.return_value == 0
    assert child.stopped == stopped
