"""Correlated submissions: design effect, ratio of totals, whole orders."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.checks import StatsInputError
from harness.stats.design_effect import (
    design_effect,
    effective_size,
    intracluster_correlation,
)
from harness.stats.estimates import estimate_by_job, whole_orders
from harness.stats.pooled import bootstrap_interval, pooled_share, pooled_standard_error

SIZES = np.array([50, 100, 300, 500])
FRACTIONS = np.array([50, 100, 270, 500]) / SIZES


def test_two_thousand_correlated_submissions_are_worth_96() -> None:
    assert design_effect([100] * 20, 0.2) == pytest.approx(20.8, abs=1e-12)
    assert effective_size([100] * 20, 0.2) == pytest.approx(2000 / 20.8, abs=1e-9)
    assert effective_size([100] * 20, 0.0) == 2000


def test_published_jobs_give_the_known_description() -> None:
    assert pooled_share(FRACTIONS, SIZES) == pytest.approx(0.9684210526, abs=1e-10)
    assert pooled_standard_error(FRACTIONS, SIZES) == pytest.approx(0.03176791399, abs=1e-11)
    binomial = np.sqrt(0.9684210526 * (1 - 0.9684210526) / SIZES.sum())
    assert binomial == pytest.approx(0.005673736117, abs=1e-11)
    assert FRACTIONS.mean() == pytest.approx(0.975, abs=1e-12)
    assert intracluster_correlation(FRACTIONS, SIZES) == pytest.approx(0.1063772171, abs=1e-10)
    assert (SIZES.std() / SIZES.mean()) ** 2 == pytest.approx(0.5623268698, abs=1e-10)
    assert design_effect(SIZES, 0.2) == pytest.approx(75.01052632, abs=1e-8)


def planted(jobs: int, rho: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    spread = 1 / rho - 1
    sizes = rng.choice(SIZES, jobs)
    return rng.binomial(sizes, rng.beta(0.9 * spread, 0.1 * spread, jobs)) / sizes, sizes


def test_planted_correlation_is_found() -> None:
    for rho in (0.05, 0.3):
        found = intracluster_correlation(*planted(4000, rho))
        assert found == pytest.approx(rho, rel=0.15)


def test_correlation_is_undefined_where_nothing_tells_of_it() -> None:
    assert intracluster_correlation([], []) is None
    assert intracluster_correlation([0.5], [10]) is None
    assert intracluster_correlation([1, 0, 1], [1, 1, 1]) is None
    assert intracluster_correlation([1, 1, 1], [9, 5, 3]) is None
    # Jobs more alike than chance would make them.
    even = intracluster_correlation([0.5] * 4, [10] * 4)
    assert even is not None
    assert even < 0


def test_resampled_jobs_and_the_ratio_estimator_agree_on_the_error() -> None:
    fractions, sizes = planted(200, 0.3)
    share, error = pooled_share(fractions, sizes), pooled_standard_error(fractions, sizes)
    interval = bootstrap_interval(fractions, sizes, alpha_total=0.05)
    assert share is not None
    assert error is not None
    assert interval is not None
    assert interval[0] < share < interval[1]
    assert interval[1] - interval[0] == pytest.approx(2 * 1.96 * error, rel=0.1)
    shuffled = np.random.default_rng(1).permutation(200)
    assert bootstrap_interval(fractions[shuffled], sizes[shuffled], alpha_total=0.05) == interval
    assert bootstrap_interval(fractions, sizes, alpha_total=0.05, seed=7) != interval


def test_few_jobs_have_no_bootstrap_and_one_has_no_error() -> None:
    assert bootstrap_interval([1.0] * 19, [5] * 19, alpha_total=0.05) is None
    assert bootstrap_interval([1.0] * 20, [5] * 20, alpha_total=0.05) == (1.0, 1.0)
    assert pooled_standard_error([0.5], [10]) is None
    assert pooled_share([], []) is None
    assert design_effect([], 0.3) == 1.0


def test_a_whole_order_agrees_only_once_nothing_pends_and_fails_at_the_first_difference() -> None:
    # All agree; one differs; some pend, the rest agree; some pend and one differs; all pend.
    low, high = whole_orders([1.0, 0.98, 0.6, 0.6, 0.0], [1.0, 0.98, 1.0, 0.9, 1.0])
    assert low.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert high.tolist() == [1.0, 0.0, 1.0, 0.0, 1.0]
    strict = estimate_by_job(low, high)
    assert strict.value == pytest.approx(1 / 3)
    assert strict.n == 3


def test_sizes_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^sizes\[1\] = 0 is not a whole number above 0"):
        design_effect([3, 0], 0.1)
    with pytest.raises(StatsInputError, match=r"^sizes\[0\] = 1.5"):
        pooled_share([0.5], [1.5])
    with pytest.raises(StatsInputError, match=r"^sizes has 1 values, fractions has 2"):
        intracluster_correlation([0.5, 1.0], [4])
    with pytest.raises(StatsInputError, match=r"^rho "):
        design_effect([3], 1.1)
