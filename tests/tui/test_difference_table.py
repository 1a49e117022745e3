"""The table of differences in use: keys, mouse, groups, order, views, completion."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from harness.assessment import Difference
from harness.tui.listing import Group
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.views import ViewsScreen
from harness.tui.widgets.difference_table import DifferenceTable, columns, fitted
from tests.support.assessments import make_assessment, make_difference
from tests.tui.support import FakeData, drive, make_app, press, settle, text_of

ALL = make_assessment().differences
CLUSTERS = make_assessment().clusters


def table_of(pilot: Pilot[int]) -> DifferenceTable:
    return pilot.app.screen.query_one(DifferenceTable)


def screen_of(pilot: Pilot[int]) -> DifferencesScreen:
    assert isinstance(pilot.app.screen, DifferencesScreen)
    return pilot.app.screen


def test_causes_stand_above_their_differences_and_open_and_close() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "c")
        table = table_of(pilot)
        assert table.row_count == len(ALL) + len(CLUSTERS)
        assert isinstance(table.chosen, Difference)
        assert table.chosen.id == ALL[0].id
        await press(pilot, "home")
        head = table.chosen
        assert isinstance(head, Group)
        assert head.cluster == CLUSTERS[0]
        assert (
            "▾ Control finished, candidate stayed silent  4 differences, cost 0.96 points"
            in text_of(pilot.app)
        )
        assert screen_of(pilot).target() == CLUSTERS[0]
        await press(pilot, "enter")
        assert table.row_count == len(ALL) + len(CLUSTERS) - 4
        # What is shown counts, not what is open; and a new look keeps it closed.
        assert f"{len(ALL)} of {len(ALL)} differences under 10 causes" in text_of(pilot.app)
        await press(pilot, "s")
        assert table.row_count == len(ALL) + len(CLUSTERS) - 4
        await press(pilot, " ")
        assert table.row_count == len(ALL) + len(CLUSTERS)

    drive(make_app(), scenario, first=("2",))


def test_keys_and_titles_sort_and_the_cursor_stays_on_its_difference() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        table = table_of(pilot)
        await press(pilot, "down", "down")
        chosen = table.chosen
        assert isinstance(chosen, Difference)
        await press(pilot, "s", "s")
        assert "Directory ↑" in text_of(pilot.app)
        assert table.chosen == chosen
        at = sorted(one.directory for one in ALL).index(chosen.directory)
        assert table.cursor_row == at
        await press(pilot, "S")
        assert "Directory ↓" in text_of(pilot.app)
        assert table.cursor_row == len(ALL) - 1 - at
        await pilot.click(DifferenceTable, offset=(3, 0))
        await settle(pilot)
        assert "What ↑" in text_of(pilot.app)
        await pilot.click(DifferenceTable, offset=(3, 0))
        await settle(pilot)
        assert "What ↓" in text_of(pilot.app)

    drive(make_app(), scenario, first=("2",))


def test_the_mouse_chooses_opens_and_scrolls() -> None:
    many = tuple(make_difference("timeout", n, f"d{n}.example") for n in range(1, 500))
    data = FakeData(make_assessment(differences=many, clusters=()))

    async def scenario(pilot: Pilot[int]) -> None:
        table = table_of(pilot)
        await pilot.click(DifferenceTable, offset=(5, 4))
        await settle(pilot)
        assert table.cursor_row == 3
        await pilot._post_mouse_events([events.MouseScrollDown],
                                       widget=DifferenceTable, offset=(5, 4))  # fmt: skip
        await settle(pilot)
        assert table.scroll_offset.y > 0
        assert table.cursor_row == 3
        top = table.scroll_offset.y
        await pilot.click(DifferenceTable, offset=(5, 9))
        await pilot.click(DifferenceTable, offset=(5, 9))
        await settle(pilot)
        assert isinstance(pilot.app.screen, DifferenceScreen)
        assert pilot.app.screen.target() == many[top + 8]

    drive(make_app(data), scenario, first=("2",))


def test_pages_and_ends() -> None:
    many = tuple(make_difference("timeout", n, f"d{n}.example") for n in range(1, 501))
    data = FakeData(make_assessment(differences=many, clusters=()))

    async def scenario(pilot: Pilot[int]) -> None:
        table = table_of(pilot)
        room = table.scrollable_content_region.height - 1
        await press(pilot, "pagedown")
        assert table.cursor_row == room
        await press(pilot, "end", "down")
        assert table.cursor_row == 499
        assert "d500.example" in text_of(pilot.app)
        await press(pilot, "pageup")
        assert table.cursor_row == 499 - room
        await press(pilot, "enter", "n")
        assert f"{501 - room} of 500" in text_of(pilot.app)

    drive(make_app(data), scenario, first=("2",))


def test_what_the_filter_does_not_understand_is_said_beside_it() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "slash", "colour:red", "enter")
        assert "0 of 14 differences" in text_of(pilot.app)
        assert "▲ colour: names no part" in text_of(pilot.app)
        await press(pilot, "x", "slash", "since:soon", "enter")
        assert "14 of 14 differences" in text_of(pilot.app)
        assert "▲ since:soon is no duration" in text_of(pilot.app)
        # The stand-in had 100 events an hour up to seq 4236.
        await press(pilot, "x", "slash", "since:35h", "enter")
        wanted = sum(one.seq > 4236 - 3500 for one in ALL)
        assert 0 < wanted < 14
        assert f"{wanted} of 14 differences" in text_of(pilot.app)

    drive(make_app(), scenario, first=("2",))


def test_the_table_waits_until_typing_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DifferencesScreen, "DEBOUNCE_S", 3600.0)

    async def scenario(pilot: Pilot[int]) -> None:
        pilot.app.screen.query_one(Input).focus()
        for letter in "captcha":
            await pilot.press(letter)
        await pilot.pause()
        assert screen_of(pilot).is_typing
        assert table_of(pilot).row_count == 14
        await press(pilot, "enter")
        assert table_of(pilot).row_count == 1
        assert not screen_of(pilot).is_typing

    drive(make_app(), scenario, first=("2",))


def test_a_word_is_completed_from_what_occurs() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "slash", "dir:map", "right")
        assert pilot.app.screen.query_one(Input).value == "dir:maple-listings.example"
        assert table_of(pilot).row_count == 1

    drive(make_app(), scenario, first=("2",))


def test_a_view_is_saved_brought_back_kept_for_the_next_run_and_forgotten() -> None:
    saved: dict[str, object] = {}

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "slash", "kind:missing_candidate", "enter", "c", "s", "v")
        assert isinstance(pilot.app.screen, ViewsScreen)
        await press(pilot, "silent ones", "enter")
        await press(pilot, "x", "c")
        assert table_of(pilot).row_count == 14
        await press(pilot, "v", "enter")
        assert pilot.app.screen.query_one(Input).value == "kind:missing_candidate"
        assert table_of(pilot).row_count == 5
        assert "What ↑" in text_of(pilot.app)
        saved.update(screen_of(pilot).save_state())

    drive(make_app(), scenario, first=("2",))

    async def later(pilot: Pilot[int]) -> None:
        screen = screen_of(pilot)
        screen.restore_state(saved)  # type: ignore[arg-type]
        await settle(pilot)
        assert table_of(pilot).row_count == 5
        await press(pilot, "v", "d", "escape")
        assert screen.save_state()["views"] == {}
        screen.restore_state({"views": {"x": 3, "y": {"sort": "no such", "grouped": "yes"}}})
        assert screen.save_state()["views"] == {
            "y": {"filter": "", "sort": None, "descending": False, "grouped": False}
        }

    drive(make_app(), later, first=("2",))


def test_new_differences_above_leave_the_cursor_where_it_is_on_the_screen() -> None:
    many = tuple(make_difference("timeout", n, f"d{n}.example") for n in range(1, 300))
    newer = tuple(make_difference("captcha", n, f"new{n}.example") for n in range(300, 320))
    data = FakeData(make_assessment(differences=many, clusters=()))

    async def scenario(pilot: Pilot[int]) -> None:
        table = table_of(pilot)
        await press(pilot, "pagedown", "pagedown")
        chosen, height = table.chosen, table.cursor_row - table.scroll_offset.y
        data.now = make_assessment(differences=(*newer, *many), clusters=())
        app = pilot.app
        app.look(None)  # type: ignore[attr-defined]
        await settle(pilot)
        assert table.chosen == chosen
        assert table.cursor_row - table.scroll_offset.y == height

    drive(make_app(data), scenario, first=("2",))


@pytest.mark.parametrize("width", [78, 100, 109, 118, 199])
def test_columns_fill_the_width_and_never_more(width: int) -> None:
    assert 2 + sum(one.width + 2 for one in columns(width)) - 2 == width


def test_a_text_is_cut_to_cells_not_to_letters() -> None:
    assert fitted("abc", 5) == "abc  "
    assert fitted("abcdef", 4) == "abc…"
    assert fitted("日本語です", 5) == "日本…"
    assert fitted("x", 0) == ""
