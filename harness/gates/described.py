"""What each gate asks, in words: statistic, comparison, confidence, evidence, freshness, scope.

Pure; judges nothing.
"""

from __future__ import annotations

from typing import assert_never

from harness.assessment import GateDefinition
from harness.gates.definition import Phase
from harness.gates.inputs import SAMPLES_APART_S
from harness.gates.kinds import (
    AllProcessed,
    AttestationGate,
    Gate,
    MeanAtLeast,
    QuantileBelow,
    RampGate,
    StatisticalGate,
    SteadyFor,
    UnusedFor,
    ZeroCount,
)
from harness.gates.wording import counted, listed, threshold_percent

_MEANS = {
    "agreement": "mean over jobs of the share of submissions with the old system's outcome",
    "success": "mean over jobs of the share of submissions that the new system submitted",
}
_COUNTS = {
    "lost_jobs": "jobs without an outcome at the new system after their deadline",
    "dead_letters": "messages ever seen in the dead-letter queue",
    "prefect_errors": "flow runs that failed, crashed or were late, and samples without the "
    "deployment",
    "replay_escapes": "attempts of the worker to leave the sandbox in a replay",
    "critical_findings": "critical findings",
    "leftovers": "what is left of the old system: rows, messages, unknown writers",
}
_LEVELS = {
    "queue_depth": "messages in the jobs queue",
    "dead_letter_depth": "messages in the dead-letter queue",
    "stale_workers": "workers that fell silent with work in hand",
    "stuck_jobs": "jobs stuck at the new system",
}
_SAMPLED = ("dead_letters", "prefect_errors")
_PROVED = "the record proved complete up to the moment"


def describe(gate: Gate, phase: Phase, *, attempt_share: float) -> GateDefinition:
    """What `gate` asks.

    attempt_share: what is left of alpha where it is spent over the versions of the candidate.
    """
    statistic, comparison = _asked(gate)
    return GateDefinition(
        kind=gate.kind,
        statistic=statistic,
        comparison=comparison,
        confidence=_confidence(gate, attempt_share),
        least_evidence=_least(gate),
        freshness=_fresh(gate),
        scope=_scope(gate, phase),
        why=gate.why,
        waivable=gate.waivable,
        attestation=gate.name if isinstance(gate, AttestationGate) else "",
    )


def _confidence(gate: Gate, attempt_share: float) -> float | None:
    if isinstance(gate, StatisticalGate):
        return 1.0 - gate.alpha * attempt_share
    # Its alpha bounds the rate that no case so far does not exclude; versions do not share it.
    if isinstance(gate, ZeroCount) and gate.measure == "lost_jobs":
        return 1.0 - gate.alpha
    return None


def _asked(gate: Gate) -> tuple[str, str]:
    match gate:
        case MeanAtLeast():
            fails = "" if gate.fail_below is None else (
                f"; fails only below {threshold_percent(gate.fail_below)}"
            )  # fmt: skip
            return _MEANS[gate.measure], f"at least {threshold_percent(gate.threshold)}{fails}"
        case QuantileBelow():
            share = threshold_percent(gate.quantile)
            return (
                f"{share} quantile of the seconds from a job's creation to its end at the new "
                "system; a lost job never ends",
                f"below {gate.threshold_s:,g} s: more than {share} of jobs end within it",
            )
        case ZeroCount():
            return f"number of {_COUNTS[gate.measure]}", "none"
        case AllProcessed():
            return "jobs that came out at the new system's end, of all that were admitted", "all"
        case SteadyFor():
            return _LEVELS[gate.measure], f"never above {gate.at_most:,} for {gate.hours:g} h"
        case UnusedFor():
            return "days since the newest sign of the old system", f"at least {gate.days:g}"
        case RampGate():
            steps = listed([f"{stage:g} %" for stage in gate.stages])
            return f"stages of traffic passed through: {steps}", "all, and no gate fails in one"
        case AttestationGate():
            limit = "" if gate.at_most_s is None else f" within {gate.at_most_s:,g} s"
            return f"a named person's word on {gate.name}", f"it holds{limit}"
        case _:
            assert_never(gate)


def _least(gate: Gate) -> str:
    match gate:
        case StatisticalGate():
            share = threshold_percent(gate.coverage_floor)
            return f"{counted(gate.n_min, 'job')}, and {share} of the admitted jobs measured"
        case ZeroCount() if gate.measure == "lost_jobs":
            return f"{counted(gate.n_min, 'job')} with an outcome"
        case ZeroCount() if gate.measure in _SAMPLED:
            return f"samples over {threshold_percent(gate.coverage_floor)} of the recorded time"
        case ZeroCount() if gate.measure == "replay_escapes":
            return "a replay that carried something out"
        case AllProcessed():
            return "a job"
        case SteadyFor():
            share = threshold_percent(gate.coverage_floor)
            return f"samples over {share} of these hours"
        case UnusedFor():
            return f"a record of {gate.days:g} days"
        case RampGate():
            return f"{counted(gate.n_min, 'job')} at each stage"
        case AttestationGate():
            return "one statement"
        case _:
            return ""


def _fresh(gate: Gate) -> str:
    match gate:
        case AttestationGate():
            return "until the statement expires"
        case ZeroCount() if gate.measure in _SAMPLED:
            return f"a sample within {SAMPLES_APART_S / 60:g} min of the end of the record"
        case ZeroCount() if gate.measure == "replay_escapes":
            return ""
        case SteadyFor():
            return f"the last {gate.hours:g} h up to the end of the record"
        case UnusedFor():
            return f"the last {gate.days:g} days up to the end of the record"
        case _:
            return _PROVED


def _scope(gate: Gate, phase: Phase) -> str:
    parts = []
    if isinstance(gate, StatisticalGate):
        parts.append(gate.scope or "every job")
    if phase.since is not None:
        parts.append(f"since the mark {phase.since}")
    return "; ".join(parts)
