"""Latency percentiles, the old system against the new."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from harness.assessment import Latency, Quantile
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import NOTHING, duration, plain

_NAMES = {
    "end_to_end": "End to end",
    "wait": "Queue wait",
    "processing": "Processing",
    "submission": "Directory",
}
_NAME_WIDTH = 11
_WIDTH = 8


class LatencyPanel(Panel):
    """One row a measure; old and new side by side for each percentile."""

    BORDER_TITLE = "Latency, old against new"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = Cell(classes="table")

    def compose(self) -> ComposeResult:
        """One block of aligned text."""
        yield self._table

    def show(self, latency: tuple[Latency, ...]) -> None:
        """Paint every measure."""
        if not latency:
            self._table.show("No job has ended yet.")
            self.border_subtitle = ""
            return
        first = latency[0]
        self.border_subtitle = f"{first.control_n:,} old jobs, {first.candidate_n:,} new jobs"
        self._table.show(Content("\n").join([_head(first), *map(_row, latency)]))


def _head(latency: Latency) -> Content:
    names = [f"P{100 * quantile.p:g}" for quantile in latency.candidate]
    heads = "".join(f"{f'{name} old':>{_WIDTH}}{'new':>{_WIDTH}}" for name in names)
    return Content.styled(" " * _NAME_WIDTH + heads, "$secondary")


def _row(latency: Latency) -> Content:
    parts: list[tuple[str, str]] = [
        (f"{_NAMES.get(latency.measure, plain(latency.measure)):<{_NAME_WIDTH}}", "")
    ]
    for old, new in zip(latency.control, latency.candidate, strict=True):
        parts.append((f"{_value(old):>{_WIDTH}}", "$secondary"))
        parts.append((f"{_value(new):>{_WIDTH}}", "$primary bold"))
    return Content.assemble(*parts)


def _value(quantile: Quantile) -> str:
    """A percentile beyond everything seen so far is a dash, never the largest value seen."""
    return duration(quantile.value_s) if quantile.value_s is not None else NOTHING
