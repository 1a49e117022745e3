"""The values that both sides of pairs sent, field by field, taken from where they were read. Pure.

They are most of what is read. Whoever compares them looks at one field after the other, so that
they need not stand beside the pairs a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.kinds import VALUE_FIELDS
from harness.compare.texts import all_written

SENT_SIDES = ("control_sent", "candidate_sent", "observed")
"""What the columns of values begin with."""

IntArray: TypeAlias = npt.NDArray[np.int32]


class Columns(Protocol):
    """Columns by name: a frame, or what reads one when it is asked for."""

    def __getitem__(self, name: str, /) -> pl.Series:
        """One column."""


class Values(Protocol):
    """Values of pairs, each combination of what the sides of a pair sent at least once."""

    @property
    def numbers(self) -> IntArray | None:
        """For each pair the place of its combination; None where each pair has one of its own."""

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """What the control and the candidate sent for a field, and what a site received of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Row numbers to gather by, NULL for no row.

    rows: relative to the slice of `length` rows that begins at `start`. A side's rows are usually
    neighbours, and of a column in pieces only the piece is looked at. in_order: whether they are
    the whole of it, one after the other.
    """

    rows: pl.Series
    start: int
    length: int
    in_order: bool = False

    @classmethod
    def of(cls, rows: pl.Series) -> Places:
        """The places of some rows."""
        low, high = rows.min(), rows.max()
        if not isinstance(low, int) or not isinstance(high, int):
            return cls(rows=rows, start=0, length=0)
        length = high - low + 1
        rows = rows - low if low else rows
        every = np.arange(length, dtype=np.uint32) if length == len(rows) else None
        in_order = every is not None and not rows.has_nulls() and (rows.to_numpy() == every).all()
        return cls(rows=rows, start=low, length=length, in_order=bool(in_order))

    def gather(self, column: pl.Series) -> pl.Series:
        """The values at these places."""
        here = column.slice(self.start, self.length)
        if self.in_order:
            return here.rechunk()
        if here.null_count() == self.length:
            return pl.Series(column.name, [None], column.dtype).new_from_index(0, len(self.rows))
        return (here if here.n_chunks() == 1 else here.rechunk()).gather(self.rows)


class SentValues:
    """Values that are still in the frame that they were read into.

    Pairs with the same row on each side have the same values, such as those of a job that sends
    one document to every directory. So they are kept once, in the order of the control's rows,
    which is mostly that in which they were read.
    """

    def __init__(self, sent: Columns, rows: Sequence[pl.Series]) -> None:
        """Take over sent_… of every field.

        rows: by pair that of the control, the candidate and the site; UInt32, NULL for none.
        """
        self._sent = sent
        known = [side.cast(pl.Int32).fill_null(-1).to_numpy() for side in rows]
        order = np.argsort(known[0], kind="stable")
        begins = np.zeros(order.size, dtype=bool)
        begins[:1] = True
        for side in known:
            ordered = side.take(order)
            begins[1:] |= ordered[1:] != ordered[:-1]
        self._numbers = np.empty(order.size, np.int32)
        self._numbers[order] = np.cumsum(begins, dtype=np.int32) - 1
        heads = pl.Series(order[begins])
        self._places = [Places.of(side.gather(heads)) for side in rows]

    @property
    def numbers(self) -> IntArray:
        """As `Values.numbers`."""
        return self._numbers

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """As `Values.of`."""
        column = self._sent[f"sent_{name}"]
        control, candidate, observed = (places.gather(column) for places in self._places)
        return control, candidate, observed


class SentColumns:
    """Values that stand in the pairs themselves, as `with_sent` puts them there."""

    numbers = None

    def __init__(self, pairs: pl.DataFrame) -> None:
        self._pairs = pairs

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """As `Values.of`."""
        control, candidate, observed = (self._pairs[f"{side}_{name}"] for side in SENT_SIDES)
        return control, candidate, observed


def with_sent(pairs: pl.DataFrame, values: Values) -> pl.DataFrame:
    """Add control_sent_…, candidate_sent_… and observed_… of every field; all texts written out."""
    frame = pl.DataFrame(
        {
            f"{side}_{name}": column
            for name in VALUE_FIELDS
            for side, column in zip(SENT_SIDES, values.of(name), strict=True)
        }
    )
    if values.numbers is not None:
        frame = frame[pl.Series(values.numbers)]
    return pl.concat([all_written(pairs), all_written(frame)], how="horizontal")
