"""Who is in the shadow, whether they are like the rest, and what strata and clusters say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.checks import StatsInputError
from harness.stats.design_effect import design_effect
from harness.stats.membership import in_shadow, membership_value
from harness.stats.representative import OTHERS, compare_mix, sampled_share
from harness.stats.strata import Stratum, overlap, stratified_interval

SALT = "shadow-2025"


@pytest.mark.parametrize(
    ("job", "value"), [("job-1", 0.295909285), ("job-2", 0.934176603), ("job-3", 0.670121772)]
)
def test_the_place_of_a_job_is_the_known_one(job: str, value: float) -> None:
    assert membership_value(job, salt=SALT) == pytest.approx(value, abs=5e-10)


@given(job=st.text(max_size=40), salt=st.text(max_size=20), a=st.floats(0, 100),
       b=st.floats(0, 100))  # fmt: skip
def test_a_smaller_percentage_is_a_part_of_a_larger_one(
    job: str, salt: str, a: float, b: float
) -> None:
    small, large = sorted((a, b))
    assert in_shadow(job, salt=salt, percent=large) or not in_shadow(job, salt=salt, percent=small)
    assert in_shadow(job, salt=salt, percent=100)
    assert not in_shadow(job, salt=salt, percent=0)


def test_the_share_in_the_shadow_is_the_percentage() -> None:
    inside = sum(in_shadow(f"job-{i}", salt=SALT, percent=10) for i in range(20_000))
    assert inside == pytest.approx(2000, abs=4 * (20_000 * 0.09) ** 0.5)


def test_a_percentage_that_is_none_is_refused() -> None:
    with pytest.raises(StatsInputError, match="percent"):
        in_shadow("job-1", salt=SALT, percent=101)


def draws(share: float, n: int, seed: int = 2) -> np.ndarray:
    return (np.random.default_rng(seed).random(n) < share).astype(float)


def test_a_share_as_declared_is_inside_and_one_four_times_as_large_outside() -> None:
    right = sampled_share(draws(0.1, 600), declared=0.1, alpha_total=0.05)
    assert not right.outside
    assert right.low < 0.1 < right.high
    # What a draw at each of four deliveries does to a job that is retried.
    wrong = sampled_share(draws(1 - 0.9**4, 600), declared=0.1, alpha_total=0.05)
    assert wrong.outside
    assert wrong.low > 0.1


def test_a_share_that_has_moved_is_shown_as_it_is_and_stays_outside() -> None:
    moved = sampled_share(
        np.concatenate([draws(0.02, 500), draws(0.4, 300)]), declared=0.16, alpha_total=0.05
    )
    assert moved.value is not None
    assert moved.low < moved.value < moved.high
    assert moved.outside


def test_a_job_of_which_nothing_is_known_yet_proves_nothing() -> None:
    unknown = sampled_share([0.0] * 200, [1.0] * 200, declared=0.1, alpha_total=0.05)
    assert (unknown.low, unknown.high, unknown.value) == (0.0, 1.0, None)
    assert not unknown.outside


def test_chi_square_is_pearsons() -> None:
    labels = ["50"] * 60 + ["100"] * 40
    sampled = [True] * 40 + [False] * 20 + [True] * 10 + [False] * 30
    found = compare_mix(labels, sampled)
    assert found is not None
    assert found.rows == (("100", 10, 30), ("50", 40, 20))
    assert found.chi_square == pytest.approx(100 * (40 * 30 - 20 * 10) ** 2 / (60 * 40 * 50 * 50))
    assert found.degrees == 1
    assert found.p_value == pytest.approx(4.455709060402491e-05)


def test_rare_labels_are_pooled_until_enough_are_expected() -> None:
    labels = ["50"] * 50 + ["100"] * 30 + ["300"] * 4 + ["500"] * 4
    sampled = [i % 2 == 0 for i in range(len(labels))]
    found = compare_mix(labels, sampled)
    assert found is not None
    # 8 rare ones would be 4 expected on a side, so the smallest large label joins them.
    assert [name for name, _, _ in found.rows] == ["50", OTHERS]
    assert sum(a + b for _, a, b in found.rows) == len(labels)


@pytest.mark.parametrize(
    ("labels", "sampled"), [([], []), (["a"] * 30, [True] * 30), (["a"] * 30, [True, False] * 15)]
)
def test_what_cannot_be_compared_is_none(labels: list[str], sampled: list[bool]) -> None:
    assert compare_mix(labels, sampled) is None


def test_a_mix_that_has_nothing_to_do_with_the_sample_is_seldom_called_so() -> None:
    chance = np.random.default_rng(4)
    low = 0
    for _ in range(400):
        labels = chance.choice(["50", "100", "300"], size=200).tolist()
        found = compare_mix(labels, (chance.random(200) < 0.3).tolist())
        assert found is not None
        low += found.p_value < 0.05
    assert low == pytest.approx(20, abs=4 * 19**0.5)


def test_strata_are_weighted_as_known() -> None:
    small, large = [1.0] * 60, [1.0] * 38 + [0.0] * 2
    ends = stratified_interval(
        [Stratum(weight=0.7, low=small), Stratum(weight=0.3, low=large)], alpha_total=0.05
    )
    assert ends == pytest.approx((0.8618069560, 0.9997734856), abs=1e-9)


def test_a_stratum_without_jobs_may_be_anything() -> None:
    ends = stratified_interval(
        [Stratum(weight=0.6, low=[1.0] * 500), Stratum(weight=0.4, low=[])], alpha_total=0.05
    )
    assert ends[0] < 0.6
    assert ends[1] == 1.0
    with pytest.raises(StatsInputError, match="weights"):
        stratified_interval([Stratum(weight=0.6, low=[1.0])], alpha_total=0.05)


def test_intervals_without_a_common_point_are_noticed() -> None:
    assert overlap([])
    assert overlap([(0.9, 0.95), (0.95, 0.99)])
    assert not overlap([(0.8, 0.9), (0.85, 0.95), (0.92, 0.99)])


def test_sizes_may_be_told_by_their_shares() -> None:
    halves = design_effect([50, 100], rho=0.3, shares=[0.5, 0.5])
    assert halves == pytest.approx(design_effect([50, 100] * 7, rho=0.3))
