"""How a value came to be, rule by rule; and what a proposed rule would hide."""

from __future__ import annotations

from typing import Any

import pytest

from harness.compare.comparison import Comparison, compare, differences, pair_id
from harness.compare.explain import Step, explain, find_pairs
from harness.compare.kinds import Rule
from harness.compare.rules import RuleSet, parse_rules
from harness.compare.trial import is_fault, try_rules
from harness.resources import package_text
from tests.support.differences import make_difference
from tests.support.events import HOST, JOB, at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.rules import make_rule, make_rules

SHIPPED = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")
BIRCH = "birch-index.test"
PAIR = ("live", JOB, HOST)


def _compare(*rows: Row, rules: RuleSet = SHIPPED) -> Comparison:
    return compare(
        submissions_frame(rows), jobs_frame([job()]), rules, as_of=at(100), deadline_s=600.0
    )


def _phones(old: str = "(202) 555-0142", new: str = "202.555.0142") -> tuple[Row, Row]:
    return control(sent_phone=old), candidate(sent_phone=new)


def _of(steps: tuple[Step, ...], field: str) -> list[tuple[str, str, str | None, str | None, bool]]:
    return [(s.rule, s.effect, s.control, s.candidate, s.agrees) for s in steps if s.field == field]


def test_each_rule_of_a_field_is_a_step_from_what_was_recorded_to_what_is_compared() -> None:
    found = _compare(*_phones())
    assert _of(explain(found, PAIR), "values.phone") == [
        ("recorded", "as recorded", "(202) 555-0142", "202.555.0142", False),
        ("trim-space", "no change", "(202) 555-0142", "202.555.0142", False),
        ("phone-format", "both changed, now they agree", "+12025550142", "+12025550142", True),
    ]


def test_the_last_step_of_a_field_is_what_the_comparison_says() -> None:
    found = _compare(
        control("failed", error_text="Timeout", error_class="timeout", sent_city="ALBANY"),
        candidate("failed", error_text="captcha", error_class="captcha", sent_city="Albany"),
    )
    last = {step.field: step for step in explain(found, PAIR)}
    for cell in found.cells.iter_rows(named=True):
        step = last[cell["field"]]
        assert (step.control, step.candidate) == (cell["control_value"], cell["candidate_value"])
        assert step.agrees is not cell["differs"]
    assert set(last) == set(found.cells["field"])


def test_a_rule_out_of_scope_says_so() -> None:
    rule = make_rule("phone", directory="birch-*")
    steps = _of(explain(_compare(*_phones(), rules=make_rules(rule)), PAIR), "values.phone")
    assert steps[1][:2] == ("phone", "out of scope")


def test_a_slow_directory_is_explained_by_its_ceiling() -> None:
    rows = control(), candidate(duration_ms=9_000.0)
    steps = _of(explain(_compare(*rows, rules=make_rules(make_rule("ceiling", limit=5))), PAIR),
                "latency_s")  # fmt: skip
    assert steps == [
        ("recorded", "as recorded", "", "9.0", True),
        ("ceiling", "too slow", "at most 5", "9.0", False),
    ]


def test_a_pair_that_is_set_apart_is_still_explained() -> None:
    rules = make_rules(
        make_rule("exclude", name="one", directory="maple-*"),
        make_rule("exclude", name="two", directory="*.example"),
        make_rule("exclude", name="three", directory="birch-*"),
    )
    steps = explain(_compare(control(), candidate("failed"), rules=rules), PAIR)
    assert [(s.rule, s.effect) for s in steps if s.field == "pair"] == [
        ("one", "sets the pair apart"),
        ("two", "would set the pair apart; one has done so"),
        ("three", "not about this pair"),
    ]
    assert _of(steps, "outcome") == [("recorded", "as recorded", "submitted", "failed", False)]


def test_a_pair_is_found_by_its_id_a_difference_or_a_job_and_directory() -> None:
    found = _compare(control(), candidate("failed"), control(directory=BIRCH))
    (difference,) = differences(found)
    for words in ((difference.id,), (pair_id(*PAIR),), (JOB, HOST), (JOB[:6], HOST)):
        assert find_pairs(found, *words) == [PAIR]
    assert find_pairs(found, "0" * 12) == []
    assert find_pairs(found, JOB, "elsewhere.test") == []


def _trial(*rows: Row, rule: Rule) -> tuple[list[str], list[str]]:
    before = _compare(*rows)
    trial = try_rules(before, before.rules.having(rule))
    return [d.field for d in trial.hidden], [d.field for d in trial.faults]


def test_a_way_of_writing_is_hidden_without_a_fault() -> None:
    rows = control(sent_name="MAPLE JOINERY"), candidate(sent_name="Maple Joinery")
    rule = make_rule("casefold", field="values.name")
    assert _trial(*rows, rule=rule) == (["values.name"], [])


def test_a_rule_that_hides_another_value_hides_a_fault() -> None:
    rows = control(sent_name="Maple Joinery"), candidate(sent_name="Mapel Joinery")
    rule = make_rule("ignore", field="values.name")
    assert _trial(*rows, rule=rule) == (["values.name"], ["values.name"])
    assert _trial(*rows, rule=make_rule("casefold", field="values.name")) == ([], [])


def test_another_outcome_is_a_fault_however_it_is_hidden() -> None:
    rows = control(), candidate("failed")
    apart = make_rule("exclude", directory="*.example")
    mapped = make_rule("map", field="outcome", map={"failed": "submitted"})
    assert _trial(*rows, rule=apart) == (["outcome"], ["outcome"])
    assert _trial(*rows, rule=mapped) == (["outcome"], ["outcome"])


def test_a_word_that_means_the_same_is_no_fault() -> None:
    rows = control(raw_status="listed"), candidate()
    rule = make_rule("map", field="outcome", map={"listed": "submitted"})
    assert _trial(*rows, rule=rule) == (["outcome"], [])


@pytest.mark.parametrize(("shipped", "faults"), [("unknown", []), ("captcha", ["error"])])
def test_to_class_an_unknown_error_hides_no_fault(shipped: str, faults: list[str]) -> None:
    rows = (
        control("failed", error_text="enter the sms", error_class=shipped),
        candidate("failed", error_text="Timeout", error_class="timeout"),
    )
    rule = make_rule("error_class", name="sms", pattern=[{"match": "sms", "to": "timeout"}])
    assert _trial(*rows, rule=rule) == (["error"], faults)


def test_a_narrower_rule_brings_differences_to_light() -> None:
    before = _compare(*_phones())
    rule = make_rule("phone", name="phone-format", directory="birch-*")
    trial = try_rules(before, before.rules.having(rule))
    assert ([d.field for d in trial.appeared], trial.hidden) == (["values.phone"], ())


def test_what_is_set_apart_is_counted_even_where_nothing_differs() -> None:
    before = _compare(control(), candidate(), control(directory=BIRCH), candidate(directory=BIRCH))
    trial = try_rules(before, before.rules.having(make_rule("exclude", directory="maple-*")))
    assert (trial.set_apart, trial.hidden, trial.hidden_pairs) == (1, (), 0)


WRITINGS: list[tuple[str, str, str, bool]] = [
    ("name", "Café  Maple!", "CAFE\u0301 MAPLE", False),
    ("name", "Maple", "Maples", True),
    ("zip", "12207", "12208", True),
    ("zip", "12207-1", "122071", True),
    ("phone", "(202) 555-0142", "2025550142", False),
    ("phone", "202-555-0142", "202-555-0142 x9", True),
    ("website", "http://www.maple.example/", "maple.example", False),
    ("website", "maple.example/a", "maple.example/A", True),
    ("email", "Desk@maple.example ", "desk@maple.example", False),
    ("email", "d.esk@maple.example", "desk@maple.example", True),
    ("address", "12 N Main St", "12 North Main Street", False),
    ("address", "1 21 Main St", "12 1 Main St", True),
]


@pytest.mark.parametrize(("field", "old", "new", "fault"), WRITINGS)
def test_two_ways_of_writing_one_value_are_no_fault(
    field: str, old: str, new: str, fault: bool
) -> None:
    changes: dict[str, Any] = {"control_raw": old, "candidate_raw": new}
    assert is_fault(make_difference("wrong_value", field=f"values.{field}", **changes)) is fault


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("slow", False), ("other_word", False), ("timeout", True), ("missing_candidate", True)],
)
def test_another_outcome_is_a_fault_and_another_word_is_none(kind: str, fault: bool) -> None:
    assert is_fault(make_difference(kind)) is fault
