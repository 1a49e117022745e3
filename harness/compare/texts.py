"""Texts that repeat, as numbers or written out. Pure.

What is read by the million comes as Categorical, a number a row: cheap to hold, to compare and to
gather. A text is written out where something reads it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

_ROWS_EACH = 10
"""Rows that a combination of values has on the average, for it to pay to look for them."""


def written(values: pl.Series) -> pl.Series:
    """The texts of a column themselves; one that is not of texts as numbers stays as it is."""
    numbers = isinstance(values.dtype, pl.Categorical | pl.Enum)
    return values.cast(pl.String) if numbers else values


def equals(values: pl.Series, text: str) -> pl.Series:
    """Which values are this text, as `==` says of texts; NULL for NULL."""
    return values.to_frame("value").select(pl.col("value") == text)["value"]


def all_written(frame: pl.DataFrame) -> pl.DataFrame:
    """The same frame with every text written out."""
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def places_in(values: pl.Series, names: pl.Series) -> npt.NDArray[np.int32]:
    """The place of each value in `names`, which hold all of them; NULL has the place behind.

    names: distinct texts, no NULL among them.
    """
    if not isinstance(values.dtype, pl.Categorical):
        own = values.cast(pl.Enum(names)).to_physical().cast(pl.Int32)
        return np.asarray(own.fill_null(len(names)).to_numpy(), np.int32)
    codes = values.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    known = names.cast(values.dtype).to_physical().to_numpy()
    # The last one is that of NULL.
    table = np.full(int(max(known.max(initial=0), codes.max(initial=0))) + 2, len(names), np.int32)
    table[known] = np.arange(len(names))
    return np.asarray(table[codes], np.int32)


def combinations(frame: pl.DataFrame) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]] | None:
    """A row of each combination of values, and for each row the place of its combination in these.

    None where a column is not of texts as numbers, or where there are few rows a combination.
    """
    if not all(isinstance(dtype, pl.Categorical) for dtype in frame.dtypes):
        return None
    flat, width = np.zeros(frame.height, np.int32), 1
    for column in frame:
        # NULL is the code 0.
        codes = (column.to_physical().cast(pl.Int32) + 1).fill_null(0).to_numpy()
        occurs = np.zeros(int(codes.max(initial=0)) + 1, dtype=bool)
        occurs[codes] = True
        own = np.cumsum(occurs, dtype=np.int32) - 1
        width *= int(occurs.sum())
        if width > frame.height // _ROWS_EACH:
            return None
        flat = flat * np.int32(occurs.sum()) + own[codes]
    row = np.full(width, -1, np.intp)
    row[flat] = np.arange(frame.height)
    occurs = row >= 0
    return row[occurs], (np.cumsum(occurs, dtype=np.int32) - 1)[flat]
