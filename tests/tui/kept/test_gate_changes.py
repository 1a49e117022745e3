"""A change of a gate far away is found by kept looks, and what may have been passed by is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assessment import Assessment
from harness.model import GateStatus
from harness.tui import gate_changes
from harness.tui.gate_changes import Walk, find_gate_change, gate_states
from harness.tui.kept.packing import Seen
from harness.tui.looked import Moment, Snapshot, Span
from tests.support.assessments import AS_OF, MONDAY, make_assessment
from tests.tui.support import TAKEN_AT, FakeData

EACH = 10
"""Events of a batch."""
STATUSES = (GateStatus.UNDECIDED, GateStatus.PASS, GateStatus.FAIL)


def assessed(seq: int, status: GateStatus) -> Assessment:
    made = make_assessment()
    first = made.phases[0]
    gates = (replace(first.gates[0], status=status), *first.gates[1:])
    return replace(
        made,
        phases=(replace(first, gates=gates), *made.phases[1:]),
        provenance=replace(made.provenance, seq=seq),
    )


class Batches(FakeData):
    """One gate, whose status is given batch by batch."""

    def __init__(self, statuses: list[GateStatus]) -> None:
        super().__init__()
        self.statuses = statuses

    def at(self, seq: int) -> Assessment:
        return assessed(seq, self.statuses[(seq - 1) // EACH])

    def load(self, as_of: Moment | None) -> Snapshot:
        assert isinstance(as_of, int)
        self.loaded.append(as_of)
        return Snapshot(assessment=self.at(as_of), trouble=self.trouble, taken_at=TAKEN_AT)

    def step(self, seq: int, *, forward: bool) -> int | None:
        ends = [EACH * (batch + 1) for batch in range(len(self.statuses))]
        found = [end for end in ends if (end > seq if forward else end < seq)]
        return (min(found) if forward else max(found)) if found else None


class Looks:
    """Kept looks at some moments; what one says of a moment may be untrue of it as the past."""

    def __init__(self, data: Batches, seqs: list[int], untrue: frozenset[int]) -> None:
        self._data, self._seqs, self._untrue = data, seqs, untrue

    def seqs(self) -> list[int]:
        return sorted(self._seqs)

    def at(self, seq: int) -> Seen | None:
        status = self._data.statuses[(seq - 1) // EACH]
        if seq in self._untrue:
            status = STATUSES[(STATUSES.index(status) + 1) % len(STATUSES)]
        span = Span(first_at=MONDAY, last_at=AS_OF, last_seq=EACH * len(self._data.statuses))
        return Seen(assessment=assessed(seq, status), span=span)

    def newest(self) -> Seen | None:
        raise NotImplementedError

    def before(self, moment: Moment, *, last_seq: int | None) -> Seen | None:
        raise NotImplementedError

    def inside(self, first_seq: int, last_seq: int) -> int | None:
        raise NotImplementedError

    def wanted(self, last_seq: int) -> int | None:
        raise NotImplementedError


def search(
    data: Batches, kept: Looks | None, start: int, *, forward: bool, walked: int = 2
) -> Walk:
    """walked: how many batches are looked at before the kept looks are used."""
    data.loaded.clear()

    def clock() -> float:
        # As if each batch took its share of the time that may be spent on all of them.
        return len(data.loaded) * gate_changes.NEAR_S / walked

    return find_gate_change(
        data, data.at(start), forward=forward,
        stopped=lambda: False, tell=lambda *_: None, kept=kept, clock=clock,
    )  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> tuple[Batches, Looks, int, bool]:
    runs = draw(
        st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(1, 9)), min_size=1, max_size=8)
    )
    statuses = [status for status, times in runs for _ in range(times)]
    data = Batches(statuses)
    events = EACH * len(statuses)
    seqs = draw(st.lists(st.integers(1, events), unique=True, max_size=6))
    untrue = draw(st.frozensets(st.sampled_from(seqs), max_size=2)) if seqs else frozenset()
    start = EACH * draw(st.integers(1, len(statuses)))
    return data, Looks(data, seqs, untrue), start, draw(st.booleans())


@settings(deadline=None)
@given(records())
def test_it_lands_on_a_change_and_says_whether_it_is_the_next(
    record: tuple[Batches, Looks, int, bool],
) -> None:
    data, kept, start, forward = record
    walk = search(data, kept, start, forward=forward)
    assert walk.looked == len(data.loaded)
    said = gate_states(data.at(start))
    if not walk.changes:
        assert gate_states(data.at(walk.seq)) == said
        return
    assert (walk.seq > start) if forward else (walk.seq < start)
    assert gate_states(data.at(walk.seq)) != said
    # The moment before it, as one comes from the start, says what the start says.
    beside = data.step(walk.seq, forward=not forward)
    assert beside is not None
    assert gate_states(data.at(beside)) == said
    if not walk.passed_by:
        whole = search(data, None, start, forward=forward, walked=10**6)
        assert (whole.seq, whole.changes) == (walk.seq, walk.changes)


@pytest.mark.parametrize("forward", [True, False])
def test_a_far_change_takes_few_looks(forward: bool) -> None:
    statuses = [GateStatus.UNDECIDED] * 1000 + [GateStatus.PASS] * 1000
    data = Batches(statuses)
    kept = Looks(data, list(range(500, 20_000, 1500)), frozenset())
    start, lands = (10, 10_010) if forward else (20_000, 10_000)
    walk = search(data, kept, start, forward=forward)
    assert walk.seq == lands
    assert walk.passed_by
    assert walk.looked < 15
    (change,) = walk.changes
    assert "Undecided → " in change
    assert "Pass" in change


def test_without_a_look_ahead_every_batch_is_looked_at() -> None:
    data = Batches([GateStatus.UNDECIDED] * 9 + [GateStatus.PASS])
    walk = search(data, Looks(data, [10], frozenset()), 20, forward=True)
    assert (walk.seq, walk.passed_by, walk.looked) == (100, False, 8)


def test_trouble_on_the_way_ends_it_where_it_is_sure() -> None:
    data = Batches([GateStatus.UNDECIDED] * 50 + [GateStatus.PASS] * 50)
    kept = Looks(data, [200, 900], frozenset())
    loaded = data.load

    def load(as_of: Moment | None) -> Snapshot:
        found = loaded(as_of)
        return replace(found, trouble="locked") if len(data.loaded) > 4 else found

    data.load = load  # type: ignore[method-assign]
    walk = search(data, kept, 10, forward=True)
    assert walk.changes == ()
    assert gate_states(data.at(walk.seq)) == gate_states(data.at(10))
