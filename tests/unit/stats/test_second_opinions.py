"""Other valid answers: plug-in bets, Robbins' mixture, a finite population."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from harness.stats.beta_binomial import beta_binomial_interval, log_beta_binomial
from harness.stats.checks import StatsInputError
from harness.stats.counts import interval_counts
from harness.stats.finite_population import (
    finite_interval,
    prefix_log_e_minus_finite,
    prefix_log_e_plus_finite,
)
from harness.stats.hedged import (
    hedged_interval,
    log_capital_minus,
    log_capital_plus,
    plug_in_bets,
)
from tests.unit.stats.test_betting import XPUB, alphas, sequences, shares


def test_plug_in_bets_are_the_known_ones() -> None:
    assert plug_in_bets(XPUB)[:4] == pytest.approx(
        [6.524984656, 4.635696474, 3.954737912, 3.588884047], abs=1e-9
    )


@pytest.mark.parametrize(
    ("cap", "plus", "minus", "interval"),
    [
        (0.5, -0.5688051969, -0.5070837151, (0.633091047, 1.0)),
        (0.75, -1.237187083, -0.5070837151, (0.6812222493, 1.0)),
    ],
)
def test_hedged_capital_is_the_known_one(
    cap: float, plus: float, minus: float, interval: tuple[float, float]
) -> None:
    assert log_capital_plus(XPUB, 0.95, cap=cap) == pytest.approx(plus, abs=1e-9)
    assert log_capital_minus(XPUB, 0.95, cap=cap) == pytest.approx(minus, abs=1e-9)
    assert hedged_interval(XPUB, alpha_total=0.05, cap=cap) == pytest.approx(interval, abs=1e-9)


def test_plug_in_bets_need_116_agreeing_jobs_where_the_mixture_needs_82() -> None:
    assert (
        log_capital_plus(np.ones(115), 0.95) < math.log(20) <= log_capital_plus(np.ones(116), 0.95)
    )


@given(x=sequences, alpha_total=alphas, factor=st.floats(1.05, 1.9))
@settings(max_examples=60, deadline=None)
def test_hedged_intervals_are_mirrored_nested_and_rise_with_evidence(
    x: list[float], alpha_total: float, factor: float
) -> None:
    low, high = hedged_interval(x, alpha_total=alpha_total)
    assert 0.0 <= low <= high <= 1.0
    assert hedged_interval(1.0 - np.asarray(x), alpha_total=alpha_total) == pytest.approx(
        (1.0 - high, 1.0 - low), abs=1e-9
    )
    inner = hedged_interval(x, alpha_total=min(0.99, alpha_total * factor))
    assert inner[0] >= low - 1e-9
    assert inner[1] <= high + 1e-9
    level = math.log(2 / alpha_total)
    if 0.01 < low < 0.99:
        assert log_capital_plus(x, low - 1e-6) > level > log_capital_plus(x, low + 1e-6)


def test_hedged_capital_is_on_average_at_most_its_stake() -> None:
    for m in (0.5, 0.8):
        total = sum(
            m ** sum(x) * (1 - m) ** (8 - sum(x)) * math.exp(log_capital_plus(x, m))
            for x in itertools.product((0.0, 1.0), repeat=8)
        )
        assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "s", "expected"),
    [
        (100, 97, (0.8702798564, 0.9984744814)),
        (100, 100, (0.9267156266, 1.0)),
        (20, 20, (0.7393286491, 1.0)),
        (10, 0, (0.0, 0.4168802757)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_robbins_mixture_gives_the_known_intervals(
    n: int, s: int, expected: tuple[float, float]
) -> None:
    found = beta_binomial_interval(n, s, alpha_total=0.05)
    assert found == pytest.approx(expected, abs=1e-9)
    for end in found:
        if 0.0 < end < 1.0:
            assert log_beta_binomial(n, s, end) == pytest.approx(math.log(20), abs=1e-6)


@given(n=st.integers(1, 400), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_robbins_mixture_and_the_betting_mixture_tell_much_the_same(n: int, share: float) -> None:
    s = round(share * n)
    theirs = beta_binomial_interval(n, s, alpha_total=0.05)
    ours = interval_counts(n, s, alpha_total=0.05)
    assert theirs[0] <= s / n <= theirs[1]
    assert max(ours[0], theirs[0]) <= min(ours[1], theirs[1])
    assert ours[1] - ours[0] <= 1.25 * (theirs[1] - theirs[0])


def test_robbins_mixture_is_on_average_its_stake() -> None:
    for m in (0.3, 0.95):
        s = np.arange(41)
        evidence = np.exp([log_beta_binomial(40, int(k), m) for k in s])
        assert float(binom.pmf(s, 40, m) @ evidence) == pytest.approx(1.0, abs=1e-9)


def test_a_level_beyond_reach_rejects_nothing() -> None:
    assert beta_binomial_interval(1, 1, alpha_total=1e-300) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("population", "m", "expected"),
    [
        (50, 0.95, -0.6323679435),
        (50, 0.90, -0.2268244762),
        (20, 0.95, -0.7811043323),
        (20, 0.90, 0.4391183164),
    ],
)
def test_without_replacement_the_evidence_is_the_known_one(
    population: int, m: float, expected: float
) -> None:
    evidence = prefix_log_e_plus_finite(XPUB, m, population=population)
    assert evidence[-1] == pytest.approx(expected, abs=1e-9)
    mirrored = prefix_log_e_minus_finite(1.0 - np.asarray(XPUB), 1.0 - m, population=population)
    assert mirrored == pytest.approx(evidence, abs=1e-9)


def test_a_mean_that_has_become_impossible_is_infinitely_unlikely() -> None:
    evidence = prefix_log_e_plus_finite([1.0] * 41, 0.8, population=50)
    assert math.isfinite(evidence[39])
    assert evidence[40] == math.inf
    later = prefix_log_e_plus_finite([1.0] * 41 + [0.0], 0.8, population=50)
    assert later[41] == math.inf
    # Exactly the mean that is left: a 0 is what it must be.
    assert math.isfinite(prefix_log_e_plus_finite([1.0] * 40 + [0.0], 0.8, population=50)[40])


@pytest.mark.parametrize(
    "population", [(1.0, 1.0, 0.0, 1.0, 0.5), (0.0, 0.3, 0.3, 1.0, 0.7, 0.0), (1.0, 0.0, 0.0)]
)
def test_without_replacement_evidence_is_one_on_average_over_all_orders(
    population: tuple[float, ...],
) -> None:
    m = float(np.mean(population))
    paths = np.array(
        [
            np.exp(prefix_log_e_plus_finite(order, m, population=len(population)))
            for order in itertools.permutations(population)
        ]
    )
    assert paths.mean(axis=0) == pytest.approx(np.ones(len(population)), abs=1e-9)
    above = [
        prefix_log_e_plus_finite(order, min(1.0, m * 1.1), population=len(population))[-1]
        for order in itertools.permutations(population)
    ]
    assert np.exp(above).mean() <= 1.0 + 1e-9


@given(data=st.data(), extra=st.integers(0, 30), alpha_total=alphas)
@settings(max_examples=80, deadline=None)
def test_the_interval_of_a_finite_population_contains_what_is_still_possible(
    data: st.DataObject, extra: int, alpha_total: float
) -> None:
    x = data.draw(st.lists(shares, min_size=1, max_size=30))
    population = len(x) + extra
    low, high = finite_interval(x, population=population, alpha_total=alpha_total)
    least, most = sum(x) / population, (sum(x) + extra) / population
    assert least - 1e-9 <= low <= high <= most + 1e-9
    level = math.log(2 / alpha_total)
    if least + 1e-6 < low < 1.0 - 1e-6:
        assert prefix_log_e_plus_finite(x, low - 1e-7, population=population)[-1] > level
        assert prefix_log_e_plus_finite(x, low + 1e-7, population=population)[-1] < level
    if extra == 0:
        assert low == high == pytest.approx(np.mean(x))


def test_nothing_seen_says_nothing_by_any_method() -> None:
    assert hedged_interval([], alpha_total=0.05) == (0.0, 1.0)
    assert finite_interval([], population=9, alpha_total=0.05) == (0.0, 1.0)
    assert prefix_log_e_plus_finite([], 0.5, population=0).size == 0


def test_what_is_no_such_sample_is_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^x has 3 jobs, more than population = 2"):
        finite_interval([1, 1, 1], population=2, alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^cap "):
        hedged_interval([0.5], alpha_total=0.05, cap=1.0)
    with pytest.raises(StatsInputError, match=r"^x\[0\] is NaN"):
        plug_in_bets([math.nan])
    with pytest.raises(StatsInputError, match=r"^m "):
        log_beta_binomial(3, 1, 1.0)
