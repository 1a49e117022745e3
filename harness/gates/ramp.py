"""Judges whether every stage of traffic was passed through, and each gate over each stage. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.assessment import GateResult, StageResult
from harness.gates.inputs import GateInputs, StageInputs
from harness.gates.kinds import RampGate, StatisticalGate
from harness.gates.wording import counted, listed, sentence
from harness.model import GateStatus

Judge = Callable[[StatisticalGate, GateInputs], GateResult]


def by_stage(
    gate: StatisticalGate, stages: Sequence[StageInputs], judge: Judge
) -> tuple[StageResult, ...]:
    """What one gate says over the jobs of each stage.

    judge: with an alpha_fail that is shared among the stages.
    """
    results = []
    for stage in stages:
        result = judge(gate, stage.inputs)
        results.append(
            StageResult(
                percent=stage.percent,
                since=stage.since,
                until=stage.until,
                status=result.status,
                n=result.n,
                text=f"{result.value_text}: {result.reason}",
            )
        )
    return tuple(results)


def with_stages(result: GateResult, stages: tuple[StageResult, ...]) -> GateResult:
    """The gate with what it says of each stage."""
    return replace(result, stages=stages)


def judge_ramp(
    gate: RampGate, phase: str, inputs: GateInputs, judged: Sequence[GateResult]
) -> GateResult:
    """Judge "every stage was passed through".

    judged: the statistical gates of the phase, with their stages. One that fails in a stage fails
    this too: more traffic does not mend what less traffic has shown.
    """
    jobs = dict.fromkeys(gate.stages, 0)
    for stage in inputs.stages:
        if stage.percent in jobs:
            jobs[stage.percent] += stage.inputs.admitted_jobs
    failing = [
        f"{result.title} at {stage.percent:g} %"
        for result in judged
        for stage in result.stages
        if stage.status is GateStatus.FAIL
    ]
    short = [percent for percent in gate.stages if jobs[percent] < gate.n_min]
    missing: str | None = None
    if failing:
        status, reason = GateStatus.FAIL, sentence(f"It failed in a stage: {listed(failing)}")
    elif not inputs.stages:
        status = GateStatus.OPEN
        reason = "No step of the ramp is marked, so nobody knows which jobs met how much traffic."
        missing = f"Mark each step when it is taken: shadow mark ramp {gate.stages[0]:g} --by NAME."
    elif short:
        status = GateStatus.UNDECIDED
        reason = sentence(
            listed([f"{percent:g} % has seen {counted(jobs[percent], 'job')}" for percent in short])
        )
        missing = sentence(
            listed(
                [
                    f"{counted(gate.n_min - jobs[percent], 'more job')} at {percent:g} %"
                    for percent in short
                ]
            )
        )
    else:
        status = GateStatus.PASS
        reason = f"Every stage was seen with at least {counted(gate.n_min, 'job')}."
    seen = [f"{percent:g} %: {counted(count, 'job')}" for percent, count in jobs.items() if count]
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=None if not inputs.stages else float(len(gate.stages) - len(short)),
        value_text=(
            "no evidence"
            if not inputs.stages
            else f"{len(gate.stages) - len(short)} of {counted(len(gate.stages), 'stage')}"
        ),
        threshold=float(len(gate.stages)),
        threshold_text=", ".join(f"{percent:g} %" for percent in gate.stages),
        interval=None,
        n=sum(jobs.values()),
        unit="jobs",
        evidence_text="; ".join(seen) or "no stage seen",
        reason=reason,
        missing=missing,
        required=gate.required,
    )
