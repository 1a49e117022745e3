"""Agreement over time as a plot: the mean between the bounds that hold at every look."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rich.text import Text
from textual.color import Color
from textual.geometry import Size
from textual_plotext import PlotextPlot

from harness.assessment import BandPoint

MOST_POINTS = 300
"""More than a plot has columns, and few enough to draw in a few milliseconds."""

MEAN, BAND, REQUIRED = "⠒", "░", "╌"
LEGEND = f"{MEAN} mean  {BAND} band  {REQUIRED} required"


def thin(series: Sequence[BandPoint], most: int = MOST_POINTS) -> list[BandPoint]:
    """At most `most` points, evenly spaced, the first and the last among them."""
    if len(series) <= most:
        return list(series)
    step = (len(series) - 1) / (most - 1)
    return [series[round(step * at)] for at in range(most)]


def filled(
    points: Sequence[BandPoint], bottom: float, size: Size
) -> tuple[list[float], list[float]]:
    """Jobs and percents that put a mark into each character that the band touches.

    bottom: percent at the lower end of the scale, whose upper end is 100.
    """
    # Three levels a line: a band thinner than a line must not fall between two of them.
    rows, columns = max(2, 3 * size.height), max(2, size.width)
    jobs = [point.n for point in points]
    across: list[float] = []
    up: list[float] = []
    for column in range(columns):
        job = jobs[0] + (jobs[-1] - jobs[0]) * column / (columns - 1)
        point = points[bisect_right(jobs, job) - 1]
        for row in range(rows):
            level = bottom + (100.0 - bottom) * row / (rows - 1)
            if 100.0 * point.low <= level <= 100.0 * point.high:
                across.append(job)
                up.append(level)
    return across, up


class BandPlot(PlotextPlot):
    """Agreement after each job, with its band and the threshold."""

    def __init__(self) -> None:
        super().__init__()
        self._series: tuple[BandPoint, ...] = ()
        self._threshold: float | None = None
        self._painted: tuple[object, Text] | None = None

    def show(self, series: tuple[BandPoint, ...], threshold: float | None) -> None:
        """Draw `series`; `threshold` is a share or None."""
        if (series, threshold) != (self._series, self._threshold):
            self._series, self._threshold = series, threshold
            self.refresh()

    def render(self) -> Text:
        """The plot; drawn again only for other data, another size or another theme.

        A drawing costs some 20 ms, and a repaint of the screen asks for it each time.
        """
        key = (self._series, self._threshold, self.size, self.app.theme)
        if self._painted is None or self._painted[0] != key:
            self._draw()
            drawn = super().render()
            assert isinstance(drawn, Text)
            self._painted = key, drawn
        return self._painted[1]

    def _draw(self) -> None:
        plot = self.plt
        plot.clear_data()
        points = thin(self._series)
        if not points or not self.size.area:
            return
        jobs = [point.n for point in points]
        bottom = self._bottom(points)
        # Band, mean and threshold differ by their marker too, so no colour is needed.
        plot.scatter(*filled(points, bottom, self.size), marker=BAND, color=self._rgb("border"))
        if self._threshold is not None:
            line = [100.0 * self._threshold] * 2
            plot.plot([jobs[0], jobs[-1]], line, marker=REQUIRED, color=self._rgb("accent"))
        means = [100.0 * point.value for point in points]
        plot.plot(jobs, means, marker="braille", color=self._rgb("primary"))
        plot.ylim(bottom, 100.0)
        ticks = [bottom, (bottom + 100.0) / 2.0, 100.0]
        plot.yticks(ticks, [f"{tick:g} %" for tick in ticks])
        plot.xticks(*_job_ticks(jobs))
        plot.xaxes(True, False)
        plot.yaxes(True, False)

    def _bottom(self, points: Sequence[BandPoint]) -> float:
        """The lower end of the scale: what the second half of the band needs, in tens."""
        lowest = min(point.low for point in points[len(points) // 2 :])
        if self._threshold is not None:
            lowest = min(lowest, self._threshold)
        return float(max(0, min(90, int(10.0 * lowest) * 10)))

    def _rgb(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb


def _job_ticks(jobs: Sequence[int]) -> tuple[list[float], list[str]]:
    ends = sorted({jobs[0], (jobs[0] + jobs[-1]) // 2, jobs[-1]})
    return [float(end) for end in ends], [
        f"job {end:,}" if end == ends[0] else f"{end:,}" for end in ends
    ]
