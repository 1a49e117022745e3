"""What each kind of rule absorbs, and what it must leave."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from harness.compare.comparison import Comparison, compare, differences, rule_effects
from harness.compare.kinds import KINDS, Rule
from harness.compare.normalise import normaliser
from harness.model import Verdict
from tests.support.events import HOST, at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame
from tests.support.rules import make_rule, make_rules

BIRCH = "birch-index.test"


def _compare(*rows: Row, rules: tuple[Rule, ...] = ()) -> Comparison:
    return compare(
        submissions_frame(rows), jobs_frame([job()]), make_rules(*rules), as_of=at(100),
        deadline_s=600.0,
    )  # fmt: skip


def _agree(rule: Rule, old: str, new: str, field: str) -> bool:
    """Whether two values of a field agree by one rule."""
    rows = control(**{f"sent_{field}": old}), candidate(**{f"sent_{field}": new})
    return not differences(_compare(*rows, rules=(rule,)))


def _errors(old: tuple[str, str], new: tuple[str, str]) -> tuple[Row, Row]:
    """Both sides failed; text and shipped class of each."""
    return (
        control("failed", error_text=old[0], error_class=old[1]),
        candidate("failed", error_text=new[0], error_class=new[1]),
    )


ABSORBED: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("ignore", {}, "zip", "12207", "99999"),
    ("whitespace", {}, "name", " Maple  Joinery", "Maple Joinery"),
    ("casefold", {}, "name", "MAPLE", "Maple"),
    ("unicode", {}, "name", "Café Maple", "Cafe\u0301 Maple"),
    ("unicode", {}, "name", "Ｍａｐｌｅ", "Maple"),
    ("phone", {}, "phone", "(202) 555-0142", "+1 202.555.0142"),
    ("url", {}, "website", "https://www.maple.example/", "maple.example"),
    ("host", {}, "website", "https://www.maple.example/a?b=1", "http://MAPLE.example/c#d"),
    ("address", {}, "address", "12 North Main Street, Suite 5", "12 N. Main St., Ste #5"),
    ("address", {}, "address", "7 Fifth Avenue N.E.", "7 5th Ave Northeast"),
    ("address", {}, "address", "P.O. Box 9", "PO BOX 9"),
    ("date", {}, "description", "2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00Z"),
    ("date", {"formats": ["%m/%d/%Y"]}, "description", "11/20/2026", "2026-11-20"),
    ("number", {}, "description", "1,234.50", "+1234.5"),
    ("tolerance", {"absolute": 0.1}, "description", "1.1", "1.0"),
    ("tolerance", {"relative": 0.05}, "description", "1,000", "950"),
    ("map", {"map": {"Ltd": "Limited"}}, "name", "Ltd", "Limited"),
]  # fmt: skip
LEFT: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("whitespace", {}, "name", "Maple", "Ma ple"),
    ("casefold", {}, "name", "Maple", "Mapel"),
    ("unicode", {}, "name", "Maple", "maple"),
    ("phone", {}, "phone", "202-555-0142", "202-555-0143"),
    ("host", {}, "website", "maple.example", "maple.test"),
    ("host", {}, "website", "desk@maple.example", "maple.example"),
    ("host", {}, "website", "call us", "write us"),
    ("address", {}, "address", "12 Main Street", "12 Main Road"),
    ("address", {}, "address", "12 Main St Ste 5", "12 Main St Ste 6"),
    ("address", {}, "address", "1 21 Main St", "12 1 Main St"),
    ("address", {}, "address", "12 N Main St", "12 S Main St"),
    ("address", {}, "address", "1.5 Main St", "15 Main St"),
    ("date", {"formats": ["%m/%d/%Y"]}, "description", "11/20/2026", "2026-11-21"),
    ("date", {}, "description", "2026-11-20T12:00:00", "2026-11-20T12:00:00Z"),
    ("date", {}, "description", "11/20/2026", "20/11/2026"),
    ("number", {}, "description", "1,234", "1,23"),
    ("number", {}, "description", "12 boxes", "12"),
    ("tolerance", {"absolute": 0.1}, "description", "1.2", "1.0"),
    ("tolerance", {"relative": 0.05}, "description", "1000", "949"),
    ("tolerance", {"absolute": 5}, "description", "5 boxes", "6 boxes"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "keys", "field", "old", "new"), ABSORBED)
def test_a_rule_absorbs_its_way_of_writing(
    kind: str, keys: dict[str, Any], field: str, old: str, new: str
) -> None:
    rule = make_rule(kind, **{"field": f"values.{field}"} | keys)
    assert _agree(rule, old, new, field)
    assert _agree(rule, new, old, field)
    assert not _agree(make_rule("exclude", directory="*.none"), old, new, field)


@pytest.mark.parametrize(("kind", "keys", "field", "old", "new"), LEFT)
def test_a_rule_leaves_another_value(
    kind: str, keys: dict[str, Any], field: str, old: str, new: str
) -> None:
    rule = make_rule(kind, **{"field": f"values.{field}"} | keys)
    assert not _agree(rule, old, new, field)
    assert not _agree(rule, new, old, field)


def test_every_kind_by_value_is_tried_here() -> None:
    tried = {kind for kind, *_ in ABSORBED}
    assert set(KINDS) - tried == {"error_class", "ceiling", "exclude"}


@pytest.mark.parametrize(
    ("value", "number"),
    [("007", "7"), ("-0.0", "0"), ("1.", "1"), (".50", "0.5"), ("1e3", "1e3"), ("", "")],
)
def test_a_number_has_one_form_and_other_text_stays(value: str, number: str) -> None:
    function = normaliser(make_rule("number"))
    assert function is not None
    assert function(value) == number


def test_a_status_map_brings_two_words_together() -> None:
    rows = control(raw_status="listed"), candidate()
    rule = make_rule("map", field="outcome", map={"listed": "submitted"})
    assert [d.kind for d in differences(_compare(*rows))] == ["other_word"]
    assert differences(_compare(*rows, rules=(rule,))) == ()


def test_the_first_pattern_that_an_error_holds_gives_its_class() -> None:
    patterns = [{"match": "sms", "to": "needs_human"}, {"match": "code", "to": "config"}]
    rule = make_rule("error_class", pattern=patterns)
    rows = _errors(("enter the sms code", "unknown"), ("an sms was sent", "unknown"))
    assert differences(_compare(*rows, rules=(rule,))) == ()
    rows = _errors(("enter the sms code", "unknown"), ("no code", "unknown"))
    (found,) = differences(_compare(*rows, rules=(rule,)))
    assert (found.control_value, found.candidate_value) == ("needs_human", "config")


def test_an_error_without_an_own_pattern_keeps_the_shipped_class() -> None:
    rule = make_rule("error_class", pattern=[{"match": "sms", "to": "captcha"}])
    rows = _errors(("sms", "unknown"), ("reCAPTCHA found", "captcha"))
    assert differences(_compare(*rows, rules=(rule,))) == ()
    rows = _errors(("sms", "unknown"), ("what is this", "unknown"))
    assert len(differences(_compare(*rows, rules=(rule,)))) == 1


def test_an_excluded_pair_is_counted_under_its_rule_and_judged_no_more() -> None:
    rows = [control(), candidate("failed"), control(directory=BIRCH), candidate(directory=BIRCH)]
    rule = make_rule("exclude", directory="maple-*")
    found = _compare(*rows, rules=(rule,))
    kept = found.pairs.select("directory", "verdict", "excluded_by", "verdict_with_excluded").rows()
    assert sorted(kept) == [
        (BIRCH, Verdict.AGREE, None, Verdict.AGREE),
        (HOST, Verdict.EXCLUDED, "exclude", Verdict.MISMATCH),
    ]
    assert differences(found) == ()
    assert found.set_apart["differs"].to_list() == [True]
    (effect,) = rule_effects(found)
    assert (effect.touched, effect.hidden, effect.hidden_pairs) == (1, 1, 1)
    without = _compare(*rows)
    assert found.pairs.height == without.pairs.height, "no pair may vanish"
    assert len(differences(without)) == 1


def test_a_pair_can_be_excluded_by_what_a_side_recorded() -> None:
    rows = [
        control(raw_status="manual_required"), candidate("failed"),
        control(directory=BIRCH), candidate("failed", directory=BIRCH),
    ]  # fmt: skip
    rule = make_rule("exclude", control="manual_required")
    pairs = _compare(*rows, rules=(rule,)).pairs
    assert pairs.filter(pl.col("verdict") == "excluded")["directory"].to_list() == [HOST]
    rule = make_rule("exclude", control="manual_required", candidate="submitted")
    assert _compare(*rows, rules=(rule,)).pairs["excluded_by"].count() == 0


def test_two_exclusions_of_one_pair_hide_nothing_by_themselves() -> None:
    rules = [make_rule("exclude", name=name, directory="*.example") for name in ("one", "two")]
    found = _compare(control(), candidate("failed"), rules=tuple(rules))
    assert found.pairs["excluded_by"].to_list() == ["one"]
    assert [(e.touched, e.hidden) for e in rule_effects(found)] == [(1, 0), (1, 0)]


def test_a_pair_whose_own_rows_contradict_each_other_keeps_that_reason() -> None:
    rows = [control(), control("failed", unit="again"), candidate()]
    found = _compare(*rows, rules=(make_rule("exclude", directory="*.example"),))
    assert found.pairs.select("verdict", "excluded_by").rows() == [("excluded", None)]


def test_a_ceiling_holds_only_in_its_scope() -> None:
    rows = [control(), candidate(duration_ms=9_000.0), control(directory=BIRCH),
            candidate(duration_ms=9_000.0, directory=BIRCH)]  # fmt: skip
    found = _compare(*rows, rules=(make_rule("ceiling", limit=5, directory="birch-*"),))
    assert [d.directory for d in differences(found)] == [BIRCH]
    rules = make_rule("ceiling", limit=5), make_rule("ignore", field="latency_s")
    assert differences(_compare(*rows, rules=rules)) == ()


@pytest.mark.parametrize(
    ("limit", "allowed", "too_much"),
    [(0, 0.0, True), (1, 1.0, False), ("40%", 0.4, True), ("100 %", 1.0, False)],
)
def test_a_rule_says_when_it_hides_more_than_it_is_declared_to(
    limit: int | str, allowed: float, too_much: bool
) -> None:
    rule = make_rule("casefold", field="values.name", expects_at_most=limit)
    found = _compare(control(sent_name="A"), candidate(sent_name="a"), rules=(rule,))
    (effect,) = rule_effects(found)
    assert (effect.hidden_pairs, effect.hides_too_much) == (1, too_much)
    assert effect.expects_at_most == pytest.approx(allowed)
