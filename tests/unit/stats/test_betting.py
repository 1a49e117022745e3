"""The betting confidence sequence: published numbers, laws and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.band import betting_band
from harness.stats.betting import (
    NODES,
    BettingState,
    best_prefix,
    betting_interval,
    first_prefix,
    headline_interval,
    log_e_minus,
    log_e_plus,
    prefix_log_e_minus,
    prefix_log_e_plus,
    rejects_at_least,
    rejects_at_most,
    running_interval,
)
from harness.stats.checks import StatsInputError

XPUB = [1, 1, 1, 0.96, 1, 0.98, 1, 1, 0.5, 1, 1, 1, 0.92, 1, 1, 1, 1, 0, 1, 1]
WPUB = [0.1, 1, 0.2, 0.6, 1, 0.1, 0.1, 1, 0.6, 0.2] * 2

shares = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0]),
    st.floats(0, 1, allow_subnormal=False).map(lambda v: round(v, 4)),
)
sequences = st.lists(shares, max_size=40)
means = st.floats(0.01, 0.99)
alphas = st.floats(0.01, 0.5)


def test_nodes_are_the_declared_ones() -> None:
    assert NODES[[0, 15, 31]] == pytest.approx(
        [0.0006022718974, 0.4754661628, 0.9993977281], abs=1e-10
    )


@pytest.mark.parametrize(
    ("m", "plus", "minus"),
    [
        (0.95, -0.630690868, -1.100557761),
        (0.90, -0.3187800067, -1.609937123),
        (0.50, 7.771120539, -1.990079943),
    ],
)
def test_published_sequence_gives_the_known_evidence(m: float, plus: float, minus: float) -> None:
    assert log_e_plus(XPUB, m) == pytest.approx(plus, abs=1e-9)
    assert log_e_minus(XPUB, m) == pytest.approx(minus, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "alpha_total", "expected"),
    [
        (10, 0.05, (0.5693235131, 0.9979493801)),
        (20, 0.05, (0.6403128959, 0.993732808)),
        (20, 0.10, (0.6701903476, 0.992349222)),
    ],
)
def test_published_sequence_gives_the_known_interval(
    n: int, alpha_total: float, expected: tuple[float, float]
) -> None:
    assert betting_interval(XPUB[:n], alpha_total=alpha_total) == pytest.approx(expected, abs=1e-9)


def test_one_agreeing_job_gives_one_in_seventy_nine() -> None:
    assert betting_interval([1.0], alpha_total=0.05) == pytest.approx((1 / 79, 1.0), abs=1e-11)


def test_best_prefix_of_the_published_sequence_is_at_job_8() -> None:
    best = best_prefix(prefix_log_e_plus(XPUB, 0.95))
    assert best.log_e == pytest.approx(0.1833223192, abs=1e-9)
    assert best.n == 8


def test_weighted_jobs_give_the_known_evidence_and_interval() -> None:
    assert log_e_plus(XPUB, 0.95, WPUB) == pytest.approx(-0.6739908295, abs=1e-9)
    assert betting_interval(XPUB, alpha_total=0.05, weights=WPUB) == pytest.approx(
        (0.4360537607, 0.9927994157), abs=1e-9
    )


def test_pending_jobs_at_their_worst_do_not_undo_an_earlier_pass() -> None:
    low = [1.0] * 85 + [0.0] * 5
    evidence = prefix_log_e_plus(low, 0.95)
    assert best_prefix(evidence, n_min=30).log_e == pytest.approx(3.1413, abs=5e-5)
    assert best_prefix(evidence, n_min=30).log_e >= math.log(20)
    assert evidence[-1] == pytest.approx(-0.8815, abs=5e-5)


def test_eighty_two_agreeing_jobs_pass_at_95_percent_and_81_do_not() -> None:
    evidence = prefix_log_e_plus(np.ones(200), 0.95)
    assert [first_prefix(evidence, math.log(1 / a)) for a in (0.05, 0.025, 0.01)] == [82, 98, 118]


def test_minimum_of_jobs_hides_shorter_prefixes() -> None:
    evidence = prefix_log_e_minus([0.0] * 20 + [1.0] * 20, 0.95)
    assert first_prefix(evidence, math.log(20)) is not None
    assert best_prefix(evidence, n_min=30).n >= 30
    assert best_prefix(evidence, n_min=41).log_e == -math.inf
    assert first_prefix(evidence, math.log(20), n_min=41) is None


@given(x=sequences, alpha_total=alphas, factor=st.floats(1.05, 1.9))
@settings(max_examples=60, deadline=None)
def test_interval_contains_the_mean_and_is_nested_in_alpha(
    x: list[float], alpha_total: float, factor: float
) -> None:
    low, high = betting_interval(x, alpha_total=alpha_total)
    assert 0.0 <= low <= high <= 1.0
    if x:
        assert low <= np.mean(x) + 1e-9
        assert high >= np.mean(x) - 1e-9
    inner_low, inner_high = betting_interval(x, alpha_total=min(alpha_total * factor, 0.99))
    assert inner_low >= low - 1e-9
    assert inner_high <= high + 1e-9


@given(x=sequences, y=sequences, alpha_total=alphas)
@settings(max_examples=60, deadline=None)
def test_bounds_never_fall_when_a_job_improves(
    x: list[float], y: list[float], alpha_total: float
) -> None:
    n = min(len(x), len(y))
    worse, better = np.minimum(x[:n], y[:n]), np.maximum(x[:n], y[:n])
    low, high = betting_interval(worse, alpha_total=alpha_total)
    better_low, better_high = betting_interval(better, alpha_total=alpha_total)
    assert better_low >= low - 1e-9
    assert better_high >= high - 1e-9
    # The same monotonicity makes worst-case filling sound: wider than every completion.
    wide_low, wide_high = betting_interval(worse, better, alpha_total=alpha_total)
    assert wide_low == low
    assert wide_high == better_high


@given(x=sequences, alpha_total=alphas)
@settings(max_examples=60, deadline=None)
def test_interval_of_the_complement_is_the_mirror_image(x: list[float], alpha_total: float) -> None:
    low, high = betting_interval(x, alpha_total=alpha_total)
    mirrored = betting_interval(1.0 - np.asarray(x), alpha_total=alpha_total)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low), abs=1e-9)


@given(x=sequences, m=means, data=st.data())
@settings(max_examples=60, deadline=None)
def test_evidence_does_not_depend_on_the_order_of_jobs(
    x: list[float], m: float, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(x))
    assert log_e_plus(x, m) == log_e_plus(shuffled, m)
    assert log_e_minus(x, m) == log_e_minus(shuffled, m)


@given(x=sequences, pair=st.tuples(means, means))
@settings(max_examples=60, deadline=None)
def test_evidence_falls_as_the_threshold_rises(x: list[float], pair: tuple[float, float]) -> None:
    small, large = sorted(pair)
    assert log_e_plus(x, small) >= log_e_plus(x, large) - 1e-9
    assert log_e_minus(x, small) <= log_e_minus(x, large) + 1e-9


@given(x=sequences, m=means, alpha_total=alphas)
@settings(max_examples=100, deadline=None)
def test_a_threshold_is_rejected_exactly_if_the_lower_bound_reaches_it(
    x: list[float], m: float, alpha_total: float
) -> None:
    low, high = betting_interval(x, alpha_total=alpha_total)
    level = math.log(2 / alpha_total)
    if abs(low - m) > 1e-9:
        assert (log_e_plus(x, m) >= level) == (low >= m)
    if abs(high - m) > 1e-9:
        assert (log_e_minus(x, m) >= level) == (high <= m)


@given(x=sequences, m=means, alpha_total=alphas, n_min=st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_running_bound_reaches_a_threshold_exactly_if_some_prefix_rejects_it(
    x: list[float], m: float, alpha_total: float, n_min: int
) -> None:
    low, high = running_interval(x, alpha_total=alpha_total, n_min=n_min)
    level = math.log(2 / alpha_total)
    if abs(low - m) > 1e-9:
        rejected = first_prefix(prefix_log_e_plus(x, m), level, n_min=n_min) is not None
        assert rejected == (low >= m)
    if abs(high - m) > 1e-9:
        rejected = first_prefix(prefix_log_e_minus(x, m), level, n_min=n_min) is not None
        assert rejected == (high <= m)


@given(
    values=st.lists(shares, min_size=1, max_size=4), n=st.integers(1, 9000), m=means,
    level=st.floats(0.8, 20.0), n_min=st.integers(1, 5000), seed=st.integers(0, 99),
    runs=st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_search_finds_the_prefix_that_a_look_at_all_of_them_finds(
    values: list[float], n: int, m: float, level: float, n_min: int, seed: int, runs: bool
) -> None:
    x = np.random.default_rng(seed).choice(values, n)
    if runs:
        x = np.concatenate([np.sort(part) for part in np.array_split(x, 3)])
    evidence = prefix_log_e_plus(x, m), prefix_log_e_minus(x, m)
    found = rejects_at_most(x, m, level, n_min=n_min), rejects_at_least(x, m, level, n_min=n_min)
    assert found == tuple(first_prefix(each, level, n_min=n_min) for each in evidence)
    # The lower end is that of the prefix which rejects most, so that none rejects it.
    low, high = running_interval(x, alpha_total=2.0 * math.exp(-level), n_min=n_min)
    if low > 0.0:
        assert best_prefix(prefix_log_e_plus(x, low), n_min=n_min).log_e <= level + 1e-6
    if high < 1.0:
        assert best_prefix(prefix_log_e_minus(x, high), n_min=n_min).log_e <= level + 1e-6


@given(x=st.lists(shares, min_size=1, max_size=25), alpha_total=alphas)
@settings(max_examples=30, deadline=None)
def test_running_interval_is_the_intersection_over_prefixes(
    x: list[float], alpha_total: float
) -> None:
    each = [betting_interval(x[: i + 1], alpha_total=alpha_total) for i in range(len(x))]
    expected = (max(low for low, _ in each), min(high for _, high in each))
    assert running_interval(x, alpha_total=alpha_total) == pytest.approx(expected, abs=1e-9)


@given(x=st.lists(st.tuples(shares, shares), max_size=40), m=means, n_min=st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_one_job_at_a_time_equals_all_at_once(
    x: list[tuple[float, float]], m: float, n_min: int
) -> None:
    low = [min(pair) for pair in x]
    high = [max(pair) for pair in x]
    state = BettingState(m, n_min=n_min)
    for worst, best in zip(low, high, strict=True):
        state.add(worst, best)
    plus, minus = prefix_log_e_plus(low, m), prefix_log_e_minus(high, m)
    assert state.log_e_plus == pytest.approx(log_e_plus(low, m), abs=1e-9)
    assert state.log_e_minus == pytest.approx(log_e_minus(high, m), abs=1e-9)
    assert state.best_plus == pytest.approx(best_prefix(plus, n_min=n_min).log_e, abs=1e-9)
    assert state.best_minus == pytest.approx(best_prefix(minus, n_min=n_min).log_e, abs=1e-9)


@given(x=st.lists(st.tuples(shares, shares), min_size=1, max_size=25), alpha_total=alphas)
@settings(max_examples=25, deadline=None)
def test_band_errs_outward_by_at_most_one_grid_step(
    x: list[tuple[float, float]], alpha_total: float
) -> None:
    low = [min(pair) for pair in x]
    high = [max(pair) for pair in x]
    band = betting_band(low, high, alpha_total=alpha_total, grid=200)
    for i in range(len(x)):
        exact_low, exact_high = betting_interval(
            low[: i + 1], high[: i + 1], alpha_total=alpha_total
        )
        assert exact_low - 1 / 200 - 1e-9 <= band.low[i] <= exact_low + 1e-9
        assert exact_high - 1e-9 <= band.high[i] <= exact_high + 1 / 200 + 1e-9
    assert (band.low[-1], band.high[-1]) == betting_interval(low, high, alpha_total=alpha_total)
    assert (np.diff(band.running_low) >= 0).all()
    assert (np.diff(band.running_high) <= 0).all()


def test_weighted_band_ends_at_the_weighted_interval() -> None:
    band = betting_band(XPUB, alpha_total=0.05, weights=WPUB)
    assert band.low[-2] == pytest.approx(
        betting_interval(XPUB[:-1], alpha_total=0.05, weights=WPUB[:-1])[0], abs=1e-3
    )
    assert (band.low[-1], band.high[-1]) == pytest.approx((0.4360537607, 0.9927994157), abs=1e-9)


def test_history_of_the_band_does_not_redraw_itself() -> None:
    short = betting_band(XPUB[:12], alpha_total=0.05)
    long = betting_band(XPUB, alpha_total=0.05)
    assert (short.low[:-1] == long.low[:11]).all()
    assert (short.high[:-1] == long.high[:11]).all()


def test_a_mean_that_moves_shows_the_plain_interval_instead_of_an_empty_one() -> None:
    x = [1.0] * 200 + [0.0] * 200
    low, high = running_interval(x, alpha_total=0.1, n_min=30)
    assert low > high
    shown = headline_interval(x, alpha_total=0.1, n_min=30)
    assert shown == betting_interval(x, alpha_total=0.1)
    band_low, band_high = betting_band(x, alpha_total=0.1).shown()
    assert (band_low <= band_high).all()


@pytest.mark.parametrize("n", [1, 20, 63])
def test_the_nodes_are_the_integral_over_all_bets_up_to_63_jobs(n: int) -> None:
    rng = np.random.default_rng(n)
    x, m = rng.random(n), 0.6
    many = 4000
    bets = np.sin(np.pi * (2 * np.arange(1, many + 1) - 1) / (4 * many)) ** 2
    wealth = np.prod(1 + bets[:, None] * (x / m - 1), axis=1)
    assert log_e_plus(x, m) == pytest.approx(math.log(wealth.mean()), abs=1e-12)


@given(x=sequences, m=means)
@settings(max_examples=40, deadline=None)
def test_the_mixture_is_within_log_32_of_the_best_of_its_bets(x: list[float], m: float) -> None:
    each = np.log1p(NODES * (np.asarray(x)[:, None] / m - 1)).sum(axis=0)
    assert each.max() - math.log(32) - 1e-9 <= log_e_plus(x, m) <= each.max() + 1e-9


def test_nothing_seen_says_nothing() -> None:
    assert log_e_plus([], 0.95) == 0.0
    assert betting_interval([], alpha_total=0.05) == (0.0, 1.0)
    assert running_interval([], alpha_total=0.05) == (0.0, 1.0)
    assert betting_band([], alpha_total=0.05).low.size == 0


def test_means_of_zero_and_one_are_their_limits() -> None:
    assert log_e_plus([0.0, 0.5], 0.0) == math.inf
    assert log_e_plus([0.0, 0.0], 0.0) == 0.0
    assert log_e_minus([1.0, 0.5], 1.0) == math.inf
    assert log_e_minus([1.0, 1.0], 1.0) == 0.0
    assert log_e_plus([1.0, 0.5], 1.0) < 0.0
    assert prefix_log_e_plus([0.0, 0.5, 0.0], 0.0).tolist() == [0.0, math.inf, math.inf]


def test_all_agree_leaves_one_possible_and_all_disagree_leaves_zero() -> None:
    low, high = betting_interval(np.ones(50), alpha_total=0.05)
    assert 0.9 < low < 1.0
    assert high == 1.0
    assert betting_interval(np.zeros(50), alpha_total=0.05) == pytest.approx((0.0, 1.0 - low))


def test_a_hundred_thousand_jobs_stay_finite() -> None:
    x = np.tile([1.0, 1.0, 0.75, 1.0], 25_000)
    assert math.isfinite(log_e_plus(x, 0.01))
    assert math.isfinite(log_e_minus(x, 0.01))
    assert prefix_log_e_plus(x, 0.9)[[4095, 4096, -1]] == pytest.approx(
        [log_e_plus(x[:4096], 0.9), log_e_plus(x[:4097], 0.9), log_e_plus(x, 0.9)], rel=1e-11
    )
    low, high = betting_interval(x, alpha_total=0.05)
    assert low < 0.9375 < high
    assert high - low < 0.01


@pytest.mark.parametrize("bad", [[0.5, math.nan], [1.0000001], [-0.1], [[0.5]], ["x"]])
def test_values_that_are_no_shares_are_refused_by_name(bad: list[object]) -> None:
    with pytest.raises(StatsInputError, match=r"^x") as caught:
        log_e_plus(bad, 0.5)  # type: ignore[arg-type]
    assert caught.value.argument == "x"


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_an_alpha_outside_its_range_is_refused_by_name(alpha: float) -> None:
    with pytest.raises(StatsInputError, match="alpha_total"):
        betting_interval([0.5], alpha_total=alpha)


def test_other_arguments_are_refused_by_name() -> None:
    with pytest.raises(StatsInputError, match=r"^m "):
        log_e_plus([0.5], 1.5)
    with pytest.raises(StatsInputError, match=r"^low\[1\] is above high\[1\]"):
        betting_interval([0.5, 0.9], [0.5, 0.8], alpha_total=0.05)
    with pytest.raises(StatsInputError, match=r"^high has 1 values"):
        betting_interval([0.5, 0.9], [0.5], alpha_total=0.05)
    with pytest.raises(StatsInputError, match="weights"):
        betting_interval([0.5, 0.9], alpha_total=0.05, weights=[0.5])
    with pytest.raises(StatsInputError, match="low"):
        BettingState(0.5).add(0.9, 0.1)
    with pytest.raises(StatsInputError, match="m "):
        BettingState(1.0)
