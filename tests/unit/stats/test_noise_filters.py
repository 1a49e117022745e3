"""Planted noise and a planted fault: what Diffy's filter and ours call different."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.noise import (
    CLEAN,
    SCENARIOS,
    SEED,
    Scenario,
    differing,
    diffy_flags,
    simulate,
)
from harness.stats.betting import NODES
from harness.stats.noise import FAMILY_ALPHA, FieldShares, NoiseVerdict, alpha_per_row, judge_field

pytestmark = pytest.mark.slow

RUNS = 60
SINGLE, _, MANY = SCENARIOS
ONE_IN_A_HUNDRED = RUNS // 100


def test_a_clean_field_is_hardly_ever_called_different_and_the_fault_always() -> None:
    diffy, ours = simulate(replace(MANY, jobs=600), runs=RUNS)
    assert ours.ever[:, :CLEAN].any(axis=1).sum() <= ONE_IN_A_HUNDRED
    assert ours.ever[:, CLEAN].all()
    assert np.median(ours.after[:, CLEAN]) < 300
    assert diffy.ever[:, :CLEAN].any(axis=1).mean() > 0.5
    assert not diffy.at_end[:, CLEAN].any(), "5 points of 30 % are less than its 20 % relative"


def test_single_submissions_are_not_called_different_either() -> None:
    diffy, ours = simulate(replace(SINGLE, jobs=2_000), runs=RUNS)
    assert ours.ever[:, :CLEAN].any(axis=1).sum() <= ONE_IN_A_HUNDRED
    assert diffy.ever[:, :CLEAN].mean() > 0.3


def test_the_simulated_filter_is_the_one_that_judges_a_field() -> None:
    scenario = Scenario(title="short", jobs=200, size=20, rho=0.1)
    rng = np.random.default_rng(SEED)
    both = np.array([differing(scenario, rng, runs=1) for _ in range(scenario.jobs)])
    raw, noise = both[:, 0, 0, :] / scenario.size, both[:, 1, 0, :] / scenario.size
    raw[:, :5] = np.minimum(raw[:, :5] + 0.2, 1.0)
    alpha = alpha_per_row(FAMILY_ALPHA, CLEAN + 1)
    wealth = np.log1p((raw - noise)[:, :, None] * NODES).cumsum(axis=0)
    best = np.logaddexp.reduce(wealth, axis=-1)[29:].max(axis=0) - np.log(wealth.shape[-1])
    for field in range(CLEAN + 1):
        yes = np.ones(scenario.jobs, dtype=bool)
        shares = FieldShares(
            raw_low=raw[:, field], raw_high=raw[:, field], noise=noise[:, field],
            has_raw=yes, has_noise=yes,
        )  # fmt: skip
        signal = judge_field(shares, alpha=alpha).verdict is NoiseVerdict.SIGNAL
        assert signal == (best[field] >= np.log(1 / alpha)), field
        assert signal or field >= 5


def test_diffys_filter_is_that_of_its_documentation() -> None:
    raw, noise = np.array([3, 3, 1, 120, 0]), np.array([1, 2, 3, 100, 0])
    assert diffy_flags(raw, noise, 1000).tolist() == [True, False, False, False, False]
    assert not diffy_flags(np.array([3]), np.array([1]), 10_000)[0]
