"""Draws the charts of the report as inline SVG that follows the page's colours.

Imports no browser and no driver. Same assessment, same bytes: no random ids, no clock, every time
in UTC. Marks carry fixed colours that the page's style sheet overrides by attribute for the light
and dark scheme; seen on their own they are mid-tones that read on both. What is drawn is checked by
the tests, so no chart is validated against its schema again: that took most of the time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode
from markupsafe import Markup, escape

from harness.assessment import BandPoint, Latency, Quantile
from harness.report.marked import Marked

INK = "#6b7280"
GRID = "#d4d7dd"
NEW = "#2f6feb"
OLD = "#8f6b2e"
LIMIT = "#b4232a"
GAP = "#c9a23f"
MOST_POINTS = 400
"""More jobs than pixels tell nothing more; the newest job is always drawn."""
WIDE, NARROW = (860, 240), (330, 230)
"""Width and height in pixels, for a screen and for a phone."""
_ECDF = (372, 196)
_LANES = 3
_NEAR = 22
"""Pixels that the number of an event takes."""
_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_TICKS = (0.1, 1, 10, 60, 600, 3600, 21600, 86400, 604800)
_FINE_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 21600, 86400)
_DAY_S = 86400
_SECONDS_LABEL = (
    "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' :"
    " datum.value < 86400 ? datum.value / 3600 + ' h' : datum.value / 86400 + ' d'"
)


@debug_mode(False)
def agreement_chart(
    series: Sequence[BandPoint],
    *,
    threshold: float | None,
    title: str,
    description: str,
    events: Sequence[Marked] = (),
    size: tuple[int, int] = WIDE,
    name: str = "agreement",
) -> Markup | None:
    """Agreement over the time at which the control got its jobs, with its band.

    threshold: drawn as a dashed line, a share in [0, 1]. events: moments as numbered lines, gaps as
    shaded spans; one outside the time drawn stands at its edge. size: pixels. name: begins each id.
    Returns None if `series` is empty.
    """
    if not series:
        return None
    points = _thinned(series)
    rows = [
        {"t": _ms(p.created_at), "value": p.value, "low": p.low, "high": p.high} for p in points
    ]
    start = _ms(points[0].created_at)
    end = max(_ms(points[-1].created_at), start + 1000)
    floor = min([0.9, *(p.low for p in points[len(points) // 8 :])])
    x = alt.X(
        "t:T",
        title=f"when the old system got the job, UTC ({len(series):,} jobs)",
        scale=alt.Scale(type="utc", domain=[start, end], nice=False),
        axis=alt.Axis(
            tickCount=max(3, size[0] // 130),
            grid=False,
            labelOverlap=True,
            format=_time_format((end - start) / 1000),
        ),
    )
    scale = alt.Scale(domain=[max(0.0, int(floor * 10) / 10), 1.0], nice=False, clamp=True)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(format=".0%", tickCount=6))
    base = alt.Chart(_data(rows))
    layers: list[alt.Chart] = [
        *_events(events, x, (start, end), size),
        base.mark_area(interpolate="step-after", color=NEW, opacity=0.18).encode(
            x=x, y=alt.Y("low:Q", scale=scale, title=None), y2="high:Q"
        ),
        base.mark_line(interpolate="step-after", color=NEW, strokeWidth=2).encode(x=x, y=y),
    ]
    if threshold is not None:
        limit = alt.Chart(_data([{"value": threshold}]))
        layers.append(limit.mark_rule(color=LIMIT, strokeDash=[5, 4], strokeWidth=1.5).encode(y=y))
    last = alt.Chart(_data([rows[-1]]))
    layers.append(last.mark_point(filled=True, size=46, color=NEW, opacity=1).encode(x=x, y=y))
    chart = alt.layer(*layers).properties(width=size[0], height=size[1])
    return inline_svg(chart, name, title, description)


@debug_mode(False)
def latency_chart(one: Latency, *, title: str, description: str) -> Markup | None:
    """The share of each side that has ended by then, on a logarithmic scale of seconds.

    A dot is a percentile, the line through it its interval that holds at every look; one without
    an upper bound runs to the edge and ends in an arrow. A curve below 100 % at the edge: the rest
    has not ended or never will. Returns None if nothing has ended on either side.
    """
    curves = {"old": one.control_ecdf, "new": one.candidate_ecdf}
    times = [seconds for curve in curves.values() for seconds, _ in curve]
    if not times:
        return None
    quantiles = {"old": one.control, "new": one.candidate}
    known = [
        bound
        for side in quantiles.values()
        for q in side
        for bound in (q.value_s, q.low_s, q.high_s)
        if bound is not None
    ]
    low = max(0.05, 0.8 * min(t for t in [*times, *known, 1e9] if t > 0))
    high = max(1.3 * max([*times, *known]), 2 * low)
    lines = [
        {"s": max(low, s), "share": share, "side": side}
        for side, curve in curves.items()
        if curve
        for s, share in [(max(low, curve[0][0]), 0.0), *curve, (high, curve[-1][1])]
    ]
    whiskers = [
        row
        for side, found in quantiles.items()
        for q in found
        if (row := _whisker(side, q, low, high)) is not None
    ]
    x = alt.Scale(type="log", domain=[low, high], nice=False, clamp=True)
    fine = [tick for tick in _FINE_TICKS if low <= tick <= high]
    axis = alt.Axis(
        values=fine if len(fine) <= 7 else [tick for tick in _TICKS if low <= tick <= high],
        labelExpr=_SECONDS_LABEL, grid=True, title=None, labelOverlap=True,
    )  # fmt: skip
    ends = alt.X("s:Q", scale=x, axis=axis)
    y = alt.Y(
        "share:Q", title=None, scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(
            values=[0, 0.25, 0.5, 0.75, 0.95, 1], grid=True,
            # 95 and 100 % would stand on each other.
            labelExpr="datum.value == 1 ? '' : format(datum.value, '.0%')",
        ),
    )  # fmt: skip
    order = list(curves)
    colour = alt.Color("side:N", scale=alt.Scale(domain=order, range=[OLD, NEW]), legend=None)
    dash = alt.StrokeDash(
        "side:N", scale=alt.Scale(domain=order, range=[[5, 3], [1, 0]]), legend=None
    )
    shape = alt.Shape(
        "side:N", scale=alt.Scale(domain=order, range=["square", "circle"]), legend=None
    )
    told = alt.Chart(_data(whiskers))
    layers = [
        alt.Chart(_data(lines))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(x=ends, y=y, color=colour, strokeDash=dash),
        told.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("low:Q", scale=x, axis=axis), x2="high:Q", y=y, color=colour
        ),
        told.mark_point(filled=True, size=44, opacity=1).encode(x=ends, y=y, color=colour,
                                                               shape=shape),
        told.mark_point(filled=True, size=40, shape="triangle-right", opacity=1)
        .encode(x=alt.X("high:Q", scale=x, axis=axis), y=y, color=colour)
        .transform_filter("datum.open"),
    ]  # fmt: skip
    chart = alt.layer(*layers).properties(width=_ECDF[0], height=_ECDF[1])
    return inline_svg(chart, f"latency-{one.measure}", title, description)


def _events(
    events: Sequence[Marked], x: alt.X, span: tuple[int, int], size: tuple[int, int]
) -> list[alt.Chart]:
    """Gaps as shaded spans, moments as lines, each with its number above the chart."""

    def inside(moment: datetime) -> int:
        return min(max(_ms(moment), span[0]), span[1])

    least = (span[1] - span[0]) // 400
    gaps, lines, numbers = [], [], []
    taken = [-_NEAR] * _LANES
    for event in sorted(events, key=lambda one: (one.at, one.number)):
        t = inside(event.at)
        if event.until is None:
            lines.append({"t": t})
        else:
            gaps.append({"t": t, "end": max(inside(event.until), min(t + least, span[1]))})
        place = round(size[0] * (t - span[0]) / (span[1] - span[0]))
        lane = next((i for i, edge in enumerate(taken) if place - edge >= _NEAR), 0)
        taken[lane] = place
        numbers.append({"t": t, "lane": -10 - 16 * lane, "number": str(event.number)})
    drawn: list[alt.Chart] = []
    if gaps:
        drawn.append(
            alt.Chart(_data(gaps)).mark_rect(color=GAP, opacity=0.3).encode(x=x, x2="end:T")
        )
    if lines:
        rule = alt.Chart(_data(lines)).mark_rule(color=INK, strokeWidth=1, strokeDash=[2, 2])
        drawn.append(rule.encode(x=x))
    if numbers:
        text = alt.Chart(_data(numbers)).mark_text(color=INK, fontSize=12, fontWeight=700)
        drawn.append(
            text.encode(x=x, y=alt.Y("lane:Q", scale=None, axis=None, title=None), text="number:N")
        )
    return drawn


def _time_format(span_s: float) -> str:
    """Of the labels under a time axis: as fine as the span needs, and never without its place."""
    if span_s < 600:
        return "%H:%M:%S"
    if span_s < 2 * _DAY_S:
        return "%H:%M"
    return "%a %d %b"


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _data(rows: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _thinned(series: Sequence[BandPoint]) -> list[BandPoint]:
    """At most MOST_POINTS of them, evenly spread, with the first and the last."""
    if len(series) <= MOST_POINTS:
        return list(series)
    step = (len(series) - 1) / (MOST_POINTS - 1)
    return [series[round(i * step)] for i in range(MOST_POINTS)]


def _whisker(side: str, q: Quantile, low: float, high: float) -> dict[str, Any] | None:
    """A percentile with its interval; missing bounds reach the edge. None without a value."""
    if q.value_s is None:
        return None
    # A little above and below the percentile, so that two sides do not cover each other.
    return {
        "side": side,
        "share": q.p + (0.012 if side == "old" else -0.012),
        "s": max(low, q.value_s),
        "low": max(low, low if q.low_s is None else q.low_s),
        "high": high if q.high_s is None else q.high_s,
        "open": q.high_s is None,
    }


def inline_svg(
    chart: alt.LayerChart | alt.FacetChart | alt.VConcatChart, name: str, title: str,
    description: str,
) -> Markup:  # fmt: skip
    """`chart` as an accessible inline SVG whose ids begin with `name`, a plain word."""
    axis = {
        "labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": GRID,
        "tickColor": GRID, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "titlePadding": 10, "labelPadding": 6,
    }  # fmt: skip
    config = {
        "background": "transparent", "font": "Arial, sans-serif", "axis": axis,
        "view": {"stroke": None}, "aria": False,
    }  # fmt: skip
    spec = chart.to_dict(validate=False) | {"config": config, "padding": 4}
    svg = str(vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE))
    return Markup(_inlined(svg, name, title, description))


def _inlined(svg: str, name: str, title: str, description: str) -> str:
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="([\d. -]+)"', head)
    if box is None:
        raise ValueError("the renderer gave an SVG without a viewBox")
    # The whole chart is one image with one description; its parts are none.
    body = re.sub(r'\s(?:role|aria-[a-z]+)="[^"]*"', "", body)
    # Several charts in one document: clip paths and gradients must not share their ids.
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="{box.group(1)}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body}'
    )
