"""A figure does not depend on what stands beside it."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.seconds import seconds_of, seconds_of_ms

MICROSECONDS = st.lists(st.integers(0, 10**12), min_size=2, max_size=20)


@given(MICROSECONDS)
def test_a_row_alone_has_the_seconds_that_it_has_among_others(values: list[int]) -> None:
    rows = pl.DataFrame({"us": values})
    for made in (
        seconds_of(pl.col("us").cast(pl.Duration("us"))),
        seconds_of_ms(pl.col("us").cast(pl.Float64)),
    ):
        together = rows.select(s=made)["s"].to_list()
        assert [rows[place].select(s=made).item() for place in range(len(values))] == together
        pieces = pl.concat([rows[:1], rows[1:]], rechunk=False)
        assert pieces.select(s=made)["s"].to_list() == together
