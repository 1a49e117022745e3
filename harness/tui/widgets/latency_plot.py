"""Latency as a plot: which share of the jobs has ended after how long, old against new."""

from __future__ import annotations

import math
from bisect import bisect_right

from rich.text import Text
from textual.app import ComposeResult
from textual.color import Color
from textual_plotext import PlotextPlot

from harness.assessment import Latency
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import duration

OLD, NEW = "○", "●"
_AXIS = 7
"""Columns that the scale takes."""
Curve = tuple[tuple[float, float], ...]


class LatencyPlotPanel(Panel):
    """The curves of one measure in a frame, or words where nothing has ended."""

    BORDER_TITLE = f"Share of jobs ended after  {OLD} old  {NEW} new"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._plot = LatencyPlot()
        self._none = Cell("No job has ended yet.", classes="none")

    def compose(self) -> ComposeResult:
        """A plot."""
        yield self._plot
        yield self._none

    def show(self, latency: tuple[Latency, ...]) -> None:
        """Draw the first measure."""
        old = latency[0].control_ecdf if latency else ()
        new = latency[0].candidate_ecdf if latency else ()
        self._plot.display = bool(old or new)
        self._none.display = not self._plot.display
        self.border_subtitle = f"{latency[0].title}, time as a logarithm" if old or new else ""
        self._plot.show(old, new)


class LatencyPlot(PlotextPlot):
    """Two rising curves over the logarithm of time."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: tuple[Curve, Curve] = ((), ())
        self._painted: tuple[object, Text] | None = None

    def show(self, old: Curve, new: Curve) -> None:
        """Draw both; each is seconds and the share in [0, 1] that has ended by then."""
        if (old, new) != self._curves:
            self._curves = old, new
            self.refresh()

    def render(self) -> Text:
        """The plot; drawn again only for other data, another size or another theme."""
        key = (self._curves, self.size, self.app.theme)
        if self._painted is None or self._painted[0] != key:
            self._draw()
            drawn = super().render()
            assert isinstance(drawn, Text)
            self._painted = key, drawn
        return self._painted[1]

    def _draw(self) -> None:
        plot = self.plt
        plot.clear_data()
        times = [at for curve in self._curves for at, _ in curve if at > 0.0]
        if not times or not self.size.area:
            return
        low, high = math.log10(min(times)), math.log10(max(times))
        # The new system last: where both fall together, it is the one to be seen.
        for curve, marker, colour in zip(
            self._curves, (OLD, NEW), ("secondary", "primary"), strict=True
        ):
            points = stepped(curve, low, high, max(2, self.size.width - _AXIS))
            if points:
                logs, shares = zip(*points, strict=True)
                plot.scatter(logs, shares, marker=marker, color=self._rgb(colour))
        plot.ylim(0.0, 100.0)
        plot.yticks([0.0, 50.0, 100.0], ["0 %", "50 %", "100 %"])
        ticks = sorted({low, (low + high) / 2.0, high})
        plot.xticks(ticks, [duration(10.0**tick) for tick in ticks])
        plot.xaxes(True, False)
        plot.yaxes(True, False)

    def _rgb(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def stepped(curve: Curve, low: float, high: float, columns: int) -> Curve:
    """One point a column: the logarithm of time, from `low` to `high`, and per cent ended by then.

    A column before the first end has no point.
    """
    times = [at for at, _ in curve]
    points = []
    for column in range(columns):
        log = low + (high - low) * column / (columns - 1)
        # Rounding must not take the end itself away from its own column.
        place = bisect_right(times, 10.0**log * (1.0 + 1e-9)) - 1
        if place >= 0:
            points.append((log, 100.0 * curve[place][1]))
    return tuple(points)
