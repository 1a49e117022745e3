"""Charts: same bytes, accessible, and honest where a bound does not exist."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

from harness.report.charts import INK, MOST_POINTS, NARROW, NEW, agreement_chart, latency_chart
from harness.report.marked import Marked
from tests.support.assessments import make_series
from tests.support.assessments_whole import make_whole_assessment

WORDS = {"title": "A <title>", "description": "What it & its parts say."}
LATENCY = make_whole_assessment().latency


def test_charts_are_the_same_bytes_each_time() -> None:
    for _ in range(2):
        assert agreement_chart(make_series(), threshold=0.95, **WORDS) == agreement_chart(
            make_series(), threshold=0.95, **WORDS
        )
        assert latency_chart(LATENCY[0], **WORDS) == latency_chart(LATENCY[0], **WORDS)


def test_charts_are_well_formed_and_describe_themselves() -> None:
    charts = (
        agreement_chart(make_series(), threshold=0.95, **WORDS),
        agreement_chart(
            make_series(), threshold=0.95, size=NARROW, name="agreement-narrow", **WORDS
        ),
        *(latency_chart(one, **WORDS) for one in LATENCY),
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
    empty = replace(LATENCY[0], control_ecdf=(), candidate_ecdf=())
    assert latency_chart(empty, **WORDS) is None


def test_a_single_job_and_a_single_duration_are_drawn() -> None:
    assert agreement_chart(make_series(1), threshold=None, **WORDS) is not None
    one = replace(LATENCY[0], control=(), candidate=(), control_ecdf=((0.0, 1.0),))
    assert latency_chart(replace(one, candidate_ecdf=()), **WORDS) is not None


def test_an_arrow_marks_each_percentile_without_an_upper_bound() -> None:
    def arrows(high: float | None) -> int:
        one = LATENCY[0]
        bounded = replace(
            one,
            control=tuple(replace(q, high_s=q.high_s or high) for q in one.control),
            candidate=tuple(replace(q, high_s=q.high_s or high) for q in one.candidate),
        )
        chart = latency_chart(bounded, **WORDS)
        assert chart is not None
        # A triangle that points to the right.
        return len(re.findall(r'd="M[\d.]+,0L-[\d.]+,-[\d.]+L-[\d.]+,[\d.]+Z"', chart))

    assert arrows(None) == 2
    assert arrows(2000.0) == 0


def test_a_curve_of_a_side_that_loses_jobs_ends_below_the_top() -> None:
    def ends(top: float) -> float:
        curve = tuple((s, round(share * top, 4)) for s, share in ((1.0, 0.5), (2.0, 1.0)))
        one = replace(LATENCY[0], control=(), candidate=(), control_ecdf=())
        chart = latency_chart(replace(one, candidate_ecdf=curve), **WORDS)
        assert chart is not None
        path = re.search(r'd="(M[^"]+)" stroke="#2f6feb"', chart)
        assert path is not None
        return float(path[1].rpartition(",")[2])

    assert ends(1.0) == 0.0
    assert ends(0.5) > 90.0


def test_events_stand_in_the_chart_with_their_numbers_and_gaps_are_shaded() -> None:
    series = make_series()
    start = series[0].created_at
    events = (
        Marked(number=1, at=series[5].created_at, until=None, text="a ramp step"),
        Marked(number=2, at=series[5].created_at, until=None, text="a rule"),
        Marked(number=3, at=start - timedelta(days=9), until=series[9].created_at, text="a gap"),
    )
    plain = agreement_chart(series, threshold=0.95, **WORDS)
    chart = agreement_chart(series, threshold=0.95, events=events, **WORDS)
    assert chart is not None
    assert plain is not None
    assert [number for number in "123" if f">{number}</text>" in chart] == ["1", "2", "3"]
    assert not [number for number in "123" if f">{number}</text>" in plain]
    assert "#c9a23f" in chart
    assert "#c9a23f" not in plain
    # Two numbers at one moment do not cover each other.
    heights = re.findall(r"translate\(([\d.]+),(-[\d.]+)\)[^>]*>([12])</text>", chart)
    assert len({place for _, place, _ in heights}) == 2
    assert len({x for x, _, _ in heights}) == 1


def test_many_jobs_are_thinned_to_what_can_be_seen() -> None:
    few = agreement_chart(make_series(MOST_POINTS), threshold=0.95, **WORDS)
    many = agreement_chart(make_series(20 * MOST_POINTS), threshold=0.95, **WORDS)
    assert few is not None
    assert many is not None
    assert len(many) < 1.5 * len(few)
    assert "8,000" in many
