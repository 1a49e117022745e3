"""What each stage of a ramp is likely to bring: verdicts of the gates, and jobs harmed. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.gates.definition import GateSet
from harness.gates.kinds import MeanAtLeast, QuantileBelow
from harness.plan.ramp_evidence import Aim, RampEvidence
from harness.stats.checks import FloatArray
from harness.stats.power import WHOLE_JOBS, DrawnJobs, Passages, draw_jobs, passages
from harness.stats.visible import chance_to_see

LOOK_H = 7 * 24.0
"""Where no end is in sight, a stage is looked at for so long."""
MOST_JOBS = 1_500
"""Of one stage; what that many do not settle is called out of sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """How many customers' jobs a stage harms, by the point estimate and by the worst and best case
    that the evidence leaves."""

    per_hour: float | None
    per_hour_low: float
    per_hour_high: float
    chance: float | None
    """Of at least one in the stage's hours."""
    chance_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What becomes of a gate by the end of a stage, if the truth is so and so."""

    gate: str
    title: str
    anew: bool
    """Whether it starts anew with the stage."""
    under: str
    """``estimate``, ``worst`` or ``best``."""
    truth: float
    passes: float
    fails: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage: the present one, then each to come."""

    percent: float
    hours: float
    in_sight: bool
    """False where its hours are only how far this looks ahead."""
    jobs: int
    harm: Harm
    outlooks: tuple[Outlook, ...]


def steps_of(
    evidence: RampEvidence,
    gates: GateSet,
    aim: Aim,
    harmed: tuple[float | None, float, float],
    *,
    wait_h: float | None,
    stuck: bool,
    progress: Callable[[str], None],
) -> tuple[Step, ...]:
    """What the present stage and each to come are likely to bring.

    harmed: share of jobs harmed, estimate and both ends. wait_h: how much longer the present stage
    must last; None if that is not a matter of time. stuck: nothing comes after the present stage.
    """
    simulated = _simulated(evidence, gates, aim, progress)
    steps: list[Step] = []
    before = 0
    percents = (evidence.stages[-1].declared.percent, *(() if stuck else aim.then))
    for number, percent in enumerate(percents):
        rate = evidence.jobs_per_hour * percent / 100.0
        first, last = number == 0, number == len(percents) - 1
        if stuck or (first and not last):
            hours = wait_h
        elif last:
            hours = _hours_until_passed(simulated, gates, aim, rate, before, first=first)
        else:
            hours = hours_for(_least_jobs(gates), rate)
        out_of_sight = min(LOOK_H, hours_for(MOST_JOBS, rate) or LOOK_H)
        length = out_of_sight if hours is None else hours
        jobs = math.floor(rate * length + 1e-6)
        steps.append(
            Step(
                percent=percent,
                hours=length,
                in_sight=hours is not None,
                jobs=jobs,
                harm=_harm(harmed, rate, jobs),
                outlooks=tuple(_outlook(one, before, jobs, first=first) for one in simulated),
            )
        )
        before += jobs
    return tuple(steps)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Simulated:
    gate: str
    title: str
    required: bool
    anew: bool
    under: str
    truth: float
    going_on: Passages
    """Continues what has been seen."""
    fresh: Passages
    """Begins with nothing."""


def _simulated(
    evidence: RampEvidence, gates: GateSet, aim: Aim, progress: Callable[[str], None]
) -> list[_Simulated]:
    """Every mean gate under its estimate and both ends of its interval."""
    results = {result.gate: result for result in evidence.gates}
    # The stages before the last one take few jobs; beyond these nothing more is found out.
    most = 2 * MOST_JOBS
    found = []
    for identifier, gate in means_of(gates):
        progress(gate.title)
        result = results.get(identifier)
        if result is None or result.value is None or result.interval is None:
            continue
        anew = isinstance(gate, QuantileBelow)
        threshold = gate.quantile if isinstance(gate, QuantileBelow) else gate.threshold
        ends = (result.value, result.interval.low, result.interval.high)
        for under, truth in zip(("estimate", "worst", "best"), ends, strict=True):
            drawn = draw_jobs(
                min(1.0, max(0.0, truth)),
                model=WHOLE_JOBS if anew else evidence.model,
                jobs=most,
                runs=aim.runs,
                generator=np.random.default_rng(aim.seed),
            )
            seen = evidence.seen[identifier]
            going_on = _run(drawn, gate, threshold, gates.statistical, seen)
            found.append(
                _Simulated(
                    gate=identifier,
                    title=gate.title,
                    required=gate.required,
                    anew=anew,
                    under=under,
                    truth=truth,
                    going_on=going_on,
                    fresh=(
                        _run(drawn, gate, threshold, gates.statistical, seen[:0])
                        if anew
                        else going_on
                    ),
                )
            )
    return found


def _run(
    drawn: DrawnJobs,
    gate: MeanAtLeast | QuantileBelow,
    threshold: float,
    statistical: int,
    before: FloatArray,
) -> Passages:
    return passages(
        drawn,
        m=threshold,
        alpha=gate.alpha,
        alpha_fail=gate.alpha / max(1, statistical),
        n_min=gate.n_min,
        before=before,
    )


def _of_step(one: _Simulated, before: int, jobs: int, *, first: bool) -> tuple[Passages, int]:
    """The runs to look at for a step, and after how many of their jobs."""
    if one.anew and not first:
        return one.fresh, jobs
    return one.going_on, before + jobs


def _outlook(one: _Simulated, before: int, jobs: int, *, first: bool) -> Outlook:
    found, n = _of_step(one, before, jobs, first=first)
    return Outlook(
        gate=one.gate,
        title=one.title,
        anew=one.anew,
        under=one.under,
        truth=one.truth,
        passes=found.passed_by(n),
        fails=found.failed_by(n),
    )


def _hours_until_passed(
    simulated: Sequence[_Simulated],
    gates: GateSet,
    aim: Aim,
    rate: float,
    before: int,
    *,
    first: bool,
) -> float | None:
    """How long the last stage lasts: until every required gate has passed, as far as was seen."""
    need = 0 if first else _least_jobs(gates)
    for one in simulated:
        if one.under != "estimate" or not one.required:
            continue
        jobs = _jobs_until_sure(one, before, aim.sure, first=first)
        if jobs is None:
            return None
        need = max(need, jobs)
    return hours_for(need, rate)


def _least_jobs(gates: GateSet) -> int:
    """Jobs with an outcome that a stage needs before anything may be said of it."""
    return max((gate.n_min for _, gate in means_of(gates) if gate.required), default=1)


def _jobs_until_sure(one: _Simulated, before: int, sure: float, *, first: bool) -> int | None:
    """Fewest jobs of a step after which the gate has passed with the chance that counts as sure."""
    short, long = -1, MOST_JOBS
    found, n = _of_step(one, before, long, first=first)
    if found.passed_by(n) < sure:
        return None
    # A run that passes and fails later makes the chance fall again; that is too seldom to matter.
    while long - short > 1:
        middle = (short + long) // 2
        found, n = _of_step(one, before, middle, first=first)
        short, long = (short, middle) if found.passed_by(n) >= sure else (middle, long)
    return long


def _harm(harmed: tuple[float | None, float, float], rate: float, jobs: int) -> Harm:
    estimate, low, high = harmed
    return Harm(
        per_hour=None if estimate is None else rate * estimate,
        per_hour_low=rate * low,
        per_hour_high=rate * high,
        chance=None if estimate is None else chance_to_see(jobs, rate=estimate, detection=1.0),
        chance_high=chance_to_see(jobs, rate=high, detection=1.0),
    )


def hours_for(jobs: int, rate: float) -> float | None:
    """Hours until so many jobs have come at a rate an hour; None at no rate."""
    return jobs / rate if rate > 0.0 else None


def means_of(gates: GateSet) -> Iterator[tuple[str, MeanAtLeast | QuantileBelow]]:
    """Identifier and gate of all that are decided by evidence over jobs."""
    for phase in gates.phase:
        for gate in phase.gate:
            if isinstance(gate, MeanAtLeast | QuantileBelow) and not gate.scope:
                yield f"{phase.id}.{gate.id}", gate
