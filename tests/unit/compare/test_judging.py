"""Judging by columns and in runs finds what judging every cell finds."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare.comparison import (
    Comparison,
    compare,
    compare_again,
    compare_pairs,
    rule_effects,
)
from harness.compare.kinds import VALUE_FIELDS, Rule
from harness.compare.pairing import join_sides, with_state
from harness.compare.rules import RuleSet
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
from tests.support.weeks import shipped_rules

HOSTS = ("maple-listings.example", "birch-index.test", None)
JOBS = ("job-a", "job-b", "job-c")
VALUES = {
    "phone": ("(202) 555-0142", "+12025550142", "202-555-0199", "n/a"),
    "website": ("http://www.maple.example/", "maple.example", "maple.test", "www.www.maple.test"),
    "city": ("ALBANY", " Albany", "Albany", "Troy"),
    "description": ("1,000", "1000", "1001", "x"),
}
SCOPES: tuple[dict[str, Any], ...] = (
    {}, {}, {"directory": "*.test"}, {"since": at(50)}, {"until": at(50)},
)  # fmt: skip
RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("casefold", {"field": "values.*"}), ("whitespace", {"field": "values.city"}),
    ("phone", {}), ("url", {}), ("host", {}), ("number", {"field": "values.description"}),
    ("tolerance", {"field": "values.description", "relative": 0.1}),
    ("map", {"field": "values.city", "map": {"Troy": "Albany"}}),
    ("map", {"field": "outcome", "map": {"odd": "submitted", "error": "failed"}}),
    ("ignore", {"field": "error"}), ("ignore", {"field": "latency_s"}),
    ("ceiling", {"limit": 5}), ("ceiling", {"limit": 20}), ("error_class", {}),
    ("error_class", {"pattern": [{"match": "sms", "to": "timeout"}]}),
    ("exclude", {"directory": "maple-*"}), ("exclude", {"control": "odd"}),
)  # fmt: skip


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    rules: list[Rule] = []
    for number, (kind, needs) in enumerate(draw(st.lists(st.sampled_from(RULES), max_size=6))):
        scope = draw(st.sampled_from(SCOPES)) if kind != "exclude" else {}
        rules.append(make_rule(kind, name=f"rule-{number}", **needs, **scope))
    return make_rules(*shipped_rules().rule, *rules) if draw(st.booleans()) else make_rules(*rules)


@st.composite
def records(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    seed = draw(st.randoms(use_true_random=False))
    rows: list[Row] = []

    def columns() -> Row:
        sent = {f"sent_{n}": seed.choice(v) for n, v in VALUES.items() if seed.random() < 0.8}
        text = seed.choice((None, "sms needed", "Timeout"))
        return sent | {"error_text": text, "error_class": seed.choice(("timeout", "unknown", None))}

    for job_id in JOBS:
        for host in HOSTS:
            where = {"job_id": job_id, "directory": host}
            for number in range(seed.choice((0, 1, 1, 1, 2))):
                old = seed.choice(("submitted", "submitted", "failed", "failed", "in_flight"))
                rows.append(
                    control(old, raw_status=seed.choice((old, "odd")), unit=f"{number}{job_id}",
                            **where, **columns())
                )  # fmt: skip
            for mode in ("live", "demo"):
                new = seed.choice(("submitted", "failed", "failed", "skipped", "in_flight", None))
                if new:
                    took = {"duration_ms": seed.choice((None, 9_000.0, 90_000.0))}
                    rows.append(candidate(new, mode=mode, **where, **columns(), **took))
                    if mode == "demo":
                        rows.append(observed(mode=mode, **where, **columns()))
    jobs = [job(name, created_at=at(second)) for name, second in zip(JOBS, (60, 0), strict=False)]
    return rows, jobs


def compared(record: tuple[list[Row], list[Row]], rules: RuleSet) -> Comparison:
    rows, jobs = record
    return compare(
        submissions_frame(rows), jobs_frame(jobs), rules, as_of=at(5000), deadline_s=600.0
    )


def same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    assert sorted(map(repr, found.iter_rows())) == sorted(map(repr, expected.iter_rows()))


@settings(max_examples=25, deadline=None)
@given(record=records(), rules=rule_sets())
def test_what_differs_is_what_differs_among_all_cells(
    record: tuple[list[Row], list[Row]], rules: RuleSet
) -> None:
    found = compared(record, rules)
    same(found.differing.drop("pair"), found.cells.filter("differs"))
    same(found.differing_apart.drop("pair"), found.set_apart.filter("differs"))
    keys = found.pairs.select("mode", "job_id", "directory")
    for cells in (found.differing, found.differing_apart):
        assert keys[cells["pair"]].equals(cells.select(keys.columns))
    assert found.pairs.equals(
        found.pairs.sort("mode", "created_at", "job_id", "directory", nulls_last=True)
    )


@settings(max_examples=12, deadline=None)
@given(record=records(), rules=rule_sets(), others=rule_sets())
def test_pairs_judged_again_are_as_if_they_had_been_judged_so_at_first(
    record: tuple[list[Row], list[Row]], rules: RuleSet, others: RuleSet
) -> None:
    first = compared(record, rules)
    again, anew = compare_again(first, others), compared(record, others)
    assert again.pairs.equals(anew.pairs)
    same(again.differing, anew.differing)
    kept = Comparison(pairs=first.pairs, rules=rules)
    same(kept.differing, first.differing)
    assert compare_again(kept, others).pairs.select(anew.pairs.columns).equals(anew.pairs)


@settings(max_examples=12, deadline=None)
@given(record=records(), rules=rule_sets())
def test_a_rule_has_touched_every_cell_that_names_it(
    record: tuple[list[Row], list[Row]], rules: RuleSet
) -> None:
    found = compared(record, rules)
    touched = Counter(name for names in found.cells["touched"].to_list() for name in names)
    told = {effect.name: effect.touched for effect in rule_effects(found)}
    excluding = {rule.name for rule in rules.rule if rule.kind == "exclude"}
    assert {name: n for name, n in told.items() if n and name not in excluding} == touched
    for field in set(found.cells["field"]):
        numbers = found.compared(field).pairs
        apart = found.pairs["excluded_by"].is_not_null().gather(numbers)
        assert len(numbers) - apart.sum() == (found.cells["field"] == field).sum()


@settings(max_examples=6, deadline=None)
@given(record=records(), rules=rule_sets())
def test_documents_that_pairs_share_are_judged_as_what_each_sent(
    record: tuple[list[Row], list[Row]], rules: RuleSet
) -> None:
    rows = [row | {"job_id": f"{row['job_id']}-{n}"} for n in range(12) for row in record[0]]
    jobs = [one | {"job_id": f"{one['job_id']}-{n}"} for n in range(12) for one in record[1]]
    expected = compared((rows, jobs), rules)
    submissions = submissions_frame(rows).with_row_index("row")
    columns = [f"sent_{name}" for name in VALUE_FIELDS]
    shared = submissions.select(columns).unique(maintain_order=True).with_row_index("sent")
    numbered = submissions.join(shared, on=columns, nulls_equal=True).sort("row")
    text = pl.Categorical(pl.Categories.random())
    as_numbers = pl.col(pl.String).cast(text)
    pairs, sent = join_sides(
        numbered.drop("row", *columns).with_columns(as_numbers), jobs_frame(jobs),
        documents=shared.with_columns(as_numbers), use_up=True,
    )  # fmt: skip
    state = with_state(pairs, as_of=at(5000), deadline_s=600.0, time_scale=1.0)
    found = compare_pairs(state, sent, rules)
    same(found.differing, expected.differing)
    assert rule_effects(found) == rule_effects(expected)
    assert found.pairs.equals(expected.pairs.select(found.pairs.columns))


def test_what_a_job_sends_to_every_directory_is_kept_once() -> None:
    hosts = [f"site-{n}.example" for n in range(9)]
    rows = [row for host in hosts for row in (control(directory=host), candidate(directory=host))]
    numbered = submissions_frame(rows).with_columns(sent=pl.arange(len(rows), dtype=pl.UInt32) % 2)
    documents = pl.DataFrame({f"sent_{name}": ["Albany", "Troy"] for name in VALUE_FIELDS})
    pairs, sent = join_sides(numbered, jobs_frame([job()]), documents=documents)
    assert sent.numbers.tolist() == [0] * len(hosts)
    control_sent, candidate_sent, observed_sent = sent.of("city")
    assert [*control_sent, *candidate_sent, *observed_sent] == ["Albany", "Troy", None]
    assert pairs["directory"].to_list() == hosts


@pytest.mark.parametrize("kind", ["ceiling", "error_class"])
def test_a_ceiling_and_an_error_class_look_at_more_than_the_two_values(kind: str) -> None:
    both = {"error_text": "the same words", "duration_ms": 9_000.0}
    rows = [
        control("failed", error_class="captcha", **both),
        candidate("failed", error_class="timeout", **both),
    ]
    rule = make_rule(kind, **({"limit": 5} if kind == "ceiling" else {}))
    assert compared((rows, [job()]), make_rules()).differing.is_empty()
    found = compared((rows, [job()]), make_rules(rule))
    assert found.differing["field"].to_list() == [rule.field]


def test_equal_neighbours_are_judged_apart_where_a_rule_is_about_one_of_them() -> None:
    hosts = [f"{name}.{end}" for name in ("ash", "birch", "cedar", "fir") for end in ("a", "b")]
    rows = [
        row
        for host in hosts
        for row in (control(directory=host, sent_city="ALBANY"),
                    candidate(directory=host, sent_city="Albany"))
    ]  # fmt: skip
    rule = make_rule("casefold", field="values.city", directory="*.a")
    found = compared((rows, [job()]), make_rules(rule))
    assert found.differing["directory"].to_list() == [host for host in hosts if host[-1] == "b"]
