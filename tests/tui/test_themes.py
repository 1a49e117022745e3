"""The themes: readable, and none needs its colours to be understood."""

from __future__ import annotations

import re

import pytest
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import Theme

from harness.tui.app import ShadowApp
from harness.tui.theme import HIGH_CONTRAST, NO_COLOUR, THEMES, next_theme
from tests.tui.support import drive, make_app, press, text_of

LEAST = 4.5
"""WCAG 2.2, 1.4.3: contrast of text, level AA."""
LEAST_HIGH = 7.0
"""WCAG 2.2, 1.4.6: level AAA."""


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in Color.parse(colour).normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_of_every_state_is_readable(theme: Theme) -> None:
    least = LEAST_HIGH if theme is HIGH_CONTRAST else LEAST
    for name in ("foreground", "primary", "secondary", "accent", "success", "warning", "error"):
        for ground in (theme.background, theme.surface):
            assert ground is not None
            assert contrast(getattr(theme, name), ground) >= least, (theme.name, name)


def test_a_key_goes_through_all_themes_and_comes_back() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        seen = [pilot.app.theme]
        for _ in THEMES:
            await press(pilot, "T")
            seen.append(pilot.app.theme)
        assert seen[:-1] == [theme.name for theme in THEMES]
        assert seen[-1] == seen[0]

    drive(make_app(), scenario)
    assert next_theme("nord") == THEMES[0].name


def test_without_colour_everything_is_grey_and_still_says_its_state() -> None:
    pictures: list[str] = []

    async def scenario(pilot: Pilot[int]) -> None:
        for key in ("1", "2", "4"):
            await press(pilot, key)
            pictures.append(pilot.app.export_screenshot())
        await press(pilot, "1")
        for words in ("✕ NO-GO", "✕ Fail", "~ Undecided", "○ Open", "✓ Pass"):
            assert words in text_of(pilot.app)

    app = drive(make_app(theme=NO_COLOUR.name), scenario)
    assert isinstance(app, ShadowApp)
    for picture in pictures:
        # The frame of the picture has the three coloured buttons of a window.
        screen = picture[picture.index("clip-path") :]
        colours = set(re.findall(r"#[0-9a-fA-F]{6}", screen)) - {"#ff5f57", "#febc2e", "#28c840"}
        assert {c for c in colours if len({c[1:3], c[3:5], c[5:7]}) > 1} == set()
