"""A band that is drawn after some jobs only says there what the whole band says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.band import EVERY, betting_band, drawn_after
from harness.stats.checks import StatsInputError


@given(
    jobs=st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.0]), min_size=5, max_size=60),
    picked=st.sets(st.integers(1, 59)),
)
@settings(max_examples=25, deadline=None)
def test_after_some_jobs_it_is_what_it_is_after_all(jobs: list[float], picked: set[int]) -> None:
    x = np.asarray(jobs)
    after = sorted({n for n in picked if n < x.size} | {x.size})
    whole = betting_band(x, alpha_total=0.1, grid=100)
    some = betting_band(x, alpha_total=0.1, grid=100, after=after)
    places = np.asarray(after) - 1
    assert some.low == pytest.approx(whole.low[places], abs=1e-9)
    assert some.high == pytest.approx(whole.high[places], abs=1e-9)
    # Fewer looks give running bounds that are never narrower.
    assert (some.running_low <= whole.running_low[places] + 1e-9).all()
    assert (some.running_high >= whole.running_high[places] - 1e-9).all()


def test_it_is_drawn_after_every_job_at_first_and_never_redraws_itself() -> None:
    assert drawn_after(0) == []
    assert drawn_after(7) == [1, 2, 3, 4, 5, 6, 7]
    long, longer = drawn_after(50_000), drawn_after(80_000)
    assert long[:EVERY] == list(range(1, EVERY + 1))
    assert long[-1] == 50_000
    assert longer[: len(long) - 1] == long[:-1]
    assert len(drawn_after(1_000_000)) < 3_000
    assert long == sorted(set(long))


def test_a_band_must_end_with_its_last_job() -> None:
    with pytest.raises(StatsInputError, match="after must end with all 3 jobs"):
        betting_band([1.0, 1.0, 1.0], alpha_total=0.1, after=[1, 2])
