"""Advice on a ramp, from evidence that a test writes down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SettingsError
from harness.gates.definition import GateSet, parse_gates
from harness.gates.evaluate import evaluate
from harness.gates.inputs import GateInputs
from harness.plan.ramp import Advice, RampAdvice, advise
from harness.plan.ramp_evidence import Aim, NamedMix, RampEvidence, StageSample
from harness.plan.ramp_words import as_text
from harness.plan.stages import (
    DeclaredStage,
    parse_next,
    parse_stages,
    stage_of,
    steps_after,
)
from harness.stats.quantiles import DurationState
from harness.stats.representative import compare_mix, sampled_share

MOMENT = datetime(2026, 11, 25, 8, tzinfo=UTC)
GATES = """
version = 1
[[phase]]
id = "shadow"
title = "Shadow"
[[phase.gate]]
id = "agreement"
kind = "mean_at_least"
measure = "agreement"
threshold = 0.95
title = "Agreement"
owner = "x"
when_red = "y"
[[phase.gate]]
id = "latency"
kind = "quantile_below"
measure = "end_to_end"
quantile = 0.95
threshold_s = 300.0
title = "Latency"
owner = "x"
when_red = "y"
"""


def gates() -> GateSet:
    return parse_gates(GATES, origin="test")


def stage(percent: float = 10.0, **changes: Any) -> StageSample:
    values = {
        "declared": DeclaredStage(percent=percent), "hours": 48.0, "jobs": 400, "in_shadow": 40,
        "share": None,
    }  # fmt: skip
    return StageSample(**(values | changes))


def evidence(*, agreeing: int = 40, of: int = 40, slow: int = 0, **changes: Any) -> RampEvidence:
    """Jobs at 10 % of ten an hour; all agree and are quick unless told otherwise."""
    agreement = np.array([1.0] * agreeing + [0.0] * (of - agreeing))
    took = np.array([20.0] * (of - slow) + [900.0] * slow)
    inputs = GateInputs(
        agreement_low=agreement, agreement_high=agreement, end_to_end_s=took,
        end_to_end_state=(DurationState.FINISHED,) * of, admitted_jobs=of, processed_jobs=of,
        coverage=1.0, recording_complete=True,
    )  # fmt: skip
    judged = tuple(result for phase in evaluate(gates(), inputs) for result in phase.gates)
    values: dict[str, Any] = {
        "stages": (stage(),), "jobs_per_hour": 10.0, "gates": judged,
        "seen": {"shadow.agreement": agreement, "shadow.latency": (took < 300.0).astype(float)},
        "harmed_low": np.zeros(of), "harmed_high": np.zeros(of), "lost": 0, "failed": 0,
        "ended_in_stage": of,
    }  # fmt: skip
    return RampEvidence(**(values | changes))


def advised(given: RampEvidence, **changes: Any) -> RampAdvice:
    return advise(given, gates(), Aim(**({"then": (50.0, 100.0), "runs": 100} | changes)))


def test_enough_jobs_that_go_well_may_go_on() -> None:
    advice = advised(evidence())
    assert advice.advice is Advice.GO_ON
    assert advice.reasons == ()
    assert [step.percent for step in advice.steps] == [10, 50, 100]
    assert advice.steps[0].hours == 0.0
    # 30 jobs of 5 an hour; then latency anew: 82 of 10 an hour.
    assert advice.steps[1].hours == pytest.approx(6.0)
    assert advice.steps[2].hours == pytest.approx(8.2)


def test_a_gate_that_fails_sends_the_ramp_back() -> None:
    advice = advised(evidence(agreeing=20))
    assert advice.advice is Advice.GO_BACK
    assert advice.advice.exit_code == 1
    assert len(advice.steps) == 1
    assert as_text(advice).startswith("Go back from 10 %: a required gate fails.")


def test_a_gate_that_is_off_course_waits_whatever_time_passes() -> None:
    advice = advised(evidence(agreeing=37))
    assert advice.advice is Advice.WAIT
    (reason,) = advice.reasons
    assert reason.text == "Agreement is not on course: 92.5 % where 95 % is needed."
    assert reason.hours is None
    assert not advice.steps[0].in_sight
    assert as_text(advice).startswith("Wait at 10 %: not a matter of hours.")


def test_a_record_that_is_not_complete_is_no_ground_to_go_on() -> None:
    advice = advised(evidence(record_lacks=("the recording has 1 gap (a network outage)",)))
    assert advice.advice is Advice.WAIT
    assert "the recording has 1 gap" in advice.reasons[0].text


def test_evidence_carries_over_into_the_next_stages() -> None:
    advice = advised(evidence(), then=(100.0,))
    last = {(one.gate, one.under): one for one in advice.steps[-1].outlooks}
    # Agreement has 40 of the 82 jobs that it needs already, latency none.
    assert advice.steps[-1].jobs == 82
    assert last["shadow.latency", "estimate"].anew
    fresh = advised(evidence(of=30, agreeing=30), then=(50.0, 100.0)).steps[1]
    assert fresh.jobs == 30
    outlook = {(one.gate, one.under): one for one in fresh.outlooks}
    assert outlook["shadow.agreement", "estimate"].passes == 0.0  # 60 jobs
    more = advised(evidence(of=60, agreeing=60), then=(50.0, 100.0)).steps[1]
    outlook = {(one.gate, one.under): one for one in more.outlooks}
    assert outlook["shadow.agreement", "estimate"].passes == 1.0  # 90 jobs
    assert outlook["shadow.latency", "estimate"].passes == 0.0  # 30 jobs


def test_the_best_case_passes_no_less_than_what_was_seen_and_the_worst_no_more() -> None:
    advice = advised(evidence(of=60, agreeing=59), runs=400)
    for step in advice.steps:
        for gate in ("shadow.agreement", "shadow.latency"):
            chances = {one.under: one.passes for one in step.outlooks if one.gate == gate}
            assert chances["worst"] <= chances["estimate"] + 0.05
            assert chances["estimate"] <= chances["best"] + 0.05


def test_at_the_top_every_required_gate_must_have_passed() -> None:
    top = (stage(100.0),)
    waiting = advised(evidence(stages=top), then=())
    assert waiting.advice is Advice.WAIT
    assert {reason.text.partition(":")[0] for reason in waiting.reasons} == {
        "Agreement", "Latency",
    }  # fmt: skip
    done = advised(evidence(of=90, agreeing=90, stages=top), then=())
    assert done.advice is Advice.GO_ON
    assert as_text(done).startswith("Nothing is left to raise at 100 %")


def test_at_the_top_the_wait_lasts_until_the_gates_have_passed() -> None:
    advice = advised(evidence(stages=(stage(100.0),)), then=())
    assert advice.steps[0].hours == pytest.approx(4.2)  # 42 of the 82 jobs, ten an hour
    assert as_text(advice).startswith("Wait at 100 %: about 4.2 h more.")


def test_harm_counts_lost_and_failed_jobs_and_leaves_pending_ones_open() -> None:
    low = np.array([1.0, 1.0] + [0.0] * 48)
    high = np.array([1.0, 1.0] + [0.0] * 46 + [1.0, 1.0])
    settled = advised(evidence(harmed_low=low, harmed_high=low, lost=1, failed=1))
    pending = advised(evidence(harmed_low=low, harmed_high=high, lost=1, failed=1))
    assert settled.harmed[0] == pytest.approx(0.04)
    assert pending.harmed[0] == pytest.approx(2 / 48)
    assert pending.harmed[2] > settled.harmed[2]
    harm = settled.steps[1].harm  # 50 % of ten jobs an hour
    assert harm.per_hour == pytest.approx(5 * 0.04)
    assert harm.per_hour_low <= 5 * 0.04 <= harm.per_hour_high


def test_a_sample_that_is_no_fair_one_is_a_warning_and_no_verdict() -> None:
    labels = ["50"] * 60 + ["500"] * 60
    skewed = compare_mix(labels, [True] * 40 + [False] * 80)
    fair = compare_mix(labels, [number % 2 == 0 for number in range(120)])
    far = sampled_share([1.0] * 100, declared=0.1, alpha_total=0.1)
    given = evidence(
        stages=(
            stage(
                share=far,
                mixes=(
                    NamedMix(feature="package size", found=skewed),
                    NamedMix(feature="priority", found=fair),
                    NamedMix(feature="hour of day", found=None),
                ),
            ),
        )
    )
    advice = advised(given)
    assert advice.advice is Advice.GO_ON
    share, mix = advice.warnings
    assert "not the declared share" in share
    assert "differ from the others in package size (chi-square 60.0" in mix
    assert "if you had looked once" in mix


def test_a_share_that_came_back_to_the_declared_one_is_told_so() -> None:
    moved = sampled_share([0.0] * 200 + [1.0] * 30, declared=0.1, alpha_total=0.1)
    assert moved.outside
    assert moved.low < 0.1 < moved.high
    (warning,) = advised(evidence(stages=(stage(share=moved),))).warnings
    assert "so it has moved" in warning


def test_stages_that_disagree_are_not_to_be_pooled() -> None:
    apart = (stage(agreement=(0.97, 1.0)), stage(50.0, agreement=(0.7, 0.9)))
    near = (stage(agreement=(0.85, 1.0)), stage(50.0, agreement=(0.7, 0.9)))
    assert any(
        "do not agree with one another" in w for w in advised(evidence(stages=apart)).warnings
    )
    assert advised(evidence(stages=near)).warnings == ()


@pytest.mark.parametrize("known", [True, False])
def test_who_was_left_out_is_certain_with_the_salt_only(known: bool) -> None:
    warnings = advised(evidence(unsampled=9, selected_by_hash=known)).warnings
    assert any("never saw 9 jobs" in warning for warning in warnings) is not known


def test_stages_are_read_in_order_of_time() -> None:
    first, second = parse_stages("10,50@2026-11-25T08:00")
    assert (first.percent, second.percent, second.since) == (10, 50, MOMENT)
    assert parse_stages("10@2026-11-24,50@2026-11-25T09:00+01:00")[1].since == MOMENT
    assert stage_of(MOMENT - timedelta(seconds=1), (first, second)) == 0
    assert stage_of(MOMENT, (first, second)) == 1
    assert stage_of(MOMENT, (DeclaredStage(percent=10, since=MOMENT + timedelta(1)),)) is None


@given(st.floats(0.1, 100.0))
def test_the_steps_to_come_are_those_above(present: float) -> None:
    steps = steps_after(present)
    assert all(step > present for step in steps)
    assert list(steps) == sorted(steps)
    assert (steps[-1:] == (100.0,)) is (present < 100.0)


def test_a_ramp_that_goes_down_may_have_happened_but_is_never_planned() -> None:
    assert [s.percent for s in parse_stages("50,10@2026-11-25")] == [50, 10]
    with pytest.raises(SettingsError, match="must rise"):
        parse_next("40,30", present=10)
