"""The published JSON Schema: strict, up to date, and true of every report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from harness.report.changes import compare_reports
from harness.report.json_report import to_dict, to_json
from harness.report.schema import report_schema, to_schema
from tests.support.assessments import make_assessment, make_empty_assessment
from tests.support.decided import make_decided_assessment
from tests.support.random_assessments import random_assessment

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def problems(validator: Draft202012Validator, report: Any) -> list[str]:
    return [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(report)]


def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == to_schema()


@pytest.mark.parametrize("make", [make_assessment, make_empty_assessment, make_decided_assessment])
def test_every_example_is_valid(validator: Draft202012Validator, make: Any) -> None:
    assert problems(validator, json.loads(to_json(make()))) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0))
def test_every_assessment_is_valid_and_text_and_values_are_the_same(
    validator: Draft202012Validator, seed: int
) -> None:
    assessment = random_assessment(seed)
    report = json.loads(to_json(assessment))
    assert problems(validator, report) == []
    assert report == to_dict(assessment)


def test_what_changed_is_part_of_the_schema(validator: Draft202012Validator) -> None:
    week = make_decided_assessment()
    earlier = to_dict(replace(make_empty_assessment(), provenance=replace(week.provenance, seq=10)))
    since = compare_reports(earlier, to_dict(week))
    report = json.loads(to_json(week, since))
    assert report["since"]["why"]
    assert problems(validator, report) == []


def every_object(schema: Any) -> list[dict[str, Any]]:
    found = [schema] if isinstance(schema, dict) and "properties" in schema else []
    items = schema.values() if isinstance(schema, dict) else schema
    if isinstance(schema, dict | list):
        found += [one for item in items for one in every_object(item)]
    return found


def test_it_is_strict_everywhere() -> None:
    for one in every_object(report_schema()):
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_property_too_many_or_too_few_and_an_unknown_word_are_refused(
    validator: Draft202012Validator, data: st.DataObject
) -> None:
    report = json.loads(to_json(make_decided_assessment()))
    rows = [report, *report["gates"], report["agreement"], report["provenance"],
            *report["statements"], *report["waivers"], report["calibration"]]  # fmt: skip
    row = data.draw(st.sampled_from(rows))
    if data.draw(st.booleans()):
        row["something_else"] = 1
    else:
        del row[data.draw(st.sampled_from(sorted(row)))]
    assert problems(validator, report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("decision",), "MAYBE"),
        (("schema_version",), 2),
        (("gates", 0, "status"), "green"),
        (("provenance", "as_of"), "2026-11-23 08:30"),
        (("provenance", "seq"), -1),
        (("agreement", "verdicts", "unheard_of"), 1),
        (("differences", 0, "rules"), "status-words"),
        (("gates", 0, "n"), "many"),
    ],
)
def test_a_wrong_value_is_refused(
    validator: Draft202012Validator, path: tuple[str | int, ...], value: Any
) -> None:
    report: Any = json.loads(to_json(make_decided_assessment()))
    assert problems(validator, report) == []
    *way, last = path
    place = report
    for part in way:
        place = place[part]
    place[last] = value
    assert problems(validator, report)
