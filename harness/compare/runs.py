"""Runs of neighbours that are equal, so that what holds of one is found once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import numpy as np
import polars as pl


def runs_of(columns: Sequence[pl.Series]) -> tuple[pl.Series, pl.Series]:
    """Return where a run begins (Boolean), and for each row the number of its run, from 0.

    A row goes on with the run of the row before if every column has the same there; NULL is the
    same as NULL. There is at least one column, and all are of one length.
    """
    height = len(columns[0])
    begins = np.ones(height, dtype=bool)
    if height > 1:
        changes = (c.slice(1).ne_missing(c.slice(0, height - 1)) for c in columns)
        begins[1:] = reduce(or_, changes).to_numpy()
    runs = np.cumsum(begins, dtype=np.uint32)
    runs -= 1
    return pl.Series(begins), pl.Series(runs)


def heads_of(values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Return the first value of each run, and for each value the number of its run.

    Where there are few runs to speak of, all values are returned, and no numbers.
    """
    begins, runs = runs_of([values])
    heads = values.filter(begins)
    return (heads, runs) if 2 * len(heads) < len(values) else (values, None)
