"""Draws the charts of the report as inline SVG that follows the page's colours.

Imports no browser and no driver. Same assessment, same bytes: no random ids, no clock. Marks carry
fixed colours that the page's style sheet overrides by attribute for the light and dark scheme;
seen on their own they are mid-tones that read on both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

from harness.assessment import BandPoint, Latency, Quantile

INK = "#6b7280"
GRID = "#d4d7dd"
NEW = "#2f6feb"
OLD = "#8f6b2e"
LIMIT = "#b4232a"
MOST_POINTS = 400
"""More jobs than pixels tell nothing more; the newest job is always drawn."""
_WIDTH = 860
_VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_SIDES = ("old", "new")
_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 604800)
_SECONDS_LABEL = (
    "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' :"
    " datum.value < 86400 ? datum.value / 3600 + ' h' : datum.value / 86400 + ' d'"
)


def agreement_chart(
    series: Sequence[BandPoint], *, threshold: float | None, title: str, description: str
) -> Markup | None:
    """Agreement after each job with its band, over the jobs in the control's order.

    threshold: drawn as a dashed line, a share in [0, 1]. Returns None if `series` is empty.
    """
    if not series:
        return None
    points = _thinned(series)
    rows = [{"n": p.n, "value": p.value, "low": p.low, "high": p.high} for p in points]
    floor = min([0.9, *(p.low for p in points[len(points) // 8 :])])
    x = alt.X(
        "n:Q",
        title="jobs compared, in the order in which the old system got them",
        scale=alt.Scale(domain=[0, max(10, points[-1].n)], nice=False),
        axis=alt.Axis(tickCount=8, grid=False, format=",d"),
    )
    scale = alt.Scale(domain=[max(0.0, int(floor * 10) / 10), 1.0], nice=False, clamp=True)
    y = alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(format=".0%", tickCount=6))
    base = alt.Chart(_data(rows))
    layers: list[alt.Chart] = [
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
    return inline_svg(
        alt.layer(*layers).properties(width=_WIDTH, height=230), "agreement", title, description
    )


def latency_chart(latency: Sequence[Latency], *, title: str, description: str) -> Markup | None:
    """Percentiles of each measure, old above new: dot = value, thin line = anytime interval,
    thick line = interval of a single look where both its ends exist. A line without an upper
    bound runs off with an arrow.

    Returns None if no percentile has a value.
    """
    values = [q for one in latency for q in (*one.control, *one.candidate) if q.value_s is not None]
    if not values:
        return None
    low = max(0.1, 0.8 * min(min(_positive(q.value_s, q.low_s, q.label_low_s)) for q in values))
    high = 1.4 * max(max(_positive(q.value_s, q.high_s, q.label_high_s)) for q in values)
    rows = [
        row
        for one in latency
        for side, quantiles in zip(_SIDES, (one.control, one.candidate), strict=True)
        for q in quantiles
        if (row := _interval_row(one.title, side, q, low, high)) is not None
    ]
    ticks = [tick for tick in _SECONDS if low <= tick <= high]
    axis = alt.Axis(values=ticks, labelExpr=_SECONDS_LABEL, grid=True, title=None)
    scale = alt.Scale(type="log", domain=[low, high], nice=False, clamp=True)
    order = [f"P{100 * q.p:g}" for q in latency[0].control]
    y = alt.Y("p:N", sort=order, title=None, axis=alt.Axis(grid=False, domain=False, ticks=False))
    offset = alt.YOffset("side:N", sort=list(_SIDES), scale=alt.Scale(paddingOuter=0.35))
    colour = alt.Color(
        "side:N", scale=alt.Scale(domain=list(_SIDES), range=[OLD, NEW]), legend=None
    )
    shape = alt.Shape(
        "side:N", scale=alt.Scale(domain=list(_SIDES), range=["square", "circle"]), legend=None
    )

    def bar(start: str, end: str, width: float, opacity: float) -> alt.Chart:
        rule = alt.Chart().mark_rule(strokeWidth=width, opacity=opacity, strokeCap="butt")
        x = alt.X(f"{start}:Q", scale=scale, axis=axis)
        drawn: alt.Chart = rule.encode(x=x, x2=f"{end}:Q", y=y, yOffset=offset, color=colour)
        return drawn

    dots = (
        alt.Chart()
        .mark_point(filled=True, size=52, opacity=1)
        .encode(x=alt.X("value:Q", scale=scale), y=y, yOffset=offset, color=colour, shape=shape)
    )
    arrows = (
        alt.Chart()
        .mark_point(filled=True, size=46, shape="triangle-right", opacity=1)
        .encode(x=alt.X("high:Q", scale=scale), y=y, yOffset=offset, color=colour)
        .transform_filter("datum.open")
    )
    layered = alt.layer(
        bar("low", "high", 1.6, 0.9), bar("label_low", "label_high", 5, 0.35), dots, arrows
    ).properties(width=_WIDTH, height=26 * len(order))
    header = alt.Header(
        title=None, labelOrient="top", labelAnchor="start", labelAlign="left", labelPadding=4,
        labelFontSize=12, labelFontWeight=600, labelColor=INK,
    )  # fmt: skip
    chart = layered.facet(
        data=_data(rows),
        row=alt.Row("measure:N", sort=[one.title for one in latency], header=header),
        spacing=14,
    )
    return inline_svg(chart, "latency", title, description)


def _data(rows: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _thinned(series: Sequence[BandPoint]) -> list[BandPoint]:
    """At most MOST_POINTS of them, evenly spread, with the first and the last."""
    if len(series) <= MOST_POINTS:
        return list(series)
    step = (len(series) - 1) / (MOST_POINTS - 1)
    return [series[round(i * step)] for i in range(MOST_POINTS)]


def _positive(*values: float | None) -> list[float]:
    return [value for value in values if value is not None and value > 0] or [0.1]


def _interval_row(
    measure: str, side: str, q: Quantile, low: float, high: float
) -> dict[str, Any] | None:
    """One line of the latency chart; missing bounds reach the edge. None without a value."""
    if q.value_s is None:
        return None
    label = (q.value_s, q.value_s)
    if q.label_low_s is not None and q.label_high_s is not None:
        label = (q.label_low_s, q.label_high_s)
    return {
        "measure": measure,
        "side": side,
        "p": f"P{100 * q.p:g}",
        "value": max(low, q.value_s),
        "low": max(low, low if q.low_s is None else q.low_s),
        "high": high if q.high_s is None else q.high_s,
        "open": q.high_s is None,
        "label_low": max(low, label[0]),
        "label_high": max(low, label[1]),
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
    spec = chart.to_dict() | {"config": config, "padding": 4}
    svg = str(vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE))
    return Markup(_inlined(svg, name, title, description))


def _inlined(svg: str, name: str, title: str, description: str) -> str:
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="([\d. -]+)"', head)
    if box is None:
        raise ValueError("the renderer gave an SVG without a viewBox")
    # Two charts in one document: clip paths and gradients must not share their ids.
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="{box.group(1)}" '
        f'role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>{body}'
    )
