"""Attempts, several e-values, an audit, the least that any method needs, and a mean that moves."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from harness.stats.audit import hypergeometric_cdf, most_bad
from harness.stats.betting import betting_interval, headline, log_e_minus, log_e_plus
from harness.stats.checks import StatsInputError
from harness.stats.e_values import log_average, log_product, p_value
from harness.stats.fixed import jeffreys, wilson, wilson_bounds, zero_failure_bound
from harness.stats.forecast import least_mean_jobs
from harness.stats.spending import alpha_of_attempt


def test_attempts_spend_alpha_and_never_more() -> None:
    spent = [alpha_of_attempt(0.05, k) for k in range(1, 10_000)]
    assert spent[:3] == pytest.approx([0.025, 0.05 / 6, 0.05 / 12])
    assert math.fsum(spent) < 0.05
    assert math.fsum(spent) == pytest.approx(0.05, abs=1e-5)
    with pytest.raises(StatsInputError, match=r"^attempt "):
        alpha_of_attempt(0.05, 0)


def test_averages_of_evidence_lie_between_and_products_add_up() -> None:
    assert log_average([math.log(4), math.log(16)]) == pytest.approx(math.log(10))
    assert log_average([5000.0, -math.inf]) == pytest.approx(5000.0 - math.log(2))
    assert log_average([math.inf, 0.0]) == math.inf
    assert log_average([-math.inf]) == -math.inf
    assert log_product([math.log(4), math.log(0.5)]) == pytest.approx(math.log(2))


def test_an_e_value_of_20_is_a_p_value_of_5_percent() -> None:
    assert p_value(math.log(20)) == pytest.approx(0.05)
    assert p_value(-3.0) == 1.0
    assert p_value(math.inf) == 0.0


def test_evidence_that_is_none_is_refused_by_name() -> None:
    for bad in (lambda: log_average([]), lambda: log_product([math.inf, -math.inf])):
        with pytest.raises(StatsInputError, match=r"^log_e "):
            bad()
    with pytest.raises(StatsInputError, match=r"^log_e is NaN"):
        p_value(math.nan)


@pytest.mark.parametrize(
    ("population", "checked", "found", "bad"),
    [(500, 59, 0, 23), (500, 200, 0, 5), (1000, 100, 0, 28), (500, 500, 0, 0), (500, 500, 7, 7)],
)
def test_an_audit_bounds_the_bad_ones_as_tabulated(
    population: int, checked: int, found: int, bad: int
) -> None:
    assert most_bad(population, checked=checked, found=found, alpha=0.05) == bad


@given(data=st.data(), population=st.integers(0, 80))
@settings(max_examples=80, deadline=None)
def test_the_hypergeometric_equals_whole_number_arithmetic(
    data: st.DataObject, population: int
) -> None:
    bad = data.draw(st.integers(0, population))
    checked = data.draw(st.integers(0, population))
    k = data.draw(st.integers(0, checked))
    ways = sum(math.comb(bad, j) * math.comb(population - bad, checked - j) for j in range(k + 1))
    exact = Fraction(ways, math.comb(population, checked))
    assert hypergeometric_cdf(k, population=population, bad=bad, checked=checked) == pytest.approx(
        float(exact), abs=1e-10
    )
    bound = most_bad(population, checked=checked, found=k, alpha=0.05)
    for d in range(k, population - (checked - k) + 1):
        chance = hypergeometric_cdf(k, population=population, bad=d, checked=checked)
        assert (chance >= 0.05) == (d <= bound)


def test_an_audit_of_more_than_there_is_is_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^checked = 6 is more than population = 5"):
        most_bad(5, checked=6, found=0, alpha=0.05)
    with pytest.raises(StatsInputError, match=r"^found = 3 is more than checked = 2"):
        most_bad(5, checked=2, found=3, alpha=0.05)
    with pytest.raises(StatsInputError, match=r"^bad = 6 is more than population = 5"):
        hypergeometric_cdf(0, population=5, bad=6, checked=1)


@pytest.mark.parametrize(
    ("s", "n", "expected"),
    [
        (97, 100, (0.9221124306, 0.9914797169)),
        (59, 59, (0.9584914327, 1.0)),
        (0, 20, (0.0, 0.1166389829)),
        (480, 500, (0.9400936284, 0.9746089689)),
    ],
)
def test_jeffreys_intervals_are_the_known_ones(
    s: int, n: int, expected: tuple[float, float]
) -> None:
    found = jeffreys(s, n, alpha_total=0.05)
    assert found == pytest.approx(expected, abs=1e-9)
    theirs = beta.ppf([0.025, 0.975], s + 0.5, n - s + 0.5)
    for ours, other in zip(found, theirs, strict=True):
        assert ours in (0.0, 1.0) or ours == pytest.approx(other, abs=1e-9)


def test_no_trial_leaves_jeffreys_with_everything() -> None:
    assert jeffreys(0, 0, alpha_total=0.05) == (0.0, 1.0)


def test_wilson_of_many_shares_is_wilson_of_each() -> None:
    s, n = np.array([0.0, 3.5, 97.0, 59.0]), np.array([20.0, 9.0, 100.0, 59.0])
    low, high = wilson_bounds(s, n, alpha_total=0.05)
    for i in range(4):
        assert (low[i], high[i]) == wilson(s[i], int(n[i]), alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^s "):
        wilson_bounds(np.array([3.0]), np.array([2.0]), alpha_total=0.05)


@pytest.mark.parametrize(
    ("n", "bound"), [(100, 0.02951304961), (299, 0.009969146793), (1000, 0.002991249545)]
)
def test_no_loss_at_one_planned_look_is_as_tabulated(n: int, bound: float) -> None:
    assert zero_failure_bound(n, alpha=0.05) == pytest.approx(bound, abs=1e-10)


def test_jobs_for_a_claim_at_one_planned_look_are_the_known_ones() -> None:
    for rate, jobs in ((0.05, 59), (0.01, 299), (0.005, 598), (0.001, 2995)):
        bounds = [zero_failure_bound(n, alpha=0.05) for n in (jobs - 1, jobs)]
        assert bounds[1] <= rate < bounds[0]


@pytest.mark.parametrize(
    ("p", "jobs"),
    [(1.0, 58.4), (0.99, 121.1), (0.98, 246.7), (0.97, 613.3), (0.96, 2658.8), (0.93, 795.7),
     (0.90, 145.0)],
)  # fmt: skip
def test_the_least_number_of_jobs_is_the_known_one(p: float, jobs: float) -> None:
    assert least_mean_jobs(p, 0.95, alpha=0.05) == pytest.approx(jobs, abs=0.05)


def test_a_share_at_its_threshold_is_never_told_apart() -> None:
    assert least_mean_jobs(0.95, 0.95, alpha=0.05) == math.inf


def test_both_sides_proved_is_said_to_be_not_stationary() -> None:
    moved = headline([1.0] * 200 + [0.0] * 200, alpha_total=0.1, n_min=30)
    assert moved.not_stationary
    assert (moved.low, moved.high) == betting_interval([1.0] * 200 + [0.0] * 200, alpha_total=0.1)
    steady = headline([1.0, 0.0] * 200, alpha_total=0.1, n_min=30)
    assert not steady.not_stationary
    assert not headline([], alpha_total=0.1).not_stationary


@pytest.mark.parametrize("x", [[], [0.0], [1.0], [0.3], [0.0] * 99, [1.0] * 99, [0.5] * 99])
@pytest.mark.parametrize("m", [0.0, 1e-9, 0.5, 1 - 1e-9, 1.0])
def test_evidence_is_a_number_at_every_edge(x: list[float], m: float) -> None:
    for evidence in (log_e_plus(x, m), log_e_minus(x, m)):
        assert not math.isnan(evidence)
    low, high = betting_interval(x, alpha_total=0.05)
    assert 0.0 <= low <= high <= 1.0
    if x:
        assert low <= x[0] <= high
