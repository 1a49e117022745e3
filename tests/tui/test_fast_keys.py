"""Keys that come faster than screens open, fill and close; each of these has ended the app once."""

from __future__ import annotations

from dataclasses import replace

from rich.style import Style
from textual import events
from textual.command import CommandList
from textual.keys import Keys
from textual.pilot import Pilot
from textual.widgets import DataTable

from harness.tui.app import ShadowApp
from harness.tui.screens.help import HelpScreen
from harness.tui.screens.palette import Palette
from harness.tui.screens.rules import RulesScreen
from harness.tui.widgets.gates import GateRow
from harness.tui.widgets.key_line import KeyLine
from harness.tui.widgets.options import Options
from tests.support.monkey import send
from tests.tui.support import (
    FakeData,
    drive,
    key_of,
    look_again,
    make_app,
    press,
    settle,
    text_of,
)


async def mash(pilot: Pilot[int], *keys: str) -> None:
    """Press keys at once, without waiting for the effect of any."""
    app = pilot.app
    assert isinstance(app, ShadowApp)
    send(app, [events.Key(key, key if len(key) == 1 else None) for key in keys])
    await settle(pilot)
    assert app._exception is None


def test_the_palette_may_be_paged_before_it_is_laid_out_and_closed_twice() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        await mash(pilot, "ctrl+p", "pageup", "pagedown", "x", "pageup")
        assert isinstance(app.screen, Palette)
        await mash(pilot, Keys.Escape, Keys.Escape, "ctrl+p", Keys.Escape, Keys.Escape, "ctrl+p")
        for _ in range(3):
            await mash(pilot, "ctrl+p", "s", Keys.Escape, "ctrl+p", Keys.Escape)
        await mash(pilot, Keys.Escape, Keys.Escape)
        assert "Gates" in text_of(app)

    drive(app, scenario)


def test_a_palette_that_is_closed_before_it_has_opened_is_gone() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        app.push_screen(Palette())
        app.pop_screen()
        await settle(pilot)
        assert app._exception is None
        assert len(app.screen_stack) == 1

    drive(app, scenario)


def test_a_list_of_options_may_be_paged_before_it_is_laid_out() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        options = Options("first", "second")
        app.screen.mount(options)
        options.highlighted = 0
        for page in ("page_down", "page_up"):
            await app.run_action(page, options)
        assert options.highlighted == 0

    drive(app, scenario)


def test_a_screen_that_is_closed_twice_takes_no_other_with_it() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, key_of("differences"), "enter", "question_mark")
        below, card = app.screen_stack[-2:]
        assert isinstance(card, HelpScreen)
        card.dismiss()
        card.dismiss()
        await settle(pilot)
        assert app.screen is below
        # The last one of all would be an exception.
        below.dismiss()
        below.dismiss()
        await settle(pilot)
        assert len(app.screen_stack) == 1

    drive(app, scenario)


def test_a_table_of_rules_that_is_just_empty_highlights_nothing() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, key_of("rules"))
        table = app.screen.query_one(DataTable)
        assert isinstance(app.screen, RulesScreen)
        assert app.screen.chosen() is not None
        table.post_message(DataTable.RowHighlighted(table, -1, None))  # type: ignore[arg-type]
        await settle(pilot)
        assert app._exception is None

    drive(app, scenario)


def test_jobs_are_listed_again_after_a_search_that_found_none() -> None:
    data = FakeData()
    app, rows = make_app(data), data.rows

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, key_of("jobs"))
        for found in ((), rows):
            data.rows = found
            assert data.now is not None
            data.now = replace(data.now, reason=f"{len(found)} found")
            await look_again(pilot)
        assert rows[0].job_id[:8] in text_of(app)

    drive(app, scenario)


def test_a_key_pressed_while_the_screens_are_taken_apart_does_nothing() -> None:
    app = make_app()
    close_all = app._close_all

    async def closed_then_pressed() -> None:
        await close_all()
        await app.on_event(events.Key(key_of("jobs"), key_of("jobs")))

    app._close_all = closed_then_pressed  # type: ignore[method-assign]

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "q")

    drive(app, scenario)
    assert app._exception is None


def test_a_press_of_the_mouse_on_what_has_just_been_taken_away_selects_nothing() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        row = app.screen.query(GateRow).first()
        x, y = row.region.x + 2, row.region.y
        cell = app.screen.get_widget_at(x, y)[0]
        # As its removal does, before the screen is laid out anew.
        parent = cell._parent
        assert parent is not None
        cell._detach()
        assert app.screen._compositor.get_widget_and_offset_at(x, y)[0] is cell, "still painted"
        app.screen._forward_event(
            events.MouseDown(cell, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
        )
        cell._attach(parent)
        await settle(pilot)
        assert app._exception is None

    drive(app, scenario, size=(120, 40))


def test_a_click_on_an_option_that_has_gone_chooses_nothing() -> None:
    options = Options(*"abc", id="few")

    async def scenario(pilot: Pilot[int]) -> None:
        await pilot.app.screen.mount(options)
        await pilot.pause()
        clicked = events.Click(options, 2, 2, 0, 0, 1, False, False, False)
        clicked._style = Style(meta={"option": 2})
        options.clear_options()
        options.post_message(clicked)
        await pilot.pause()
        assert pilot.app._exception is None
        assert options.highlighted is None

    drive(make_app(), scenario)


def test_a_click_on_a_command_that_has_gone_chooses_nothing() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "ctrl+p")
        commands = app.screen.query_one(CommandList)
        clicked = events.Click(commands, 2, 2, 0, 0, 1, False, False, False)
        clicked._style = Style(meta={"option": 10_000})
        commands.post_message(clicked)
        await settle(pilot)
        assert app._exception is None

    drive(app, scenario)


def test_keys_that_were_painted_once_are_let_go() -> None:
    app = make_app()

    async def scenario(pilot: Pilot[int]) -> None:
        footer = app.screen.query_one(KeyLine)
        for _ in range(5):
            footer.call_next(footer.recompose)
            await settle(pilot)
        watchers = getattr(footer, "__watchers")["compact"]
        assert 0 < len(watchers) <= len(footer.children)

    drive(app, scenario)
