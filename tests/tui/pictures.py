"""Textual's picture of a screen, made a tenth as long: an SVG of one line of text for each row.

Every character, colour and style stays. What goes is the frame, the web font, one clip path for
each row, and coordinates to a tenth of a pixel; and all neighbours of one style are one run.
"""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from itertools import count
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT = 12.2, 24.4
"""Of Textual's picture."""
_STYLE = re.compile(r"\.terminal-\d+-(r\d+) \{ (.*?) \}")
_GROUND = re.compile(
    r'<rect fill="([^"]+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="[\d.]+" '
    r'shape-rendering="crispEdges"/>'
)
_TEXT = re.compile(
    r'<text class="terminal-\d+-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>'
)
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>text{{font:16.6px 'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}
{styles}</style>
<rect width="100%" height="100%" fill="{ground}"/>
"""
Run = tuple[int, int, str, str]
"""Row, column, style, text; or row, column, colour, that many spaces."""


def compact(svg: str, size: tuple[int, int]) -> str:
    """The picture in few bytes. size: columns and rows of the terminal.

    ValueError if Textual's picture is written in another way than this knows.
    """
    known = len(_GROUND.findall(svg)), len(_TEXT.findall(svg))
    if known != (svg.count(" shape-rendering="), svg.count(" textLength=")):
        raise ValueError(
            "Textual draws its pictures in another way by now: mend tests/tui/pictures"
        )
    texts, grounds = _texts(svg), _grounds(svg)
    usual = Counter[str]()
    for _, _, colour, cells in grounds:
        usual[colour] += len(cells)
    ground = max(usual, key=lambda colour: (usual[colour], colour), default="#000000")
    names: dict[str, str] = {}
    letters = (_name(number) for number in count())

    def named(style: str) -> str:
        if style not in names:
            names[style] = next(letters)
        return names[style]

    lines = []
    for row in range(size[1]):
        line = "".join(
            f'<path class="{named(f"fill: {colour}")}" d="M{column * 10} {row * 20}'
            f'h{len(cells) * 10}v20h-{len(cells) * 10}z"/>'
            for at, column, colour, cells in grounds
            if at == row and colour != ground
        )
        runs = "".join(
            f'<tspan x="{column * 10}" class="{named(style)}"{_fit(text)}>{escape(text)}</tspan>'
            for at, column, style, text in texts
            if at == row
        )
        lines.append(f'{line}<text y="{row * 20 + 16}">{runs}</text>' if runs else line)
    styles = "\n".join(f".{name}{{{style}}}" for style, name in names.items())
    head = _HEAD.format(width=size[0] * 10, height=size[1] * 20, styles=styles, ground=ground)
    return head + "\n".join(lines) + "\n</svg>\n"


def _texts(svg: str) -> list[Run]:
    styles = dict(_STYLE.findall(svg))
    found = []
    for name, x, y, raw in _TEXT.findall(svg):
        text = unescape(raw).replace("\xa0", " ")
        if text.strip() or (text.strip("\n") and "underline" in styles[name]):
            row = round((float(y) - 20) / CELL_HEIGHT)
            found.append((row, round(float(x) / CELL_WIDTH), styles[name], text))
    return _joined(found)


def _grounds(svg: str) -> list[Run]:
    return _joined(
        [
            (round((float(y) - 1.5) / CELL_HEIGHT), round(float(x) / CELL_WIDTH), colour,
             " " * round(float(width) / CELL_WIDTH))
            for colour, x, y, width in _GROUND.findall(svg)
        ]
    )  # fmt: skip


def _joined(runs: list[Run]) -> list[Run]:
    """Runs that follow each other in one style become one."""
    joined: list[Run] = []
    for row, column, style, text in runs:
        if joined:
            at, begun, before, start = joined[-1]
            gap = column - begun - len(start)
            spaces = gap == 0 or (gap > 0 and start.strip() and "underline" not in style)
            if (at, before) == (row, style) and spaces:
                joined[-1] = row, begun, style, start + " " * gap + text
                continue
        joined.append((row, column, style, text))
    return joined


def _fit(text: str) -> str:
    """The width in pixels where another font may lend its glyphs: braille, blocks, circles."""
    lent = any(char >= "\u2580" for char in text)
    return f' textLength="{len(text) * 10}"' if lent else ""


def _name(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[number % 26] + (str(number // 26) if number >= 26 else "")
