"""What every front end shows of a verdict: signs, words and the scale of bars."""

from __future__ import annotations

from dataclasses import replace

from harness.gates.shown import DECISION_SIGNS, STATUS_SIGNS, STATUS_WORDS, share, share_scale
from harness.model import Decision, GateStatus
from tests.support.assessments import make_gate, make_interval, make_phases


def test_every_state_has_a_word_and_a_sign_of_its_own() -> None:
    assert set(STATUS_WORDS) == set(STATUS_SIGNS) == set(GateStatus)
    assert set(DECISION_SIGNS) == set(Decision)
    assert len(set(STATUS_SIGNS.values())) == len(GateStatus)
    assert len(set(DECISION_SIGNS.values())) == len(Decision)


def test_nothing_to_average_is_no_evidence_and_no_zero() -> None:
    assert share(None) == share(float("nan")) == "no evidence"
    assert share(0.0) == "0.0 %"


def test_one_scale_holds_every_interval_and_threshold() -> None:
    assert share_scale(make_phases()) == (0.8, 1.0)
    assert share_scale(()) == (0.0, 1.0)
    low = make_gate(interval=make_interval(0.02, 0.4))
    assert share_scale([replace(make_phases()[0], gates=(low,))])[0] == 0.0
