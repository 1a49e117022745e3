"""The dashboard over a real journal that the demo has made: walk, actions, monkey, browser."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from textual.pilot import Pilot

from harness.assess.criteria import load_criteria
from harness.assessment import Difference
from harness.cli.operations import JournalOperations
from harness.journal.verify import verify
from harness.model import EventKind
from harness.settings import load_settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from harness.tui.screens.difference import DifferenceScreen
from replay.browser import find_browser
from tests.support.monkey import copied, kinds, let_loose
from tests.support.processes import Shadow
from tests.support.served import served
from tests.tui.support import NEVER_S, drive, press, text_of

pytestmark = pytest.mark.serial

INPUTS, SEED = 150, 20261123
"""A part of what ``python -m tests.support.monkey`` does."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short rehearsal."""
    folder = tmp_path_factory.mktemp("dashboard")
    demo = Shadow(
        ["demo", "--jobs", "16", "--speed", "300", "--no-browser", "--keep", "kept"], cwd=folder
    )
    ended = demo.wait(240)
    assert ended.code == 0, ended.err
    (found,) = (folder / "kept").glob("rehearsal-*")
    return found


@pytest.fixture
def week(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the rehearsal's folder, and the current one."""
    copied(recorded, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(folder: Path, operations: JournalOperations | None = None, **options: Any) -> ShadowApp:
    config = folder / "shadow.toml"
    settings = load_settings(config, {})
    return ShadowApp(
        DashboardData(folder / "shadow.duckdb", load_criteria(settings)),
        operations=operations or JournalOperations(config, folder / "shadow.duckdb"),
        **{"refresh_s": NEVER_S, **options},
    )


def spoken(folder: Path) -> Counter[str]:
    """Events of the journal, by kind."""
    return kinds(folder / "shadow.duckdb")


def test_from_the_costliest_cause_to_the_report_takes_at_most_twelve_keys(week: Path) -> None:
    app = opened(week)
    before = spoken(week)
    pressed: list[str] = []

    async def walk(pilot: Pilot[int], *keys: str) -> str:
        pressed.extend(keys)
        await press(pilot, *keys)
        return " ".join(text_of(app).split())

    async def scenario(pilot: Pilot[int]) -> None:
        shown = app.view.assessment
        assert shown is not None
        live = [one for one in shown.clusters if one.mode == "live"]
        costliest = max(live, key=lambda one: one.cost)
        assert f"cluster:{costliest.id}" in await walk(pilot, "m")
        evidence = await walk(pilot, "enter")
        assert isinstance(app.screen, DifferenceScreen)
        assert "Both sides" in evidence
        target = app.target()
        assert isinstance(target, Difference)
        assert target.cluster == costliest.id
        form = await walk(pilot, "t")
        assert "now," in form
        assert "without it" in form
        await walk(pilot, "enter", "enter")
        after = app.view.assessment
        assert after is not None
        said = {one.target: one for one in after.triage}
        assert said[costliest.id].label.value == "candidate-bug"
        await walk(pilot, "w", "enter")

    drive(app, scenario, size=(80, 24))
    assert len(pressed) <= 12
    assert "candidate-bug" in (week / "report" / "report.html").read_text()
    assert spoken(week) - before == {EventKind.TRIAGE: 1}
    assert verify(week / "shadow.duckdb").clean


def test_every_action_does_what_it_says_on_a_real_journal(week: Path) -> None:
    app = opened(week)
    before = spoken(week)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "a", "enter")
        await press(pilot, "enter")
        said = app.view.assessment
        assert said is not None
        assert [one.by for one in said.statements] == [app.author]
        gates = [gate.gate for phase in said.phases for gate in phase.gates]
        await press(pilot, "V", "enter", "one risk", "enter")
        waived = app.view.assessment
        assert waived is not None
        assert waived.waivers[0].gate in gates
        assert waived.waivers[0].reason == "one risk"
        await press(pilot, "m", "t", "enter", "enter", "u", "enter")
        taken = app.view.assessment
        assert taken is not None
        assert taken.triage == ()
        await press(pilot, "y")
        assert f"seq {taken.provenance.seq:,}" in app.clipboard
        await press(pilot, "escape", "E", "[", "w", "enter")

    drive(app, scenario)
    assert app.faults == {}
    assert spoken(week) - before == {
        EventKind.TRIAGE: 2, EventKind.ATTEST: 1, EventKind.WAIVE: 1,
    }  # fmt: skip
    assert len(list(week.glob("shadow-differences-seq-*"))) == 2
    assert len(list(week.glob("report-as-of-*/report.html"))) == 1
    assert verify(week / "shadow.duckdb").clean


def test_a_replay_is_started_in_a_process_of_its_own_and_told(week: Path) -> None:
    operations = JournalOperations(week / "shadow.toml", week / "shadow.duckdb")
    process = operations.replay(job_id="no-such-job", directory="maple.example")
    app = opened(week, operations)

    async def scenario(pilot: Pilot[int]) -> None:
        app.post_message(app.ReplayStarted(process))
        while app.started or process.poll() is None:
            await pilot.pause(0.1)

    drive(app, scenario)
    assert process.poll() == 2
    assert process.last_words().startswith("shadow: ")
    process.log.unlink()


def test_random_keys_and_clicks_break_nothing(week: Path) -> None:
    held = let_loose(week, inputs=INPUTS, seed=SEED)
    assert held[-1].inputs == INPUTS


def test_in_a_browser_the_overview_appears_a_filter_is_typed_and_a_difference_opened(
    week: Path,
) -> None:
    arguments = ["watch", "--config", "shadow.toml", "--journal", "shadow.duckdb"]
    state = {"XDG_STATE_HOME": str(week / "state")}
    says = "words => window.shown().includes(words)"
    with (
        served(arguments, environ=state) as address,
        sync_playwright() as driver,
        driver.chromium.launch(executable_path=find_browser()) as browser,
    ):
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function(says, arg="NO-GO", timeout=60_000)
        page.keyboard.press("2")
        page.wait_for_function(says, arg="differences; Enter opens one", timeout=30_000)
        # The line of keys tells who has them: the filter, or the list again.
        page.keyboard.press("/")
        page.wait_for_function(f"words => !({says})(words)", arg="⏎ Open", timeout=30_000)
        page.keyboard.type("mode:live submitted")
        page.wait_for_function(says, arg="mode:live submitted", timeout=30_000)
        page.keyboard.press("Enter")
        page.wait_for_function(says, arg="⏎ Open", timeout=30_000)
        page.keyboard.press("Enter")
        page.wait_for_function(says, arg="Both sides", timeout=30_000)
        page.keyboard.press("q")
        page.wait_for_function("() => document.title === 'closed'", timeout=30_000)
    assert list((week / "state").rglob("watch-*.json"))
