"""Simulations: how often a look after every job is wrong, ours and the ways that look easier.

Each error rate may exceed its promise by three standard errors of the simulation; the naive
ways must exceed that, else the simulations are not hard enough to notice a broken method.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.betting import (
    best_prefix,
    first_prefix,
    prefix_log_e_minus,
    prefix_log_e_plus,
)
from harness.stats.checks import StatsInputError
from harness.stats.drift import drift_alarm
from harness.stats.fixed import wilson
from harness.stats.forecast import forecast_pass
from harness.stats.gate_state import GateState, Levels
from harness.stats.simulation import (
    Decided,
    Weeks,
    allowed,
    by_completion,
    correlated_weeks,
    first_crossings,
    watch_betting,
    watch_raw_rate,
    watch_wilson,
)
from harness.stats.spending import alpha_of_attempt

pytestmark = pytest.mark.slow

ALPHA = 0.05
TRUTH = 0.95
"""Mean and threshold alike: every GO and every NO-GO is false."""
RUNS = 2000
JOBS = 1000


def assert_keeps_its_promise(told: Decided, alpha: float = ALPHA) -> None:
    """No more false GO and false NO-GO than promised; either is outside a two-sided interval."""
    go, no_go = told.go > 0, told.no_go > 0
    assert go.mean() <= allowed(alpha, go.size)
    assert no_go.mean() <= allowed(alpha, no_go.size)
    assert (go | no_go).mean() <= allowed(2 * alpha, go.size)


def ours(x: npt.NDArray[np.float64], m: float = TRUTH, alpha: float = ALPHA) -> Decided:
    return watch_betting(x, m, alpha=alpha, alpha_fail=alpha, n_min=1)


def bernoulli_runs(rate: float = TRUTH) -> npt.NDArray[np.float64]:
    return (np.random.default_rng(20251).random((RUNS, JOBS)) < rate).astype(np.float64)


def clustered_runs(jobs: int = 500) -> Weeks:
    return correlated_weeks(np.random.default_rng(20252), weeks=RUNS, jobs=jobs, rate=TRUTH)


def test_watched_jobs_keep_the_promised_error_of_go_and_no_go() -> None:
    told = ours(bernoulli_runs())
    assert_keeps_its_promise(told)
    assert (told.go > 0).mean() > 0.01, "so cautious that nothing would be tested"


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.99])
def test_watched_intervals_cover_the_truth_at_every_look(rate: float) -> None:
    assert_keeps_its_promise(ours(bernoulli_runs(rate)[:1000], m=rate, alpha=0.025), alpha=0.025)


def test_watched_jobs_of_correlated_submissions_keep_the_promised_errors() -> None:
    assert_keeps_its_promise(ours(clustered_runs().fractions))


def test_a_minimum_of_jobs_lowers_the_error_of_no_go_and_leaves_go() -> None:
    x = bernoulli_runs()
    late = watch_betting(x, TRUTH, alpha=ALPHA, alpha_fail=ALPHA, n_min=30)
    at_once = ours(x)
    assert (late.no_go > 0).sum() < 0.7 * (at_once.no_go > 0).sum()
    assert ((late.go > 0) == (at_once.go > 0)).all()


def test_wilson_watched_after_every_job_breaks_that_promise() -> None:
    x = bernoulli_runs()
    told = watch_wilson(x, np.ones_like(x), TRUTH, alpha_total=0.05, n_min=30)
    with pytest.raises(AssertionError):
        assert_keeps_its_promise(told)
    assert (told.go > 0).mean() > allowed(ALPHA, RUNS)


def test_wilson_over_submissions_breaks_it_even_at_one_planned_look() -> None:
    weeks = clustered_runs()
    told = watch_wilson(weeks.agreeing, weeks.sizes, TRUTH, alpha_total=0.05, n_min=30)
    with pytest.raises(AssertionError):
        assert_keeps_its_promise(told)
    at_end = [
        wilson(float(a), int(k), alpha_total=0.05)[0] > TRUTH
        for a, k in zip(weeks.agreeing.sum(axis=1), weeks.sizes.sum(axis=1), strict=True)
    ]
    assert np.mean(at_end) > 4 * ALPHA


def test_the_raw_rate_breaks_it_most() -> None:
    assert (watch_raw_rate(bernoulli_runs(), TRUTH, n_min=30).go > 0).mean() > 0.9


def test_pending_jobs_at_their_worst_keep_the_promised_errors_at_every_look() -> None:
    runs, jobs = 300, 250
    rng = np.random.default_rng(20253)
    truth = (rng.random((runs, jobs)) < TRUTH).astype(np.float64)
    ends = np.arange(jobs) + rng.exponential(np.where(truth > 0.0, 10.0, 60.0))
    go, no_go = np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64)
    for run in range(runs):
        state = GateState(Levels(m=TRUTH, alpha=ALPHA, alpha_fail=ALPHA, n_min=1))
        waiting = np.argsort(ends[run])
        at = 0
        for now in range(jobs):
            state.add(0.0, 1.0)
            while ends[run, waiting[at]] <= now:
                state.settle(int(waiting[at]) + 1, truth[run, waiting[at]])
                at += 1
            if now % 10 == 9:
                go[run], no_go[run] = state.passed_at or 0, state.failed_at or 0
                if run < 20:
                    assert_as_of(state, truth[run], ends[run], now)
    assert_keeps_its_promise(Decided(go=go, no_go=no_go))


def assert_as_of(
    state: GateState, truth: npt.NDArray[np.float64], ends: npt.NDArray[np.float64], now: int
) -> None:
    """What was said then is what the record of then says, and no more than its completion does."""
    x = truth[: now + 1]
    pending = ends[: now + 1] > now
    level = -math.log(ALPHA)
    worst, best = np.where(pending, 0.0, x), np.where(pending, 1.0, x)
    assert state.passed_at == first_prefix(prefix_log_e_plus(worst, TRUTH), level)
    assert state.failed_at == first_prefix(prefix_log_e_minus(best, TRUTH), level)
    whole = best_prefix(prefix_log_e_plus(x, TRUTH)).log_e
    assert state.best_plus.log_e <= whole + 1e-9


def test_leaving_pending_jobs_out_breaks_that_promise() -> None:
    rng = np.random.default_rng(20253)
    x = (rng.random((RUNS, JOBS)) < TRUTH).astype(np.float64)
    with pytest.raises(AssertionError):
        assert_keeps_its_promise(ours(by_completion(rng, x, agrees=10.0, fails=60.0)))
    assert_keeps_its_promise(ours(by_completion(rng, x, agrees=10.0, fails=10.0)))


def test_trying_versions_until_one_gets_go_breaks_it_and_spending_keeps_it() -> None:
    x, attempts = bernoulli_runs(), 5
    plain, spent = np.zeros(RUNS // 5, dtype=bool), np.zeros(RUNS // 5, dtype=bool)
    for attempt in range(attempts):
        versions = x[attempt::attempts]
        plain |= first_crossings(versions, TRUTH, alpha=ALPHA) > 0
        alpha = alpha_of_attempt(ALPHA, attempt + 1)
        spent |= first_crossings(versions, TRUTH, alpha=alpha) > 0
    assert plain.mean() > allowed(ALPHA, plain.size)
    assert spent.mean() <= allowed(ALPHA, spent.size)


def test_the_drift_alarm_is_as_quick_and_as_quiet_as_measured() -> None:
    rng = np.random.default_rng(20254)
    for rate, low, high in ((0.80, 20, 45), (0.90, 90, 190)):
        delays = []
        for _ in range(150):
            before, after = rng.random(200) < 0.99, rng.random(1500) < rate
            sounded = drift_alarm(np.concatenate([before, after]).astype(float), 0.95)
            assert sounded is not None
            delays.append(sounded - 200)
        assert min(delays) > 0
        assert low < np.median(delays) < high
    first = [
        drift_alarm((rng.random(12_000) < 0.95).astype(float), 0.95) or 12_000 for _ in range(60)
    ]
    assert np.mean(first) > 1000


def test_a_forecast_at_job_100_is_the_rough_guess_that_it_claims_to_be() -> None:
    x = (np.random.default_rng(20255).random((300, 3000)) < 0.98).astype(np.float64)
    took = first_crossings(x, 0.95, alpha=ALPHA)
    still = took > 100
    guesses = np.array([forecast_pass(run[:100], 0.95, alpha=ALPHA).jobs for run in x[still]])
    ratio = guesses / (took[still] - 100)
    assert np.isinf(guesses).mean() < 0.15
    assert 0.7 < np.median(ratio) < 1.8
    assert np.quantile(ratio, 0.25, method="lower") > 0.4
    assert np.quantile(ratio, 0.75, method="lower") < 5


@given(
    x=st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=12, max_size=12), max_size=6),
    n_min=st.integers(1, 5),
)
@settings(max_examples=40, deadline=None)
def test_many_weeks_at_once_are_judged_as_each_by_itself(x: list[list[float]], n_min: int) -> None:
    told = watch_betting(np.array(x).reshape(-1, 12), 0.6, alpha=0.3, alpha_fail=0.2, n_min=n_min)
    for week, go, no_go in zip(x, told.go, told.no_go, strict=True):
        plus, minus = prefix_log_e_plus(week, 0.6), prefix_log_e_minus(week, 0.6)
        assert (int(go) or None) == first_prefix(plus, -math.log(0.3), n_min=n_min)
        assert (int(no_go) or None) == first_prefix(minus, -math.log(0.2), n_min=n_min)


def test_the_naive_ways_look_from_the_first_job_that_they_may() -> None:
    x = np.array([[1.0, 1.0, 0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]])
    assert watch_raw_rate(x, 0.75, n_min=2).go.tolist() == [2, 0]
    assert watch_raw_rate(x, 0.75, n_min=3).go.tolist() == [4, 0]
    for n_min in (1, 2, 4):
        told = watch_wilson(x, np.ones_like(x), 0.5, alpha_total=0.5, n_min=n_min)
        for week in (0, 1):
            bounds = [wilson(x[week, :n].sum(), n, alpha_total=0.5) for n in range(n_min, 7)]
            above = [n for n, (low, _) in enumerate(bounds, n_min) if low > 0.5]
            below = [n for n, (_, high) in enumerate(bounds, n_min) if high < 0.5]
            assert told.go[week] == min(above, default=0)
            assert told.no_go[week] == min(below, default=0)


def test_simulated_jobs_have_the_declared_mean_and_correlation() -> None:
    rng = np.random.default_rng(1)
    weeks = correlated_weeks(rng, weeks=200, jobs=200, rate=0.9, rho=0.3, sizes=(100,))
    assert weeks.fractions.mean() == pytest.approx(0.9, abs=0.004)
    assert weeks.fractions.var() == pytest.approx(0.09 * (1 + 99 * 0.3) / 100, rel=0.05)
    moving = correlated_weeks(rng, weeks=500, jobs=2, rate=np.array([0.2, 0.8]), rho=0.0)
    assert moving.fractions.mean(axis=0) == pytest.approx([0.2, 0.8], abs=0.01)


def test_the_first_word_is_the_earlier_of_both() -> None:
    told = Decided(go=np.array([5, 0, 0, 9]), no_go=np.array([7, 3, 0, 4]))
    went, after = told.first()
    assert went.tolist() == [True, False, False, False]
    assert after.tolist() == [5, 3, math.inf, 4]


def test_weeks_that_cannot_be_are_refused_by_name() -> None:
    rng = np.random.default_rng(1)
    for name, value in (("rate", 1.0), ("rho", 1.0), ("sizes", ()), ("weeks", -1)):
        options = {"weeks": 2, "jobs": 2, "rate": 0.5, name: value}
        with pytest.raises(StatsInputError, match=rf"^{name} "):
            correlated_weeks(rng, **options)  # type: ignore[arg-type]
