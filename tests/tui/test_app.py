"""The app: what it asks, what it drops, what it says, how it leaves."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest
from textual.message import Message
from textual.pilot import Pilot

from harness.tui.app import ShadowApp
from harness.tui.closing import CLOSING_S
from harness.tui.looked import Moment, Snapshot
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.help import HelpScreen
from harness.tui.screens.moment import MomentScreen
from harness.tui.screens.overview import OverviewScreen
from harness.tui.starting import collect_later
from harness.tui.widgets.navigation import SCREENS
from tests.support.assessments import AS_OF, make_assessment, make_provenance
from tests.tui.support import (
    NEVER_S,
    FakeData,
    FakeTask,
    drive,
    look_again,
    make_app,
    press,
    settle,
    text_of,
    until,
)

BANNER = "THE PAST, NOT NOW"


def test_live_is_said_to_be_live() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        assert "● LIVE 23 Nov 2026 08:30:00 UTC, 3.2 s ago" in text
        assert BANNER not in text

    drive(make_app(), scenario)


def test_the_past_cannot_be_mistaken_for_now_on_any_screen() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        for key in map(str, range(1, len(SCREENS) + 1)):
            await press(pilot, key)
            text = text_of(pilot.app)
            assert f"{BANNER}: as of 21 Nov 2026 08:30:00 UTC, seq 1,200" in text
            assert "LIVE" not in text
            assert pilot.app.screen.has_class("-past")
        await press(pilot, "2", "enter")
        assert isinstance(pilot.app.screen, DifferenceScreen)
        assert BANNER in text_of(pilot.app)

    drive(make_app(as_of=1200), scenario)


def test_landing_elsewhere_than_asked_is_said() -> None:
    class EndsEarly(FakeData):
        def load(self, as_of: Moment | None) -> Snapshot:
            return super().load(None if as_of is None else 1187)

    async def scenario(pilot: Pilot[int]) -> None:
        assert "seq 1,187 (asked for seq 9,999)" in text_of(pilot.app)

    drive(make_app(EndsEarly(), as_of=9999), scenario)


def test_l_goes_back_to_live() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "l")
        assert "LIVE" in text_of(pilot.app)
        assert BANNER not in text_of(pilot.app)

    drive(make_app(as_of=1200), scenario)


def test_brackets_step_through_the_batches() -> None:
    data = FakeData()
    data.steps = {(4236, False): 4200, (4200, False): 4100, (4100, True): 4200}

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        await press(pilot, "]")
        assert app.view.as_of is None
        await press(pilot, "[", "[")
        assert app.view.as_of == 4100
        await press(pilot, "]")
        assert app.view.as_of == 4200
        await press(pilot, "]")
        assert app.view.as_of == 4200
        assert "Nothing was recorded after this moment" in text_of(app)

    drive(make_app(data), scenario)


def test_g_goes_to_a_moment_and_refuses_what_is_none() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "g", "soon", "enter")
        assert isinstance(pilot.app.screen, MomentScreen)
        assert "That is no moment" in text_of(pilot.app)
        await press(pilot, "backspace", "backspace", "backspace", "backspace", "1200", "enter")
        assert shadow(pilot).view.as_of == 1200

    drive(make_app(), scenario)


def test_an_answer_for_a_moment_no_longer_shown_is_dropped() -> None:
    release = threading.Event()

    class SlowPast(FakeData):
        def load(self, as_of: Moment | None) -> Snapshot:
            if as_of == 1200:
                assert release.wait(60)
            return super().load(as_of)

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        app.go_to(1200)
        await pilot.pause()
        assert app.view.snapshot is None
        assert "NO-GO" not in text_of(app).partition("Reading")[0].partition(BANNER)[0]
        app.go_to(None)
        release.set()
        await settle(pilot)
        app.post_message(app.SnapshotLoaded(1200, SlowPast().load(7), 0.0))
        await settle(pilot)
        assert app.view.assessment is not None
        assert app.view.assessment.provenance.seq == 4236
        assert "LIVE" in text_of(app)

    drive(make_app(SlowPast()), scenario)


def test_what_has_changed_is_shown_at_the_next_look() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        assert "2 Differences 14" in text_of(pilot.app)
        data.now = make_assessment(differences=make_assessment().differences[:3])
        await look_again(pilot)
        assert "2 Differences 3" in text_of(pilot.app)

    drive(make_app(data), scenario)


def test_it_looks_again_by_itself() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: len(data.loaded) >= 3)

    drive(make_app(data, refresh_s=0.01), scenario)


def test_going_to_and_fro_leaves_one_round_of_looks() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        for _ in range(4):
            app.go_to(1200)
            await settle(pilot)
            app.go_to(None)
            await settle(pilot)
        waiting = [timer for timer in app._timers if timer._interval == NEVER_S]
        assert len(waiting) == 1

    drive(make_app(), scenario)


def test_trouble_is_words_above_the_last_picture() -> None:
    data = FakeData()

    async def scenario(pilot: Pilot[int]) -> None:
        data.trouble = "week.duckdb: another process kept the journal locked for 2 s."
        await look_again(pilot)
        text = text_of(pilot.app)
        assert "▲ week.duckdb: another process kept the journal locked" in text
        assert "What is shown is older." in text
        assert "Every test job was processed" in text
        data.trouble = None
        await look_again(pilot)
        assert "locked" not in text_of(pilot.app)

    drive(make_app(data), scenario)


def test_without_a_journal_every_screen_says_why() -> None:
    data = FakeData()
    data.now, data.trouble = None, "week.duckdb: there is no journal yet."

    async def scenario(pilot: Pilot[int]) -> None:
        for key in map(str, range(1, len(SCREENS) + 1)):
            await press(pilot, key)
            assert "▲ week.duckdb: there is no journal yet." in text_of(pilot.app)
            assert "looks again by itself" in text_of(pilot.app)
        await press(pilot, "[", "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)

    drive(make_app(data), scenario)


def test_an_unforeseen_failure_is_shown_and_kept_and_the_next_look_still_comes() -> None:
    data = FakeData()
    data.fault = KeyError("colour")

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        await until(pilot, lambda: bool(app.faults))
        await pilot.pause()
        assert "▲ A fault of the dashboard itself: KeyError: 'colour'" in text_of(app)
        data.fault = None
        await until(pilot, lambda: app.view.assessment is not None)
        await pilot.press("q")

    app = drive(make_app(data, refresh_s=0.01), scenario)
    assert app.return_value == 1
    assert list(app.faults) == ["KeyError: 'colour'"]
    assert "Traceback" in app.faults["KeyError: 'colour'"]


def test_a_failure_of_a_screens_own_work_is_shown_too() -> None:
    class Broken(FakeData):
        def detail(self, difference: Any, as_of: Moment | None) -> Any:
            raise ZeroDivisionError("no side")

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "enter")
        await until(pilot, lambda: bool(shadow(pilot).faults))
        await pilot.pause()
        assert "A fault of the dashboard itself: ZeroDivisionError" in text_of(pilot.app)

    drive(make_app(Broken()), scenario)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
def test_leaving_is_clean(key: str) -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await pilot.press(key)

    app = drive(make_app(), scenario)
    assert app.return_value == 0
    assert app.return_code == 0


def test_ctrl_c_leaves_even_from_a_text_field() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "slash", "q")
        assert pilot.app.is_running
        await pilot.press("ctrl+c")

    assert drive(make_app(), scenario).return_value == 0


def test_garbage_is_looked_for_again_once_the_first_screen_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.tui.app.STARTED_S", 0.01)

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, gc.isenabled)
        assert gc.get_freeze_count()

    collect_later()
    try:
        drive(make_app(), scenario)
    finally:
        gc.unfreeze()
        gc.enable()


def test_the_task_stands_on_top_of_every_screen() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        for key in map(str, range(1, len(SCREENS) + 1)):
            await press(pilot, key)
            first = text_of(pilot.app).splitlines()[0]
            assert first.startswith(" rehearsal: traffic 34 of 60 jobs")
            assert "57 %" in first

    drive(make_app(task=FakeTask()), scenario)


def test_without_a_task_there_is_no_line_for_it() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert "NO-GO" in text_of(pilot.app).splitlines()[0]

    drive(make_app(), scenario)


def test_a_finished_task_counts_down_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShadowApp, "TASK_TICK_S", 0.01)
    monkeypatch.setattr(ShadowApp, "CLOSING_TICK_S", 0.01)
    task = FakeTask()

    async def scenario(pilot: Pilot[int]) -> None:
        assert pilot.app.is_running
        task.done = True
        await until(pilot, lambda: not pilot.app.is_running)

    assert drive(make_app(task=task), scenario).return_value == 0


def test_the_countdown_begins_at_ten_and_counts_each_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ShadowApp, "CLOSING_TICK_S", 3600.0)
    task = FakeTask()
    task.done = True

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        assert f"Closing in {CLOSING_S} s; press any key to stay." in text_of(app)
        for left in range(CLOSING_S - 1, 0, -1):
            app._count_down()
            await pilot.pause()
            assert f"Closing in {left} s" in text_of(app)
        assert app.is_running

    drive(make_app(task=task), scenario)


def test_a_tick_that_comes_while_the_dashboard_is_taken_apart_paints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks: list[ShadowApp] = []

    def tick(screen: OverviewScreen) -> None:
        app = screen.app
        assert isinstance(app, ShadowApp)
        app._ask_task()
        ticks.append(app)

    monkeypatch.setattr(OverviewScreen, "on_unmount", tick, raising=False)

    async def scenario(pilot: Pilot[int]) -> None:
        pass

    drive(make_app(task=FakeTask()), scenario)
    assert ticks


def test_any_key_during_the_countdown_keeps_the_dashboard_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ShadowApp, "CLOSING_TICK_S", 3600.0)
    monkeypatch.setattr(ShadowApp, "TASK_TICK_S", 0.01)
    task = FakeTask()
    task.done = True

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        await press(pilot, "z")
        for _ in range(CLOSING_S + 2):
            app._count_down()
        await settle(pilot)
        assert app.is_running
        assert "Press q to leave" in text_of(app).splitlines()[0]
        await pilot.press("q")

    assert drive(make_app(task=task), scenario).return_value == 0


def test_the_help_explains_the_screen_in_front() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "question_mark")
        assert "One row a gate" in text_of(pilot.app)
        await press(pilot, "escape", "5", "question_mark")
        assert "named pattern" in text_of(pilot.app)

    drive(make_app(), scenario)


def test_the_palette_offers_every_screen_and_finds_a_difference() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        titles = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Overview", "Differences", "Replays", "Findings", "Live", "Help"} <= titles
        await press(pilot, "ctrl+p", "molasses")
        await until(pilot, lambda: "timeout: molasses-maps" in text_of(app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, DifferenceScreen))
        await settle(pilot)
        assert "timeout: outcome at molasses-maps.example" in text_of(app)

    drive(make_app(), scenario)


def test_a_screen_that_was_closed_before_it_was_painted_is_let_go() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, DifferenceScreen)
        await press(pilot, "escape")
        pilot.app.post_message(DifferenceScreen.Shown(screen))
        await settle(pilot)
        assert pilot.app._exception is None

    drive(make_app(), scenario)


def test_a_quiet_record_is_said() -> None:
    old = make_provenance(as_of=AS_OF.replace(hour=3))

    async def scenario(pilot: Pilot[int]) -> None:
        assert "▲ quiet: 5h 00m ago" in text_of(pilot.app)

    drive(make_app(FakeData(make_assessment(provenance=old))), scenario)


def test_messages_are_named_for_what_happened() -> None:
    messages: list[Message] = []

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "enter")

    drive(make_app(), scenario, messages=messages)
    names = [type(message).__qualname__ for message in messages]
    wanted = (
        "LookingApp.SnapshotLoaded",
        "ShadowScreen.Shown",
        "DifferencesScreen.Opened",
        "DifferenceScreen.DetailLoaded",
    )
    places = [names.index(name) for name in wanted]
    assert places[2] < places[3]


def shadow(pilot: Pilot[int]) -> ShadowApp:
    assert isinstance(pilot.app, ShadowApp)
    return pilot.app
