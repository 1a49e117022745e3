"""Charts: same bytes, accessible, and honest where a bound does not exist."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from harness.report.charts import INK, MOST_POINTS, NEW, agreement_chart, latency_chart
from tests.support.assessments import make_latency, make_series

WORDS = {"title": "A <title>", "description": "What it & its parts say."}


def test_charts_are_the_same_bytes_each_time() -> None:
    for _ in range(2):
        assert agreement_chart(make_series(), threshold=0.95, **WORDS) == agreement_chart(
            make_series(), threshold=0.95, **WORDS
        )
        assert latency_chart(make_latency(), **WORDS) == latency_chart(make_latency(), **WORDS)


def test_charts_are_well_formed_and_describe_themselves() -> None:
    charts = (
        agreement_chart(make_series(), threshold=0.95, **WORDS),
        latency_chart(make_latency(), **WORDS),
    )
    seen: set[str] = set()
    for chart in charts:
        assert chart is not None
        root = ElementTree.fromstring(chart)
        space = "{http://www.w3.org/2000/svg}"
        assert root.get("role") == "img"
        assert root.findtext(f"{space}title") == WORDS["title"]
        assert root.findtext(f"{space}desc") == WORDS["description"]
        ids = re.findall(r'\bid="([^"]+)"', chart)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        seen |= set(ids)


def test_charts_use_only_colours_that_the_page_knows() -> None:
    chart = agreement_chart(make_series(), threshold=0.95, **WORDS)
    assert chart is not None
    colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+|[a-z]+)"', chart)) - {"none"}
    assert {INK, NEW} <= colours
    assert not {"white", "black", "#000", "#fff"} & colours


def test_nothing_to_draw_is_no_chart() -> None:
    assert agreement_chart((), threshold=0.95, **WORDS) is None
    assert latency_chart((), **WORDS) is None
    empty = replace(make_latency()[0], control=(), candidate=())
    assert latency_chart((empty,), **WORDS) is None


def test_a_single_job_is_drawn() -> None:
    assert agreement_chart(make_series(1), threshold=None, **WORDS) is not None


def test_an_arrow_marks_each_percentile_without_an_upper_bound() -> None:
    def arrows(high: float | None) -> int:
        one = make_latency()[0]
        bounded = replace(
            one,
            control=tuple(replace(q, high_s=q.high_s or high) for q in one.control),
            candidate=tuple(replace(q, high_s=q.high_s or high) for q in one.candidate),
        )
        chart = latency_chart((bounded,), **WORDS)
        assert chart is not None
        # A triangle that points to the right.
        return len(re.findall(r'd="M[\d.]+,0L-[\d.]+,-[\d.]+L-[\d.]+,[\d.]+Z"', chart))

    assert arrows(None) == 2
    assert arrows(2000.0) == 0


def test_many_jobs_are_thinned_to_what_can_be_seen() -> None:
    few = agreement_chart(make_series(MOST_POINTS), threshold=0.95, **WORDS)
    many = agreement_chart(make_series(20 * MOST_POINTS), threshold=0.95, **WORDS)
    assert few is not None
    assert many is not None
    assert len(many) < 1.5 * len(few)
    assert "8,000" in many
