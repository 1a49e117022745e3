"""Waivers: they take a gate out of the way and never make it green."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from harness.assessment import Waiver
from harness.gates.evaluate import decide
from harness.gates.inputs import GateInputs
from harness.gates.presets import load_gates
from harness.model import Decision, GateStatus
from tests.unit.gates.factory import END, evaluated, find, make_inputs

GATES = load_gates()
PREFECT = "dual-write.prefect_errors"


def waiver(gate: str, **changes: Any) -> dict[str, Waiver]:
    values = {
        "gate": gate, "by": "Ana Ruiz", "reason": "no Prefect here",
        "until": END + timedelta(days=7), "at": END, "seq": 9,
    }  # fmt: skip
    return {gate: Waiver(**{**values, **changes})}


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [({"prefect_errors": {"failed": 1}}, "fail"), ({"prefect_errors": None}, "open")],
)
def test_a_waived_gate_no_longer_holds_the_decision_up_and_is_not_green(
    changes: dict[str, Any], evidence: str
) -> None:
    if evidence == "open":
        changes["prefect_sampling"] = make_inputs().prefect_sampling.__class__()
    phases = evaluated(GATES, make_inputs(**changes), waivers=waiver(PREFECT))
    gate = find(phases, PREFECT)
    assert gate.status is GateStatus.WAIVED
    assert gate.judged is not None
    assert gate.judged.value == evidence
    assert gate.reason.startswith(
        "Waived by Ana Ruiz until 18 November 2026 00:00 UTC. No Prefect here. The evidence says "
    )
    decision, reason = decide(phases)
    assert decision is Decision.GO
    assert "10 required gates passed; 1 is waived, not passed: No errors in Prefect." in reason


def test_a_waiver_that_has_expired_or_is_not_needed_changes_nothing() -> None:
    inputs = make_inputs(prefect_errors={"failed": 1})
    expired = evaluated(GATES, inputs, waivers=waiver(PREFECT, valid=False))
    assert expired == evaluated(GATES, inputs)
    assert evaluated(GATES, make_inputs(), waivers=waiver(PREFECT)) == evaluated(
        GATES, make_inputs()
    )


def test_a_gate_that_may_not_be_waived_stays_what_it_is_and_says_who_tried() -> None:
    lost = make_inputs(confirmed_losses={"never_enqueued": 1})
    gate = find(evaluated(GATES, lost, waivers=waiver("shadow.zero_loss")), "shadow.zero_loss")
    assert gate.status is GateStatus.FAIL
    assert gate.waiver is not None
    assert "Ana Ruiz has waived it, but this gate cannot be waived." in gate.reason


def test_waivers_alone_are_no_go() -> None:
    everything = {name: one for name in GATES.digests for one in waiver(name).values()}
    phases = evaluated(GATES, GateInputs(), waivers=everything)
    assert decide(phases)[0] is not Decision.GO
    for phase in phases:
        assert phase.decision is not Decision.GO
