"""The running interval piece by piece: as from all jobs at once, pending tail included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.betting import Headline, headline
from harness.stats.checks import StatsInputError
from harness.stats.running import RunningInterval
from tests.unit.stats.test_betting import alphas, shares


def assert_same(found: Headline, expected: Headline) -> None:
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.not_stationary == expected.not_stationary


@given(
    pieces=st.lists(st.lists(shares, max_size=15), max_size=6),
    tail=st.lists(st.tuples(shares, shares), max_size=10),
    alpha_total=alphas,
    n_min=st.integers(1, 20),
)
@settings(max_examples=150, deadline=None)
def test_piece_by_piece_equals_all_at_once(
    pieces: list[list[float]],
    tail: list[tuple[float, float]],
    alpha_total: float,
    n_min: int,
) -> None:
    low, high = [min(pair) for pair in tail], [max(pair) for pair in tail]
    state = RunningInterval(alpha_total=alpha_total, n_min=n_min)
    seen: list[float] = []
    for piece in pieces:
        state.extend(piece)
        seen += piece
        expected = headline([*seen, *low], [*seen, *high], alpha_total=alpha_total, n_min=n_min)
        assert_same(state.headline(low, high), expected)
    assert_same(state.headline(), headline(seen, alpha_total=alpha_total, n_min=n_min))


def test_a_long_week_that_moves_equals_all_at_once() -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.random(7000) < 0.99, rng.random(7000) < 0.9]).astype(float)
    state = RunningInterval(alpha_total=0.1, n_min=30)
    for start in range(0, x.size, 500):
        state.extend(x[start : start + 500])
        upto = x[: start + 500]
        assert_same(state.headline(), headline(upto, alpha_total=0.1, n_min=30))
    assert state.headline().not_stationary


@pytest.mark.parametrize("seed", range(12))
def test_weeks_that_rise_and_fall_equal_all_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = 0.8 + 0.19 * np.sin(np.arange(600) / rng.uniform(20, 90) + rng.uniform(0, 6))
    x = np.round(rng.beta(rates * 9, (1 - rates) * 9), 2)
    state = RunningInterval(alpha_total=0.3, n_min=5)
    for start in range(0, 600, 60):
        state.extend(x[start : start + 60])
        assert_same(state.headline(), headline(x[: start + 60], alpha_total=0.3, n_min=5))


def test_what_is_no_share_is_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^alpha_total "):
        RunningInterval(alpha_total=0.0)
    with pytest.raises(StatsInputError, match=r"^low\[0\]"):
        RunningInterval(alpha_total=0.1).extend([1.5])
