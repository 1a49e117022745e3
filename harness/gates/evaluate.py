"""Evidence and criteria to a decision: a pure function, no clock, no I/O.

GO needs every required gate to pass, so it needs no correction for their number: for a false GO
one gate that truly fails must pass, which has probability alpha at most (Berger 1982). NO-GO
needs one failing gate only, so each may spend but its share of alpha.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from harness.assessment import GateResult, PhaseResult, Waiver
from harness.gates.counting import judge_all_processed, judge_attestation, judge_zero_count
from harness.gates.definition import GateSet, Phase
from harness.gates.described import describe
from harness.gates.inputs import GateInputs
from harness.gates.kinds import (
    AllProcessed,
    AttestationGate,
    Gate,
    MeanAtLeast,
    PlainGate,
    QuantileBelow,
    RampGate,
    StatisticalGate,
    SteadyFor,
    UnusedFor,
    ZeroCount,
)
from harness.gates.ramp import by_stage, judge_ramp, with_stages
from harness.gates.statistical import judge_mean, judge_quantile
from harness.gates.steady import judge_steady, judge_unused
from harness.gates.waived import waived
from harness.gates.wording import counted, listed
from harness.model import Decision, GateStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spending:
    """How much error each gate may spend."""

    statistical: int
    """Required gates that are judged by evidence; they share the alpha of a NO-GO."""
    attempt_share: float
    """1 unless alpha is spent over the versions of the candidate."""

    def fail(self, alpha: float) -> float:
        return alpha / max(1, self.statistical)


def evaluate(
    gates: GateSet,
    inputs: GateInputs,
    *,
    phase: str | None = None,
    since: Mapping[str, GateInputs] | None = None,
    waivers: Mapping[str, Waiver] | None = None,
) -> tuple[PhaseResult, ...]:
    """Judge every gate of every phase; same input, same output.

    phase: the one that is decided on; None for the one that the file names.
    since: by mark, the evidence from that mark on, for phases that begin with one. A phase whose
    mark is not there has not begun: all its gates are open.
    Raises KeyError for an unknown phase.
    """
    deciding = gates.deciding(phase)
    share = 1.0
    if gates.spend == "attempts":
        share = 1.0 / (inputs.attempt * (inputs.attempt + 1))
    spending = _Spending(statistical=gates.statistical, attempt_share=share)
    results: list[PhaseResult] = []
    for one in gates.phase:
        begun = inputs if one.since is None else (since or {}).get(one.since)
        if begun is None:
            judged = tuple(_not_begun(gate, one) for gate in one.gate)
        else:
            judged = _judge_phase(one, begun, spending)
        judged = tuple(
            waived(
                replace(
                    result,
                    owner=gate.owner,
                    when_red=gate.when_red,
                    definition=describe(gate, one, attempt_share=share),
                ),
                gate.waivable,
                waivers or {},
            )
            for gate, result in zip(one.gate, judged, strict=True)
        )
        decision, reason = _decide_gates(judged)
        results.append(
            PhaseResult(
                phase=one.id,
                title=one.title,
                decision=decision,
                reason=reason,
                gates=judged,
                decides=one.id in deciding,
                begun=begun is not None,
            )
        )
    return tuple(results)


def decide(phases: Sequence[PhaseResult]) -> tuple[Decision, str]:
    """The decision over the phases that decide, and one sentence why.

    NO-GO if any of them is NO-GO, GO if every one is GO, else UNDECIDED.
    """
    taking_part = [phase for phase in phases if phase.decides]
    gates = [gate for phase in taking_part for gate in phase.gates]
    decision, reason = _decide_gates(gates)
    if decision is Decision.GO:
        risk = sum(_risk(phase.gates) for phase in taking_part)
        if risk > 0.0:
            reason += (
                " A system that misses a threshold gets such a GO with a probability of at most "
                f"{100.0 * risk:.2g} %, however often you look."
            )
    return decision, reason


def _judge_phase(phase: Phase, inputs: GateInputs, spending: _Spending) -> tuple[GateResult, ...]:
    ramps = [gate for gate in phase.gate if isinstance(gate, RampGate)]
    results = {
        gate.id: _judge(gate, phase.id, inputs, spending)
        for gate in phase.gate
        if not isinstance(gate, RampGate)
    }
    if not ramps:
        return tuple(results.values())
    shared = replace(spending, statistical=spending.statistical * max(1, len(inputs.stages)))
    staged = {
        gate.id: with_stages(
            results[gate.id],
            by_stage(
                gate,
                inputs.stages,
                lambda one, seen: _judge_statistical(one, phase.id, seen, shared),
            ),
        )
        for gate in phase.gate
        if isinstance(gate, StatisticalGate)
    }
    for ramp in ramps:
        results[ramp.id] = judge_ramp(ramp, phase.id, inputs, tuple(staged.values()))
    # The only stage is the gate itself, said once more.
    if len(inputs.stages) > 1:
        results |= staged
    return tuple(results[gate.id] for gate in phase.gate)


def _judge(gate: PlainGate, phase: str, inputs: GateInputs, spending: _Spending) -> GateResult:
    match gate:
        case MeanAtLeast() | QuantileBelow():
            return _judge_statistical(gate, phase, inputs, spending)
        case ZeroCount():
            return judge_zero_count(gate, phase, inputs)
        case AllProcessed():
            return judge_all_processed(gate, phase, inputs)
        case SteadyFor():
            return judge_steady(gate, phase, inputs)
        case UnusedFor():
            return judge_unused(gate, phase, inputs)
        case AttestationGate():
            return judge_attestation(gate, phase, inputs)
        case _:
            assert_never(gate)


def _judge_statistical(
    gate: StatisticalGate, phase: str, inputs: GateInputs, spending: _Spending
) -> GateResult:
    alpha = gate.alpha * spending.attempt_share
    mine = gate.model_copy(update={"alpha": alpha})
    if isinstance(mine, MeanAtLeast):
        return judge_mean(mine, phase, inputs, alpha_fail=spending.fail(alpha))
    assert isinstance(mine, QuantileBelow)
    return judge_quantile(mine, phase, inputs, alpha_fail=spending.fail(alpha))


def _not_begun(gate: Gate, phase: Phase) -> GateResult:
    return GateResult(
        gate=f"{phase.id}.{gate.id}",
        phase=phase.id,
        title=gate.title,
        status=GateStatus.OPEN,
        value=None,
        value_text="not begun",
        threshold=None,
        threshold_text="",
        interval=None,
        n=0,
        unit="jobs",
        evidence_text="not begun",
        reason=f"This phase has not begun: no {phase.since} is marked.",
        missing=f"Mark it when it happens: shadow mark {phase.since} --by NAME.",
        required=gate.required,
    )


def _decide_gates(gates: Iterable[GateResult]) -> tuple[Decision, str]:
    required = [gate for gate in gates if gate.required]
    failing = _titles(required, GateStatus.FAIL)
    waived_ones = _titles(required, GateStatus.WAIVED)
    if failing:
        verb = "fails" if len(failing) == 1 else "fail"
        return (
            Decision.NO_GO,
            f"{counted(len(failing), 'required gate')} {verb}: {listed(failing)}.",
        )
    settled = (GateStatus.PASS, GateStatus.WAIVED)
    if required and all(gate.status in settled for gate in required):
        passed = len(required) - len(waived_ones)
        if not waived_ones:
            every = counted(passed, "required gate")
            return Decision.GO, f"{every} passed." if passed == 1 else f"All {every} passed."
        if passed:
            verb = "is" if len(waived_ones) == 1 else "are"
            return Decision.GO, (
                f"{counted(passed, 'required gate')} passed; {len(waived_ones)} {verb} waived, "
                f"not passed: {listed(waived_ones)}."
            )
        # Waivers alone are nobody's evidence.
        return Decision.UNDECIDED, f"Every gate is waived: {listed(waived_ones)}."
    parts = []
    if unproved := _titles(required, GateStatus.UNDECIDED):
        parts.append(f"not proved yet: {listed(unproved)}")
    if unseen := _titles(required, GateStatus.OPEN):
        parts.append(f"evidence missing: {listed(unseen)}")
    if waived_ones:
        parts.append(f"waived: {listed(waived_ones)}")
    return Decision.UNDECIDED, f"No gate fails; {'; '.join(parts) or 'nothing was judged'}."


def _titles(gates: Iterable[GateResult], status: GateStatus) -> list[str]:
    return [gate.title for gate in gates if gate.status is status]


def _risk(gates: Iterable[GateResult]) -> float:
    """Largest one-sided alpha among a phase's gates; phases add up."""
    return max(
        (
            gate.interval.alpha_total / 2.0
            for gate in gates
            if gate.required and gate.interval and gate.status is GateStatus.PASS
        ),
        default=0.0,
    )
