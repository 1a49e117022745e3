"""Judges the gates that rest on evidence over jobs: means and percentiles. Opens nothing.

Order: FAIL if the evidence against ever sufficed, OPEN if evidence is missing, PASS if the
evidence for ever sufficed, else UNDECIDED. Every prefix of at least n_min jobs is looked at, so
the verdict does not depend on when people looked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.assessment import GateResult, Interval
from harness.gates.inputs import GateInputs, Scoped
from harness.gates.kinds import MeanAtLeast, QuantileBelow
from harness.gates.wording import (
    confidence,
    counted,
    listed,
    more_jobs,
    percent,
    percent_down,
    percent_up,
    seconds,
    sentence,
    threshold_percent,
)
from harness.model import GateStatus, IntervalKind
from harness.stats.betting import (
    headline_interval,
    rejects_at_least,
    rejects_at_most,
)
from harness.stats.checks import FloatArray
from harness.stats.drift import drift_alarm
from harness.stats.estimates import BETTING, settled
from harness.stats.forecast import forecast_fail, forecast_pass
from harness.stats.quantiles import below_limit, quantile_bounds
from harness.stats.remembered import remembered


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Question:
    """One statistical gate, reduced to: is the mean of these values above the threshold?"""

    low: FloatArray
    high: FloatArray
    threshold: float
    measure: str
    subject: str
    """What is measured, completing "at least 95 % of …"."""
    threshold_text: str
    fail_below: float | None = None
    value_extra: str = ""
    evidence_extra: str = ""

    @property
    def failing(self) -> float:
        """The mean below which it fails."""
        return self.threshold if self.fail_below is None else self.fail_below


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """What the sequence of jobs says, at every prefix at once."""

    failed_at: int | None
    passed_at: int | None
    drifted_at: int | None
    interval: Interval
    value: float | None
    settled: int


def judge_mean(
    gate: MeanAtLeast, phase: str, inputs: GateInputs, *, alpha_fail: float
) -> GateResult:
    """Judge "the mean of `gate.measure` is above `gate.threshold`"."""
    agreement = gate.measure == "agreement"
    seen = _seen(gate, phase, inputs)
    extra = ""
    if not agreement and seen.control_success is not None:
        extra = f"old system {percent(seen.control_success)}"
    question = _Question(
        low=seen.agreement_low if agreement else seen.success_low,
        high=seen.agreement_high if agreement else seen.success_high,
        threshold=gate.threshold,
        fail_below=gate.fail_below,
        measure=gate.measure,
        subject="submissions agree with the old system" if agreement else "submissions succeed",
        threshold_text=f"at least {threshold_percent(gate.threshold)}",
        evidence_extra=extra,
    )
    return _judge(gate, phase, inputs, question, alpha_fail)


def judge_quantile(
    gate: QuantileBelow, phase: str, inputs: GateInputs, *, alpha_fail: float
) -> GateResult:
    """Judge "the percentile is below the limit": as the share of jobs below the limit.

    It is the same decision as "the upper bound of the percentile is below the limit", and it
    can be made long before the percentile itself is known narrowly.
    """
    seen = _seen(gate, phase, inputs)
    low, high = below_limit(seen.end_to_end_s, seen.end_to_end_state, limit_s=gate.threshold_s)
    name = f"P{100.0 * gate.quantile:g}"
    value = quantile_bounds(
        seen.end_to_end_s,
        seen.end_to_end_state,
        p=gate.quantile,
        alpha_total=2.0 * gate.alpha,
    ).value
    limit = seconds(gate.threshold_s)
    question = _Question(
        low=low,
        high=high,
        threshold=gate.quantile,
        measure=gate.measure,
        subject=f"jobs end within {limit}",
        threshold_text=f"{name} below {limit}: more than {threshold_percent(gate.quantile)} "
        f"of jobs within {limit}",
        value_extra=f"{name} {seconds(value)}" if math.isfinite(value) else "",
    )
    return _judge(gate, phase, inputs, question, alpha_fail)


def _seen(gate: MeanAtLeast | QuantileBelow, phase: str, inputs: GateInputs) -> GateInputs | Scoped:
    """The evidence of the gate: that of its own scope, or all of it."""
    if not gate.scope:
        return inputs
    return inputs.scoped.get(f"{phase}.{gate.id}", Scoped())


def _judge(
    gate: MeanAtLeast | QuantileBelow,
    phase: str,
    inputs: GateInputs,
    question: _Question,
    alpha_fail: float,
) -> GateResult:
    evidence = _weigh(gate, question, alpha_fail)
    lacking = _lacking(gate, inputs, question, evidence)
    more: float | None = None
    if evidence.failed_at is not None:
        status, reason, missing = GateStatus.FAIL, _why_fail(gate, question, evidence), None
    elif lacking:
        status = GateStatus.OPEN
        reason = sentence(f"Not enough evidence to decide: {listed([why for why, _ in lacking])}")
        missing = sentence(listed([mend for _, mend in lacking]))
        if len(lacking) == 1 and question.low.size < gate.n_min:
            more = float(gate.n_min - question.low.size)
    elif evidence.passed_at is not None and evidence.drifted_at is None:
        status, reason, missing = GateStatus.PASS, _why_pass(gate, question, evidence), None
    elif evidence.passed_at is not None:
        status = GateStatus.UNDECIDED
        reason = (
            f"It passed at job {evidence.passed_at:,}, but the drift alarm at job "
            f"{evidence.drifted_at:,} says that it has fallen below "
            f"{threshold_percent(question.threshold)} since."
        )
        missing = "Find what changed; a mended version starts a new count."
    else:
        status = GateStatus.UNDECIDED
        reason = _why_undecided(gate, question, evidence, alpha_fail)
        missing, more = _what_settles(gate, question, evidence, alpha_fail)
    n = int(question.low.size)
    pending = int((question.low < question.high).sum())
    seen = counted(n, "job") + (f", {pending:,} pending" if pending else "")
    extra = [gate.scope, question.evidence_extra, inputs.begun_anew.get(question.measure, "")]
    return GateResult(
        gate=f"{phase}.{gate.id}",
        phase=phase,
        title=gate.title,
        status=status,
        value=evidence.value,
        value_text=_value_text(question, evidence),
        threshold=question.threshold,
        threshold_text=question.threshold_text,
        interval=evidence.interval,
        n=n,
        unit="jobs",
        evidence_text="; ".join(filter(None, (seen, *extra))),
        reason=reason,
        missing=missing,
        required=gate.required,
        more_jobs=more,
    )


def _weigh(gate: MeanAtLeast | QuantileBelow, question: _Question, alpha_fail: float) -> _Evidence:
    return _weighed(
        question.low,
        question.high,
        question.threshold,
        question.failing,
        alpha=gate.alpha,
        alpha_fail=alpha_fail,
        n_min=gate.n_min,
    )


@remembered
def _weighed(
    low: FloatArray,
    high: FloatArray,
    m: float,
    failing: float,
    *,
    alpha: float,
    alpha_fail: float,
    n_min: int,
) -> _Evidence:
    passed_at = rejects_at_most(low, m, -math.log(alpha), n_min=n_min)
    ends = headline_interval(low, high, alpha_total=2.0 * alpha, n_min=n_min)
    seen = settled(low, high)
    return _Evidence(
        failed_at=rejects_at_least(high, failing, -math.log(alpha_fail), n_min=n_min),
        passed_at=passed_at,
        # A passed mean may fall later, which evidence over all jobs would show very late.
        drifted_at=None if passed_at is None else drift_alarm(high, m, since=passed_at),
        interval=Interval(
            low=ends[0],
            high=ends[1],
            alpha_total=2.0 * alpha,
            kind=IntervalKind.HEADLINE,
            method=BETTING,
        ),
        value=float(seen.mean()) if seen.size else None,
        settled=int(seen.size),
    )


def _lacking(
    gate: MeanAtLeast | QuantileBelow,
    inputs: GateInputs,
    question: _Question,
    evidence: _Evidence,
) -> list[tuple[str, str]]:
    """Each piece of evidence that is missing, and what would supply it."""
    n = int(question.low.size)
    lacking: list[tuple[str, str]] = []
    if evidence.settled == 0:
        lacking.append(("no job has an outcome yet", f"at least {counted(gate.n_min, 'job')}"))
    elif n < gate.n_min:
        more = gate.n_min - n
        lacking.append(
            (
                f"{counted(n, 'job')} of the {gate.n_min:,} that must be seen first",
                f"at least {counted(more, 'more job')}",
            )
        )
    lacking.extend(recording_lacks(inputs))
    admitted = inputs.admitted_by_measure.get(question.measure, inputs.admitted_jobs)
    if gate.scope:
        # Which of the other jobs would have been in it, nobody can say.
        admitted = n
    if admitted == 0:
        lacking.append(("no job was admitted", "jobs that the new system should process"))
    elif inputs.coverage is None:
        lacking.append(("coverage is unknown", "the share of jobs that could be compared"))
    else:
        covered = min(inputs.coverage, n / admitted)
        if covered < gate.coverage_floor:
            floor = threshold_percent(gate.coverage_floor)
            lacking.append(
                (
                    f"only {percent_down(covered)} of the admitted jobs are covered",
                    f"a coverage of at least {floor}",
                )
            )
    return lacking


def recording_lacks(inputs: GateInputs) -> list[tuple[str, str]]:
    """What the record of production lacks, and what would supply it."""
    lacking: list[tuple[str, str]] = []
    if inputs.recording_gaps:
        gaps = listed(list(inputs.recording_gaps))
        lacking.append(
            (
                f"the recording has {counted(len(inputs.recording_gaps), 'gap')} ({gaps})",
                "a recording without a gap",
            )
        )
    return [*lacking, *completeness_lacks(inputs)]


def completeness_lacks(inputs: GateInputs) -> list[tuple[str, str]]:
    """Whether the record reaches to the present, whatever happened within it."""
    if inputs.recording_complete is True:
        return []
    state = "is not complete" if inputs.recording_complete is False else "is not proved complete"
    return [(f"the recording {state}", "a finished sweep of every source")]


def _value_text(question: _Question, evidence: _Evidence) -> str:
    if evidence.value is None:
        return "no evidence"
    text = percent(evidence.value)
    if not question.value_extra:
        return text
    return f"{question.value_extra} ({text} within the limit)"


def _why_pass(gate: MeanAtLeast | QuantileBelow, question: _Question, evidence: _Evidence) -> str:
    at_least = max(evidence.interval.low, question.threshold)
    return (
        f"At least {percent_down(at_least)} of {question.subject}, at "
        f"{confidence(gate.alpha)} confidence however often you look; "
        f"{threshold_percent(question.threshold)} was required"
        f"{_since(evidence.passed_at, question)}."
    )


def _why_fail(gate: MeanAtLeast | QuantileBelow, question: _Question, evidence: _Evidence) -> str:
    at_most = min(evidence.interval.high, question.failing)
    text = (
        f"At most {percent_up(at_most)} of {question.subject}, at "
        f"{confidence(gate.alpha)} confidence however often you look; "
        f"{threshold_percent(question.threshold)} was required{_fails_below(question)}"
        f"{_since(evidence.failed_at, question)}"
    )
    if evidence.passed_at is not None:
        text += (
            f"; at job {evidence.passed_at:,} the opposite was proved, so the rate is not "
            "stationary"
        )
    return text + "."


def _fails_below(question: _Question) -> str:
    if question.fail_below is None:
        return ""
    return f", and below {threshold_percent(question.fail_below)} it fails"


def _since(job: int | None, question: _Question) -> str:
    return f" (settled at job {job:,})" if job is not None and job < question.low.size else ""


def _why_undecided(
    gate: MeanAtLeast | QuantileBelow,
    question: _Question,
    evidence: _Evidence,
    alpha_fail: float,
) -> str:
    between = (
        f"Between {percent_down(evidence.interval.low)} and "
        f"{percent_up(evidence.interval.high)} of {question.subject}"
    )
    need = threshold_percent(question.threshold)
    if evidence.interval.high <= question.failing:
        # The picture is drawn at alpha; failing asks for more because several gates are judged.
        return (
            f"{between}: below the required {need} at {confidence(gate.alpha)} confidence, but "
            f"a NO-GO needs {confidence(alpha_fail)} because several gates are judged."
        )
    if evidence.interval.high <= question.threshold:
        return (
            f"{between}: below the required {need}, and not proved below the "
            f"{threshold_percent(question.failing)} at which it fails."
        )
    return f"{between}: the required {need} lies in between, so neither side is proved yet."


def _what_settles(
    gate: MeanAtLeast | QuantileBelow,
    question: _Question,
    evidence: _Evidence,
    alpha_fail: float,
) -> tuple[str, float | None]:
    """In words, and the number of jobs; None where no number is in sight."""
    seen = settled(question.low, question.high)
    pending = int((question.low < question.high).sum())
    under_way = f", {pending:,} of them already under way" if pending else ""
    need = threshold_percent(question.threshold)
    forecast, proves = None, ""
    if evidence.value is not None and evidence.value > question.threshold:
        forecast = forecast_pass(seen, question.threshold, alpha=gate.alpha)
        proves = "it"
    elif evidence.value is not None and evidence.value < question.threshold:
        forecast = forecast_fail(seen, question.failing, alpha=alpha_fail)
        proves = "that it falls short"
    text = None if forecast is None else more_jobs(forecast)
    if forecast is None or text is None:
        return (
            f"Not on course: at the present rate, so close to {need}, no number of jobs is in "
            "sight that would settle it.",
            None,
        )
    return (
        f"{text[:1].upper()}{text[1:]} at the present rate would prove {proves}{under_way}.",
        forecast.jobs,
    )
