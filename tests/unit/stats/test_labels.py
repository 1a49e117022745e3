"""Labels, forecasts, the drift alarm and the estimates that carry them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.model import IntervalKind
from harness.stats.betting import (
    NODE_COUNT,
    NODES,
    betting_interval,
    log_mixture,
    running_interval,
)
from harness.stats.checks import StatsInputError
from harness.stats.drift import drift_alarm, log_shiryaev_roberts
from harness.stats.estimates import (
    estimate_by_job,
    estimate_by_submission,
    latency_quantiles,
    settled,
)
from harness.stats.fixed import clopper_pearson, wilson, zero_failure_bound
from harness.stats.forecast import forecast_fail, forecast_pass
from harness.stats.outlook import one_figure
from harness.stats.quantiles import Distribution
from tests.unit.stats.test_betting import XPUB


@pytest.mark.parametrize(
    ("s", "n", "expected_wilson", "expected_exact"),
    [
        (97, 100, (0.9154806357, 0.9897454760), (0.9148239470, 0.9937700285)),
        (59, 59, (0.9388706295, 1.0), (0.9393910990, 1.0)),
        (0, 20, (0.0, 0.1611251581), (0.0, 0.1684334710)),
        (480, 500, (0.9390264042, 0.9739592026), (0.9388973906, 0.9753986879)),
    ],
)
def test_fixed_intervals_are_the_known_ones(
    s: int, n: int, expected_wilson: tuple[float, float], expected_exact: tuple[float, float]
) -> None:
    assert wilson(s, n, alpha_total=0.05) == pytest.approx(expected_wilson, abs=1e-9)
    assert clopper_pearson(s, n, alpha_total=0.05) == pytest.approx(expected_exact, abs=1e-9)


@given(n=st.integers(1, 2000), share=st.floats(0, 1), alpha=st.floats(0.01, 0.3))
@settings(max_examples=60, deadline=None)
def test_fixed_intervals_equal_those_of_scipy(n: int, share: float, alpha: float) -> None:
    s = round(share * n)
    test = binomtest(s, n)
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        theirs = test.proportion_ci(1 - alpha, method=method)
        assert ours(s, n, alpha_total=alpha) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_zero_failures_in_59_are_the_well_known_five_percent() -> None:
    assert zero_failure_bound(58, alpha=0.05) == pytest.approx(0.05033933833, abs=1e-10)
    assert zero_failure_bound(59, alpha=0.05) == pytest.approx(0.04950760989, abs=1e-10)
    assert zero_failure_bound(0, alpha=0.05) == 1.0


def test_no_trial_says_nothing() -> None:
    assert wilson(0, 0, alpha_total=0.05) == (0.0, 1.0)
    assert clopper_pearson(0, 0, alpha_total=0.05) == (0.0, 1.0)
    with pytest.raises(StatsInputError, match=r"^s "):
        wilson(3.5, 3, alpha_total=0.05)


def test_forecasts_are_the_known_ones() -> None:
    assert forecast_pass(XPUB, 0.95, alpha=0.05).jobs == math.inf
    assert forecast_pass([1] * 97 + [0] * 3, 0.95, alpha=0.05).jobs == pytest.approx(644.0363697)
    assert forecast_pass([1] * 50, 0.95, alpha=0.05).jobs == pytest.approx(26.48925995)


@given(
    x=st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0]), max_size=80), m=st.sampled_from([0.5, 0.9])
)
@settings(max_examples=60, deadline=None)
def test_forecast_lies_within_its_range(x: list[float], m: float) -> None:
    for forecast in (forecast_pass(x, m, alpha=0.05), forecast_fail(x, m, alpha=0.05)):
        assert 0.0 <= forecast.low <= forecast.jobs * (1 + 1e-9)
        assert forecast.jobs <= forecast.high * (1 + 1e-9)


def test_nothing_is_left_to_forecast_once_proved() -> None:
    assert forecast_pass(np.ones(82), 0.95, alpha=0.05).high == 0.0
    assert forecast_fail(np.zeros(30), 0.95, alpha=0.05).high == 0.0


@pytest.mark.parametrize(
    ("jobs", "shown"), [(0.0, 1), (3.4, 3), (26.5, 30), (644.0, 600), (960.0, 1000)]
)
def test_a_forecast_is_shown_with_one_figure(jobs: float, shown: int) -> None:
    assert one_figure(jobs) == shown


def test_drift_detector_gives_the_known_values() -> None:
    detector = np.exp(log_shiryaev_roberts(XPUB, 0.95))
    assert detector[[9, 13, 17, 19]] == pytest.approx(
        [6.245838165, 5.354559067, 25.14975783, 11.66397675], abs=1e-7
    )


@given(
    m=st.sampled_from([0.001, 0.5, 0.95, 0.9999, 1.0 - 1e-12]),
    hit=st.sampled_from([0.0, 0.3, 0.9, 0.97, 1.0]),
    n=st.integers(1, 4300), since=st.integers(1, 4300), seed=st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_the_drift_detector_is_its_recursion_and_the_alarm_its_first_crossing(
    m: float, hit: float, n: int, since: int, seed: int
) -> None:
    x = np.random.default_rng(seed).binomial(9, hit, n) / 9
    log_r, expected = np.full(NODE_COUNT, -np.inf), np.empty(n)
    for job, value in enumerate(x):
        log_r = np.logaddexp(0.0, log_r) + np.log1p(NODES * ((1.0 - value) / (1.0 - m) - 1.0))
        expected[job] = log_mixture(log_r)
    found = log_shiryaev_roberts(x, m)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    crossed = [job for job in range(since, n + 1) if found[job - 1] >= math.log(1000.0)]
    assert drift_alarm(x, m, since=since) == (crossed[0] if crossed else None)


def test_drift_alarm_sounds_soon_after_a_fall_and_not_before() -> None:
    rng = np.random.default_rng(11)
    x = np.concatenate([rng.random(200) < 0.99, rng.random(200) < 0.8]).astype(float)
    alarm = drift_alarm(x, 0.95)
    assert alarm is not None
    assert 200 < alarm < 300
    assert drift_alarm(x[:200], 0.95) is None
    assert drift_alarm(x, 0.95, since=alarm + 3) == alarm + 3


def test_settled_share_of_a_job_leaves_its_pending_submissions_out() -> None:
    # 3 agree, 1 disagrees, 1 pends; all pend; all agree.
    assert settled([0.6, 0.0, 1.0], [0.8, 1.0, 1.0]) == pytest.approx([0.75, 1.0])


def test_estimate_by_job_carries_headline_and_label() -> None:
    estimate = estimate_by_job(XPUB, alpha_total=0.05)
    assert estimate.value == pytest.approx(0.918)
    assert (estimate.n, estimate.unit) == (20, "jobs")
    assert estimate.headline.kind is IntervalKind.HEADLINE
    assert (estimate.headline.low, estimate.headline.high) == running_interval(
        XPUB, alpha_total=0.05
    )
    assert estimate.label.kind is IntervalKind.LABEL
    assert (estimate.label.low, estimate.label.high) == wilson(sum(XPUB), 20, alpha_total=0.05)


def test_pending_jobs_widen_the_headline_and_leave_the_value() -> None:
    low, high = [1.0] * 40 + [0.0] * 5, [1.0] * 45
    estimate = estimate_by_job(low, high)
    assert estimate.value == 1.0
    assert estimate.n == 40
    assert estimate.headline.high == 1.0
    assert estimate_by_job(low, high, n_min=45).headline.low < estimate.headline.low


def test_estimate_by_submission_pools_and_weights() -> None:
    agree, sizes = np.array([50, 100, 270, 500]), np.array([50, 100, 300, 500])
    estimate = estimate_by_submission(agree / sizes, None, sizes, alpha_total=0.05, n_min=4)
    assert estimate.value == pytest.approx(0.9684210526)
    assert (estimate.n, estimate.unit) == (950, "submissions")
    assert (estimate.headline.low, estimate.headline.high) == pytest.approx(
        betting_interval(agree / sizes, alpha_total=0.05, weights=sizes / 500)
    )
    assert (estimate.label.low, estimate.label.high) == wilson(920, 950, alpha_total=0.05)


def test_a_job_larger_than_declared_is_refused() -> None:
    with pytest.raises(StatsInputError, match="sizes"):
        estimate_by_submission([1.0], None, [501])


def test_nothing_compared_is_no_value_and_the_whole_interval() -> None:
    for estimate in (estimate_by_job([]), estimate_by_submission([], None, [])):
        assert estimate.value is None
        assert estimate.n == 0
        assert (estimate.headline.low, estimate.headline.high) == (0.0, 1.0)
        assert (estimate.label.low, estimate.label.high) == (0.0, 1.0)


def test_percentiles_without_a_bound_say_so() -> None:
    p50, p95, p99 = latency_quantiles(Distribution.of(np.arange(1.0, 61.0)))
    assert (p50.p, p95.p, p99.p) == (0.5, 0.95, 0.99)
    assert p50.value_s == 30.0
    assert p50.low_s is not None
    assert p50.high_s is not None
    assert p95.high_s is None
    assert p95.label_high_s == 60.0
    assert p99.value_s == 60.0
    assert p99.label_high_s is None


def test_percentiles_that_must_hold_at_once_share_their_alpha() -> None:
    seconds = np.arange(1.0, 501.0)
    jointly = latency_quantiles(Distribution.of(seconds), alpha_total=0.15, jointly=True)
    assert jointly == latency_quantiles(Distribution.of(seconds), alpha_total=0.05)
    assert jointly != latency_quantiles(Distribution.of(seconds), alpha_total=0.15)
