"""What the dashboard finds again in the next run, and what it does with a file it cannot use."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from harness.tui.app import ShadowApp
from harness.tui.state import VERSION, JsonValue, Remembered, StateFile, state_home
from tests.tui.support import drive, key_of, make_app, press, text_of


def state_file(folder: Path, name: str = "week.duckdb") -> StateFile:
    return StateFile(folder / name, {"XDG_STATE_HOME": str(folder / "state")})


json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), st.dictionaries(st.text(max_size=5), json_values)))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, screens: dict[str, dict[str, JsonValue]]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    wanted = Remembered(screen="findings", theme="shadow-light", author="Ana", screens=screens)
    state_file(folder).write(wanted)
    assert state_file(folder).read() == wanted
    assert state_file(folder, "other.duckdb").read() == Remembered()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"version": 1, "screens": 7}'],
)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, content: bytes) -> None:
    state = state_file(tmp_path)
    state.path.parent.mkdir(parents=True)
    state.path.write_bytes(content)
    assert state.read() == Remembered()
    state.write(Remembered(author="Ana"))
    assert state_file(tmp_path).read().author == "Ana"
    assert [path.name for path in state.path.parent.iterdir()] == [state.path.name]


def test_a_file_of_a_newer_version_is_said_and_left_as_it_is(tmp_path: Path) -> None:
    state = state_file(tmp_path)
    state.path.parent.mkdir(parents=True)
    text = json.dumps({"version": VERSION + 1, "theme": "shadow-sepia"})
    state.path.write_text(text)
    assert state.read() == Remembered()
    assert "newer version" in (state.trouble or "")
    state.write(Remembered(author="Ana"))
    assert state.path.read_text() == text


def test_a_folder_that_cannot_be_made_is_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    state = state_file(tmp_path)
    assert state.read() == Remembered()
    state.write(Remembered(author="Ana"))
    assert "cannot be" in (state.trouble or "")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    state = state_file(tmp_path)
    state.write(Remembered(author="Ana"))
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o600


def test_the_place_follows_the_platform() -> None:
    home = {"HOME": "/home/ana"}
    assert state_home({**home, "XDG_STATE_HOME": "/x"}) == Path("/x")
    assert state_home(home, "linux") == Path("/home/ana/.local/state")
    assert state_home(home, "darwin") == Path("/home/ana/Library/Application Support")
    assert state_home({**home, "LOCALAPPDATA": "/l"}, "win32") == Path("/l")


def test_view_filter_and_theme_are_found_again(tmp_path: Path) -> None:
    async def first(pilot: Pilot[int]) -> None:
        assert "For the first time here?" in text_of(pilot.app)
        await press(pilot, "2", "slash", "captcha", "enter", "T", "4", "2", "q")

    async def second(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        assert "For the first time here?" not in text_of(app)
        assert app.current_mode == "differences"
        assert app.theme == "shadow-light"
        assert app.screen.query_one(Input).value == "captcha"
        assert " of 14 differences" in text_of(app)
        assert "14 of 14" not in text_of(app)
        await press(pilot, "1", "q")

    async def third(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        assert app.current_mode == "overview"
        await press(pilot, "2")
        assert app.screen.query_one(Input).value == "captcha"

    drive(make_app(state=state_file(tmp_path)), first)
    drive(make_app(state=state_file(tmp_path)), second)
    drive(make_app(state=state_file(tmp_path)), third)


def test_what_was_searched_for_among_jobs_is_found_again(tmp_path: Path) -> None:
    async def first(pilot: Pilot[int]) -> None:
        await press(pilot, key_of("jobs"), "slash", "priority:1", "enter", "q")

    async def second(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        assert app.current_mode == "jobs"
        assert app.screen.query_one(Input).value == "priority:1"
        await press(pilot, "x", "q")

    async def third(pilot: Pilot[int]) -> None:
        assert pilot.app.screen.query_one(Input).value == ""
        await press(pilot, "q")

    for scenario in (first, second, third):
        drive(make_app(state=state_file(tmp_path)), scenario)


def test_the_command_line_wins_over_the_last_theme_and_nonsense_is_ignored(tmp_path: Path) -> None:
    state_file(tmp_path).write(
        Remembered(
            theme="shadow-sepia", screen="nowhere", hint_seen=True,
            screens={"differences": {"filter": 7, "colour": None}},
        )
    )  # fmt: skip

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        await press(pilot, "2")
        assert app.faults == {}
        assert app.current_mode == "differences"
        await press(pilot, "q")

    app = make_app(state=state_file(tmp_path), theme="shadow-high-contrast")
    assert drive(app, scenario).theme == "shadow-high-contrast"
    assert drive(make_app(state=state_file(tmp_path)), scenario).theme == "shadow-high-contrast"


def test_without_a_state_file_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "q")

    drive(make_app(), scenario)
    assert list(tmp_path.iterdir()) == []
