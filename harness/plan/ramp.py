"""When to raise the share of traffic, and what it risks. Pure: evidence in, advice out.

Per-job outcomes (agreement, success, loss) carry over from stage to stage as long as version and
configuration stay; what depends on load (latency) starts anew at each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.assessment import GateResult
from harness.gates.definition import GateSet
from harness.gates.wording import counted, percent, percent_down, percent_up, threshold_percent
from harness.model import GateStatus
from harness.plan.ramp_evidence import Aim, RampEvidence, StageSample
from harness.plan.ramp_outlook import Step, hours_for, means_of, steps_of
from harness.stats.betting import betting_interval
from harness.stats.counts import interval_counts
from harness.stats.strata import overlap

_LABEL_ALPHA = 0.05
_MOST_CLEAN = 1_000_000
"""Jobs without harm beyond which nothing is promised."""


class Advice(StrEnum):
    """What to do with the traffic."""

    GO_ON = "go on"
    WAIT = "wait"
    GO_BACK = "go back"

    @property
    def exit_code(self) -> int:
        """Those of a decision: 0, 3 and 1."""
        return {Advice.GO_ON: 0, Advice.WAIT: 3, Advice.GO_BACK: 1}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why not to go on yet, and how many hours would settle it; None: not a matter of time."""

    text: str
    hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RampAdvice:
    """What to do now, why, and what comes after."""

    advice: Advice
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...]
    steps: tuple[Step, ...]
    aim: Aim
    evidence: RampEvidence
    harmed: tuple[float | None, float, float]
    """Share of jobs that are lost or fail: estimate, lower and upper end."""


def advise(
    evidence: RampEvidence,
    gates: GateSet,
    aim: Aim,
    progress: Callable[[str], None] = lambda _: None,
) -> RampAdvice:
    """Say whether to go on, wait or go back, and what each stage to come is likely to bring.

    progress: told each gate of `means_of` that is being simulated.
    """
    harmed = harmed_share(evidence, alpha=aim.alpha)
    failing = [g for g in evidence.gates if g.required and g.status is GateStatus.FAIL]
    reasons = (
        [Reason(text=f"{gate.title}: {gate.reason}", hours=None) for gate in failing]
        if failing
        else list(_reasons(evidence, gates, aim, harmed))
    )
    advice = Advice.GO_BACK if failing else Advice.WAIT if reasons else Advice.GO_ON
    return RampAdvice(
        advice=advice,
        reasons=tuple(reasons),
        warnings=tuple(warnings_of(evidence)),
        steps=steps_of(
            evidence,
            gates,
            aim,
            harmed,
            wait_h=_waiting(reasons),
            stuck=bool(failing),
            progress=progress,
        ),
        aim=aim,
        evidence=evidence,
        harmed=harmed,
    )


def harmed_share(evidence: RampEvidence, *, alpha: float) -> tuple[float | None, float, float]:
    """Share of jobs that were lost or failed: estimate, and its confidence sequence."""
    # The plain interval: what the first few jobs met must not narrow it for good.
    low, high = betting_interval(evidence.harmed_low, evidence.harmed_high, alpha_total=2.0 * alpha)
    settled = evidence.harmed_low[evidence.harmed_low == evidence.harmed_high]
    return (float(settled.mean()) if settled.size else None, low, high)


def warnings_of(evidence: RampEvidence) -> Iterator[str]:
    """What makes the sample a doubtful witness."""
    for stage in evidence.stages:
        yield from _sample_warnings(stage)
    if not overlap([stage.agreement for stage in evidence.stages if stage.agreement]):
        yield (
            "The stages do not agree with one another: their intervals of agreement have no point "
            "in common. Something changed; do not count them as one."
        )
    if evidence.strays:
        yield (
            f"{counted(evidence.strays, 'job')} went through the new system although the hash "
            "leaves them out. They are not counted. Check the salt and how jobs are selected."
        )
    if evidence.unsampled and not evidence.selected_by_hash:
        yield (
            f"The new system never saw {counted(evidence.unsampled, 'job')}. Without --salt nobody "
            "can tell those that were left out from those that were lost on the way in; they are "
            "taken as left out."
        )


def _sample_warnings(stage: StageSample) -> Iterator[str]:
    where = f"At {stage.declared.percent:g} %"
    share = stage.share
    if share is not None and share.outside:
        why = (
            "earlier jobs excluded the declared share, so it has moved"
            if share.low <= share.declared <= share.high
            else "not the declared share"
        )
        yield (
            f"{where}, {percent(share.value or 0.0)} of the jobs were in the shadow (between "
            f"{percent_down(share.low)} and {percent_up(share.high)}, however often you look): "
            f"{why}. The sample is not what it is meant to be."
        )
    judged = [mix for mix in stage.mixes if mix.found is not None]
    for mix in judged:
        assert mix.found is not None
        # Several features are looked at, so each may spend its part only (Bonferroni).
        if mix.found.p_value < _LABEL_ALPHA / len(judged):
            yield (
                f"{where}, jobs in the shadow differ from the others in {mix.feature} (chi-square "
                f"{mix.found.chi_square:.1f}, {counted(mix.found.degrees, 'degree')} of freedom, "
                f"p = {mix.found.p_value:.2g}, if you had looked once)."
            )


def _reasons(
    evidence: RampEvidence,
    gates: GateSet,
    aim: Aim,
    harmed: tuple[float | None, float, float],
) -> Iterator[Reason]:
    present = evidence.stages[-1].declared.percent
    rate = evidence.jobs_per_hour * present / 100.0
    for lack in evidence.record_lacks:
        yield Reason(text=f"The evidence is not complete: {lack}.", hours=None)
    statistical = [gate for _, gate in means_of(gates) if gate.required]
    n_min = max((gate.n_min for gate in statistical), default=1)
    if evidence.ended_in_stage < n_min:
        more = n_min - evidence.ended_in_stage
        yield Reason(
            text=(
                f"{counted(evidence.ended_in_stage, 'job')} of this stage have an outcome; "
                f"{n_min:,} must."
            ),
            hours=hours_for(more, rate),
        )
    for result in evidence.gates:
        if _below(result):
            assert result.value is not None
            assert result.threshold is not None
            yield Reason(
                text=(
                    f"{result.title} is not on course: {percent(result.value)} where "
                    f"{threshold_percent(result.threshold)} is needed."
                ),
                hours=None,
            )
    if aim.then:
        yield from _harm_reason(evidence, aim, harmed, rate)
    else:
        yield from (
            Reason(text=f"{gate.title}: {gate.reason}", hours=None)
            for gate in evidence.gates
            if gate.required and gate.status is not GateStatus.PASS and not _below(gate)
        )


def _below(gate: GateResult) -> bool:
    return (
        gate.required
        and gate.interval is not None
        and gate.value is not None
        and gate.threshold is not None
        and gate.value < gate.threshold
    )


def _harm_reason(
    evidence: RampEvidence,
    aim: Aim,
    harmed: tuple[float | None, float, float],
    rate: float,
) -> Iterator[Reason]:
    """Whether the next stage may cost more than is tolerated."""
    if aim.tolerated_per_day is None:
        return
    at_next = evidence.jobs_per_hour * aim.then[0] / 100.0 * 24.0
    worst = harmed[2] * at_next
    if worst <= aim.tolerated_per_day:
        return
    more = _clean_jobs(evidence, aim.tolerated_per_day / at_next, aim.alpha)
    yield Reason(
        text=(
            f"At {aim.then[0]:g} % up to {worst:.2g} jobs a day may be harmed (at worst "
            f"{percent_up(harmed[2])} of them); {aim.tolerated_per_day:g} are tolerated."
        ),
        hours=None if more is None else hours_for(more, rate),
    )


def _clean_jobs(evidence: RampEvidence, share: float, alpha: float) -> int | None:
    """Further jobs without harm until the worst case is at most `share`; None if out of sight."""
    n = int(evidence.harmed_low.size)
    # A job that is pending may still be harmed, but waiting for it is waiting for an outcome.
    harmed = round(float(evidence.harmed_low.sum()))

    def enough(more: int) -> bool:
        return interval_counts(n + more, harmed, alpha_total=2.0 * alpha)[1] <= share

    short, long = 0, 1
    while not enough(long):
        short, long = long, 2 * long
        if long > _MOST_CLEAN:
            return None
    while long - short > 1:
        middle = (short + long) // 2
        short, long = (short, middle) if enough(middle) else (middle, long)
    return long


def _waiting(reasons: Sequence[Reason]) -> float | None:
    """Hours until every reason that time settles is settled; None where one is not."""
    hours = [reason.hours for reason in reasons]
    return None if None in hours else max((h for h in hours if h is not None), default=0.0)
