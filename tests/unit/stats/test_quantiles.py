"""Latency percentiles: tabulated ranks, censoring, and the gate they must agree with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom

from harness.stats.checks import StatsInputError
from harness.stats.counts import log_e_plus_counts
from harness.stats.quantiles import (
    DurationState,
    below_limit,
    cs_ranks,
    fixed_quantile_bounds,
    fixed_ranks,
    quantile_bounds,
)
from harness.stats.stitched import stitched_ranks

FINISHED, RUNNING, LOST = DurationState
YPUB = np.round(60 * np.exp(0.8 * ndtri((np.arange(1, 201) - 0.5) / 200)), 6)


@pytest.mark.parametrize(
    ("n", "p", "headline", "label"),
    [
        (20, 0.5, (4, 17), (6, 15)),
        (200, 0.5, (77, 124), (86, 115)),
        (200, 0.95, (178, 198), (184, 197)),
        (200, 0.99, (192, None), (195, None)),
        (1000, 0.5, (445, 556), (469, 532)),
        (1000, 0.95, (923, 971), (936, 964)),
        (1000, 0.99, (977, 999), (983, 997)),
    ],
)
def test_ranks_are_the_tabulated_ones(
    n: int, p: float, headline: tuple[int, int | None], label: tuple[int, int | None]
) -> None:
    assert cs_ranks(n, p, 0.05) == headline
    assert fixed_ranks(n, p, 0.05) == label


@pytest.mark.parametrize(
    ("n", "p", "expected"),
    [
        (20, 0.5, (None, None)),
        (200, 0.5, (65, 136)),
        (200, 0.95, (171, None)),
        (200, 0.99, (186, None)),
        (1000, 0.5, (426, 575)),
        (1000, 0.95, (914, 987)),
        (1000, 0.99, (971, None)),
    ],
)
def test_stitched_ranks_are_the_tabulated_ones_and_lie_outside_ours(
    n: int, p: float, expected: tuple[int | None, int | None]
) -> None:
    low, high = stitched_ranks(n, p, 0.05)
    assert (low, high) == expected
    ours = cs_ranks(n, p, 0.05)
    assert (low or 0) <= (ours[0] or 0)
    assert (high or n + 1) >= (ours[1] or n + 1)


@pytest.mark.parametrize(
    ("p", "ours", "fixed"),
    [(0.5, (6, 8), (5, 6)), (0.95, (82, 98), (59, 72)), (0.99, (418, 498), (299, 368))],
)
def test_an_upper_bound_first_exists_at_the_known_number_of_jobs(
    p: float, ours: tuple[int, int], fixed: tuple[int, int]
) -> None:
    for ranks, jobs in ((cs_ranks, ours), (fixed_ranks, fixed)):
        for n, alpha_total in zip(jobs, (0.10, 0.05), strict=True):
            assert ranks(n, p, alpha_total)[1] == n
            assert ranks(n - 1, p, alpha_total)[1] is None


@given(n=st.integers(1, 300), p=st.floats(0.02, 0.98), alpha=st.floats(0.01, 0.3))
@settings(max_examples=60, deadline=None)
def test_fixed_ranks_are_those_of_the_binomial_of_scipy(n: int, p: float, alpha: float) -> None:
    below = binom.cdf(np.arange(n), n, p)  # of rank 1 to n
    low = [k for k in range(1, n + 1) if below[k - 1] <= alpha / 2]
    high = [k for k in range(1, n + 1) if below[k - 1] >= 1 - alpha / 2]
    assert fixed_ranks(n, p, alpha) == (max(low, default=None), min(high, default=None))


def test_published_durations_give_the_known_bounds() -> None:
    median = quantile_bounds(YPUB, p=0.5, alpha_total=0.05)
    tail = quantile_bounds(YPUB, p=0.95, alpha_total=0.05)
    assert (median.low, median.high) == (47.238414, 76.209163)
    assert (tail.low, tail.high) == (158.383017, 360.490911)
    assert median.value == np.sort(YPUB)[99]
    assert tail.value == np.sort(YPUB)[189]


def test_published_durations_leave_the_300_second_gate_undecided() -> None:
    low, high = below_limit(YPUB, limit_s=300)
    assert low.sum() == high.sum() == 196
    assert log_e_plus_counts(200, 196, 0.95) == pytest.approx(1.39450931, abs=1e-8)


@given(
    seconds=st.lists(st.floats(0.1, 1000), min_size=1, max_size=150),
    limit=st.floats(1, 900),
    alpha_total=st.sampled_from([0.05, 0.1, 0.3]),
    p=st.sampled_from([0.5, 0.8, 0.95]),
)
@settings(max_examples=80, deadline=None)
def test_rank_decision_equals_the_decision_on_the_share_below_the_limit(
    seconds: list[float], limit: float, alpha_total: float, p: float
) -> None:
    upper = quantile_bounds(seconds, p=p, alpha_total=alpha_total).high
    below = int(below_limit(seconds, limit_s=limit)[0].sum())
    proved = log_e_plus_counts(len(seconds), below, p) >= math.log(2 / alpha_total)
    assert (upper < limit) == proved


@given(n=st.integers(1, 400), ps=st.tuples(st.floats(0.05, 0.99), st.floats(0.05, 0.99)))
@settings(max_examples=60, deadline=None)
def test_ranks_rise_with_the_percentile(n: int, ps: tuple[float, float]) -> None:
    small, large = (cs_ranks(n, p, 0.05) for p in sorted(ps))
    assert (small[0] or 0) <= (large[0] or 0)
    assert (small[1] or n + 1) <= (large[1] or n + 1)


@given(
    seconds=st.lists(st.integers(1, 10_000), min_size=20, max_size=80),
    scale=st.integers(1, 50),
    shift=st.integers(0, 500),
)
@settings(max_examples=40, deadline=None)
def test_bounds_move_with_the_durations(seconds: list[int], scale: int, shift: int) -> None:
    before = quantile_bounds(seconds, p=0.5, alpha_total=0.1)
    after = quantile_bounds(np.asarray(seconds) * scale + shift, p=0.5, alpha_total=0.1)
    assert after.low == before.low * scale + shift
    assert after.high == before.high * scale + shift
    assert after.value == before.value * scale + shift


def test_running_jobs_count_at_elapsed_time_below_and_as_endless_above() -> None:
    seconds = [10.0] * 40 + [50.0] * 10
    states = [FINISHED] * 40 + [RUNNING] * 10
    bounds = quantile_bounds(seconds, states, p=0.8, alpha_total=0.3)
    settled_now = quantile_bounds(seconds, p=0.8, alpha_total=0.3)
    never = quantile_bounds([10.0] * 40 + [math.inf] * 10, p=0.8, alpha_total=0.3)
    assert bounds.low == settled_now.low
    assert bounds.high == never.high == math.inf
    assert settled_now.high == 50.0


def test_a_running_job_over_the_limit_has_already_missed_it() -> None:
    low, high = below_limit(
        [10.0, 299.0, 300.0, 5.0], [FINISHED, RUNNING, RUNNING, LOST], limit_s=300
    )
    assert low.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert high.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_lost_jobs_never_end() -> None:
    states = [FINISHED] * 8 + [LOST] * 2
    bounds = quantile_bounds([1.0] * 10, states, p=0.9, alpha_total=0.3)
    assert bounds.value == math.inf
    assert quantile_bounds([1.0] * 10, states, p=0.8, alpha_total=0.3).value == 1.0


def test_estimate_of_running_jobs_lies_between_its_extremes() -> None:
    rng = np.random.default_rng(5)
    truth = rng.exponential(100, 300)
    cut = rng.exponential(150, 300)
    seconds = np.minimum(truth, cut)
    states = np.where(truth <= cut, FINISHED, RUNNING)
    value = quantile_bounds(seconds, states, p=0.5, alpha_total=0.1).value
    assert np.median(seconds[states == FINISHED]) < value
    assert value == pytest.approx(100 * math.log(2), rel=0.25)


def test_no_job_bounds_nothing() -> None:
    for bounds in (quantile_bounds, fixed_quantile_bounds):
        nothing = bounds([], p=0.5, alpha_total=0.05)
        assert (nothing.value, nothing.low, nothing.high) == (math.inf, 0.0, math.inf)


def test_durations_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^seconds\[1\] is negative"):
        quantile_bounds([1.0, -2.0], p=0.5, alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^seconds\[0\] is NaN"):
        quantile_bounds([math.nan], p=0.5, alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^states holds 3, which is no state"):
        quantile_bounds([1.0], [3], p=0.5, alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^states has 1 values"):
        quantile_bounds([1.0, 2.0], [RUNNING], p=0.5, alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^limit_s"):
        below_limit([1.0], limit_s=0.0)
    with pytest.raises(StatsInputError, match=r"^p "):
        quantile_bounds([1.0], p=1.0, alpha_total=0.05)
