"""The short picture says all that Textual's own says."""

from __future__ import annotations

import re
from html import unescape

import pytest
from textual.pilot import Pilot

from tests.tui.pictures import compact
from tests.tui.support import drive, make_app, text_of

SIZE = (80, 24)
COLOUR = re.compile(r"#[0-9a-f]{6}")


@pytest.fixture(scope="module")
def drawn() -> tuple[str, str]:
    """Textual's picture of the overview, and what stands on it."""
    taken: list[str] = []

    async def scenario(pilot: Pilot[int]) -> None:
        taken.extend((pilot.app.export_screenshot(), text_of(pilot.app)))

    drive(make_app(), scenario, size=SIZE)
    return taken[0], taken[1]


def lines_of(picture: str) -> list[str]:
    """What stands in each row of a short picture."""
    found = [""] * SIZE[1]
    for y, runs in re.findall(r'<text y="(\d+)">(.*?)</text>', picture):
        row = int(y) // 20
        for x, text in re.findall(r'<tspan x="(\d+)"[^>]*>([^<]*)</tspan>', runs):
            found[row] = found[row].ljust(int(x) // 10) + unescape(text)
    return [line.rstrip() for line in found]


def test_every_character_stands_in_its_place(drawn: tuple[str, str]) -> None:
    svg, text = drawn
    assert lines_of(compact(svg, SIZE)) == text.split("\n")


def test_every_colour_is_there(drawn: tuple[str, str]) -> None:
    svg, _ = drawn
    screen = svg[svg.index("-matrix") :]
    used = {f"-r{number}" for number in re.findall(r'-r(\d+)" x', screen)}
    styles = re.findall(r"\.terminal-\d+(-r\d+) \{(.*?)\}", svg)
    wanted = {colour for name, style in styles if name in used for colour in COLOUR.findall(style)}
    wanted |= set(re.findall(r'<rect fill="(#[0-9a-f]{6})" x', svg))
    # Line ends have a style of their own, which nobody sees.
    assert set(COLOUR.findall(compact(svg, SIZE))) == wanted - {"#c5c8c6", "#292929"}


def test_one_other_character_or_colour_is_another_picture(drawn: tuple[str, str]) -> None:
    svg, _ = drawn
    short = compact(svg, SIZE)
    assert compact(svg.replace("NO-GO", "NO-G0", 1), SIZE) != short
    error = re.search(r'<rect fill="(#[0-9a-f]{6})" x="0" y="1.5"', svg)
    assert error is not None
    assert compact(svg.replace(error[1], "#010203"), SIZE) != short


def test_a_picture_drawn_in_another_way_is_refused(drawn: tuple[str, str]) -> None:
    svg, _ = drawn
    with pytest.raises(ValueError, match="in another way"):
        compact(svg.replace('shape-rendering="crispEdges"', 'shape-rendering="auto"'), SIZE)
