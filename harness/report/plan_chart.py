"""Draws a plan as one SVG: for each gate, what is likely to have shown by the end of each day.

Imports no browser and no driver. Same plan, same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
from markupsafe import Markup

from harness.plan.week import WeekPlan
from harness.plan.words import Row, Section, chance, described, heading, sections
from harness.report.charts import INK, inline_svg

_Side = Literal["top", "bottom"]
_WIDTH = 760
_ROW = 26
_MOST_DAYS_WITH_TEXT = 14
_DARK, _LIGHT = "#14181f", "#ffffff"
_MIDDLE = 0.2
"""Below this luminance white text has more contrast than dark text."""
_FILLS = {
    "passes": ((232, 239, 252), (31, 95, 208)),
    "fails": ((251, 234, 234), (180, 35, 42)),
    "shows": ((250, 241, 222), (132, 83, 0)),
}
"""Colour of chance 0 and of chance 1, by verdict; the row's own word says the same."""


def plan_chart(plan: WeekPlan) -> Markup | None:
    """A panel a gate, a row a truth, a column a day; each cell says its chance.

    None if no gate has a row. The text alternative is the plan in sentences.
    """
    shown = [section for section in sections(plan) if section.rows]
    if not shown:
        return None
    # Days stand above the first panel and below the last: a plan is taller than a screen.
    sides: list[_Side | None] = [None] * len(shown)
    sides[0], sides[-1] = "top", "bottom"
    panels = [_panel(one, plan, side) for one, side in zip(shown, sides, strict=True)]
    chart = alt.vconcat(*panels, spacing=26)
    return inline_svg(chart, "plan", heading(plan), described(plan))


def _panel(section: Section, plan: WeekPlan, days_at: _Side | None) -> Any:
    days = [
        f"{day}|{counted:,} jobs" for day, counted in zip(plan.days, plan.jobs_by_day, strict=True)
    ]
    wordy = len(days) <= _MOST_DAYS_WITH_TEXT
    cells = [cell for row in section.rows for cell in _cells(row, days)]
    labels: Any = alt.Axis(
        title=None, domain=False, ticks=False, grid=False, orient=days_at or "bottom",
        labelAngle=0 if wordy else -90, labelExpr="split(datum.label, '|')",
        # Above, the first of the two lines is what the padding counts from.
        labelPadding=24 if days_at == "top" and wordy else 8,
        labels=days_at is not None, labelLimit=200,
    )  # fmt: skip
    x = alt.X("day:O", sort=days, axis=labels, scale=alt.Scale(paddingInner=0.04))
    y = alt.Y(
        "row:O",
        sort=[_label(row) for row in section.rows],
        scale=alt.Scale(paddingInner=0.08),
        axis=alt.Axis(title=None, domain=False, ticks=False, grid=False, minExtent=120),
    )
    base = alt.Chart(alt.Data(values=cells))  # type: ignore[no-untyped-call]
    layers = [
        base.mark_rect(cornerRadius=2).encode(x=x, y=y, color=alt.Color("fill:N", scale=None))
    ]
    if wordy:
        layers.append(
            base.mark_text(fontSize=12).encode(
                x=x, y=y, text="text:N", color=alt.Color("ink:N", scale=None)
            )
        )
    return alt.layer(*layers).properties(
        width=_WIDTH,
        height=_ROW * len(section.rows),
        title=alt.TitleParams(
            section.title, anchor="start", frame="group", fontSize=13, fontWeight=600, color=INK,
            offset=8, limit=_WIDTH,
        ),
    )  # fmt: skip


def _label(row: Row) -> str:
    return f"{row.truth} {row.verdict}"


def _cells(row: Row, days: Sequence[str]) -> list[dict[str, str]]:
    cells = []
    for day, value in zip(days, row.chances, strict=True):
        fill = _fill(row.verdict, value)
        cells.append(
            {
                "row": _label(row),
                "day": day,
                "text": chance(value),
                "fill": "#" + "".join(f"{part:02x}" for part in fill),
                "ink": _LIGHT if _luminance(fill) < _MIDDLE else _DARK,
            }
        )
    return cells


def _fill(verdict: str, value: float) -> tuple[int, ...]:
    none, whole = _FILLS[verdict]
    return tuple(round(a + (b - a) * value) for a, b in zip(none, whole, strict=True))


def _luminance(colour: tuple[int, ...]) -> float:
    """Relative luminance of an sRGB colour in [0, 1] (WCAG 2)."""
    parts = [part / 255 for part in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
