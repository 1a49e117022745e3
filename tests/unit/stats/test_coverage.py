"""Simulations: how often a look after every job is wrong, ours and the ways that look easier.

Each error rate may exceed its promise by three standard errors of the simulation; the naive
ways must exceed that, else the simulations are not hard enough to notice a broken method.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from harness.stats.betting import best_prefix, prefix_log_e_minus, prefix_log_e_plus
from harness.stats.checks import FloatArray
from harness.stats.fixed import wilson

pytestmark = pytest.mark.slow

ALPHA = 0.05
TRUTH = 0.95
"""Mean and threshold alike: every GO and every NO-GO is false."""
RUNS = 2000
JOBS = 1000


def allowed(alpha: float, runs: int) -> float:
    return alpha + 3 * math.sqrt(alpha * (1 - alpha) / runs)


def errors(x: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Share of runs with a false GO, a false NO-GO and either, at any look; x is (runs, jobs)."""
    level = math.log(1 / ALPHA)
    go = np.array([best_prefix(prefix_log_e_plus(run, TRUTH)).log_e >= level for run in x])
    no_go = np.array([best_prefix(prefix_log_e_minus(run, TRUTH)).log_e >= level for run in x])
    return float(go.mean()), float(no_go.mean()), float((go | no_go).mean())


def bernoulli_runs() -> npt.NDArray[np.float64]:
    return (np.random.default_rng(20251).random((RUNS, JOBS)) < TRUTH).astype(np.float64)


def test_watched_jobs_keep_the_promised_error_of_go_and_no_go() -> None:
    go, no_go, either = errors(bernoulli_runs())
    assert 0.01 < go <= allowed(ALPHA, RUNS)
    assert no_go <= allowed(ALPHA, RUNS)
    assert either <= allowed(2 * ALPHA, RUNS)


def test_wilson_watched_after_every_job_breaks_that_promise() -> None:
    agreeing = bernoulli_runs().cumsum(axis=1)
    first = 20
    least = np.array([_least_for_wilson(n) for n in range(first, JOBS + 1)])
    false_go = (agreeing[:, first - 1 :] >= least).any(axis=1).mean()
    assert false_go > allowed(ALPHA, RUNS)


def test_watched_jobs_of_correlated_submissions_keep_the_promised_errors() -> None:
    fractions, _, _ = clustered_runs(RUNS, 500)
    go, no_go, either = errors(fractions)
    assert go <= allowed(ALPHA, RUNS)
    assert no_go <= allowed(ALPHA, RUNS)
    assert either <= allowed(2 * ALPHA, RUNS)


def test_wilson_over_pooled_submissions_is_wrong_even_at_one_planned_look() -> None:
    _, agreeing, sizes = clustered_runs(500, 500)
    pooled, n = agreeing.sum(axis=1), sizes.sum(axis=1)
    false_go = np.mean(
        [
            wilson(float(a), int(k), alpha_total=0.05)[0] > TRUTH
            for a, k in zip(pooled, n, strict=True)
        ]
    )
    assert false_go > 4 * ALPHA


def test_pending_jobs_at_their_worst_keep_the_promised_errors_at_every_look() -> None:
    runs, jobs = 400, 300
    truth, arrives, ends = delayed_runs(runs, jobs)
    level = math.log(1 / ALPHA)
    go = no_go = 0
    for run in range(runs):
        went = failed = False
        for look in range(20, jobs + 1, 10):
            now = arrives[look - 1]
            x = truth[run, :look]
            pending = ends[run, :look] > now
            low, high = np.where(pending, 0.0, x), np.where(pending, 1.0, x)
            went = went or best_prefix(prefix_log_e_plus(low, TRUTH)).log_e >= level
            failed = failed or best_prefix(prefix_log_e_minus(high, TRUTH)).log_e >= level
            assert best_prefix(prefix_log_e_plus(low, TRUTH)).log_e <= (
                best_prefix(prefix_log_e_plus(x, TRUTH)).log_e + 1e-9
            )
        go += went
        no_go += failed
    assert go / runs <= allowed(ALPHA, runs)
    assert no_go / runs <= allowed(ALPHA, runs)


def test_leaving_pending_jobs_out_breaks_that_promise() -> None:
    truth, _, ends = delayed_runs(RUNS, JOBS)
    completed = np.take_along_axis(truth, np.argsort(ends, axis=1), axis=1)
    level = math.log(1 / ALPHA)
    go = np.mean([best_prefix(prefix_log_e_plus(x, TRUTH)).log_e >= level for x in completed])
    assert go > allowed(ALPHA, RUNS)


def clustered_runs(runs: int, jobs: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Agreeing fraction, agreeing count and size per job; submissions correlate with rho 0.3."""
    rng = np.random.default_rng(20252)
    spread = 1 / 0.3 - 1
    sizes = rng.choice([50, 100, 300, 500], (runs, jobs))
    rate = rng.beta(TRUTH * spread, (1 - TRUTH) * spread, (runs, jobs))
    agreeing = rng.binomial(sizes, rate)
    return agreeing / sizes, agreeing.astype(np.float64), sizes.astype(np.float64)


def delayed_runs(runs: int, jobs: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Outcome, arrival (one a minute) and end of each job; failing ones take six times longer."""
    rng = np.random.default_rng(20253)
    agrees = rng.random((runs, jobs)) < TRUTH
    arrives = np.arange(jobs, dtype=np.float64)
    ends = arrives + rng.exponential(np.where(agrees, 10.0, 60.0))
    return agrees.astype(np.float64), arrives, ends


def _least_for_wilson(n: int) -> int:
    """Fewest agreeing jobs of n whose Wilson interval lies above the truth; n + 1 if none."""
    for s in range(n, -1, -1):
        if wilson(s, n, alpha_total=0.05)[0] <= TRUTH:
            return s + 1
    return 0
