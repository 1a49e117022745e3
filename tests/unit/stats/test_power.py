"""Simulated jobs against the gates' own functions, an exact recursion, and published sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.betting import first_prefix, prefix_log_e_minus, prefix_log_e_plus
from harness.stats.checks import StatsInputError
from harness.stats.counts import least_successes_to_pass, most_successes_to_fail
from harness.stats.power import (
    NEVER,
    WHOLE_JOBS,
    DrawnJobs,
    JobModel,
    Passages,
    draw_jobs,
    passages,
    shares_of_sizes,
    size_of_gate,
)

ALPHA = 0.05
PACKAGES = ((50, 0.25), (100, 0.25), (300, 0.25), (500, 0.25))


def simulate(
    truth: float, *, jobs: int, runs: int = 2000, n_min: int = 1, seed: int = 7, m: float = 0.95,
    model: JobModel = WHOLE_JOBS,
) -> Passages:  # fmt: skip
    drawn = draw_jobs(
        truth, model=model, jobs=jobs, runs=runs, generator=np.random.default_rng(seed)
    )
    return passages(drawn, m=m, alpha=ALPHA, alpha_fail=ALPHA, n_min=n_min)


def exact_pass_chances(truth: float, m: float, *, jobs: int, n_min: int = 1) -> list[float]:
    """P(the evidence has sufficed by job n), n = 1..jobs, by recursion over the failures so far.

    An independent way: it knows which counts suffice, and never draws a job.
    """
    failures = np.zeros(jobs + 2)
    failures[0] = 1.0
    passed, chances = 0.0, []
    for n in range(1, jobs + 1):
        failures = truth * failures + (1.0 - truth) * np.concatenate([[0.0], failures[:-1]])
        least = least_successes_to_pass(n, m, alpha=ALPHA)
        if least is not None and n >= n_min:
            passed += failures[: n - least + 1].sum()
            failures[: n - least + 1] = 0.0
        chances.append(passed)
    return chances


@settings(max_examples=40, deadline=None)
@given(
    x=st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=60),
    before=st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=25),
    m=st.sampled_from([0.2, 0.5, 0.9]),
    n_min=st.integers(1, 40),
    alpha=st.sampled_from([0.05, 0.3]),
)
def test_a_simulated_gate_settles_at_the_job_at_which_the_real_one_does(
    x: list[float], before: list[float], m: float, n_min: int, alpha: float
) -> None:
    values = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    index = np.searchsorted(values, x).astype(np.int32)[:, None]
    found = passages(
        DrawnJobs(values=values, index=index),
        m=m, alpha=alpha, alpha_fail=alpha / 3, n_min=n_min, before=before,
    )  # fmt: skip
    whole = [*before, *x]

    def expected(log_e: np.ndarray, level: float) -> int:
        at = first_prefix(log_e, -math.log(level), n_min=n_min)
        return NEVER if at is None else max(1, at - len(before))

    assert found.passed_at[0] == expected(prefix_log_e_plus(whole, m), alpha)
    assert found.failed_at[0] == expected(prefix_log_e_minus(whole, m), alpha / 3)


@pytest.mark.parametrize(
    ("truth", "median", "ninety"), [(1.0, 82, 82), (0.99, 138, 255), (0.98, 255, 589)]
)
def test_the_median_number_of_jobs_to_go_is_the_published_one(
    truth: float, median: int, ninety: int
) -> None:
    chances = exact_pass_chances(truth, 0.95, jobs=700)
    assert abs(next(n for n, p in enumerate(chances, 1) if p >= 0.5) - median) <= 3
    found = simulate(truth, jobs=700)
    simulated = found.median_to_pass()
    assert simulated == pytest.approx(median, rel=0.07)
    assert found.passed_by(ninety) == pytest.approx(0.9 if truth < 1 else 1.0, abs=0.03)


def test_the_medians_at_97_and_at_90_percent_are_the_published_ones() -> None:
    assert simulate(0.97, jobs=1600, runs=1000).median_to_pass() == pytest.approx(672, rel=0.1)
    assert simulate(0.90, jobs=600, runs=1000).median_to_fail() == pytest.approx(212, rel=0.1)


@pytest.mark.parametrize(("truth", "n_min"), [(0.99, 1), (0.97, 30), (0.95, 1)])
def test_the_simulation_agrees_with_the_exact_chance_at_every_number_of_jobs(
    truth: float, n_min: int
) -> None:
    jobs, runs = 400, 4000
    exact = exact_pass_chances(truth, 0.95, jobs=jobs, n_min=n_min)
    found = simulate(truth, jobs=jobs, runs=runs, n_min=n_min)
    for n in (29, 82, 138, 200, 300, 400):
        chance = exact[n - 1]
        error = 4.0 * math.sqrt(max(chance * (1.0 - chance), 1e-3) / runs)
        crossed = float(((found.passed_at != NEVER) & (found.passed_at <= n)).mean())
        assert crossed == pytest.approx(chance, abs=error), n


def test_no_run_passes_before_its_counts_could() -> None:
    found = simulate(1.0, jobs=100, runs=10)
    assert set(found.passed_at) == {82}
    assert found.passed_by(81) == 0.0
    assert found.passed_by(82) == 1.0
    assert most_successes_to_fail(30, 0.95, alpha=ALPHA) is not None
    assert set(simulate(0.0, jobs=50, runs=10, n_min=30).failed_at) == {30}


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_drawn_jobs_have_the_declared_mean_and_the_variance_of_their_correlation(
    rho: float,
) -> None:
    model = JobModel(sizes=((20, 1.0),), rho=rho)
    drawn = draw_jobs(0.9, model=model, jobs=300, runs=1000, generator=np.random.default_rng(3))
    x = drawn.values[drawn.index]
    assert x.mean() == pytest.approx(0.9, abs=0.003)
    assert x.var() == pytest.approx(0.9 * 0.1 * (1 + 19 * rho) / 20, rel=0.03)
    if rho == 1.0:
        assert set(np.unique(x)) == {0.0, 1.0}


def test_sizes_are_drawn_in_their_shares() -> None:
    model = JobModel(sizes=((1, 0.75), (4, 0.25)))
    drawn = draw_jobs(0.5, model=model, jobs=100, runs=1000, generator=np.random.default_rng(5))
    quarters = np.isin(drawn.values[drawn.index], [0.25, 0.5, 0.75]).mean()
    assert quarters == pytest.approx(0.25 * (1 - 2 / 16), abs=0.01)


def test_alike_submissions_make_a_gate_slower() -> None:
    loose = simulate(0.97, jobs=500, runs=1000, model=JobModel(sizes=PACKAGES, rho=0.05))
    alike = simulate(0.97, jobs=500, runs=1000, model=JobModel(sizes=PACKAGES, rho=0.3))
    assert alike.passed_by(500) == pytest.approx(0.908, abs=0.03)  # published for rho = 0.3
    assert loose.passed_by(300) > alike.passed_by(300) + 0.2


def test_evidence_from_before_counts_and_one_that_sufficed_settles_at_once() -> None:
    drawn = draw_jobs(1.0, model=WHOLE_JOBS, jobs=60, runs=5, generator=np.random.default_rng(1))

    def passed(before: list[float]) -> set[int]:
        found = passages(drawn, m=0.95, alpha=ALPHA, alpha_fail=ALPHA, n_min=30, before=before)
        return set(found.passed_at)

    assert passed([1.0] * 40) == {42}
    assert passed([1.0] * 82) == {1}
    assert passed([]) == {NEVER}


def test_a_run_that_has_failed_does_not_count_as_passed() -> None:
    both = Passages(passed_at=np.array([3, 3, NEVER]), failed_at=np.array([NEVER, 5, NEVER]))
    assert both.passed_by(4) == pytest.approx(2 / 3)
    assert both.passed_by(5) == pytest.approx(1 / 3)
    assert both.failed_by(5) == pytest.approx(1 / 3)
    assert both.median_to_pass() == 3
    assert both.median_to_fail() is None


def test_the_size_of_a_gate_is_walds() -> None:
    sizes = [size_of_gate(p, 0.95, alpha=ALPHA) for p in (1.0, 0.99, 0.98, 0.97, 0.96, 0.93, 0.9)]
    published = [58.4, 121.1, 246.7, 613.3, 2658.8, 795.7, 145.0]
    assert sizes == pytest.approx(published, abs=0.06)
    assert size_of_gate(0.95, 0.95, alpha=ALPHA) == math.inf


def test_what_is_out_of_range_is_named() -> None:
    for bad in ({"sizes": ()}, {"sizes": ((1, 0.5),)}, {"sizes": ((0, 1.0),)}, {"rho": 1.5}):
        with pytest.raises(StatsInputError):
            JobModel(**bad)
    with pytest.raises(StatsInputError, match="truth"):
        draw_jobs(1.2, model=WHOLE_JOBS, jobs=1, runs=1, generator=np.random.default_rng(0))


def test_shares_of_sizes_leave_out_what_nobody_has() -> None:
    assert shares_of_sizes({100: 1, 50: 3, 300: 0}) == ((50, 0.75), (100, 0.25))


@pytest.mark.parametrize("ended", [1.0, 0.0])
def test_evidence_that_sufficed_before_is_not_lost_when_it_recedes(ended: float) -> None:
    """As for a gate: its verdict looks at every prefix, not at the last one."""
    whole = [ended] * 90 + [1.0 - ended] * 10
    drawn = draw_jobs(0.5, model=WHOLE_JOBS, jobs=3, runs=4, generator=np.random.default_rng(2))
    m = 0.95 if ended else 0.05
    found = passages(drawn, m=m, alpha=ALPHA, alpha_fail=ALPHA, n_min=30, before=whole)
    reached = found.passed_at if ended else found.failed_at
    assert set(reached) == {1}
