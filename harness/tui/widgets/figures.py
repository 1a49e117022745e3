"""Lines of text in which every figure knows its name in the JSON report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.cells import cell_len
from textual.content import Content

from harness.tui.widgets.cell import Cell

NOT_RECORDED = "not recorded"
"""What stands where nobody looked; a nought would say that somebody did."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure:
    """A value as it stands on the screen."""

    path: str
    """Where it stands in the JSON report: ``operations.queue.depth``, ``latency.0.control_n``."""
    text: str
    style: str = ""


Part = str | tuple[str, str] | Figure
"""Plain words, words with a style, or a figure."""
Line = tuple[Part, ...]


class Figures(Cell):
    """A block of lines; what stands in them can be asked for."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Paint `lines`; does nothing if they already stand there."""
        shown = tuple(lines)
        if shown != self._lines:
            self._lines = shown
            self._paint()

    def on_resize(self) -> None:
        """A long line goes on below its text, not below its name."""
        self._paint()

    def _paint(self) -> None:
        self.show(Content("\n").join(_hanging(line, self.size.width) for line in self._lines))

    @property
    def figures(self) -> Iterator[Figure]:
        """Every figure that stands in it, in reading order."""
        for line in self._lines:
            for part in line:
                if isinstance(part, Figure):
                    yield part


def figure(
    path: str, value: T | None, words: Callable[[T], str], style: str = "", *, none: str = ""
) -> Figure:
    """The figure of a value; `none` stands where there is no value."""
    if value is None:
        return Figure(path, none or NOT_RECORDED, "$secondary")
    return Figure(path, words(value), style)


def count(value: int) -> str:
    """``1,204``."""
    return f"{value:,}"


def named(name: str, *parts: Part, width: int) -> Line:
    """A line that begins with its name, so that texts stand below each other."""
    return ((f"{name:<{width}} ", "$secondary"), *parts)


def _hanging(parts: Line, width: int) -> Content:
    """The line on as many lines of the screen as it needs; its first words are its name."""
    line, first = _line(parts), parts[0]
    name = first[0] if isinstance(first, tuple) and len(parts) > 1 else ""
    indent = cell_len(name)
    if line.cell_length <= width or not 0 < indent <= width // 2:
        return line
    head, rest = line.divide([len(name)])
    return head + Content("\n" + " " * indent).join(rest.wrap(width - indent))


def _line(parts: Line) -> Content:
    return Content.assemble(
        *((part.text, part.style) if isinstance(part, Figure) else part for part in parts)
    )
