"""The shipped rules: they absorb innocent variations and hide no planted difference."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from harness.compare.applying import apply_rules
from harness.compare.cells import spread
from harness.compare.comparison import Comparison, compare, differences, rule_effects
from harness.compare.rules import RuleSet, parse_rules
from harness.resources import package_text
from tests.support.events import at
from tests.support.frames import (
    Row,
    candidate,
    control,
    job,
    jobs_frame,
    observed,
    submissions_frame,
)
from tests.support.rules import make_rule, make_rules

SHIPPED = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")
NO_RULES = RuleSet(version=1)


def _compare(*rows: Row, rules: RuleSet = SHIPPED) -> Comparison:
    return compare(
        submissions_frame(rows), jobs_frame([job()]), rules, as_of=at(100), deadline_s=600.0
    )


def _differing(*rows: Row, rules: RuleSet = SHIPPED) -> list[str]:
    return [difference.field for difference in differences(_compare(*rows, rules=rules))]


def _values(old: str, new: str, field: str) -> tuple[Row, Row]:
    return control(**{f"sent_{field}": old}), candidate(**{f"sent_{field}": new})


def _failed(text: str | None, error_class: str, side: Any = candidate, **columns: Any) -> Row:
    row: Row = side("failed", error_text=text, error_class=error_class, **columns)
    return row


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("website", "https://www.maple.example/", "http://maple.example"),
        ("website", "MAPLE.example/shop", "maple.example/shop/"),
        ("phone", "(202) 555-0142", "+1 202-555-0142"),
        ("phone", "202.555.0142", "2025550142"),
        ("email", "Desk@Maple.Example", "desk@maple.example"),
        ("city", "ALBANY", "Albany"),
        ("name", " Maple  Joinery", "Maple Joinery"),
    ],
)
def test_another_way_of_writing_a_value_is_no_difference(field: str, old: str, new: str) -> None:
    assert _differing(*_values(old, new, field)) == []
    assert _differing(*_values(old, new, field), rules=NO_RULES) == [f"values.{field}"]


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("website", "https://maple.example", "https://maple.test"),
        ("website", "https://maple.example/a", "https://maple.example/b"),
        ("phone", "202-555-0142", "202-555-0143"),
        ("phone", "202-555-0142", "202-555-0142 ext. 9"),
        ("email", "desk@maple.example", "desk@mapel.example"),
        ("city", "Albany", "Troy"),
        ("name", "Maple Joinery", "maple joinery"),
        ("zip", "12207", "12270"),
        ("zip", "12207", ""),
    ],
)
def test_another_value_is_a_difference(field: str, old: str, new: str) -> None:
    assert _differing(*_values(old, new, field)) == [f"values.{field}"]


def test_a_field_that_one_side_does_not_send_is_not_compared() -> None:
    assert _differing(control(sent_zip="12207"), candidate(sent_zip=None)) == []


def test_a_replay_compares_what_the_site_received() -> None:
    pair = [
        control(sent_phone="202-555-0142"),
        candidate(mode="demo", sent_phone="202-555-0142"),
        observed(sent_phone="202-555-0199"),
    ]
    assert _differing(*pair) == ["values.phone"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("approved", "submitted"), ("success", "submitted"), ("submitted", "skipped_duplicate"),
    ],
)  # fmt: skip
def test_words_for_the_same_outcome_agree(old: str, new: str) -> None:
    skipped = "skipped" if new.startswith("skipped") else "submitted"
    assert _differing(control(raw_status=old), candidate(skipped, raw_status=new)) == []


@pytest.mark.parametrize(("old", "new"), [("rejected", "failed"), ("no_form", "error")])
def test_words_for_the_same_failure_agree(old: str, new: str) -> None:
    error = candidate("failed", raw_status=new, attempts=4)
    assert _differing(control("failed", raw_status=old), error) == []


def test_another_outcome_is_never_hidden() -> None:
    assert _differing(control(), candidate("failed")) == ["outcome"]
    assert _differing(control("failed"), candidate()) == ["outcome"]


def test_the_wording_of_an_error_is_each_sides_own() -> None:
    old = _failed("Playwright error: Timeout 30000ms exceeded.", "timeout", control)
    assert _differing(old, _failed("Step execution failed: timed out", "timeout")) == []
    assert _differing(old, _failed("Step execution failed: timed out", "timeout"), rules=NO_RULES)


def test_another_error_class_is_a_difference() -> None:
    old = _failed("Playwright error: captcha found", "captcha", control)
    (found,) = differences(_compare(old, _failed("Timeout 10000ms exceeded.", "timeout")))
    assert (found.field, found.kind) == ("error", "error_class")
    assert (found.control_value, found.candidate_value) == ("captcha", "timeout")
    assert found.rules == ("error-class",)


def test_errors_are_compared_only_where_both_failed() -> None:
    (found,) = differences(_compare(control(), _failed("Timeout", "timeout")))
    assert found.field == "outcome"


@pytest.mark.parametrize(("duration_ms", "fields"), [(120_000.0, []), (120_100.0, ["latency_s"])])
def test_a_directory_may_take_up_to_the_ceiling(duration_ms: float, fields: list[str]) -> None:
    assert _differing(control(), candidate(duration_ms=duration_ms)) == fields


def test_latency_is_not_compared_in_a_replay_or_without_a_ceiling() -> None:
    slow = {"duration_ms": 500_000.0}
    assert _differing(control(), candidate(mode="demo", **slow)) == []
    assert _differing(control(), candidate(**slow), rules=NO_RULES) == []


def test_a_rule_shows_what_it_touched_and_what_it_alone_hides() -> None:
    found = _compare(
        control(sent_phone="(202) 555-0142", sent_city="ALBANY", sent_email="desk@maple.example"),
        candidate(sent_phone="202-555-0142", sent_city="Albany", sent_email="desk@maple.example"),
    )
    effects = {effect.name: (effect.touched, effect.hidden) for effect in rule_effects(found)}
    assert effects["phone-format"] == (1, 1)
    assert effects["text-case"] == (1, 1)
    assert effects["email-case"] == (0, 0)
    assert list(effects) == [rule.name for rule in SHIPPED.rule]


def test_a_difference_that_two_rules_are_needed_for_is_hidden_by_each() -> None:
    found = _compare(*_values(" ALBANY", "Albany", "city"))
    hidden = {e.name: e.hidden for e in rule_effects(found) if e.hidden}
    assert hidden == {"trim-space": 1, "text-case": 1}


def test_raw_values_survive_the_rules() -> None:
    (found,) = differences(_compare(*_values("(202) 555-0142", "202 555 0143", "phone")))
    assert (found.control_raw, found.candidate_raw) == ("(202) 555-0142", "202 555 0143")
    assert (found.control_value, found.candidate_value) == ("+12025550142", "+12025550143")
    assert found.rules == ("phone-format",)


def test_the_order_of_the_rules_is_the_order_in_the_file() -> None:
    cells = _compare(*_values(" ALBANY ", "Troy", "city")).cells
    touched = cells.filter(pl.col("field") == "values.city")["touched"].to_list()
    assert touched == [["trim-space", "text-case"]]


def test_no_pairs_make_no_cells() -> None:
    empty = _compare()
    assert empty.cells.height == 0
    assert (
        apply_rules(spread(empty.pairs.with_row_index("pair"), SHIPPED), SHIPPED)[
            "differs"
        ].to_list()
        == []
    )
    assert all((e.touched, e.hidden) == (0, 0) for e in rule_effects(empty))


def test_each_of_many_rules_that_touch_one_value_is_named_in_order() -> None:
    chain = make_rules(
        *(
            make_rule("map", name=f"step-{n:02}", field="values.name", map={f"w{n}": f"w{n + 1}"})
            for n in range(130)
        )
    )
    comparison = _compare(*_values("w0", "w130", "name"), rules=chain)
    (row,) = comparison.cells.filter(pl.col("field") == "values.name").rows(named=True)
    assert row["touched"] == [f"step-{n:02}" for n in range(130)]
    assert row["differs"] is False
