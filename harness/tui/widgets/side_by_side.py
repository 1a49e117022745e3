"""Both sides of one difference, aligned row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from textual.app import ComposeResult
from textual.containers import Grid, Vertical
from textual.content import Content

from harness.assessment import Difference, SubmissionView
from harness.model import Side
from harness.tui.marking import marked_pair
from harness.tui.widgets.cell import Cell
from harness.tui.wording import NOTHING, SIDE_WORDS, clock, duration, plain, value_text

DIFFERS = "≠ "
Row: TypeAlias = "tuple[str, list[Content | str], bool]"
"""Name, one text a side, whether the row differs."""


class Rows(Grid):
    """A grid of a name column and one column a side; a cell may take several lines."""

    def lay(self, heads: list[str], rows: Sequence[Row]) -> None:
        """Replace everything."""
        self.remove_children()
        self.styles.grid_size_columns = len(heads) + 1
        self.styles.grid_columns = " ".join(["16", *["1fr"] * len(heads)])
        cells = [Cell("", classes="name"), *(Cell(head, classes="head") for head in heads)]
        for name, texts, differs in rows:
            mark = DIFFERS if differs else "  "
            row_class = "-differs" if differs else ""
            cells.append(Cell(f"{mark}{name}", classes=f"name {row_class}".strip()))
            cells.extend(Cell(text, classes=row_class or None) for text in texts)
        self.mount(*cells)


class ComparedValues(Vertical):
    """The field that disagrees: as recorded, after the rules, and the rules."""

    BORDER_TITLE = "Compared"

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._rows = Rows()
        self._shown: Difference | None = None

    def compose(self) -> ComposeResult:
        """A grid."""
        yield self._rows

    def show(self, difference: Difference) -> None:
        """Paint the values of `difference`."""
        if difference == self._shown:
            return
        self._shown = difference
        rules = ", ".join(map(plain, difference.rules)) or "no rule touched it"
        self.border_subtitle = f"rules: {rules}"
        self._rows.lay(
            [SIDE_WORDS[Side.CONTROL], SIDE_WORDS[Side.CANDIDATE]],
            [
                (
                    "as recorded",
                    [value_text(difference.control_raw), value_text(difference.candidate_raw)],
                    False,
                ),
                (
                    "after rules",
                    [
                        *marked_pair(
                            difference.field, difference.control_value, difference.candidate_value
                        )
                    ],
                    True,
                ),
            ],
        )


class SideBySide(Vertical):
    """What each side did: outcome, error, times, page, values."""

    BORDER_TITLE = "Both sides"

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._words = Cell("Reading the journal …", classes="words")
        self._rows = Rows()
        self._shown: tuple[tuple[SubmissionView, ...], frozenset[str]] | None = None

    def compose(self) -> ComposeResult:
        """Words while there is nothing; then the grid."""
        yield self._words
        yield self._rows

    def wait(self) -> None:
        """Say that the journal is being read."""
        self._say("Reading the journal …")

    def fail(self, reason: str) -> None:
        """Say why there is nothing to show."""
        self._say(f"▲ {plain(reason)}")

    def show(self, sides: tuple[SubmissionView, ...], differing: frozenset[str]) -> None:
        """Paint one column a side. differing: the fields that disagree after the rules."""
        if not sides:
            self._say("Nothing is recorded of either side.")
            return
        self._words.display = False
        self._rows.display = True
        if (sides, differing) != self._shown:
            self._shown = sides, differing
            self._rows.lay([_head(side) for side in sides], _rows(sides, differing))

    def _say(self, words: str) -> None:
        self._words.show(words)
        self._words.display = True
        self._rows.display = False


def _head(side: SubmissionView) -> str:
    return SIDE_WORDS.get(side.side, plain(side.side))


def _rows(sides: tuple[SubmissionView, ...], differing: frozenset[str]) -> list[Row]:
    def row(name: str, texts: Sequence[Content | str], field: str = "") -> Row:
        return name, list(texts), field in differing

    tables = [dict(side.values) for side in sides]
    names = sorted({name for table in tables for name in table})
    return [
        row("outcome", [side.outcome.value.replace("_", " ") for side in sides], "outcome"),
        row("error class", [plain(side.error_class or NOTHING) for side in sides], "error"),
        row("error", [plain(side.error_text or NOTHING) for side in sides]),
        row("attempts", [f"{side.attempts}" for side in sides]),
        row("started", [clock(side.started_at) for side in sides]),
        row("finished", [clock(side.finished_at) for side in sides]),
        row("took", [duration(side.duration_s) for side in sides], "latency_s"),
        row("page", [plain(side.url or NOTHING) for side in sides]),
        *(row(plain(name), _values(name, tables, differing), f"values.{name}") for name in names),
    ]


def _values(
    name: str, tables: Sequence[dict[str, str]], differing: frozenset[str]
) -> Sequence[Content | str]:
    """One value a side; characters are marked between the first two where they differ."""
    values = [table.get(name) for table in tables]
    if f"values.{name}" in differing and len(values) >= 2:
        return [*marked_pair(name, values[0], values[1]), *map(value_text, values[2:])]
    return [value_text(value) for value in values]
