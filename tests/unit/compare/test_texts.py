"""Texts as numbers are compared, placed and written out as the texts themselves are."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.texts import all_written, combinations, equals, places_in, written

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


@given(rows=st.lists(st.tuples(*[st.none() | st.sampled_from("abc")] * 2), max_size=4))
def test_each_combination_is_found_once_and_each_row_in_it(
    rows: list[tuple[str | None, str | None]],
) -> None:
    rows = [*rows, *rows] * 160
    columns: dict[str, list[str | None]] = {
        "one": [one for one, _ in rows],
        "other": [other for _, other in rows],
    }
    found = combinations(pl.DataFrame({name: as_numbers(v, []) for name, v in columns.items()}))
    assert found is not None
    heads, of = found
    assert len(heads) == len(set(rows))
    assert [rows[heads[place]] for place in of] == rows


def test_combinations_are_not_looked_for_among_texts_or_where_each_row_is_another() -> None:
    assert combinations(pl.DataFrame({"one": ["a"] * 100})) is None
    words: list[str | None] = [str(n) for n in range(100)]
    assert combinations(pl.DataFrame({"one": as_numbers(words, [])})) is None


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_nothing_has_no_places(dtype: type[pl.DataType]) -> None:
    empty = pl.Series([], dtype=dtype)
    assert places_in(empty, pl.Series([], dtype=pl.String)).tolist() == []
