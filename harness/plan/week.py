"""What a schedule of traffic can and cannot show of each gate. Pure: same plan, same answer.

Each gate is judged by its own process on simulated jobs, at a range of truths around its threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.gates.definition import GateSet
from harness.gates.kinds import (
    AllProcessed,
    AttestationGate,
    Gate,
    MeanAtLeast,
    QuantileBelow,
    RampGate,
    SteadyFor,
    UnusedFor,
    ZeroCount,
)
from harness.gates.wording import seconds, threshold_percent
from harness.plan.traffic import Schedule
from harness.stats.fixed import zero_failure_bound
from harness.stats.power import (
    WHOLE_JOBS,
    JobModel,
    Passages,
    draw_jobs,
    passages,
    size_of_gate,
)
from harness.stats.visible import chance_to_see
from harness.stats.zero_loss import jobs_to_claim, loss_rate_bound

ABOVE = (1.0, 0.8, 0.6, 0.4, 0.2)
BELOW = (0.4, 1.0)
"""Truths that are tried: so much of the room between threshold and 1 above it, or below it. For a
threshold of 95 % these are 100, 99, 98, 97 and 96 %, then 93 and 90 %."""
LOSS_RATES = (0.05, 0.02, 0.01, 0.005, 0.002)
PROGRESS = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a plan takes for granted, and how it is computed."""

    model: JobModel
    """Of a job in the gates that average a share per job."""
    sure: float = 0.9
    """The chance from which on something counts as shown."""
    runs: int = 2000
    seed: int = 0
    truths: tuple[float, ...] = ()
    """Tried in place of those around each threshold."""
    loss_rates: tuple[float, ...] = LOSS_RATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What becomes of a gate if the true share is `truth`."""

    truth: float
    passed: tuple[float, ...]
    """Probability of a pass by the end of each day."""
    failed: tuple[float, ...]
    pass_day: int | None
    """First day, from 0, by which it passes with the chance that counts as sure."""
    fail_day: int | None
    median_jobs: int | None
    """Jobs to the verdict that is right, in half of all runs; None if not within the plan."""
    size: float
    """log(1/alpha)/KL, the order that no method beats; for jobs that fare as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanPlan:
    """A gate that is decided by evidence over jobs."""

    gate: str
    title: str
    kind: str
    says: str
    """What it asks: ``at least 95 %`` or ``P95 below 300 s``."""
    threshold: float
    alpha: float
    alpha_fail: float
    n_min: int
    required: bool
    stage: int | None
    """Index of the stage whose jobs count; None: those of all stages."""
    jobs_by_day: tuple[int, ...]
    least_jobs: int
    """With fewer it cannot pass, not even without a single failure."""
    least_day: int | None
    chances: tuple[Chance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChance:
    """How soon a loss of `rate` of all jobs shows."""

    rate: float
    seen: tuple[float, ...]
    """Probability of at least one case by the end of each day: 1 - (1 - rate)^n."""
    day: int | None
    """First day, from 0, by which that reaches the chance that counts as sure."""
    jobs_for_sure: int
    jobs_to_exclude: int
    """Jobs without a loss after which a rate so high is excluded, at every look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPlan:
    """A gate that the first lost job fails."""

    gate: str
    title: str
    kind: str
    alpha: float
    n_min: int
    required: bool
    jobs_by_day: tuple[int, ...]
    excluded: tuple[float, ...]
    """Loss rate that so many jobs without a loss exclude, at every look."""
    excluded_once: tuple[float, ...]
    """The same for one planned look: a label."""
    chances: tuple[LossChance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """A gate that no number of jobs settles."""

    gate: str
    title: str
    kind: str
    required: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPlan:
    """What a schedule can show, gate by gate in the order of the gates file."""

    schedule: Schedule
    assumptions: Assumptions
    gates_version: str
    days: tuple[str, ...]
    jobs_by_day: tuple[int, ...]
    gates: tuple[MeanPlan | LossPlan | Uncounted, ...]


def plan_week(
    schedule: Schedule, gates: GateSet, assumptions: Assumptions, progress: PROGRESS
) -> WeekPlan:
    """Work out what each gate can say by the end of each day.

    progress: told the gate that is at work, once each; `count_steps` says how many there are.
    """
    planned: list[MeanPlan | LossPlan | Uncounted] = []
    for identifier, gate in _named(gates):
        progress(gate.title)
        match gate:
            case MeanAtLeast() | QuantileBelow() if not gate.scope:
                planned.extend(_mean_plans(identifier, gate, schedule, gates, assumptions))
            case AllProcessed() | ZeroCount(measure="lost_jobs"):
                planned.append(_loss_plan(identifier, gate, schedule, assumptions))
            case _:
                planned.append(_uncounted(identifier, gate))
    return WeekPlan(
        schedule=schedule,
        assumptions=assumptions,
        gates_version=gates.version,
        days=schedule.day_names(),
        jobs_by_day=schedule.by_day(),
        gates=tuple(planned),
    )


def count_steps(gates: GateSet) -> int:
    """How often `plan_week` reports progress."""
    return sum(1 for _ in _named(gates))


def truths_around(threshold: float) -> tuple[float, ...]:
    """Truths to try for a threshold, the highest first; none at the threshold itself."""
    room = 1.0 - threshold
    above = [threshold + part * room for part in ABOVE]
    below = [threshold - part * room for part in BELOW if threshold - part * room > 0.0]
    return tuple(round(truth, 12) for truth in (*above, *below))


def _named(gates: GateSet) -> Iterator[tuple[str, Gate]]:
    """The gates of the phases that are decided on."""
    deciding = gates.deciding()
    for phase in gates.phase:
        if phase.id not in deciding:
            continue
        for gate in phase.gate:
            yield f"{phase.id}.{gate.id}", gate


def _mean_plans(
    identifier: str,
    gate: MeanAtLeast | QuantileBelow,
    schedule: Schedule,
    gates: GateSet,
    assumptions: Assumptions,
) -> list[MeanPlan]:
    """One plan, or one for each stage of a latency: what depends on load starts anew there."""
    alpha_fail = gate.alpha / max(1, gates.statistical)
    if isinstance(gate, MeanAtLeast):
        threshold, model = gate.threshold, assumptions.model
        says = f"at least {threshold_percent(threshold)}"
        stages: Sequence[int | None] = (None,)
    else:
        threshold, model = gate.quantile, WHOLE_JOBS
        says = f"P{100 * threshold:g} below {seconds(gate.threshold_s)}"
        stages = range(len(schedule.stages))
    least = max(gate.n_min, jobs_to_claim(1.0 - threshold, alpha=gate.alpha))
    most = max(schedule.by_day(stage)[-1] for stage in stages)
    truths = assumptions.truths or truths_around(threshold)
    # Simulated once for the longest stage: the shorter ones are the beginnings of its runs.
    simulated = {
        truth: _simulate(truth, threshold, gate, alpha_fail, model, most, assumptions)
        for truth in truths
    }
    return [
        MeanPlan(
            gate=identifier,
            title=gate.title,
            kind=gate.kind,
            says=says,
            threshold=threshold,
            alpha=gate.alpha,
            alpha_fail=alpha_fail,
            n_min=gate.n_min,
            required=gate.required,
            stage=stage,
            jobs_by_day=schedule.by_day(stage),
            least_jobs=least,
            least_day=schedule.day_of(least, stage),
            chances=tuple(
                _chance(truth, threshold, gate, found, schedule.by_day(stage), assumptions)
                for truth, found in simulated.items()
            ),
        )
        for stage in stages
    ]


def _simulate(
    truth: float,
    threshold: float,
    gate: MeanAtLeast | QuantileBelow,
    alpha_fail: float,
    model: JobModel,
    jobs: int,
    assumptions: Assumptions,
) -> Passages:
    drawn = draw_jobs(
        truth,
        model=model,
        jobs=jobs,
        runs=assumptions.runs,
        # One seed for every truth and gate: the answer for one does not depend on the others.
        generator=np.random.default_rng(assumptions.seed),
    )
    return passages(drawn, m=threshold, alpha=gate.alpha, alpha_fail=alpha_fail, n_min=gate.n_min)


def _chance(
    truth: float,
    threshold: float,
    gate: MeanAtLeast | QuantileBelow,
    found: Passages,
    jobs_by_day: Sequence[int],
    assumptions: Assumptions,
) -> Chance:
    passed = tuple(found.passed_by(n) for n in jobs_by_day)
    failed = tuple(found.failed_by(n) for n in jobs_by_day)
    above = truth > threshold
    median = found.median_to_pass() if above else found.median_to_fail()
    return Chance(
        truth=truth,
        passed=passed,
        failed=failed,
        pass_day=_first(passed, assumptions.sure),
        fail_day=_first(failed, assumptions.sure),
        median_jobs=median if median is not None and median <= jobs_by_day[-1] else None,
        size=size_of_gate(truth, threshold, alpha=gate.alpha),
    )


def _loss_plan(
    identifier: str,
    gate: AllProcessed | ZeroCount,
    schedule: Schedule,
    assumptions: Assumptions,
) -> LossPlan:
    alpha = gate.alpha if isinstance(gate, ZeroCount) else 0.05
    jobs_by_day = schedule.by_day()
    chances = []
    for rate in sorted(assumptions.loss_rates, reverse=True):
        seen = tuple(chance_to_see(n, rate=rate, detection=1.0) for n in jobs_by_day)
        chances.append(
            LossChance(
                rate=rate,
                seen=seen,
                day=_first(seen, assumptions.sure),
                jobs_for_sure=_jobs_to_see(rate, assumptions.sure),
                jobs_to_exclude=jobs_to_claim(rate, alpha=alpha),
            )
        )
    return LossPlan(
        gate=identifier,
        title=gate.title,
        kind=gate.kind,
        alpha=alpha,
        n_min=gate.n_min if isinstance(gate, ZeroCount) else 1,
        required=gate.required,
        jobs_by_day=jobs_by_day,
        excluded=tuple(loss_rate_bound(n, alpha=alpha) for n in jobs_by_day),
        excluded_once=tuple(zero_failure_bound(n, alpha=alpha) for n in jobs_by_day),
        chances=tuple(chances),
    )


def _jobs_to_see(rate: float, sure: float) -> int:
    return int(np.ceil(np.log1p(-sure) / np.log1p(-rate))) if rate < 1.0 else 1


def _first(chances: Sequence[float], sure: float) -> int | None:
    return next((day for day, chance in enumerate(chances) if chance >= sure), None)


def _uncounted(identifier: str, gate: Gate) -> Uncounted:
    match gate:
        case MeanAtLeast() | QuantileBelow():
            why = f"It counts only {gate.scope}; how many of these come is not planned here."
        case AttestationGate():
            why = f"A named person attests {gate.name}; no number of jobs does."
        case ZeroCount(measure="replay_escapes"):
            why = "The first attempt to leave the sandbox fails it; it needs a replay, not traffic."
        case ZeroCount(measure="critical_findings" | "leftovers"):
            why = "The first case fails it; to pass it needs a record without a gap."
        case RampGate():
            stages = ", ".join(f"{stage:g} %" for stage in gate.stages)
            why = f"It needs {gate.n_min} jobs at each stage of traffic ({stages}), and its marks."
        case SteadyFor():
            why = f"It needs {gate.hours:g} steady hours, seen all along; no number of jobs does."
        case UnusedFor():
            why = f"It needs {gate.days:g} days without use; no number of jobs does."
        case ZeroCount():
            why = (
                "The first case fails it; to pass it needs samples over "
                f"{threshold_percent(gate.coverage_floor)} of the recorded time, not a number of "
                "jobs."
            )
        case _:
            why = "No number of jobs settles it."
    return Uncounted(
        gate=identifier, title=gate.title, kind=gate.kind, required=gate.required, why=why
    )
