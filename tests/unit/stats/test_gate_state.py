"""One gate job by job: as all jobs at once, whatever pends and in whatever order it ends."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.betting import (
    best_prefix,
    first_prefix,
    headline,
    log_e_minus,
    log_e_plus,
    prefix_log_e_minus,
    prefix_log_e_plus,
)
from harness.stats.checks import StatsInputError
from harness.stats.drift import drift_alarm
from harness.stats.estimates import settled
from harness.stats.gate_state import GateState, Levels

LEVELS = Levels(m=0.8, alpha=0.2, alpha_fail=0.1, n_min=5, alarm=20.0)


@dataclass(frozen=True)
class Job:
    """What will become of a job, and after how many later steps it is known."""

    x: float
    known_low: float
    known_high: float
    settles_after: int


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    x = draw(st.sampled_from([0.0, 0.5, 0.96, 1.0, 1.0, 1.0]))
    if draw(st.booleans()):
        return Job(x, x, x, 0)
    return Job(
        x, x * draw(st.sampled_from([0.0, 0.5])), draw(st.sampled_from([1.0, (1 + x) / 2])),
        draw(st.integers(1, 30)),
    )  # fmt: skip


def assert_equals_the_whole(
    state: GateState, low: list[float], high: list[float], levels: Levels
) -> None:
    plus, minus = prefix_log_e_plus(low, levels.m), prefix_log_e_minus(high, levels.m)
    assert state.n == len(low)
    assert state.pending == sum(a < b for a, b in zip(low, high, strict=True))
    assert state.log_e_plus == pytest.approx(log_e_plus(low, levels.m), abs=1e-9)
    assert state.log_e_minus == pytest.approx(log_e_minus(high, levels.m), abs=1e-9)
    for best, evidence in ((state.best_plus, plus), (state.best_minus, minus)):
        assert best.log_e == pytest.approx(
            best_prefix(evidence, n_min=levels.n_min).log_e, abs=1e-9
        )
    passed = first_prefix(plus, -math.log(levels.alpha), n_min=levels.n_min)
    assert state.passed_at == passed
    assert state.failed_at == first_prefix(minus, -math.log(levels.alpha_fail), n_min=levels.n_min)
    assert state.drifted_at == (
        None if passed is None else drift_alarm(high, levels.m, since=passed, alarm=levels.alarm)
    )
    drawn = headline(low, high, alpha_total=2 * levels.alpha, n_min=levels.n_min)
    found = state.headline()
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=1e-9)
    assert found.not_stationary == drawn.not_stationary
    if not found.not_stationary and abs(found.low - levels.m) > 1e-9:
        assert (found.low >= levels.m) == (state.passed_at is not None)
    shares = settled(low, high)
    assert state.settled == shares.size
    assert state.value == (pytest.approx(shares.mean(), abs=1e-9) if shares.size else None)


@given(sequence=st.lists(jobs(), max_size=60), look_every=st.integers(1, 20))
@settings(max_examples=120, deadline=None)
def test_job_by_job_equals_all_at_once_whatever_pends(sequence: list[Job], look_every: int) -> None:
    state = GateState(LEVELS)
    low: list[float] = []
    high: list[float] = []
    due: dict[int, list[int]] = {}
    for number, job in enumerate(sequence, start=1):
        assert state.add(job.known_low, job.known_high) == number
        low.append(job.known_low)
        high.append(job.known_high)
        due.setdefault(number + job.settles_after, []).append(number)
        for done in due.pop(number, []):
            low[done - 1] = high[done - 1] = sequence[done - 1].x
            if sequence[done - 1].settles_after:
                state.settle(done, sequence[done - 1].x)
        if number % look_every == 0:
            assert_equals_the_whole(state, low, high, LEVELS)
    assert_equals_the_whole(state, low, high, LEVELS)
    at_once = GateState(LEVELS)
    at_once.extend(low[:7], high[:7])
    at_once.extend(low[7:], high[7:])
    assert_equals_the_whole(at_once, low, high, LEVELS)


@given(sequence=st.lists(jobs(), min_size=1, max_size=50), data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_was_decided_while_jobs_were_pending_stands_when_they_settle(
    sequence: list[Job], data: st.DataObject
) -> None:
    state = GateState(LEVELS)
    for job in sequence:
        state.add(job.known_low, job.known_high)
    order = [i for i, job in enumerate(sequence, start=1) if job.known_low < job.known_high]
    best = (state.best_plus.log_e, state.best_minus.log_e)
    passed, failed = state.passed_at, state.failed_at
    for number in data.draw(st.permutations(order)):
        state.settle(number, sequence[number - 1].x)
        assert state.best_plus.log_e >= best[0] - 1e-9
        assert state.best_minus.log_e >= best[1] - 1e-9
        if passed is not None:
            assert state.passed_at is not None
            assert state.passed_at <= passed
        if failed is not None:
            assert state.failed_at is not None
            assert state.failed_at <= failed
        best = (state.best_plus.log_e, state.best_minus.log_e)
        passed, failed = state.passed_at, state.failed_at
    assert state.pending == state.tail == 0


def test_an_alarm_at_the_very_job_that_passes_is_heard() -> None:
    levels = Levels(m=0.8, alpha=0.2, alpha_fail=0.2, n_min=1, alarm=1.0)
    at_once, one_by_one = GateState(levels), GateState(levels)
    at_once.extend(np.ones(50))
    for _ in range(50):
        one_by_one.add(1.0)
    for state in (at_once, one_by_one):
        assert state.drifted_at == state.passed_at
        assert_equals_the_whole(state, [1.0] * 50, [1.0] * 50, levels)


def test_a_long_week_equals_the_whole_and_keeps_only_the_tail() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.random(6000) < 0.99, rng.random(4000) < 0.8]).astype(float)
    levels = Levels(m=0.95, alpha=0.05, alpha_fail=0.025)
    state = GateState(levels)
    for number in range(1, x.size + 1):
        state.add(0.0, 1.0)
        if number > 40:
            state.settle(number - 40, x[number - 41])
        assert state.tail <= 40
    low, high = x.copy(), x.copy()
    low[-40:], high[-40:] = 0.0, 1.0
    assert_equals_the_whole(state, low.tolist(), high.tolist(), levels)
    assert state.passed_at is not None
    assert 6000 < (state.drifted_at or 0) < 6200


def test_one_more_job_costs_no_more_after_a_hundred_thousand() -> None:
    state = GateState(Levels(m=0.95, alpha=0.05, alpha_fail=0.05))

    def cheapest() -> float:
        times = []
        for _ in range(300):
            began = time.perf_counter()
            state.add(0.98)
            times.append(time.perf_counter() - began)
        return min(times)

    early = cheapest()
    state.extend(np.tile([1.0, 0.9, 1.0, 1.0], 25_000))
    assert cheapest() < 3 * early


def test_what_cannot_be_said_of_a_job_is_refused_by_name() -> None:
    state = GateState(LEVELS)
    state.add(1.0)
    state.add(0.2, 0.9)
    with pytest.raises(StatsInputError, match=r"^number = 1 has settled for good"):
        state.settle(1, 0.0)
    with pytest.raises(StatsInputError, match=r"^number = 3 is no job; there are 2"):
        state.settle(3, 0.0)
    with pytest.raises(StatsInputError, match=r"^low = 0.1, high = 0.1 is outside the known"):
        state.settle(2, 0.1)
    with pytest.raises(StatsInputError, match=r"^low = 0.9 is above high"):
        state.add(0.9, 0.1)
    with pytest.raises(StatsInputError, match=r"^low = nan"):
        state.add(math.nan)
    state.settle(2, 0.3, 0.5)
    state.settle(2, 0.5)
    assert state.value == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("name", "value"),
    [("m", 1.0), ("alpha", 0.0), ("alpha", 0.5), ("alpha_fail", 1.0), ("n_min", 0), ("alarm", 0)],
)
def test_a_gate_that_cannot_be_asked_is_refused_by_name(name: str, value: float) -> None:
    given_levels = {"m": 0.9, "alpha": 0.05, "alpha_fail": 0.05, name: value}
    with pytest.raises(StatsInputError, match=rf"^{name} "):
        Levels(**given_levels)  # type: ignore[arg-type]
