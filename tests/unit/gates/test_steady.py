"""Levels that must stay low for hours, and an old system that nobody uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gates.inputs import Level, Levels, OldPath
from harness.gates.presets import load_gates
from harness.model import GateStatus
from tests.unit.gates.factory import END, START, judged, make_inputs, sampled

GATES = load_gates()
DEPTH = "cutover.queue_depth"


def depth(levels: Levels, **changes: object) -> GateStatus:
    inputs = make_inputs(levels={**make_inputs().levels, "queue_depth": levels}, **changes)
    return judged(GATES, DEPTH, inputs).status


def test_the_hours_begin_anew_when_it_was_last_too_high() -> None:
    samples = [0] * (48 * 12)
    assert depth(sampled(101, *samples)) is GateStatus.UNDECIDED
    assert depth(sampled(101, *samples, 0)) is GateStatus.PASS
    found = judged(
        GATES,
        DEPTH,
        make_inputs(levels={**make_inputs().levels, "queue_depth": sampled(101, *[0] * 121)}),
    )
    assert found.reason == "Steady for 10.0 h of the 48 h that are asked for."
    assert found.missing == ("38.0 more hours without more than 100 messages waiting in the queue.")
    assert found.evidence_text == "steady for 10.0 h; at most 101 seen"


def test_a_phase_that_began_a_day_ago_cannot_have_been_steady_for_two() -> None:
    assert depth(sampled(), record_start=END - timedelta(hours=24)) is GateStatus.UNDECIDED
    assert depth(sampled(), record_start=END - timedelta(hours=48)) is GateStatus.PASS


def test_a_hole_in_the_samples_is_not_steadiness() -> None:
    seen = [
        level
        for level in sampled().seen
        if not END - timedelta(hours=20) < level.at < END - timedelta(hours=10)
    ]
    assert depth(Levels(seen=tuple(seen))) is GateStatus.OPEN


def test_a_rehearsal_counts_its_own_hours() -> None:
    begun = END - timedelta(hours=1)
    quick = Levels(seen=tuple(level for level in sampled().seen if level.at >= begun))
    assert depth(quick, record_start=begun) is GateStatus.UNDECIDED
    assert depth(quick, record_start=begun, time_scale=48.0) is GateStatus.PASS


@given(
    values=st.lists(st.integers(0, 200), min_size=1, max_size=40),
    worse=st.integers(0, 39),
    by=st.integers(1, 200),
)
@settings(max_examples=80, deadline=None)
def test_a_higher_level_never_looks_better(values: list[int], worse: int, by: int) -> None:
    order = {GateStatus.FAIL: 0, GateStatus.OPEN: 1, GateStatus.UNDECIDED: 1, GateStatus.PASS: 2}
    seen = [
        Level(at=END - timedelta(minutes=5 * place), value=value)
        for place, value in enumerate(reversed(values))
    ][::-1]
    at = worse % len(seen)
    higher = [*seen]
    higher[at] = replace(seen[at], value=seen[at].value + by)
    start = seen[0].at
    before = depth(Levels(seen=tuple(seen)), record_start=start, time_scale=30.0)
    after = depth(Levels(seen=tuple(higher)), record_start=start, time_scale=30.0)
    assert order[after] <= order[before]


def test_an_old_system_without_any_sign_counts_from_the_beginning_of_the_phase() -> None:
    gate = "cleanup.old_path"
    quiet = make_inputs(old_path=OldPath(at=None))
    assert judged(GATES, gate, quiet).status is GateStatus.PASS
    young = make_inputs(old_path=OldPath(at=None), record_start=END - timedelta(days=6))
    found = judged(GATES, gate, young)
    assert found.status is GateStatus.UNDECIDED
    assert found.missing == "1.0 more days without use."
    used = make_inputs(old_path=OldPath(at=START + timedelta(days=5), words="a heartbeat"))
    assert "last sign: a heartbeat" in judged(GATES, gate, used).reason
