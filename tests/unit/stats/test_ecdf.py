"""The drawn curve says what the percentiles say, and loses nobody who was lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.checks import StatsInputError
from harness.stats.ecdf import MOST_POINTS, drawn_ecdf
from harness.stats.quantiles import Distribution, DurationState, quantile_bounds

FINISHED, RUNNING, LOST = DurationState
JOBS = st.lists(
    st.tuples(st.floats(0.0, 1e6), st.sampled_from(DurationState)),
    min_size=1,
    max_size=MOST_POINTS,
)


def test_without_a_lost_or_running_job_it_is_the_empirical_distribution() -> None:
    assert drawn_ecdf(Distribution.of([3.0, 1.0, 1.0, 2.0])) == (
        (1.0, 0.5),
        (2.0, 0.75),
        (3.0, 1.0),
    )


def test_a_lost_job_keeps_the_curve_below_one_and_nothing_ended_is_no_curve() -> None:
    states = [FINISHED, FINISHED, LOST, FINISHED]
    assert drawn_ecdf(Distribution.of([1.0, 2.0, 0.0, 4.0], states))[-1] == (4.0, 0.75)
    assert drawn_ecdf(Distribution.of([0.0, 5.0], [LOST, RUNNING])) == ()
    assert drawn_ecdf(Distribution.of([])) == ()


def test_a_running_job_counts_for_as_long_as_it_is_known_to_run() -> None:
    early = drawn_ecdf(Distribution.of([0.5, 1.0, 2.0], [RUNNING, FINISHED, FINISHED]))
    late = drawn_ecdf(Distribution.of([9.0, 1.0, 2.0], [RUNNING, FINISHED, FINISHED]))
    assert early == ((1.0, 0.5), (2.0, 1.0))
    assert late == ((1.0, pytest.approx(1 / 3)), (2.0, pytest.approx(2 / 3)))


@given(JOBS, st.sampled_from([0.1, 0.5, 0.9, 0.95]))
def test_the_percentile_is_where_the_curve_reaches_it(
    jobs: list[tuple[float, DurationState]], p: float
) -> None:
    seconds, states = [s for s, _ in jobs], [state for _, state in jobs]
    curve = drawn_ecdf(Distribution.of(seconds, states))
    assert list(curve) == sorted(curve)
    assert all(0.0 < share <= 1.0 for _, share in curve)
    value = quantile_bounds(seconds, states, p=p, alpha_total=0.1).value
    reached = [s for s, share in curve if share >= p - 1e-8]
    assert value == (reached[0] if reached else np.inf)


def test_many_jobs_are_thinned_to_points_of_the_curve_with_its_middle_and_its_tail() -> None:
    seconds = np.random.default_rng(4).lognormal(3.0, 1.0, 20_000)
    curve = drawn_ecdf(Distribution.of(seconds))
    assert MOST_POINTS / 2 <= len(curve) <= MOST_POINTS
    for point, share in curve:
        assert share == pytest.approx(float((seconds <= point).mean()), abs=1e-6)
    assert curve[0][0] == seconds.min()
    assert curve[-1] == (seconds.max(), 1.0)
    steps = np.diff([share for _, share in curve])
    assert steps.max() < 0.03
    assert sum(share > 0.99 for _, share in curve) >= 10


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(StatsInputError):
        drawn_ecdf(Distribution.of([-1.0]))
