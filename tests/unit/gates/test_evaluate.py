"""Each kind of gate in each of its states, and the decision that they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gates.definition import parse_gates
from harness.gates.evaluate import decide
from harness.gates.inputs import Attestation, GateInputs, Sampling
from harness.gates.presets import load_gates
from harness.model import Decision, GateStatus, IntervalKind
from harness.stats.checks import StatsInputError
from harness.stats.quantiles import DurationState
from tests.unit.gates.factory import evaluated, find, judged, make_inputs
from tests.unit.gates.test_definition import SHIPPED

FINISHED, RUNNING, LOST = DurationState
GATES = load_gates()
AGREEMENT = "dual-write.agreement"
LATENCY = "shadow.p95_latency"


def agreement(low: Any, high: Any = None, **changes: Any) -> GateInputs:
    return make_inputs(
        len(low), agreement_low=low, agreement_high=low if high is None else high, **changes
    )


def durations(seconds: Any, states: Any = None, **changes: Any) -> GateInputs:
    n = len(seconds)
    return make_inputs(
        n, end_to_end_s=seconds, end_to_end_state=states or (FINISHED,) * n, **changes
    )


def test_everything_well_is_go_and_states_its_risk() -> None:
    phases = evaluated(GATES, make_inputs())
    assert {gate.status for phase in phases for gate in phase.gates} == {GateStatus.PASS}
    assert [phase.decision for phase in phases] == [Decision.GO] * 4
    decision, reason = decide(phases)
    assert decision is Decision.GO
    assert reason == (
        "All 11 required gates passed. A system that misses a threshold gets such a GO with a "
        "probability of at most 10 %, however often you look."
    )


def test_no_evidence_at_all_is_undecided_and_every_gate_open() -> None:
    phases = evaluated(GATES, GateInputs())
    assert {gate.status for phase in phases for gate in phase.gates} == {GateStatus.OPEN}
    assert all(gate.missing for phase in phases for gate in phase.gates)
    assert decide(phases)[0] is Decision.UNDECIDED
    assert decide(())[0] is Decision.UNDECIDED


def test_one_failing_gate_is_no_go_whatever_the_rest_says() -> None:
    decision, reason = decide(evaluated(GATES, make_inputs(dlq_depth=1)))
    assert decision is Decision.NO_GO
    assert reason == ("1 required gate fails: No message given up to the dead-letter queue.")


def test_a_gate_that_is_not_required_decides_nothing() -> None:
    text = SHIPPED.replace('id = "dead_letters"', 'id = "dead_letters"\nrequired = false')
    phases = evaluated(parse_gates(text, origin="x"), make_inputs(dlq_depth=1))
    assert find(phases, "shadow.dead_letters").status is GateStatus.FAIL
    assert decide(phases)[0] is Decision.GO


def test_mean_passes_at_job_82_and_not_before() -> None:
    assert judged(GATES, AGREEMENT, agreement(np.ones(81))).status is GateStatus.UNDECIDED
    passed = judged(GATES, AGREEMENT, agreement(np.ones(82)))
    assert passed.status is GateStatus.PASS
    assert passed.missing is None
    assert passed.interval is not None
    assert passed.interval.kind is IntervalKind.HEADLINE
    assert passed.interval.alpha_total == pytest.approx(0.10)
    assert passed.interval.low >= 0.95
    assert passed.reason == (
        "At least 95.0 % of submissions agree with the old system, at 95 % confidence however "
        "often you look; 95 % was required."
    )


def test_mean_fails_with_reason_and_without_anything_missing() -> None:
    failed = judged(GATES, AGREEMENT, agreement(np.tile([1.0, 0.5, 1.0, 0.0], 30)))
    assert failed.status is GateStatus.FAIL
    assert failed.value == pytest.approx(0.625)
    assert failed.missing is None
    assert failed.reason.startswith("At most ")
    assert failed.interval is not None
    assert failed.interval.high < 0.95


def test_mean_undecided_says_how_many_jobs_more() -> None:
    result = judged(GATES, AGREEMENT, agreement(np.ones(50)))
    assert result.status is GateStatus.UNDECIDED
    assert result.missing is not None
    assert result.missing.startswith("About 30 more jobs (30 to 2,000) at the present rate")
    assert result.more_jobs is not None
    assert 25 <= result.more_jobs < 35


def test_mean_at_its_threshold_is_said_to_be_off_course() -> None:
    result = judged(GATES, AGREEMENT, agreement(np.full(100, 0.95)))
    assert result.status is GateStatus.UNDECIDED
    assert result.missing is not None
    assert result.missing.startswith("Not on course")
    assert result.more_jobs is None


def test_mean_below_its_threshold_forecasts_the_failure() -> None:
    result = judged(GATES, AGREEMENT, agreement(np.tile([1.0, 1, 1, 1, 1, 1, 1, 0.5, 1, 0], 4)))
    assert result.status is GateStatus.UNDECIDED
    assert result.missing is not None
    assert "falls short" in result.missing


def test_too_few_jobs_neither_pass_nor_fail() -> None:
    for value in (0.0, 1.0):
        result = judged(GATES, AGREEMENT, agreement(np.full(29, value)))
        assert result.status is GateStatus.OPEN
        assert result.missing == "At least 1 more job."
        assert result.more_jobs == 1
    assert judged(GATES, AGREEMENT, agreement(np.zeros(30))).status is GateStatus.FAIL


def test_a_later_fall_does_not_undo_a_pass() -> None:
    x = np.concatenate([np.ones(90), [0.0], np.ones(20), [0.0, 0.0]])
    result = judged(GATES, AGREEMENT, agreement(x))
    assert result.status is GateStatus.PASS
    assert result.reason.endswith("(settled at job 82).")
    unlucky_order = judged(GATES, AGREEMENT, agreement(x[::-1]))
    assert unlucky_order.status is GateStatus.UNDECIDED


def test_a_lasting_fall_after_a_pass_raises_the_drift_alarm() -> None:
    x = np.concatenate([np.ones(120), np.tile([1.0, 1.0, 0.0], 10)])
    result = judged(GATES, AGREEMENT, agreement(x))
    assert result.status is GateStatus.UNDECIDED
    assert "drift alarm" in result.reason
    assert decide(evaluated(GATES, agreement(x)))[0] is Decision.UNDECIDED


def test_waiting_alone_never_raises_the_drift_alarm() -> None:
    low = np.concatenate([np.ones(120), np.zeros(30)])
    assert judged(GATES, AGREEMENT, agreement(low, np.ones(150))).status is GateStatus.PASS
    assert judged(GATES, AGREEMENT, agreement(low)).status is not GateStatus.PASS


def test_both_thresholds_crossed_is_a_failure_that_says_not_stationary() -> None:
    x = np.concatenate([np.ones(120), np.zeros(60)])
    result = judged(GATES, AGREEMENT, agreement(x))
    assert result.status is GateStatus.FAIL
    assert "not stationary" in result.reason
    assert result.interval is not None
    assert result.interval.low <= result.interval.high


def test_pending_jobs_count_at_their_worst_on_each_side() -> None:
    low = np.concatenate([np.ones(80), np.zeros(10)])
    waiting = judged(GATES, AGREEMENT, agreement(low, np.ones(90)))
    assert waiting.status is GateStatus.UNDECIDED
    assert waiting.value == 1.0
    assert waiting.evidence_text == "90 jobs, 10 pending"
    assert waiting.missing is not None
    assert "10 of them already under way" in waiting.missing
    settled_well = judged(GATES, AGREEMENT, agreement(np.ones(90)))
    assert settled_well.status is GateStatus.PASS
    all_waiting = judged(GATES, AGREEMENT, agreement(np.zeros(60), np.ones(60)))
    assert all_waiting.status is GateStatus.OPEN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"coverage": 0.899}, "only 89.9 % of the admitted jobs are covered"),
        ({"coverage": None}, "coverage is unknown"),
        ({"admitted_jobs": 200}, "only 75.0 % of the admitted jobs are covered"),
        ({"recording_gaps": ("production, 10:00 to 10:05",)}, "the recording has 1 gap"),
        ({"recording_complete": False}, "the recording is not complete"),
        ({"recording_complete": None}, "the recording is not proved complete"),
    ],
)
def test_missing_evidence_opens_every_statistical_gate(changes: dict[str, Any], said: str) -> None:
    phases = evaluated(GATES, make_inputs(**changes))
    for name in (AGREEMENT, LATENCY, "shadow.success_rate"):
        result = find(phases, name)
        assert result.status is GateStatus.OPEN
        assert said in result.reason
        assert result.missing
    assert decide(phases)[0] is Decision.UNDECIDED


def test_missing_evidence_does_not_hide_a_failure() -> None:
    inputs = agreement(np.zeros(60), coverage=0.1, recording_gaps=("a", "b"))
    assert judged(GATES, AGREEMENT, inputs).status is GateStatus.FAIL


def test_failing_needs_its_share_of_alpha_only() -> None:
    text = SHIPPED.split("[[phase]]")
    alone = parse_gates("[[phase]]".join(text[:2]).replace("decide", "# decide"), origin="x")
    assert alone.statistical == 1
    by_zeros = (np.concatenate([np.ones(40 - zeros), np.zeros(zeros)]) for zeros in range(40))
    x = next(
        x for x in by_zeros if judged(alone, AGREEMENT, agreement(x)).status is GateStatus.FAIL
    )
    together = judged(GATES, AGREEMENT, agreement(x))
    assert together.status is GateStatus.UNDECIDED
    assert "a NO-GO needs 98.33 %" in together.reason


def test_success_shows_the_old_system_beside_it() -> None:
    result = judged(GATES, "shadow.success_rate", make_inputs(control_success=0.45))
    assert result.status is GateStatus.PASS
    assert result.evidence_text == "150 jobs; old system 45.0 %"
    low = np.full(60, 0.4)
    failed = judged(
        GATES, "shadow.success_rate", make_inputs(60, success_low=low, success_high=low)
    )
    assert failed.status is GateStatus.FAIL


def test_percentile_passes_fails_and_waits() -> None:
    fast = judged(GATES, LATENCY, durations(np.full(82, 120.0)))
    assert fast.status is GateStatus.PASS
    assert fast.value_text == "P95 120 s (100.0 % within the limit)"
    assert fast.threshold_text == "P95 below 300 s: more than 95 % of jobs within 300 s"
    slow = judged(GATES, LATENCY, durations(np.tile([120.0, 301.0], 40)))
    assert slow.status is GateStatus.FAIL
    assert judged(GATES, LATENCY, durations(np.full(81, 120.0))).status is GateStatus.UNDECIDED
    assert judged(GATES, LATENCY, durations(np.full(20, 120.0))).status is GateStatus.OPEN


def test_exactly_300_seconds_are_not_below_300_seconds() -> None:
    result = judged(GATES, LATENCY, durations(np.full(82, 300.0)))
    assert result.status is GateStatus.FAIL


def test_lost_jobs_are_slow_jobs() -> None:
    seconds = np.full(100, 10.0)
    lost = judged(GATES, LATENCY, durations(seconds, (LOST, FINISHED) * 50))
    assert lost.status is GateStatus.FAIL
    assert lost.value_text == "50.0 %"


def test_running_jobs_wait_until_they_have_missed_the_limit() -> None:
    states = (FINISHED,) * 70 + (RUNNING,) * 30
    young = judged(GATES, LATENCY, durations(np.full(100, 30.0), states))
    assert young.status is GateStatus.UNDECIDED
    assert young.evidence_text == "100 jobs, 30 pending"
    old = durations(np.concatenate([np.full(70, 30.0), np.full(30, 900.0)]), states)
    assert judged(GATES, LATENCY, old).status is GateStatus.FAIL


@pytest.mark.parametrize("gate", ["dual-write.all_processed", "shadow.zero_loss"])
def test_the_first_confirmed_loss_fails(gate: str) -> None:
    losses = {"never_enqueued": 1, "orphan_submitting": 2, "lost_after_trigger": 0}
    result = judged(GATES, gate, make_inputs(confirmed_losses=losses))
    assert result.status is GateStatus.FAIL
    assert "(1 never enqueued and 2 orphan submitting)" in result.reason
    few = judged(GATES, gate, make_inputs(1, confirmed_losses=losses, recording_complete=None))
    assert few.status is GateStatus.FAIL


@pytest.mark.parametrize("gate", ["dual-write.all_processed", "shadow.zero_loss"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"confirmed_losses": None}, "nobody has looked for lost jobs"),
        ({"confirmed_losses": {}}, "nobody has looked for lost jobs"),
        ({"recording_gaps": ("SQS, 3 minutes",)}, "1 gap (SQS, 3 minutes)"),
        ({"recording_complete": None}, "not proved complete"),
        ({"processed_jobs": 148, "pending_jobs": 1}, "1 job past the deadline"),
        ({"admitted_jobs": 0}, "no job was admitted"),
    ],
)
def test_no_loss_in_an_incomplete_record_is_open(
    gate: str, changes: dict[str, Any], said: str
) -> None:
    result = judged(GATES, gate, make_inputs(**changes))
    assert result.status is GateStatus.OPEN
    assert said in result.reason


def test_all_processed_waits_for_pending_jobs_and_passes_without_a_minimum() -> None:
    waiting = judged(
        GATES, "dual-write.all_processed", make_inputs(10, processed_jobs=8, pending_jobs=2)
    )
    assert waiting.status is GateStatus.UNDECIDED
    assert waiting.value_text == "8 of 10"
    done = judged(GATES, "dual-write.all_processed", make_inputs(10))
    assert done.status is GateStatus.PASS


def test_zero_loss_states_what_it_implies_and_needs_a_minimum_of_jobs() -> None:
    result = judged(GATES, "shadow.zero_loss", make_inputs(100))
    assert result.status is GateStatus.PASS
    assert "fewer than 4.2 % will be, at 95 % confidence" in result.reason
    few = judged(GATES, "shadow.zero_loss", make_inputs(29))
    assert few.status is GateStatus.OPEN


@pytest.mark.parametrize(
    ("gate", "field", "none", "one"),
    [
        ("shadow.dead_letters", "dlq_depth", 0, 1),
        ("dual-write.prefect_errors", "prefect_errors", {"late": 0}, {"late": 1}),
        ("shadow.sandbox_escapes", "replay_escapes", 0, 1),
    ],
)
def test_a_count_passes_at_zero_fails_at_one_and_is_open_when_nobody_counted(
    gate: str, field: str, none: Any, one: Any
) -> None:
    counts: list[dict[str, Any]] = [{field: none}, {field: one}, {field: None}]
    results = [judged(GATES, gate, make_inputs(**count)) for count in counts]
    assert [r.status for r in results] == [GateStatus.PASS, GateStatus.FAIL, GateStatus.OPEN]
    for result in results:
        assert (result.missing is not None) == (result.status is GateStatus.OPEN)
        assert not result.reason.endswith(": .")


def test_errors_in_prefect_are_told_by_kind() -> None:
    errors = {"failed": 2, "crashed": 0, "late": 1, "no_deployment": 1}
    result = judged(GATES, "dual-write.prefect_errors", make_inputs(prefect_errors=errors))
    assert result.value_text == "4 errors"
    assert result.reason == (
        "4 errors in Prefect (2 failed flow runs, 1 late flow run and 1 missing deployment); none "
        "is allowed."
    )


SAMPLED = [("shadow.dead_letters", "dlq"), ("dual-write.prefect_errors", "prefect")]
SPARSE: list[tuple[Sampling, str]] = [
    (Sampling(), "never"),
    (Sampling(samples=1), "cover only 0.0 % of the recorded time"),
    (Sampling(samples=900, share=0.8999), "cover only 89.9 % of the recorded time"),
    (Sampling(samples=900, share=0.99, behind_s=660.0), "11 min older than the record"),
    (Sampling(samples=900, share=0.99, unseen=("3 flow runs",)), "3 flow runs were not seen"),
]


@pytest.mark.parametrize(("gate", "source"), SAMPLED)
@pytest.mark.parametrize(("sampling", "words"), SPARSE)
def test_a_zero_counts_only_if_samples_cover_the_record(
    gate: str, source: str, sampling: Sampling, words: str
) -> None:
    sparse = judged(GATES, gate, make_inputs(**{f"{source}_sampling": sampling}))
    assert sparse.status is GateStatus.OPEN
    assert words in sparse.reason
    assert sparse.missing is not None
    # One dead letter or error is one, however seldom anybody looked.
    seen: dict[str, Any] = {"dlq_depth": 1, "prefect_errors": {"failed": 1}}
    found = judged(GATES, gate, make_inputs(**{f"{source}_sampling": sampling}, **seen))
    assert found.status is GateStatus.FAIL


def test_how_much_of_the_time_samples_must_cover_is_the_teams_to_say() -> None:
    text = """
version = 1
[[phase]]
id = "shadow"
title = "Shadow"
[[phase.gate]]
id = "dead_letters"
kind = "zero_count"
measure = "dead_letters"
coverage_floor = 0.5
title = "No dead letter"
owner = "queue"
when_red = "Read them."
"""
    half = make_inputs(dlq_sampling=Sampling(samples=9, share=0.51))
    lax = parse_gates(text, origin="x")
    assert judged(lax, "shadow.dead_letters", half).status is GateStatus.PASS
    assert judged(GATES, "shadow.dead_letters", half).status is GateStatus.OPEN


def test_a_gap_in_production_says_nothing_about_replays_and_samples() -> None:
    inputs = make_inputs(recording_gaps=("production",))
    for gate in ("shadow.sandbox_escapes", "shadow.dead_letters", "dual-write.prefect_errors"):
        assert judged(GATES, gate, inputs).status is GateStatus.PASS
    ended = make_inputs(recording_complete=False)
    assert judged(GATES, "shadow.sandbox_escapes", ended).status is GateStatus.PASS
    assert judged(GATES, "shadow.dead_letters", ended).status is GateStatus.OPEN


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (None, GateStatus.OPEN),
        (Attestation(text="Ana Ruiz, until 1 December", valid=False), GateStatus.OPEN),
        (Attestation(text="two calls", valid=False, holds=False), GateStatus.OPEN),
        (Attestation(text="Ana Ruiz: two calls", valid=True, holds=False), GateStatus.FAIL),
        (Attestation(text="Ana Ruiz, until 9 December", valid=True), GateStatus.PASS),
    ],
)
def test_an_attestation_counts_only_while_it_is_valid(
    said: Attestation | None, status: GateStatus
) -> None:
    attestations = {} if said is None else {"no_customer_complaints": said}
    result = judged(GATES, "shadow.complaints", make_inputs(attestations=attestations))
    assert result.status is status
    assert (result.missing is not None) == (status is GateStatus.OPEN)


REMOVALS: list[dict[str, Any]] = [
    {"coverage": None},
    {"coverage": 0.5},
    {"recording_complete": None},
    {"recording_gaps": ("production",)},
    {"confirmed_losses": None},
    {"dlq_depth": None},
    {"dlq_sampling": Sampling()},
    {"prefect_errors": None},
    {"prefect_sampling": Sampling(samples=9, share=0.5)},
    {"replay_escapes": None},
    {"attestations": {}},
    {"agreement_low": np.zeros(0), "agreement_high": np.zeros(0)},
    {"success_low": np.zeros(0), "success_high": np.zeros(0)},
    {"end_to_end_s": np.zeros(0), "end_to_end_state": ()},
    {"critical_findings": None},
    {"unseen_by_findings": ("candidate_not_observable",)},
    {"stages": ()},
]
STRICTNESS = {GateStatus.FAIL: 0, GateStatus.OPEN: 1, GateStatus.UNDECIDED: 1, GateStatus.PASS: 2}


@given(
    fractions=st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.0, 1.0]), min_size=85, max_size=120),
    good=st.booleans(),
    removal=st.sampled_from(REMOVALS),
)
@settings(max_examples=120, deadline=None)
def test_removing_required_evidence_never_moves_the_decision_towards_go(
    fractions: list[float], good: bool, removal: dict[str, Any]
) -> None:
    x = np.ones(len(fractions)) if good else np.asarray(fractions)
    kept: dict[str, Any] = {"agreement_low": x, "agreement_high": x}
    before = evaluated(GATES, make_inputs(x.size, **kept))
    after = evaluated(GATES, make_inputs(x.size, **{**kept, **removal}))
    assert decide(after)[0] is not Decision.GO
    for phase in before:
        for old in phase.gates:
            new = find(after, old.gate)
            assert STRICTNESS[new.status] <= STRICTNESS[old.status] or (
                # The evidence that made it fail is the evidence that was removed.
                old.gate == AGREEMENT and "agreement_low" in removal
            )


@given(
    values=st.lists(st.sampled_from([0.0, 0.8, 1.0, 1.0, 1.0, 1.0]), min_size=30, max_size=120),
    pending=st.sets(st.integers(0, 119)),
)
@settings(max_examples=60, deadline=None)
def test_waiting_jobs_never_look_better_than_any_outcome_of_theirs(
    values: list[float], pending: set[int]
) -> None:
    truth = np.asarray(values)
    waits = np.isin(np.arange(truth.size), list(pending))
    now = judged(
        GATES, AGREEMENT, agreement(np.where(waits, 0.0, truth), np.where(waits, 1.0, truth))
    )
    later = judged(GATES, AGREEMENT, agreement(truth))
    if now.status is GateStatus.PASS:  # later it can only have fallen again since
        fell = "drift alarm" in later.reason or "not stationary" in later.reason
        assert later.status is GateStatus.PASS or fell
    if now.status is GateStatus.FAIL:
        assert later.status is GateStatus.FAIL


def test_same_evidence_gives_the_same_words() -> None:
    rng = np.random.default_rng(3)
    x = np.round(rng.beta(20, 1, 300), 3)
    assert evaluated(GATES, agreement(x)) == evaluated(GATES, agreement(x.copy()))


def test_inputs_outside_their_range_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^agreement_low\[0\] is above high\[0\]"):
        make_inputs(1, agreement_low=[1.0], agreement_high=[0.5])
    with pytest.raises(StatsInputError, match=r"^success_low\[0\] is NaN"):
        make_inputs(1, success_low=[np.nan])
    with pytest.raises(StatsInputError, match=r"^end_to_end_state has 0 values"):
        make_inputs(1, end_to_end_state=())
    with pytest.raises(StatsInputError, match=r"^dlq_depth"):
        make_inputs(dlq_depth=-1)
    with pytest.raises(StatsInputError, match=r"^prefect_errors\['late'\]"):
        make_inputs(prefect_errors={"late": -1})
    with pytest.raises(StatsInputError, match=r"^dlq_sampling.share"):
        make_inputs(dlq_sampling=Sampling(share=1.5))
    with pytest.raises(StatsInputError, match=r"^coverage"):
        make_inputs(coverage=1.2)


def test_a_gate_refuses_an_interval_that_holds_for_one_look_only() -> None:
    result = judged(GATES, AGREEMENT, make_inputs())
    assert result.interval is not None
    label = replace(result.interval, kind=IntervalKind.LABEL)
    with pytest.raises(ValueError, match="is a label; a gate is judged by one"):
        replace(result, interval=label)


def test_a_phase_may_have_more_than_one_ramp() -> None:
    more = SHIPPED.replace(
        '[[phase.gate]]\nid = "ramp"',
        '''[[phase.gate]]
id = "first_step"
kind = "ramp"
stages = [10]
title = "The first step"
owner = "platform"
when_red = "Wait."

[[phase.gate]]
id = "ramp"''',
    )
    phases = evaluated(parse_gates(more, origin="x"), make_inputs())
    assert find(phases, "shadow.first_step").status is GateStatus.PASS
    assert find(phases, "shadow.ramp").status is GateStatus.PASS
