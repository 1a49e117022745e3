"""How many buckets are looked at together: bounded memory, and always some progress."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.record.reconcile.rows import ROWS_AT_ONCE, first_buckets

SIZES = st.dictionaries(st.integers(0, 255), st.integers(0, 3 * ROWS_AT_ONCE), min_size=1)


@given(SIZES)
def test_each_look_takes_a_bounded_part_and_all_of_them_take_everything(
    rows: dict[int, int],
) -> None:
    left = sorted(rows)
    looked_at: list[int] = []
    while left:
        chosen = first_buckets(left, rows)
        assert chosen == left[: len(chosen)]
        assert len(chosen) == 1 or sum(rows[bucket] for bucket in chosen) <= ROWS_AT_ONCE
        looked_at += chosen
        left = left[len(chosen) :]
    assert looked_at == sorted(rows)
