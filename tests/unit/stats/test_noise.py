"""Excess over noise: known values, planted truth, and what is said where nothing is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.model import IntervalKind
from harness.stats.checks import StatsInputError
from harness.stats.noise import (
    FieldShares,
    NoiseVerdict,
    alpha_per_row,
    excess_interval,
    judge_field,
    newcombe,
)

UNIT = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1))


def make_shares(
    raw: npt.ArrayLike,
    noise: npt.ArrayLike | None,
    *,
    raw_high: npt.ArrayLike | None = None,
    jobs: int | None = None,
) -> FieldShares:
    """Every job is compared; the first `jobs` (all) have an A/A run, none if `noise` is None."""
    low = np.asarray(raw, dtype=np.float64)
    has = np.arange(low.size) < (low.size if jobs is None else jobs)
    return FieldShares(
        raw_low=low,
        raw_high=low if raw_high is None else np.asarray(raw_high, dtype=np.float64),
        noise=np.zeros(low.size) if noise is None else np.asarray(noise, dtype=np.float64),
        has_raw=np.ones(low.size, dtype=bool),
        has_noise=has if noise is not None else np.zeros(low.size, dtype=bool),
    )


def differing(share: float, jobs: int, seed: int) -> npt.NDArray[np.float64]:
    """Jobs of one submission each, of which so many differ."""
    return (np.random.default_rng(seed).random(jobs) < share).astype(np.float64)


def test_the_interval_of_the_excess_is_the_known_one() -> None:
    excess = np.repeat([0.0, 0.02, -0.02, 0.5], [80, 10, 5, 5])
    assert excess.mean() == pytest.approx(0.026)
    raw, noise = np.maximum(excess, 0.0), np.maximum(-excess, 0.0)
    found = excess_interval(raw, noise, alpha_total=0.05)
    assert found == pytest.approx((-0.02791012888, 0.08095140536), abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((56, 70, 48, 80), (0.0524314724, 0.333872654)),
        ((3, 1000, 1, 1000), (-0.003046845231, 0.007841346371)),
        ((30, 1000, 10, 1000), (0.007819328387, 0.03330872215)),
    ],
)
def test_newcombe_gives_the_known_intervals(
    counts: tuple[int, int, int, int], expected: tuple[float, float]
) -> None:
    assert newcombe(*counts, alpha_total=0.05) == pytest.approx(expected, abs=1e-9)


@given(raw=UNIT, seed=st.integers(0, 9), alpha=st.floats(0.001, 0.4))
@settings(max_examples=60, deadline=None)
def test_raw_and_noise_in_each_others_place_mirror_the_excess(
    raw: npt.NDArray[np.float64], seed: int, alpha: float
) -> None:
    noise = np.random.default_rng(seed).random(raw.size)
    low, high = excess_interval(raw, noise, alpha_total=alpha)
    assert -1.0 <= low <= high <= 1.0
    assert low - 1e-9 <= (raw - noise).mean() <= high + 1e-9
    assert excess_interval(noise, raw, alpha_total=alpha) == pytest.approx((-high, -low), abs=1e-9)
    wider = excess_interval(raw, noise, alpha_total=alpha / 2)
    assert wider[0] <= low + 1e-9
    assert wider[1] >= high - 1e-9


@given(raw=UNIT, seed=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_a_pending_submission_only_widens(raw: npt.NDArray[np.float64], seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.random(raw.size)
    low, high = raw * rng.random(raw.size), raw + (1 - raw) * rng.random(raw.size)
    narrow = excess_interval(raw, noise, alpha_total=0.1)
    wide = excess_interval(low, noise, high, alpha_total=0.1)
    assert wide[0] <= narrow[0] + 1e-9
    assert wide[1] >= narrow[1] - 1e-9


def test_a_field_that_differs_more_often_than_its_noise_is_a_signal() -> None:
    told = judge_field(
        make_shares(differing(0.15, 1000, 1), differing(0.05, 1000, 2)), alpha=0.0002
    )
    assert told.verdict is NoiseVerdict.SIGNAL
    assert told.excess is not None
    assert told.excess.headline.low > 0
    assert told.excess.headline.kind is IntervalKind.HEADLINE
    assert told.excess.label.kind is IntervalKind.LABEL
    assert told.excess.headline.alpha_total == pytest.approx(0.0004)
    assert told.excess.value == pytest.approx(0.10, abs=0.03)


def test_the_same_rate_on_both_sides_is_within_noise() -> None:
    told = judge_field(make_shares(differing(0.1, 1000, 3), differing(0.1, 1000, 4)), alpha=0.01)
    assert told.verdict is NoiseVerdict.WITHIN_NOISE
    assert not told.too_noisy


def test_a_tolerance_is_what_the_excess_has_to_exceed() -> None:
    shares = make_shares(differing(0.15, 2000, 5), differing(0.02, 2000, 6))
    assert judge_field(shares, alpha=0.01).verdict is NoiseVerdict.SIGNAL
    tolerant = judge_field(shares, alpha=0.01, tolerance=0.2)
    assert tolerant.verdict is NoiseVerdict.WITHIN_NOISE


def test_noise_above_the_limit_makes_silence_say_nothing_and_a_proof_still_a_proof() -> None:
    noise = differing(0.3, 2000, 7)
    quiet = judge_field(make_shares(differing(0.3, 2000, 8), noise), alpha=0.01)
    assert (quiet.verdict, quiet.too_noisy) == (NoiseVerdict.TOO_NOISY, True)
    loud = judge_field(make_shares(differing(0.6, 2000, 9), noise), alpha=0.01)
    assert (loud.verdict, loud.too_noisy) == (NoiseVerdict.SIGNAL, True)


def test_noise_that_is_low_but_not_known_to_be_is_too_noisy() -> None:
    told = judge_field(make_shares(np.zeros(40), np.tile([0.0] * 9 + [1.0], 4)), alpha=0.01)
    assert told.noise.value == pytest.approx(0.1)
    assert told.verdict is NoiseVerdict.TOO_NOISY


def test_without_an_aa_run_nothing_is_subtracted() -> None:
    told = judge_field(make_shares(np.ones(500), None), alpha=0.01)
    assert told.verdict is NoiseVerdict.NOISE_UNKNOWN
    assert told.excess is None
    assert (told.raw.value, told.noise.value) == (1.0, None)


def test_fewer_jobs_than_decide_do_not_decide() -> None:
    shares = make_shares(np.ones(500), np.zeros(500), jobs=29)
    assert judge_field(shares, alpha=0.01).verdict is NoiseVerdict.TOO_FEW_JOBS
    shares = make_shares(np.ones(500), np.zeros(500), jobs=30)
    assert judge_field(shares, alpha=0.01).verdict is NoiseVerdict.SIGNAL


def test_only_aa_runs_are_no_comparison() -> None:
    shares = make_shares(np.zeros(50), np.zeros(50))
    empty = FieldShares(
        raw_low=shares.raw_low,
        raw_high=shares.raw_high,
        noise=shares.noise,
        has_raw=np.zeros(50, dtype=bool),
        has_noise=shares.has_noise,
    )
    assert judge_field(empty, alpha=0.01).verdict is NoiseVerdict.NOT_COMPARED


def test_pending_submissions_cannot_prove_a_signal() -> None:
    low, noise = np.zeros(500), np.zeros(500)
    told = judge_field(make_shares(low, noise, raw_high=np.ones(500)), alpha=0.01)
    assert told.verdict is NoiseVerdict.WITHIN_NOISE
    assert told.excess is not None
    assert told.excess.headline.high == 1.0
    assert told.excess.value is None


def test_each_row_spends_its_share_of_alpha() -> None:
    assert alpha_per_row(0.01, 50) == pytest.approx(0.0002)
    assert alpha_per_row(0.01, 0) == 0.01


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: excess_interval([0.5], [np.nan], alpha_total=0.1), "noise"),
        (lambda: excess_interval([1.5], [0.0], alpha_total=0.1), "low"),
        (lambda: excess_interval([0.5, 0.5], [0.0], alpha_total=0.1), "noise"),
        (lambda: excess_interval([0.5], [0.0], alpha_total=0), "alpha_total"),
        (lambda: newcombe(1, 0, 1, 2, alpha_total=0.1), "n1"),
        (lambda: newcombe(1, 2, 3, 2, alpha_total=0.1), "s"),
        (lambda: alpha_per_row(1.0, 3), "alpha"),
        (lambda: judge_field(make_shares([0.0], [0.0]), alpha=0.1, tolerance=-1), "tolerance"),
        (lambda: judge_field(make_shares([0.0], [0.0, 0.1]), alpha=0.1), "noise"),
    ],
)
def test_what_is_outside_its_domain_is_named(call: object, argument: str) -> None:
    assert callable(call)
    with pytest.raises(StatsInputError) as caught:
        call()
    assert caught.value.argument == argument
