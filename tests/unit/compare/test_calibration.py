"""Faults planted in pairs: what shows, what is hidden, and which rule is named for it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest

from harness.compare.calibration.causes import CONTRADICTION, NO_CEILING, ONE_SIDE
from harness.compare.calibration.kinds import KINDS, ROW_KINDS, Effect
from harness.compare.calibration.plan import plan
from harness.compare.calibration.rates import at_rates
from harness.compare.calibration.scoring import BLINDING_SHARE, Scores
from harness.compare.kinds import Rule
from harness.compare.rules import RuleSet
from tests.support.calibrations import (
    CONDITIONS,
    HOSTS,
    SHIPPED,
    calibrated,
    planned,
    recorded,
)
from tests.support.frames import control
from tests.support.rules import make_rule


@pytest.fixture(scope="module")
def frames() -> tuple[pl.DataFrame, pl.DataFrame]:
    return recorded()


@pytest.fixture(scope="module")
def shipped(frames: tuple[pl.DataFrame, pl.DataFrame]) -> Scores:
    return calibrated(frames)[0]


def test_the_shipped_rules_hide_no_planted_fault_and_flag_nothing_innocent(shipped: Scores) -> None:
    assert (shipped.score, shipped.blinding, shipped.false_alarms) == (1.0, (), ())
    assert shipped.planted >= 2000
    assert shipped.innocent > 200
    # What is not judged is told with its cause, beside the score.
    (group,) = shipped.survivors
    assert (group.cause, group.counted) == (ONE_SIDE, False)


def test_every_kind_is_planted_and_each_shows_in_its_own_field(shipped: Scores) -> None:
    # Both sides fail there because they were refused, so that this is no other reason.
    assert {kind.kind for kind in shipped.kinds} == set(KINDS) - {"error.refused"}
    for kind in shipped.kinds:
        wanted = {Effect.CHANGES: kind.planted, Effect.INNOCENT: 0, Effect.UNJUDGED: 0}
        assert kind.shown == wanted[kind.effect], kind.kind


def test_a_fault_that_changes_nothing_would_not_count_as_caught(
    frames: tuple[pl.DataFrame, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Break every planting: then nothing may show, or the score would come from somewhere else.
    monkeypatch.setattr("harness.compare.calibration.planting._changed", lambda rows: rows)
    scores, _ = calibrated(frames, mutations=500)
    assert (scores.caught, len(scores.false_alarms)) == (0, 0)


def test_the_same_seed_plants_the_same_and_another_seed_does_not(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    first, again, other = (calibrated(frames, mutations=500, seed=s)[1] for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_few_places_are_used_up_and_the_others_make_up_for_them(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    chosen, _ = planned(frames, mutations=3000)
    counts = Counter(chosen.mutants["kind"].to_list())
    faults = {k: n for k, n in counts.items() if KINDS[k].effect is Effect.CHANGES}
    assert sum(faults.values()) == 3000
    most = max(counts.values())
    assert all(n == min(most, chosen.places[k][0]) or n >= most - 1 for k, n in counts.items())


BROAD: list[tuple[str, dict[str, Any], str, set[str]]] = [
    ("ignore", {"field": "values.phone"}, "values.phone", {"digit", "cut", "mixed_up"}),
    ("ignore", {"field": "values.*"}, "values.name", {"letter", "word_lost"}),
    ("exclude", {"directory": HOSTS[0]}, "outcome", {"dropped", "failed", "control_dropped"}),
    ("exclude", {"candidate": ["failed"]}, "outcome", {"failed"}),
    ("map", {"field": "outcome", "map": {"failed": "submitted"}}, "outcome", {"failed"}),
    ("error_class", {"pattern": [{"match": "[a-z]", "to": "timeout"}]}, "error", {"captcha"}),
    ("tolerance", {"field": "values.category", "absolute": 1000.0}, "values.category", {"digit"}),
    ("host", {}, "values.website", {"page"}),
    ("map", {"field": "values.zip", "map": {"": "12207"}}, "values.zip", set()),
    ("ceiling", {"limit": 7200.0, "name": "directory-time"}, "latency_s", {"slow"}),
    ("ignore", {"field": "latency_s"}, "latency_s", {"slow"}),
]


@pytest.mark.parametrize(("kind", "keys", "field", "hidden"), BROAD)
def test_an_over_broad_rule_is_named_as_the_one_that_blinds(
    kind: str, keys: dict[str, Any], field: str, hidden: set[str]
) -> None:
    numeric = {"sent_category": "120"} if kind == "tolerance" else {}
    submissions, jobs = recorded(**numeric)
    if numeric:
        submissions = submissions.with_columns(
            sent_category=pl.when(pl.col("sent_category").is_not_null()).then(pl.lit("120"))
        )
    rule = make_rule(kind, **{"name": "too-broad"} | keys)
    scores, mutants = calibrated((submissions, jobs), SHIPPED.having(rule))
    found = {h.field: h for h in scores.hiding if h.rule == rule.name}
    if not hidden:
        # A map of one value hides one fault at most: that is what it says, and it blinds nothing.
        assert not scores.blinding
        return
    assert scores.blinding
    assert {h.rule for h in scores.blinding} == {rule.name}
    assert found[field].share > BLINDING_SHARE
    assert {f"{field}.{name}" for name in hidden} <= dict(found[field].kinds).keys()
    lost = [m for m in mutants if m.effect is Effect.CHANGES and not m.shown]
    assert lost
    for mutant in lost:
        assert mutant.cause is not None
        assert mutant.cause.rules == (rule.name,)
        assert rule.name in mutant.cause.sentence
    assert sum(s.mutants for s in scores.survivors if s.counted) == len(lost)


def test_a_rule_that_the_unchanged_pair_needs_is_not_blamed_for_another(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    submissions, jobs = frames
    submitted = (pl.col("side") == "control") & (pl.col("outcome") == "submitted")
    word = pl.when(submitted).then(pl.lit("approved")).otherwise(pl.col("raw_status"))
    approved = submissions.with_columns(raw_status=word), jobs
    # Without status-words "approved" is another word than "submitted", fault or no fault.
    broad = make_rule("map", name="fine", field="outcome", map={"error_no_profile": "submitted"})
    scores, _ = calibrated(approved, RuleSet(version=1, rule=(broad, *SHIPPED.rule)))
    assert {h.rule: dict(h.kinds).keys() for h in scores.hiding} == {"fine": {"outcome.no_profile"}}


def test_of_several_rules_the_one_that_hides_most_is_named(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    # A skipped directory counts as submitted; that a failed one does so too hides the fault.
    broad = make_rule("map", name="all-fine", field="outcome", map={"failed": "submitted"})
    scores, _ = calibrated(frames, RuleSet(version=1, rule=(broad, *SHIPPED.rule)))
    assert {h.rule for h in scores.hiding} == {"all-fine"}
    assert "outcome.skipped" in dict(scores.hiding[0].kinds)


def test_what_is_planted_does_not_shrink_by_what_the_rules_hide(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    broad = [
        make_rule("ignore", field="values.*"),
        make_rule("exclude", directory="*.example"),
        make_rule("map", field="outcome", map={"failed": "submitted"}),
    ]
    chosen, _ = planned(frames)
    for rule in broad:
        blinded, _ = planned(frames, SHIPPED.having(rule))
        assert blinded.mutants.equals(chosen.mutants)
        assert blinded.places == chosen.places


def test_two_rules_that_hide_the_same_are_named_together(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    first = make_rule("ignore", name="any-phone", field="values.phone")
    second = make_rule("exclude", name="not-birch", directory="birch-*")
    scores, mutants = calibrated(frames, SHIPPED.having(first).having(second))
    for mutant in mutants:
        if mutant.effect is Effect.CHANGES and not mutant.shown:
            wanted = {"any-phone"} if mutant.field == "values.phone" else set()
            wanted |= {"not-birch"} if (mutant.directory or "").startswith("birch") else set()
            assert mutant.cause is not None
            assert set(mutant.cause.rules) == wanted
    assert {h.rule for h in scores.blinding} == {"any-phone", "not-birch"}


def test_of_two_rules_that_do_the_same_neither_is_let_off(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    rules = SHIPPED
    for name, field in (("any-phone", "values.phone"), ("any-value", "values.*")):
        rules = rules.having(make_rule("ignore", name=name, field=field))
    _, mutants = calibrated(frames, rules)
    causes = {m.field: m.cause.rules for m in mutants if m.effect is Effect.CHANGES and m.cause}
    assert causes.pop("values.phone") == ("any-phone", "any-value")
    assert set(causes.values()) == {("any-value",)}


def test_without_a_ceiling_no_duration_shows_and_no_rule_is_blamed(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    scores, _ = calibrated(frames, SHIPPED.without("directory-time"))
    (group,) = [group for group in scores.survivors if group.counted]
    assert (group.rules, group.cause) == ((), NO_CEILING)
    assert dict(group.kinds).keys() == {"latency_s.slow"}
    assert scores.blinding == ()


def test_a_ceiling_of_another_directory_is_not_blamed(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    high = make_rule("ceiling", name="high", limit=7200.0, directory="birch-*")
    scores, mutants = calibrated(frames, SHIPPED.without("directory-time").having(high))
    causes = {
        (m.directory or "").partition("-")[0]: m.cause
        for m in mutants
        if m.kind == "latency_s.slow"
    }
    birch = causes.pop("birch")
    assert birch is not None
    assert birch.rules == ("high",)
    assert {cause.sentence for cause in causes.values() if cause} == {NO_CEILING}
    assert [h.rule for h in scores.blinding] == ["high"]


def test_control_rows_that_contradict_each_other_are_planted_in_and_named() -> None:
    submissions, jobs = recorded(4)
    other = control("failed", unit="other", job_id="job-00", directory=HOSTS[0])
    submissions = pl.concat([submissions, _frame_like(submissions, other)])
    scores, mutants = calibrated((submissions, jobs))
    lost = [m for m in mutants if m.effect is Effect.CHANGES and not m.shown]
    assert {(m.job_id, m.directory) for m in lost} == {("job-00", HOSTS[0])}
    assert {m.cause.sentence for m in lost if m.cause} == {CONTRADICTION}
    assert scores.blinding == ()


def _frame_like(frame: pl.DataFrame, row: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in frame.columns}], schema=frame.schema)


def test_rules_that_absorb_too_little_show_as_false_alarms(
    frames: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    scores, _ = calibrated(frames, SHIPPED.without("trim-space"))
    assert {m.kind.rpartition(".")[2] for m in scores.false_alarms} == {"padded"}
    assert scores.score == 1.0


def test_where_every_pair_differs_or_waits_nothing_is_planted() -> None:
    differing = recorded(4, sent_name="Somebody Else")
    everywhere = differing[0].filter(pl.col("mode") == "live"), differing[1]
    scores, mutants = calibrated(everywhere)
    assert (mutants, scores.score, scores.planted) == ([], None, 0)
    early = CONDITIONS.compared(*recorded(4), SHIPPED)
    nothing = plan(
        early, type(CONDITIONS)(as_of=CONDITIONS.as_of, deadline_s=1e9), mutations=99, seed=0
    )
    silent = {kind.id for kind in ROW_KINDS if "dropped" in kind.id or "unfinished" in kind.id}
    assert not silent & set(nothing.places)


@pytest.mark.parametrize("rule", [None, make_rule("ignore", field="values.*")])
def test_a_share_of_the_jobs_is_hit_at_once_and_only_those_change(
    frames: tuple[pl.DataFrame, pl.DataFrame], rule: Rule | None
) -> None:
    rules: RuleSet = SHIPPED.having(rule) if rule else SHIPPED
    chosen, comparison = planned(frames, rules)
    runs = at_rates(chosen, comparison, *frames, CONDITIONS, (0.01, 0.25, 1.0), seed=3)
    assert [(run.jobs, run.hit) for run in runs] == [(12, 1), (12, 3), (12, 12)]
    if rule is None:
        assert [run.shown for run in runs] == [1, 3, 12]
    else:
        assert runs[-1].shown < 12
