"""The smallest fault rate that so much evidence shows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.checks import StatsInputError
from harness.stats.visible import chance_to_see, smallest_visible_rate


def test_it_is_the_rule_of_three_where_detection_is_certain() -> None:
    # Hanley & Lippman-Hand (1983): after no event in 1,000 cases at most 3 in 1,000.
    rate = smallest_visible_rate(1000, detection=1.0, alpha=0.05)
    assert rate == pytest.approx(1 - 0.05 ** (1 / 1000))
    assert rate == pytest.approx(3 / 1000, rel=0.01)


def test_half_the_detection_asks_for_twice_the_rate() -> None:
    whole = smallest_visible_rate(59, detection=1.0, alpha=0.05)
    half = smallest_visible_rate(59, detection=0.5, alpha=0.05)
    assert whole is not None
    assert half == pytest.approx(2 * whole)


@pytest.mark.parametrize(("n", "detection"), [(0, 1.0), (50, 0.0), (1, 0.9), (2, 0.5), (50, 0.01)])
def test_where_not_even_a_fault_in_every_job_is_sure_to_be_seen_there_is_none(
    n: int, detection: float
) -> None:
    assert smallest_visible_rate(n, detection=detection, alpha=0.05) is None
    assert chance_to_see(n, rate=1.0, detection=detection) < 0.95


@given(n=st.integers(1, 10**6), detection=st.floats(0.01, 1.0), alpha=st.floats(0.001, 0.5))
def test_a_fault_at_that_rate_is_seen_with_the_stated_probability(
    n: int, detection: float, alpha: float
) -> None:
    rate = smallest_visible_rate(n, detection=detection, alpha=alpha)
    if rate is not None:
        assert 0 < rate <= 1
        assert chance_to_see(n, rate=rate, detection=detection) == pytest.approx(1 - alpha)


def test_simulated_faults_are_seen_as_often_as_stated() -> None:
    chance = np.random.default_rng(7)
    n, detection, runs = 40, 0.8, 20_000
    rate = smallest_visible_rate(n, detection=detection, alpha=0.05)
    assert rate is not None
    hit = chance.random((runs, n)) < rate
    seen = (hit & (chance.random((runs, n)) < detection)).any(axis=1).mean()
    assert seen == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / runs))


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"n": -1}, "n"), ({"n": 1.5}, "n"), ({"detection": 1.1}, "detection"),
        ({"detection": math.nan}, "detection"), ({"alpha": 0.0}, "alpha"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name(keys: dict[str, Any], named: str) -> None:
    values = {"n": 10, "detection": 0.9, "alpha": 0.05} | keys
    with pytest.raises(StatsInputError) as caught:
        smallest_visible_rate(values.pop("n"), **values)
    assert caught.value.argument == named


def test_the_chance_refuses_a_rate_that_is_none() -> None:
    with pytest.raises(StatsInputError, match="rate"):
        chance_to_see(10, rate=-0.1, detection=1.0)
    assert chance_to_see(0, rate=0.5, detection=1.0) == 0.0
    assert chance_to_see(3, rate=1.0, detection=1.0) == 1.0
