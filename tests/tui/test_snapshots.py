"""What the dashboard looks like: every screen at every size in every theme, and each card once.

One start of the app for each size: it walks from screen to screen, and at each one through the
themes. A stored picture is an SVG that any browser opens, a tenth as long as Textual's own and one
line of text for each row, so that a diff names the row that changed (`tests/tui/pictures.py`).
A failure writes `snapshot_report.html`, which lays the two pictures over each other.

Look at every new picture before accepting it: pytest tests/tui/test_snapshots.py --snapshot-update
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.support.assessments import make_empty_assessment
from tests.tui.pictures import compact
from tests.tui.support import FakeData, FakeTask, drive, make_app
from tests.tui.tour import CARDS, SCREENS, Stop, tour

SIZES = ("80x24", "120x40", "200x60")
THEMES = ("dark", "light", "no-colour")
Compare = Callable[[str], bool]

TABLE = [(size, stop, theme) for size in SIZES for stop in SCREENS for theme in THEMES]
ONCE = [
    *(("80x24", stop, "dark") for stop in CARDS),
    ("120x40", SCREENS[0], "high-contrast"),
]  # fmt: skip


def cells(size: str) -> tuple[int, int]:
    columns, _, rows = size.partition("x")
    return int(columns), int(rows)


@cache
def walked(
    size: str, stops: tuple[Stop, ...], themes: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    return tour(cells(size), stops, themes)


@pytest.fixture
def looks_as_before(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compare a picture that was already taken; the plugin would start an app for each."""

    def compare(picture: str) -> bool:
        monkeypatch.setattr("textual._doc.take_svg_screenshot", lambda **_: picture)
        return snap_compare(make_app())

    return compare


def named(cell: object) -> str | None:
    return cell.name if isinstance(cell, Stop) else None


@pytest.mark.parametrize(("size", "stop", "theme"), TABLE, ids=named)
def test_screen(looks_as_before: Compare, size: str, stop: Stop, theme: str) -> None:
    """Every screen at every size in every theme."""
    assert looks_as_before(walked(size, SCREENS, THEMES)[stop.name, theme])


@pytest.mark.parametrize(("size", "stop", "theme"), ONCE, ids=named)
def test_once(looks_as_before: Compare, size: str, stop: Stop, theme: str) -> None:
    """Each card at the least size; the theme of high contrast."""
    stops = CARDS if stop in CARDS else (stop,)
    assert looks_as_before(walked(size, stops, (theme,))[stop.name, theme])


def picture(size: str, data: FakeData | None = None, **options: object) -> str:
    taken: list[str] = []

    async def scenario(pilot: object) -> None:
        taken.append(app.export_screenshot())

    app = make_app(data, **options)
    drive(app, scenario, size=cells(size))
    return compact(taken[0], cells(size))


def test_the_past(looks_as_before: Compare) -> None:
    """A chosen moment: banner, tint and no word of live."""
    assert looks_as_before(picture("120x40", as_of=1200))


def test_a_task_above_trouble(looks_as_before: Compare) -> None:
    """A rehearsal is running and the journal is locked."""
    data = FakeData()
    data.trouble = "week.duckdb: another process kept the journal locked for 2 s."
    assert looks_as_before(picture("80x24", data, task=FakeTask()))


def test_nothing_recorded(looks_as_before: Compare) -> None:
    """An empty week: everything open, nothing green."""
    assert looks_as_before(picture("120x40", FakeData(make_empty_assessment())))


def test_the_wish_for_no_colour(looks_as_before: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: every state still reads by its sign and word."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert looks_as_before(picture("120x40"))
