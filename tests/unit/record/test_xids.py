"""Transaction numbers: 64 bits from 32, and the age of a sweep, across wraparound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.record.postgres.xids import (
    CRASH_REUSE_XIDS,
    CYCLE,
    FIRST_NORMAL_XID,
    HALF_CYCLE,
    full_xid,
    sweep_age,
)


def test_a_young_row_gets_the_epoch_of_the_snapshot() -> None:
    assert full_xid(900, next_xid=7 * CYCLE + 1000) == 7 * CYCLE + 900


def test_a_row_written_before_the_counter_wrapped_gets_the_epoch_before() -> None:
    assert full_xid(CYCLE - 5, next_xid=7 * CYCLE + 10) == 7 * CYCLE - 5


def test_no_row_gets_a_number_that_the_snapshot_has_not_handed_out() -> None:
    assert full_xid(1000, next_xid=7 * CYCLE + 1000) == 6 * CYCLE + 1000
    assert full_xid(999, next_xid=7 * CYCLE + 1000) == 7 * CYCLE + 999


def test_frozen_and_bootstrap_numbers_have_no_epoch() -> None:
    assert [full_xid(raw, next_xid=7 * CYCLE + 10) for raw in (1, 2)] == [1, 2]


def test_a_number_from_before_the_first_epoch_stays_as_it_is() -> None:
    assert full_xid(CYCLE - 5, next_xid=1000) == CYCLE - 5


@given(
    xid=st.integers(min_value=FIRST_NORMAL_XID, max_value=1 << 50).filter(
        lambda xid: xid % CYCLE >= FIRST_NORMAL_XID
    ),
    later=st.integers(min_value=1, max_value=HALF_CYCLE),
)
def test_every_number_within_half_a_cycle_is_found_again(xid: int, later: int) -> None:
    assert full_xid(xid % CYCLE, next_xid=xid + later) == xid


@given(
    since=st.integers(min_value=FIRST_NORMAL_XID, max_value=1 << 50),
    passed=st.integers(min_value=0, max_value=HALF_CYCLE - CRASH_REUSE_XIDS - 100),
    running=st.integers(min_value=1, max_value=90),
)
def test_the_age_of_x_counts_back_from_the_same_number_as_the_age_of_a_row(
    since: int, passed: int, running: int
) -> None:
    xmin = since + passed
    now = xmin + running
    age = sweep_age(since, xmin=xmin, xmin_age=running)
    assert age == now - since
    # A row written by X itself is still asked for, one written just before X is not.
    assert (now - since) <= age < (now - (since - 1))


def test_beyond_half_a_cycle_age_would_lie_so_there_is_none() -> None:
    assert sweep_age(1000, xmin=1000 + HALF_CYCLE, xmin_age=3) is None


def test_an_x_from_the_sources_future_has_no_age() -> None:
    assert sweep_age(5000, xmin=4000, xmin_age=3) is None
