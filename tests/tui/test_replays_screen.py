"""The screen Replays: progress, and runs that are started, stopped and continued from it."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from harness.tui.actions.port import ReplayOrder
from harness.tui.app import ShadowApp
from harness.tui.screens.form import FormScreen
from harness.tui.widgets.replay_card import ReplayCard
from tests.support.assessments import AS_OF, make_assessment, make_replay
from tests.tui.support import FakeData, drive, look_again, make_app, press, text_of
from tests.tui.test_actions import FakeChild, FakeOperations, said

GOING = make_replay("monday", finished_at=None, done=100, rate_per_min=12.0, remaining_s=1800.0)


def acting(*runs: object, **options: object) -> tuple[ShadowApp, FakeOperations, FakeData]:
    data = FakeData(make_assessment(replays=runs or (make_replay(), GOING)))
    operations = FakeOperations(data)
    return make_app(data, operations=operations, **options), operations, data


async def to_replays(pilot: Pilot[int]) -> None:
    await pilot.app.run_action("show_screen('replays')")
    await pilot.pause()


def the_child(operations: FakeOperations) -> FakeChild:
    return operations.child


def test_a_run_is_started_as_the_form_says() -> None:
    app, operations, _ = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        await press(pilot, "n")
        assert isinstance(app.screen, FormScreen)
        app.screen.query_one("#field-run", Input).value = "tuesday"
        app.screen.query_one("#field-limit", Input).value = "50"
        await press(pilot, "ctrl+t", "ctrl+s")
        order = ReplayOrder(run="tuesday", limit="50", worker="playwright", concurrency="auto",
                            differing=True)  # fmt: skip
        assert operations.done == [("run", order)]
        text = text_of(app)
        assert "tuesday" in text
        assert "starting …" in text
        assert "1 of 1 done" in text
        await press(pilot, "s")
        assert the_child(operations).stopped

    drive(app, scenario)


def test_a_run_that_fails_before_its_first_event_shows_its_last_lines() -> None:
    app, operations, _ = acting()

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        await press(pilot, "n", "ctrl+s")
        the_child(operations).code = 2
        await look_again(pilot)
        text = text_of(app)
        assert "ended with code 2" in text
        assert "starting" in text
        assert "1 of 1 done" in text

    drive(app, scenario)


def test_a_run_of_this_dashboard_is_stopped_and_continued() -> None:
    app, operations, _ = acting(GOING)

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        await press(pilot, "s")
        assert "not started by this dashboard" in said(app)
        await press(pilot, "c", "ctrl+s")
        assert operations.done == [
            ("run", ReplayOrder(run="monday", resume=True, worker="playwright",
                                concurrency="auto"))
        ]  # fmt: skip
        await press(pilot, "c")
        assert not isinstance(app.screen, FormScreen), "it is running already"
        await press(pilot, "s")
        child = the_child(operations)
        assert child.stopped
        child.code = 0
        await look_again(pilot)
        assert "stopped: c continues it" in text_of(app)
        await press(pilot, "c")
        assert isinstance(app.screen, FormScreen)

    drive(app, scenario)


def test_the_card_under_the_cursor_is_meant() -> None:
    app, operations, _ = acting(
        make_replay("new", started_at=AS_OF, finished_at=None), make_replay("old", finished_at=None)
    )

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        assert isinstance(app.focused, ReplayCard)
        assert app.focused.run.run == "new"
        await press(pilot, "down", "c", "ctrl+s")
        [(_, order)] = operations.done
        assert isinstance(order, ReplayOrder)
        assert order.run == "old"

    drive(app, scenario)


def test_a_finished_run_is_not_continued() -> None:
    app, operations, _ = acting(make_replay())

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        await press(pilot, "c")
        assert "has come to its end" in said(app)
        assert operations.done == []

    drive(app, scenario)


def test_nothing_is_started_while_the_past_is_shown() -> None:
    app, operations, _ = acting(GOING, as_of=AS_OF)

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        await press(pilot, "n", "s", "c")
        assert said(app).count("looking at the past") == 3
        assert operations.done == []

    drive(app, scenario)


def test_without_a_run_it_says_how_to_start_one() -> None:
    data = FakeData(make_assessment(replays=()))
    app = make_app(data)

    async def scenario(pilot: Pilot[int]) -> None:
        await to_replays(pilot)
        assert "n starts a replay" in text_of(app)

    drive(app, scenario)
