"""What holds for every rule, whatever the values: it is idempotent, and equal values stay equal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.compare.addresses import SHORT
from harness.compare.applying import apply_rules
from harness.compare.kinds import KINDS, Rule
from harness.compare.normalise import normaliser
from tests.support.events import HOST, START
from tests.support.rules import make_rule, make_rules

NEEDS: dict[str, dict[str, Any]] = {
    "map": {"map": {"Maple": "Birch", "12": "twelve"}},
    "error_class": {"pattern": [{"match": "e", "to": "timeout"}]},
    "date": {"formats": ["%m/%d/%Y", "%d %B %y %H:%M"]},
    "tolerance": {"relative": 0.5},
    "ceiling": {"limit": 5},
    "exclude": {"directory": "*.none"},
}
RULES = {kind: make_rule(kind, **NEEDS.get(kind, {})) for kind in KINDS}
PARTS = (
    *"0123456789", "12", "1,234", ".", ",", "-", "+", "/", "#", " ", "\u00a0", "T", "Z", ":", "%",
    "2026-11-20", "11/20/2026", "+02:00", "N", "n.", "N.E.", "Street", "st", "Suite", "ste", "#",
    "first", "Maple", "Café", "e\u0301", "ﬁ", "ß", "İ", "Ａ", "www.", "http://", "maple.example",
    "@", "(202) 555-0142", "x9", "NaN", "1e9",
)  # fmt: skip
texts = st.one_of(st.text(max_size=12), st.lists(st.sampled_from(PARTS), max_size=8).map("".join))


def _cells(field: str, pairs: list[tuple[str, str]]) -> pl.DataFrame:
    failed = field == "error"
    schema = {
        "mode": pl.String, "job_id": pl.String, "directory": pl.String,
        "created_at": pl.Datetime("us", "UTC"), "field": pl.String, "control_raw": pl.String,
        "candidate_raw": pl.String, "control_class": pl.String, "candidate_class": pl.String,
    }  # fmt: skip
    rows = [
        ("live", f"job-{n}", HOST, START, field, old, new, *(["refused" if failed else None] * 2))
        for n, (old, new) in enumerate(pairs)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fields(rule: Rule) -> str:
    return "values.address" if rule.field == "values.*" else rule.field


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@example(values=["www.maple.example:x9", "www.www.1.http://@"])
@given(values=st.lists(texts, min_size=1, max_size=6))
def test_a_function_applied_twice_is_applied_once(kind: str, values: list[str]) -> None:
    function = normaliser(RULES[kind])
    if function is None:
        return
    for value in values:
        assert function(function(value)) == function(value)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_a_rule_twice_in_a_set_is_one_rule(kind: str, pairs: list[tuple[str, str]]) -> None:
    rule = RULES[kind]
    cells = _cells(_fields(rule), pairs)
    once = apply_rules(cells, make_rules(rule)).drop("touched")
    assert apply_rules(cells, make_rules(rule, rule)).drop("touched").equals(once)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ceiling"])
@settings(max_examples=30, deadline=None)
@given(values=st.lists(texts, min_size=1, max_size=6), others=st.permutations(list(KINDS)))
def test_no_rule_makes_equal_values_differ(kind: str, values: list[str], others: list[str]) -> None:
    rule = RULES[kind]
    cells = _cells(_fields(rule), [(value, value) for value in values])
    assert not apply_rules(cells, make_rules(rule))["differs"].any()
    assert not apply_rules(cells, make_rules(*(RULES[k] for k in others)))["differs"].any()


SCOPES: list[tuple[dict[str, Any], bool]] = [
    ({"directory": HOST}, True),
    ({"directory": ["*.none", "maple-*"]}, True),
    ({"directory": "*.test"}, False),
    ({"directory": "MAPLE*"}, False),
    ({"since": START}, True),
    ({"since": START + timedelta(microseconds=1)}, False),
    ({"until": START + timedelta(microseconds=1)}, True),
    ({"until": START}, False),
    ({"since": START, "directory": "*.none"}, False),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("exclude", "ceiling")])
@pytest.mark.parametrize(("scope", "inside"), SCOPES)
@settings(max_examples=8, deadline=None)
@given(pairs=st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_a_rule_works_in_its_scope_as_without_one_and_nowhere_else(
    kind: str, scope: dict[str, Any], inside: bool, pairs: list[tuple[str, str]]
) -> None:
    rule = make_rule(kind, **NEEDS.get(kind, {}))
    cells = _cells(_fields(rule), pairs)
    scoped = apply_rules(cells, make_rules(rule.model_copy(update=_read(rule, scope))))
    expected = apply_rules(cells, make_rules(rule) if inside else make_rules())
    assert scoped.equals(expected)


def _read(rule: Rule, scope: dict[str, Any]) -> dict[str, Any]:
    read = make_rule("casefold", **scope)
    return {key: getattr(read, key) for key in scope}


def test_a_job_without_a_creation_is_in_no_time_span() -> None:
    cells = _cells("values.name", [("A", "a")]).with_columns(
        created_at=pl.lit(None, pl.Datetime("us", "UTC"))
    )
    rule = make_rule("casefold", field="values.name", since=START)
    assert apply_rules(cells, make_rules(rule))["differs"].to_list() == [True]


def test_an_abbreviation_is_never_abbreviated_again() -> None:
    assert not set(SHORT.values()) & set(SHORT)
    assert len(SHORT) > 90
