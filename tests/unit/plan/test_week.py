"""What a planned week says of every kind of gate."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from harness.gates.definition import GateSet, parse_gates
from harness.gates.presets import load_gates
from harness.plan import words
from harness.plan.traffic import make_schedule
from harness.plan.week import (
    Assumptions,
    LossPlan,
    MeanPlan,
    Uncounted,
    WeekPlan,
    count_steps,
    plan_week,
    truths_around,
)
from harness.stats.power import WHOLE_JOBS, JobModel
from harness.stats.zero_loss import jobs_to_claim

ONE_GATE = """
version = 1
[[phase]]
id = "only"
title = "Only"
[[phase.gate]]
id = "gate"
title = "The gate"
owner = "nobody"
when_red = "mend it"
"""
MEAN = ONE_GATE + 'kind = "mean_at_least"\nmeasure = "agreement"\nthreshold = 0.95\n'


def gates(text: str) -> GateSet:
    return parse_gates(text, origin="test")


def planned(
    criteria: GateSet, *, jobs: str = "40", traffic: str = "100", days: int = 7, **changes: Any
) -> WeekPlan:
    schedule = make_schedule(
        jobs_per_day=jobs, traffic=traffic, days=days, start=date(2026, 11, 30)
    )
    values: dict[str, Any] = {"model": WHOLE_JOBS, "runs": 400} | changes
    return plan_week(schedule, criteria, Assumptions(**values), lambda _: None)


def mean_gates(plan: WeekPlan) -> list[MeanPlan]:
    return [gate for gate in plan.gates if isinstance(gate, MeanPlan)]


def test_every_gate_that_decides_has_its_line() -> None:
    criteria = load_gates()
    steps: list[str] = []
    schedule = make_schedule(jobs_per_day="40", traffic="50,100", days=7, start=None)
    plan = plan_week(schedule, criteria, Assumptions(model=WHOLE_JOBS, runs=100), steps.append)
    deciding = criteria.deciding()
    named = {f"{p.id}.{g.id}" for p in criteria.phase if p.id in deciding for g in p.gate}
    assert {gate.gate for gate in plan.gates} == named
    assert len(steps) == count_steps(criteria) == len(named)
    text = words.as_text(plan)
    for name in named:
        assert f"({name})" in text
    assert [g.gate for g in plan.gates if isinstance(g, Uncounted)] == [
        "dual-write.prefect_errors", "shadow.dead_letters", "shadow.complaints",
        "shadow.sandbox_escapes", "shadow.critical_findings", "shadow.ramp",
    ]  # fmt: skip
    assert text.count("not a matter of numbers") == 6


def test_threshold_alpha_and_least_jobs_are_those_of_the_gates_file() -> None:
    text = MEAN.replace("0.95", "0.8") + "alpha = 0.01\nn_min = 25\n"
    (gate,) = mean_gates(planned(gates(text)))
    assert (gate.threshold, gate.alpha, gate.n_min, gate.alpha_fail) == (0.8, 0.01, 25, 0.01)
    assert gate.least_jobs == max(25, jobs_to_claim(0.2, alpha=0.01))
    (slow,) = mean_gates(planned(gates(text.replace("n_min = 25", "n_min = 200"))))
    assert slow.least_jobs == 200
    assert all(chance.passed[3] == 0.0 for chance in slow.chances)


def test_alpha_of_a_fail_is_shared_by_the_required_statistical_gates() -> None:
    shipped = mean_gates(planned(load_gates(), runs=100))
    assert {gate.alpha_fail for gate in shipped} == {0.05 / 3}


def test_nothing_passes_before_the_least_job_and_all_right_ones_pass_on_its_day() -> None:
    (gate,) = mean_gates(planned(gates(MEAN)))
    assert (gate.least_jobs, gate.least_day) == (82, 2)
    perfect = gate.chances[0]
    assert perfect.truth == 1.0
    assert perfect.passed == (0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    assert perfect.pass_day == 2
    assert perfect.median_jobs == 82


def test_chances_of_a_pass_rise_with_days_and_with_the_truth() -> None:
    (gate,) = mean_gates(planned(gates(MEAN), jobs="100"))
    above = [chance for chance in gate.chances if chance.truth > 0.95]
    for chance in above:
        assert list(chance.passed) == sorted(chance.passed)
    for better, worse in pairwise(above):
        assert all(a >= b - 0.06 for a, b in zip(better.passed, worse.passed, strict=True))
    failing = gate.chances[-1]
    assert failing.truth == 0.90
    assert failing.failed[-1] > 0.9
    assert failing.passed[-1] < 0.02


def test_latency_starts_anew_at_every_stage() -> None:
    text = ONE_GATE + (
        'kind = "quantile_below"\nmeasure = "end_to_end"\nquantile = 0.95\nthreshold_s = 300.0\n'
    )
    plan = planned(gates(text), traffic="10,50,100")
    stages = mean_gates(plan)
    assert [gate.jobs_by_day[-1] for gate in stages] == [9, 46, 93]
    assert [gate.least_day for gate in stages] == [None, None, 6]
    # Jobs of the stages before do not help: with all 149 the last day but one would do.
    assert stages[2].chances[0].passed == (0.0,) * 6 + (1.0,)
    told = words.as_text(plan)
    assert "it needs 82 jobs, and there are 9" in told
    assert "P95 below 300 s" in told


def test_a_loss_shows_with_the_chance_of_at_least_one_case() -> None:
    text = ONE_GATE + 'kind = "zero_count"\nmeasure = "lost_jobs"\n'
    plan = planned(gates(text), loss_rates=(0.02, 0.002))
    (gate,) = plan.gates
    assert isinstance(gate, LossPlan)
    often, seldom = gate.chances
    assert often.seen == pytest.approx([1 - 0.98**n for n in plan.jobs_by_day])
    assert often.day == 2  # 1 - 0.98^120 = 0.911
    assert often.jobs_for_sure == 114
    assert 1 - 0.98**114 >= 0.9 > 1 - 0.98**113
    assert seldom.day is None
    assert gate.excluded[-1] > gate.excluded_once[-1] == pytest.approx(1 - 0.05 ** (1 / 280))
    told = words.as_text(plan)
    assert "If 2 % of jobs are lost: it shows by Wed 2 Dec with 91 %." in told
    assert "If 0.2 % of jobs are lost: it will hardly show: 43 % within these days." in told


@pytest.mark.parametrize(("rate", "jobs"), [(0.05, 82), (0.01, 418), (0.005, 838), (0.001, 4200)])
def test_clean_jobs_that_exclude_a_rate_are_the_published_numbers(rate: float, jobs: int) -> None:
    text = ONE_GATE + 'kind = "zero_count"\nmeasure = "lost_jobs"\n'
    (gate,) = planned(gates(text), loss_rates=(rate,)).gates
    assert isinstance(gate, LossPlan)
    assert gate.chances[0].jobs_to_exclude == pytest.approx(jobs, abs=2)


def test_a_second_gate_of_losses_points_to_the_first() -> None:
    told = words.sections(planned(load_gates(), runs=100))
    losses = [section for section in told if "no job is lost" in section.title]
    assert [bool(section.rows) for section in losses] == [True, False]
    assert losses[1].lines[0] == "The chances are those of Every test job was processed."


def test_truths_that_are_tried_lie_on_both_sides_and_never_on_the_threshold() -> None:
    assert truths_around(0.95) == (1.0, 0.99, 0.98, 0.97, 0.96, 0.93, 0.9)
    assert truths_around(0.9) == (1.0, 0.98, 0.96, 0.94, 0.92, 0.86, 0.8)
    assert truths_around(0.3) == (1.0, 0.86, 0.72, 0.58, 0.44, 0.02)


def test_own_truths_take_the_place_of_those_around_the_threshold() -> None:
    plan = planned(gates(MEAN), truths=(0.985, 0.95), runs=100)
    (gate,) = mean_gates(plan)
    assert [chance.truth for chance in gate.chances] == [0.985, 0.95]
    assert "If truly 95 %: that is the threshold" in words.as_text(plan)


def test_a_go_is_possible_when_the_last_required_gate_may_pass() -> None:
    assert words.earliest_go(planned(gates(MEAN), runs=100)).startswith(
        "A GO is possible on Wed 2 Dec at the earliest"
    )
    assert words.earliest_go(planned(gates(MEAN), runs=100, days=2)) == (
        "No GO is possible within these days: The gate needs 82 jobs and has 80."
    )
    optional = MEAN + "required = false\n" + ONE_GATE.partition('title = "Only"\n')[2].replace(
        '"gate"', '"other"'
    ) + 'kind = "attestation"\nname = "calm"\n'  # fmt: skip
    assert words.earliest_go(planned(gates(optional), runs=100)) == (
        "No required gate counts jobs."
    )


def test_the_same_seed_gives_the_same_plan_and_another_gate_changes_no_figure() -> None:
    alone = planned(gates(MEAN))
    assert planned(gates(MEAN)) == alone
    assert planned(gates(MEAN), seed=1) != alone
    shipped = next(g for g in mean_gates(planned(load_gates())) if g.title.startswith("Same"))
    chances = mean_gates(alone)[0].chances
    assert [c.passed for c in shipped.chances] == [c.passed for c in chances]


def test_what_is_assumed_is_said() -> None:
    told = words.assumed(planned(gates(MEAN), model=JobModel(sizes=((100, 1.0),), rho=0.2)))
    assert "100 submissions a job with a correlation of 0.2" in told
    assert "are worth 4.81" in told  # 100 / 20.8
    assert "a job agrees or succeeds as a whole" in words.assumed(planned(gates(MEAN)))


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.995, ">99 %"), (1.0, "100 %")],
)
def test_a_chance_is_never_rounded_to_certainty(value: float, told: str) -> None:
    assert words.chance(value) == told
