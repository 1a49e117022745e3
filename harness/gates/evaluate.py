"""Evidence and criteria to a decision: a pure function, no clock, no I/O.

GO needs every required gate to pass, so it needs no correction for their number: for a false GO
one gate that truly fails must pass, which has probability alpha at most (Berger 1982). NO-GO
needs one failing gate only, so each may spend but its share of alpha.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.assessment import GateResult, PhaseResult
from harness.gates.counting import judge_all_processed, judge_attestation, judge_zero_count
from harness.gates.definition import (
    AllProcessed,
    AttestationGate,
    Gate,
    GateSet,
    MeanAtLeast,
    QuantileBelow,
    ZeroCount,
)
from harness.gates.inputs import GateInputs
from harness.gates.statistical import judge_mean, judge_quantile
from harness.gates.wording import counted, listed
from harness.model import Decision, GateStatus


def evaluate(gates: GateSet, inputs: GateInputs) -> tuple[PhaseResult, ...]:
    """Judge every gate of every phase; same input, same output."""
    results: list[PhaseResult] = []
    for phase in gates.phase:
        judged = tuple(_judge(gate, phase.id, inputs, gates.statistical) for gate in phase.gate)
        decision, reason = _decide_gates(judged)
        results.append(
            PhaseResult(
                phase=phase.id,
                title=phase.title,
                decision=decision,
                reason=reason,
                gates=judged,
            )
        )
    return tuple(results)


def decide(phases: Sequence[PhaseResult]) -> tuple[Decision, str]:
    """The decision over all phases and one sentence why.

    NO-GO if any phase is NO-GO, GO if every phase is GO, else UNDECIDED.
    """
    gates = [gate for phase in phases for gate in phase.gates]
    decision, reason = _decide_gates(gates)
    if decision is Decision.GO:
        risk = sum(_risk(phase.gates) for phase in phases)
        if risk > 0.0:
            reason += (
                " A system that misses a threshold gets such a GO with a probability of at most "
                f"{100.0 * risk:.2g} %, however often you look."
            )
    return decision, reason


def _judge(gate: Gate, phase: str, inputs: GateInputs, statistical: int) -> GateResult:
    match gate:
        case MeanAtLeast():
            return judge_mean(gate, phase, inputs, alpha_fail=gate.alpha / max(1, statistical))
        case QuantileBelow():
            return judge_quantile(gate, phase, inputs, alpha_fail=gate.alpha / max(1, statistical))
        case ZeroCount():
            return judge_zero_count(gate, phase, inputs)
        case AllProcessed():
            return judge_all_processed(gate, phase, inputs)
        case AttestationGate():
            return judge_attestation(gate, phase, inputs)


def _decide_gates(gates: Iterable[GateResult]) -> tuple[Decision, str]:
    required = [gate for gate in gates if gate.required]
    failing = _titles(required, GateStatus.FAIL)
    if failing:
        verb = "fails" if len(failing) == 1 else "fail"
        return (
            Decision.NO_GO,
            f"{counted(len(failing), 'required gate')} {verb}: {listed(failing)}.",
        )
    if required and all(gate.status is GateStatus.PASS for gate in required):
        passed = counted(len(required), "required gate")
        return Decision.GO, f"{passed} passed." if len(required) == 1 else f"All {passed} passed."
    parts = []
    if unproved := _titles(required, GateStatus.UNDECIDED):
        parts.append(f"not proved yet: {listed(unproved)}")
    if unseen := _titles(required, GateStatus.OPEN):
        parts.append(f"evidence missing: {listed(unseen)}")
    return Decision.UNDECIDED, f"No gate fails; {'; '.join(parts) or 'nothing was judged'}."


def _titles(gates: Iterable[GateResult], status: GateStatus) -> list[str]:
    return [gate.title for gate in gates if gate.status is status]


def _risk(gates: Iterable[GateResult]) -> float:
    """Largest one-sided alpha among a phase's gates; phases add up."""
    return max(
        (gate.interval.alpha_total / 2.0 for gate in gates if gate.required and gate.interval),
        default=0.0,
    )
