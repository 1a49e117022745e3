"""Two systems: ranks, shifts, percentiles of both sides, and pairs of one job."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from harness.stats.checks import StatsInputError
from harness.stats.counts import interval_counts
from harness.stats.mann_whitney import mann_whitney, u_distribution
from harness.stats.paired import no_slower
from harness.stats.quantile_difference import quantile_difference
from harness.stats.quantiles import DurationState, quantile_bounds
from tests.unit.stats.test_quantiles import YPUB

FINISHED, RUNNING, LOST = DurationState
OLD = [12.1, 15.3, 9.8, 11.0, 14.2, 13.7, 10.5, 16.9]
NEW = [14.9, 18.2, 12.4, 13.1, 17.7, 16.0, 15.8, 19.5, 11.6]

whole = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=25)


def test_published_samples_give_the_known_rank_sum() -> None:
    told = mann_whitney(OLD, NEW, alpha_total=0.05)
    assert told.exact
    assert told.u == 55
    assert told.p_value == pytest.approx(0.07445495681, abs=1e-11)
    assert told.effect == pytest.approx(0.7638888889, abs=1e-10)
    assert told.shift == pytest.approx(2.5, abs=1e-12)
    assert (told.low, told.high) == pytest.approx((-0.5, 5.5), abs=1e-12)


def test_equal_values_shift_by_nothing() -> None:
    told = mann_whitney([3.0] * 5, [3.0] * 7, alpha_total=0.05)
    assert (told.shift, told.low, told.high, told.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert told.effect == 0.5


@given(x=whole, y=whole)
@settings(max_examples=80, deadline=None)
def test_rank_sum_equals_that_of_scipy_with_ties(x: list[float], y: list[float]) -> None:
    told = mann_whitney(x, y, alpha_total=0.05)
    method = "exact" if told.exact else "asymptotic"
    theirs = mannwhitneyu(y, x, method=method)
    assert told.u == theirs.statistic
    if len({*x, *y}) > 1:
        assert told.p_value == pytest.approx(theirs.pvalue, abs=1e-9)


@given(x=whole, y=whole, alpha_total=st.floats(0.01, 0.9))
@settings(max_examples=80, deadline=None)
def test_the_shift_is_the_median_difference_within_its_interval(
    x: list[float], y: list[float], alpha_total: float
) -> None:
    differences = np.sort(np.subtract.outer(y, x).ravel())
    told = mann_whitney(x, y, alpha_total=alpha_total)
    assert told.shift == np.median(differences)
    assert told.low in differences
    assert told.high in differences
    assert told.low <= told.shift <= told.high
    swapped = mann_whitney(y, x, alpha_total=alpha_total)
    assert (swapped.low, swapped.high) == (-told.high, -told.low)


def test_the_exact_distribution_counts_every_order_once() -> None:
    cdf = u_distribution(3, 4)
    assert np.diff(cdf, prepend=0.0) * 35 == pytest.approx(
        [1, 1, 2, 3, 4, 4, 5, 4, 4, 3, 2, 1, 1], abs=1e-12
    )
    assert u_distribution(4, 3) == pytest.approx(cdf)


def test_large_samples_are_approximated_and_still_cover_a_planted_shift() -> None:
    rng = np.random.default_rng(8)
    told = mann_whitney(rng.normal(0, 1, 400), rng.normal(0.5, 1, 300), alpha_total=0.02)
    assert not told.exact
    assert told.low < 0.5 < told.high
    assert told.high - told.low < 0.5


def test_samples_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^x is empty"):
        mann_whitney([], [1.0], alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^y holds infinity"):
        mann_whitney([1.0], [math.inf], alpha_total=0.05)


def test_difference_of_percentiles_lies_between_the_opposite_ends_of_both_sides() -> None:
    told = quantile_difference(YPUB, YPUB[:150] * 2, p=0.5, alpha_total=0.1)
    old = quantile_bounds(YPUB, p=0.5, alpha_total=0.05)
    new = quantile_bounds(YPUB[:150] * 2, p=0.5, alpha_total=0.05)
    assert (old.low, old.high) == (47.238414, 76.209163)
    assert told.difference_low_s == new.low - old.high
    assert told.difference_high_s == new.high - old.low
    assert told.ratio_low == new.low / old.high
    assert told.ratio_high == new.high / old.low


def test_a_side_without_a_bound_leaves_the_difference_without_one_and_never_nan() -> None:
    few = [10.0] * 20
    told = quantile_difference(YPUB, few, p=0.95, alpha_total=0.1)
    assert told.difference_high_s == told.ratio_high == math.inf
    assert math.isfinite(told.difference_low_s)
    told = quantile_difference(few, YPUB, p=0.95, alpha_total=0.1)
    assert (told.difference_low_s, told.ratio_low) == (-math.inf, 0.0)
    lost = [LOST] * 20
    told = quantile_difference(few, few, lost, lost, p=0.5, alpha_total=0.1)
    assert (told.difference_low_s, told.difference_high_s) == (-math.inf, math.inf)
    assert (told.ratio_low, told.ratio_high) == (0.0, math.inf)
    told = quantile_difference([], [], p=0.5, alpha_total=0.1)
    assert (told.difference_low_s, told.ratio_low) == (-math.inf, 0.0)
    told = quantile_difference(few, few, None, lost, p=0.5, alpha_total=0.1)
    assert told.difference_low_s == told.ratio_low == math.inf


def test_pairs_say_who_is_slower_and_leave_open_what_still_runs() -> None:
    low, high = no_slower(
        [10.0, 10.0, 10.0, 10.0, 10.0, 0.0, 10.0, 10.0],
        [11.0, 11.1, 9.0, 12.0, 0.0, 0.0, 4.0, 20.0],
        [FINISHED] * 5 + [LOST, RUNNING, RUNNING],
        [FINISHED, FINISHED, RUNNING, RUNNING, LOST, LOST, FINISHED, FINISHED],
        factor=1.1,
    )
    assert low.tolist() == [1, 0, 0, 0, 0, 1, 1, 0]
    assert high.tolist() == [1, 0, 1, 0, 0, 1, 1, 1]


def test_pairs_see_a_slower_side_where_both_samples_overlap() -> None:
    rng = np.random.default_rng(12)
    order = 60 * np.exp(0.8 * rng.standard_normal(400))
    old = order * np.exp(0.2 * rng.standard_normal(400))
    new = 1.2 * order * np.exp(0.2 * rng.standard_normal(400))
    low, _ = no_slower(old, new, factor=1.0)
    assert interval_counts(400, int(low.sum()), alpha_total=0.1)[1] < 0.5
    assert quantile_difference(old, new, p=0.5, alpha_total=0.1).difference_low_s < 0


def test_pairs_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^new_s\[0\] is negative"):
        no_slower([1.0], [-1.0])
    with pytest.raises(StatsInputError, match=r"^old_states holds 3"):
        no_slower([1.0], [1.0], [3])
    with pytest.raises(StatsInputError, match=r"^new_s has 2 values, old_s has 1"):
        no_slower([1.0], [1.0, 2.0])
    with pytest.raises(StatsInputError, match=r"^factor "):
        no_slower([1.0], [1.0], factor=0.0)
