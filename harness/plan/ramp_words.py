"""Advice on a ramp in sentences. Text only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.gates.shown import STATUS_SIGNS, STATUS_WORDS
from harness.gates.wording import confidence, counted, percent, percent_down, percent_up
from harness.plan.ramp import Advice, RampAdvice, Reason
from harness.plan.ramp_evidence import RampEvidence, StageSample
from harness.plan.ramp_outlook import Outlook, Step
from harness.plan.words import chance, table

_UNDER = {"estimate": "as seen", "worst": "at worst", "best": "at best"}


def verdict(advice: RampAdvice) -> str:
    """What to do, in one line."""
    present = advice.evidence.stages[-1].declared.percent
    if advice.advice is Advice.GO_BACK:
        return f"Go back from {present:g} %: a required gate fails."
    if advice.advice is Advice.WAIT:
        wait = advice.steps[0].hours if advice.steps[0].in_sight else None
        how_long = "not a matter of hours" if wait is None else f"about {hours(wait)} more"
        return f"Wait at {present:g} %: {how_long}."
    if not advice.aim.then:
        return f"Nothing is left to raise at {present:g} %; every required gate has passed."
    return f"Go on from {present:g} to {advice.aim.then[0]:g} %."


def as_text(advice: RampAdvice) -> str:
    """The whole advice for a terminal; ends with a line break."""
    lines = [verdict(advice), *(f"  {_reason(reason)}" for reason in advice.reasons)]
    lines += [f"! {warning}" for warning in advice.warnings]
    lines += ["", "So far", *(f"  {line}" for line in so_far(advice))]
    for number, step in enumerate(advice.steps):
        lines += ["", _step_title(step, advice, first=number == 0)]
        lines += [f"  {line}" for line in _step_lines(step)]
    return "\n".join(lines) + "\n"


def so_far(advice: RampAdvice) -> Iterator[str]:
    """The evidence that the advice rests on."""
    evidence = advice.evidence
    for stage in evidence.stages:
        yield _stage(stage)
    yield f"{evidence.jobs_per_hour:.3g} jobs an hour in all."
    estimate, _, high = advice.harmed
    if estimate is not None:
        yield (
            f"{evidence.lost:,} lost and {evidence.failed:,} failed of "
            f"{counted(evidence.harmed_low.size, 'job')} in the shadow: {percent(estimate)}, at "
            f"most {percent_up(high)} at {confidence(advice.aim.alpha)} confidence however often "
            "you look."
        )
    yield from _by_gate(evidence)
    if evidence.reweighted is not None:
        low, high = evidence.reweighted
        yield (
            f"Agreement if the sample had the package sizes of all jobs: {percent_down(low)} to "
            f"{percent_up(high)}."
        )


def hours(value: float) -> str:
    """``30 min``, ``4.5 h``, ``3.1 d``."""
    if value < 1.0:
        return f"{max(1.0, 60.0 * value) if value else 0.0:.0f} min"
    return f"{value:.3g} h" if value < 48.0 else f"{value / 24.0:.3g} d"


def _by_gate(evidence: RampEvidence) -> Iterator[str]:
    for gate in evidence.gates:
        yield (
            f"{STATUS_SIGNS[gate.status]} {gate.title} ({gate.gate}): "
            f"{STATUS_WORDS[gate.status].lower()}, {gate.value_text}; {gate.evidence_text}."
        )


def _reason(reason: Reason) -> str:
    if reason.hours is None:
        return reason.text
    return f"{reason.text} About {hours(reason.hours)} more at this stage."


def _stage(stage: StageSample) -> str:
    text = (
        f"{stage.declared.percent:g} % for {hours(stage.hours)}: {stage.in_shadow:,} of "
        f"{counted(stage.jobs, 'job')} in the shadow"
    )
    if stage.share is None:
        return f"{text}."
    text += (
        f" (a share between {percent_down(stage.share.low)} and {percent_up(stage.share.high)}, "
        "however often you look"
    )
    features = [mix for mix in stage.mixes if mix.found is not None]
    if features:
        told = ", ".join(
            f"{mix.feature} p = {mix.found.p_value:.2g}" for mix in features if mix.found
        )
        return f"{text}; like the others if you had looked once: {told})."
    return f"{text}; too few jobs to compare their mix)."


def _step_title(step: Step, advice: RampAdvice, *, first: bool) -> str:
    stay = f"Stay at {step.percent:g} %" if first else f"At {step.percent:g} %"
    if advice.advice is Advice.GO_BACK:
        return f"If it stayed at {step.percent:g} % for {hours(step.hours)}, {_jobs(step)}"
    if not step.in_sight:
        return f"{stay}: no end in sight; looked at for {hours(step.hours)}, {_jobs(step)}"
    if first and step.hours == 0.0:
        return f"{stay}: no longer needed"
    last = step is advice.steps[-1]
    goal = (
        f"until every gate that counts jobs has passed with {chance(advice.aim.sure)}"
        if last
        else "until it may be left"
    )
    return f"{stay} for about {hours(step.hours)}, {_jobs(step)}, {goal}"


def _jobs(step: Step) -> str:
    return counted(step.jobs, "job")


def _step_lines(step: Step) -> Iterator[str]:
    harm = step.harm
    if harm.per_hour is not None:
        yield (
            f"jobs harmed: {harm.per_hour:.2g} an hour by what was seen, at worst "
            f"{harm.per_hour_high:.2g}; {harm.per_hour * 24:.2g} a day, at worst "
            f"{harm.per_hour_high * 24:.2g}"
        )
        if step.jobs and harm.chance is not None:
            yield (
                f"at least one job harmed: {chance(harm.chance)} by what was seen, at worst "
                f"{chance(harm.chance_high)}"
            )
    if not step.jobs:
        return
    yield from table(("gate", "if truly", "", "passes", "fails"), _outlooks(step.outlooks))


def _outlooks(outlooks: Sequence[Outlook]) -> list[tuple[str, ...]]:
    """A row a truth; the gate stands before its first one."""
    rows: list[tuple[str, ...]] = []
    for before, one in zip((None, *outlooks), outlooks, strict=False):
        title = f"{one.title} (anew)" if one.anew else one.title
        rows.append(
            (
                "" if before is not None and before.gate == one.gate else title,
                percent(one.truth),
                _UNDER[one.under],
                chance(one.passes),
                chance(one.fails),
            )
        )
    return rows
