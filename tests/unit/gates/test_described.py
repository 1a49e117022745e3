"""Every gate says what it asks, in words that carry the numbers of its file."""

from __future__ import annotations

import pytest

from harness.gates.described import describe
from harness.gates.presets import load_gates
from tests.unit.gates.factory import evaluated, find, make_inputs

SHIPPED = load_gates()
GATES = [(phase, gate) for phase in SHIPPED.phase for gate in phase.gate]


@pytest.mark.parametrize(("phase", "gate"), GATES, ids=[g.id for _, g in GATES])
def test_no_gate_is_without_words(phase, gate) -> None:  # type: ignore[no-untyped-def]
    told = describe(gate, phase, attempt_share=1.0)
    assert told.kind == gate.kind
    assert told.statistic
    assert told.comparison
    assert told.waivable == gate.waivable
    for name in ("threshold", "threshold_s", "hours", "days", "at_most"):
        if (number := getattr(gate, name, None)) is not None:
            shown = 100 * number if name == "threshold" else number
            assert f"{shown:,g}" in f"{told.statistic} {told.comparison}"
    assert (told.confidence is not None) == (
        gate.kind in ("mean_at_least", "quantile_below")
        or getattr(gate, "measure", "") == "lost_jobs"
    )
    if phase.since:
        assert phase.since in told.scope


def test_alpha_that_is_spent_over_versions_raises_the_confidence() -> None:
    phase = SHIPPED.phase[0]
    gate = next(one for one in phase.gate if one.kind == "mean_at_least")
    assert describe(gate, phase, attempt_share=1.0).confidence == pytest.approx(0.95)
    assert describe(gate, phase, attempt_share=0.5).confidence == pytest.approx(0.975)


def test_every_result_carries_its_definition() -> None:
    phases = evaluated(SHIPPED, make_inputs(40))
    gate = find(phases, "dual-write.agreement")
    assert gate.definition is not None
    assert gate.definition.comparison == "at least 95 %"
    assert all(one.definition for phase in phases for one in phase.gates)
