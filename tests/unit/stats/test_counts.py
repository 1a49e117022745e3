"""Counts of agreeing jobs, and what zero losses say: tables, laws, a second method."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, hyp2f1
from scipy.stats import binom

from harness.stats.betting import betting_interval, log_e_minus, log_e_plus
from harness.stats.checks import StatsInputError
from harness.stats.counts import (
    interval_counts,
    least_successes_to_pass,
    log_e_minus_counts,
    log_e_plus_counts,
    most_successes_to_fail,
)
from harness.stats.zero_loss import jobs_to_claim, loss_rate_bound


@pytest.mark.parametrize(
    ("n", "s", "plus", "minus"),
    [
        (100, 97, -0.1064218237, -2.53329522),
        (100, 100, 3.815054817, -2.876200031),
        (500, 490, 4.517201877, -3.438160331),
        (500, 450, -2.224265346, 7.352282798),
        (1000, 970, 3.196255021, -3.590629292),
    ],
)
def test_counts_give_the_known_evidence(n: int, s: int, plus: float, minus: float) -> None:
    assert log_e_plus_counts(n, s, 0.95) == pytest.approx(plus, abs=1e-9)
    assert log_e_minus_counts(n, s, 0.95) == pytest.approx(minus, abs=1e-9)


@pytest.mark.parametrize(("n", "s"), [(100, 97), (100, 100), (500, 490), (500, 450), (1000, 970)])
def test_counts_agree_with_the_closed_form_of_infinitely_many_bets(n: int, s: int) -> None:
    def closed(s: int, m: float) -> float:
        f = n - s
        beta = betaln(0.5, 0.5 + f) - betaln(0.5, 0.5)
        return float(beta + math.log(hyp2f1(-s, 0.5, 1 + f, 1 - 1 / m)))

    assert log_e_plus_counts(n, s, 0.95) == pytest.approx(closed(s, 0.95), abs=1e-8)
    # Beyond 63 jobs the sum over the nodes is no longer the integral.
    assert log_e_minus_counts(n, s, 0.95) == pytest.approx(closed(n - s, 0.05), abs=1e-3)


@pytest.mark.parametrize(
    ("n", "s", "expected"),
    [
        (100, 97, (0.8837337643, 0.9985116193)),
        (100, 100, (0.9513529028, 1.0)),
        (1000, 970, (0.9487667242, 0.986010656)),
    ],
)
def test_counts_give_the_known_interval(n: int, s: int, expected: tuple[float, float]) -> None:
    assert interval_counts(n, s, alpha_total=0.05) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "to_pass", "to_fail"),
    [(100, 100, 86), (200, 198, 178), (500, 489, 456), (1000, 970, 924), (2000, 1929, 1863)],
)
def test_counts_that_decide_are_the_known_ones(n: int, to_pass: int, to_fail: int) -> None:
    assert least_successes_to_pass(n, 0.95, alpha=0.05) == to_pass
    assert most_successes_to_fail(n, 0.95, alpha=0.05) == to_fail


def test_too_few_jobs_can_neither_pass_nor_fail() -> None:
    assert least_successes_to_pass(81, 0.95, alpha=0.05) is None
    assert least_successes_to_pass(0, 0.95, alpha=0.05) is None
    assert most_successes_to_fail(1, 0.95, alpha=0.01) is None


@given(x=st.lists(st.booleans(), max_size=60), m=st.floats(0.01, 0.99), alpha=st.floats(0.01, 0.5))
@settings(max_examples=60, deadline=None)
def test_counts_equal_the_sequence_of_zeros_and_ones(x: list[bool], m: float, alpha: float) -> None:
    values = np.asarray(x, dtype=np.float64)
    n, s = len(x), sum(x)
    assert log_e_plus_counts(n, s, m) == pytest.approx(log_e_plus(values, m), abs=1e-9)
    assert log_e_minus_counts(n, s, m) == pytest.approx(log_e_minus(values, m), abs=1e-9)
    assert interval_counts(n, s, alpha_total=alpha) == pytest.approx(
        betting_interval(values, alpha_total=alpha), abs=1e-9
    )


@given(n=st.integers(0, 60), m=st.floats(0.02, 0.98), ratio=st.floats(0.1, 1.0))
@settings(max_examples=60, deadline=None)
def test_expected_evidence_is_one_at_the_threshold_and_less_below(
    n: int, m: float, ratio: float
) -> None:
    s = np.arange(n + 1)
    evidence = np.exp([log_e_plus_counts(n, int(k), m) for k in s])
    assert float(binom.pmf(s, n, m) @ evidence) == pytest.approx(1.0, abs=1e-9)
    assert float(binom.pmf(s, n, m * ratio) @ evidence) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("n", "bound"), [(100, 0.0410598255), (299, 0.01394347071), (1000, 0.004191672797)]
)
def test_no_loss_bounds_the_loss_rate_as_tabulated(n: int, bound: float) -> None:
    assert loss_rate_bound(n, alpha=0.05) == pytest.approx(bound, abs=1e-9)
    assert loss_rate_bound(n, alpha=0.05) == pytest.approx(
        betting_interval(np.zeros(n), alpha_total=0.10)[1], abs=1e-9
    )


def test_jobs_needed_to_claim_a_loss_rate_are_the_known_ones() -> None:
    assert [jobs_to_claim(rate, alpha=0.05) for rate in (0.05, 0.01, 0.005, 0.001)] == [
        82,
        418,
        838,
        4200,
    ]


def test_no_job_bounds_no_loss_rate() -> None:
    assert loss_rate_bound(0, alpha=0.05) == 1.0


def test_counts_outside_their_range_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^s "):
        log_e_plus_counts(3, 4, 0.5)
    with pytest.raises(StatsInputError, match=r"^n "):
        log_e_plus_counts(-1, 0, 0.5)
    with pytest.raises(StatsInputError, match=r"^m "):
        log_e_minus_counts(3, 1, 1.5)
    with pytest.raises(StatsInputError, match=r"^rate "):
        jobs_to_claim(0.0, alpha=0.05)
