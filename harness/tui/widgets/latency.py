"""Latency percentiles, the old system against the new."""

from __future__ import annotations

from textual.app import ComposeResult

from harness.assessment import Latency, Quantile
from harness.tui.widgets.figures import Figure, Figures, Line
from harness.tui.widgets.panel import Panel
from harness.tui.wording import NOTHING, duration, plain

_NAMES = {
    "end_to_end": "End to end",
    "wait": "Queue wait",
    "processing": "Processing",
    "submission": "Directory",
}
_NAME_WIDTH, _WIDTH, _CHANGE_WIDTH = 10, 8, 7
_BESIDE_WIDTH = _NAME_WIDTH + 3 * (2 * _WIDTH + _CHANGE_WIDTH)
"""From so many columns on, the change stands beside both values; else on a line below them."""


class LatencyPanel(Panel):
    """One row a measure; old and new side by side for each percentile, with the change."""

    BORDER_TITLE = "Latency, old against new"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = Figures(classes="table")
        self._latency: tuple[Latency, ...] = ()

    def compose(self) -> ComposeResult:
        """One block of aligned text."""
        yield self._table

    def show(self, latency: tuple[Latency, ...]) -> None:
        """Paint every measure."""
        self._latency = latency
        self._paint()

    def on_resize(self) -> None:
        """The change stands where there is room for it."""
        self._paint()

    def _paint(self) -> None:
        latency = self._latency
        if not latency:
            self._table.show_lines([("No job has ended yet.",)])
            self.border_subtitle = ""
            return
        first = latency[0]
        self.border_subtitle = f"{first.control_n:,} old jobs, {first.candidate_n:,} new jobs"
        beside = self._table.size.width >= _BESIDE_WIDTH
        lines = [_head(first, beside=beside)]
        for place, measure in enumerate(latency):
            lines += _rows(place, measure, beside=beside)
        self._table.show_lines(lines)


def change(old: Quantile, new: Quantile) -> str:
    """How the new system's percentile changed: ``-77%``; a factor where it is many times more."""
    if not old.value_s or new.value_s is None:
        return NOTHING
    factor = new.value_s / old.value_s
    if factor >= 10.0:
        return f"×{factor:,.0f}"
    percent = max(-99.9, 100.0 * (factor - 1.0))
    # Only what takes no time at all would be 100 % faster.
    return f"{percent:+.1f}%" if percent < -99.0 else f"{percent:+.0f}%"


def _head(latency: Latency, *, beside: bool) -> Line:
    names = [f"P{100 * quantile.p:g}" for quantile in latency.candidate]
    last = f"{'change':>{_CHANGE_WIDTH}}" if beside else ""
    heads = "".join(f"{f'{name} old':>{_WIDTH}}{'new':>{_WIDTH}}{last}" for name in names)
    return ((" " * _NAME_WIDTH + heads, "$secondary"),)


def _rows(place: int, latency: Latency, *, beside: bool) -> list[Line]:
    name = _NAMES.get(latency.measure, plain(latency.measure))
    values: list[str | tuple[str, str] | Figure] = [f"{name:<{_NAME_WIDTH}}"]
    changes: list[tuple[str, str]] = [(f"{'  change':<{_NAME_WIDTH}}", "$secondary")]
    for at, (old, new) in enumerate(zip(latency.control, latency.candidate, strict=True)):
        values += _value(f"latency.{place}.control.{at}.value_s", old, "$secondary")
        values += _value(f"latency.{place}.candidate.{at}.value_s", new, "$primary bold")
        if beside:
            values.append((f"{change(old, new):>{_CHANGE_WIDTH}}", ""))
        else:
            changes.append((f"{change(old, new):>{2 * _WIDTH}}", ""))
    return [tuple(values)] if beside else [tuple(values), tuple(changes)]


def _value(path: str, quantile: Quantile, style: str) -> list[str | tuple[str, str] | Figure]:
    """A percentile beyond everything seen so far is a dash, never the largest value seen."""
    text = duration(quantile.value_s) if quantile.value_s is not None else NOTHING
    return [" " * max(1, _WIDTH - len(text)), Figure(path, text, style)]
