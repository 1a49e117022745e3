"""Texts as numbers are compared, placed and written out as the texts themselves are."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.texts import all_written, equals, places_in, written

TEXTS = st.lists(st.none() | st.sampled_from(["", "a", "b", "site.example", "é"]), max_size=12)


def as_numbers(values: list[str | None], others: list[str]) -> pl.Series:
    """The values as Categorical, in a set of categories that holds others before them."""
    text = pl.Categorical(pl.Categories.random())
    return pl.Series(others + values, dtype=pl.Categorical(text.categories)).slice(len(others))


@given(values=TEXTS, others=st.lists(st.text(max_size=3), max_size=4))
def test_each_function_gives_what_it_gives_of_texts(
    values: list[str | None], others: list[str]
) -> None:
    plain, numbers = pl.Series(values, dtype=pl.String), as_numbers(values, others)
    assert written(numbers).to_list() == values
    assert written(plain) is plain
    assert equals(numbers, "a").to_list() == equals(plain, "a").to_list()
    names = pl.Series(sorted({one for one in values if one is not None}), dtype=pl.String)
    expected = [len(names) if one is None else names.to_list().index(one) for one in values]
    assert places_in(numbers, names).tolist() == expected
    assert places_in(plain, names).tolist() == expected
    frame = pl.DataFrame({"text": numbers, "n": pl.Series(range(len(values)), dtype=pl.Int64)})
    assert all_written(frame)["text"].to_list() == values


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_nothing_has_no_places(dtype: type[pl.DataType]) -> None:
    empty = pl.Series([], dtype=dtype)
    assert places_in(empty, pl.Series([], dtype=pl.String)).tolist() == []
