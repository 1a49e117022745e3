"""A plan as one self-contained page: no script, no request, no outside font."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.plan import words
from harness.plan.week import WeekPlan
from harness.report.plan_chart import plan_chart


def plan_html(plan: WeekPlan) -> str:
    """The whole page, UTF-8. Same plan, same bytes."""
    environment = Environment(
        loader=PackageLoader("harness", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["chance"] = words.chance
    return environment.get_template("plan.html.j2").render(
        plan=plan,
        heading=words.heading(plan),
        earliest=words.earliest_go(plan),
        assumed=words.assumed(plan),
        sections=words.sections(plan),
        uncounted=words.uncounted(plan),
        legend=words.LEGEND,
        chart=plan_chart(plan),
    )
