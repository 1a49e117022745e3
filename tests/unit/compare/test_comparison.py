"""Verdicts, differences and clusters: one verdict a pair, whatever the order of the rows."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare.cluster_words import TITLES
from harness.compare.comparison import Comparison, compare, difference_id, differences
from harness.compare.rules import RuleSet, parse_rules
from harness.model import Verdict
from harness.resources import package_text
from tests.support.events import HOST, JOB, at
from tests.support.frames import Row, candidate, control, job, jobs_frame
from tests.support.frames import submissions_frame as frame
from tests.support.weeks import JOB_IDS, weeks

SHIPPED = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")


def _compare(rows: list[Row], *, second: float = 100, rules: RuleSet = SHIPPED) -> Comparison:
    jobs = [job(job_id, created_at=at(10 * n)) for n, job_id in enumerate((JOB, *JOB_IDS))]
    return compare(frame(rows), jobs_frame(jobs), rules, as_of=at(second), deadline_s=600.0)


def _only(*rows: Row, second: float = 100) -> tuple[str, str]:
    (found,) = differences(_compare(list(rows), second=second))
    return found.kind, found.explanation


@settings(max_examples=30, deadline=None)
@given(rows=weeks(), second=st.sampled_from([100, 5000]))
def test_every_pair_gets_exactly_one_verdict(rows: list[Row], second: int) -> None:
    pairs = _compare(rows, second=second).pairs
    keys = pairs.select("mode", "job_id", "directory").rows()
    assert len(keys) == len(set(keys))
    assert set(pairs["verdict"].to_list()) <= set(Verdict)
    live = {(r["job_id"], r["directory"]) for r in rows if r["mode"] == "live"}
    old = {(r["job_id"], r["directory"]) for r in rows if r["side"] == "control"}
    replayed = {
        (r["job_id"], r["directory"])
        for r in rows
        if r["side"] == "candidate" and r["mode"] == "demo"
    }
    assert (
        Counter(mode for mode, _, _ in keys)
        == Counter({"live": len(live), "demo": len(replayed & old)}) - Counter()
    )


@settings(max_examples=25, deadline=None)
@given(rows=weeks(), seed=st.integers(0, 10**6))
def test_the_comparison_does_not_depend_on_the_order_of_rows(rows: list[Row], seed: int) -> None:
    # Rows of one host are alike here but for their unit; which of them stands first is the view's
    # order, so they are shuffled as one.
    shuffled = [row for row in rows if not row["unit"].startswith("again")]
    random.Random(seed).shuffle(shuffled)
    shuffled += [row for row in rows if row["unit"].startswith("again")]
    one, other = _compare(rows, second=5000), _compare(shuffled, second=5000)
    assert one.pairs.equals(other.pairs)
    assert differences(one) == differences(other)


@settings(max_examples=25, deadline=None)
@given(rows=weeks())
def test_a_pair_disagrees_if_and_only_if_it_has_a_difference(rows: list[Row]) -> None:
    found = _compare(rows, second=5000)
    disagreeing = {
        (row["mode"], row["job_id"], row["directory"])
        for row in found.pairs.iter_rows(named=True)
        if row["verdict"] in (Verdict.MISMATCH, Verdict.MISSING_CANDIDATE, Verdict.MISSING_CONTROL)
    }
    assert {(d.mode, d.job_id, d.directory) for d in differences(found)} == disagreeing


@pytest.mark.parametrize(
    ("rows", "second", "kind", "words"),
    [
        ((control(), candidate("failed")), 100, "candidate_failed", "no success words"),
        ((control(), candidate("failed", error_class="captcha")), 100, "captcha", "captcha"),
        ((control(), candidate("failed", error_class="timeout")), 100, "timeout", "timeout"),
        ((control("failed"), candidate()), 100, "control_failed", "the control failed"),
        ((control(),), 5000, "missing_candidate", "silent since its deadline"),
        ((control("in_flight"), candidate()), 5000, "missing_control", "never finished"),
        ((control(sent_zip="1"), candidate(sent_zip="2")), 100, "wrong_value", "another zip"),
        ((control(), candidate(duration_ms=130_000.0)), 100, "slow", "130.0 s"),
    ],
)  # fmt: skip
def test_a_difference_names_its_kind_and_says_what_happened(
    rows: tuple[Row, ...], second: float, kind: str, words: str
) -> None:
    found, explanation = _only(*rows, second=second)
    assert found == kind
    assert words in explanation
    assert kind in TITLES


def test_words_that_no_rule_brings_together_do_not_pass_for_a_failure() -> None:
    rows = [control(), candidate("skipped", raw_status="skipped_duplicate")]
    (found,) = differences(_compare(rows, rules=SHIPPED.without("skipped-is-submitted")))
    assert found.kind == "other_word"
    assert "no rule says" in found.explanation


def test_a_slow_directory_is_shown_and_its_outcome_still_agrees() -> None:
    found = _compare([control(), candidate(duration_ms=130_000.0)])
    assert found.pairs["verdict"].to_list() == ["agree"]
    assert [d.kind for d in differences(found)] == ["slow"]


@pytest.mark.parametrize(
    ("old", "new", "raw_agrees"),
    [
        ({}, {}, True),
        ({"raw_status": "approved"}, {}, False),
        ({"sent_city": "ALBANY"}, {"sent_city": "Albany"}, False),
    ],
)
def test_agreement_without_rules_compares_the_raw_words(
    old: Row, new: Row, raw_agrees: bool
) -> None:
    pairs = _compare([control(**old), candidate(**new)]).pairs
    assert pairs["verdict"].to_list() == ["agree"]
    assert pairs["raw_agrees"].to_list() == [raw_agrees]


def test_a_row_without_an_address_that_stays_silent_is_listed() -> None:
    (found,) = differences(_compare([control("failed", directory=None)], second=5000))
    assert (found.directory, found.kind) == ("", "missing_candidate")


def test_a_difference_carries_the_last_event_that_made_it() -> None:
    rows = [control(from_seq=41), candidate("failed", from_seq=17)]
    (found,) = differences(_compare(rows))
    assert found.seq == 41


def test_the_id_of_a_difference_is_the_same_at_every_moment() -> None:
    early = differences(_compare([control(), candidate("failed")]))
    late = differences(
        _compare([control(), candidate("failed", error_class="timeout")], second=9000)
    )
    assert early[0].id == late[0].id == difference_id("live", JOB, HOST, "outcome")
    assert len(early[0].id) == 12
