"""The values that both sides of pairs sent, field by field, taken from where they were read. Pure.

They are most of what is read. Whoever compares them looks at one field after the other, so that
they need not stand beside the pairs a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from harness.compare.kinds import VALUE_FIELDS
from harness.compare.texts import all_written, written

SENT_SIDES = ("control_sent", "candidate_sent", "observed")
"""What the columns of values begin with."""


class Values(Protocol):
    """Values of pairs, in the order of the pairs."""

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """What the control and the candidate sent for a field, and what a site received of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Row numbers to gather by, NULL for no row.

    rows: relative to the slice of `length` rows that begins at `start`. A side's rows are usually
    neighbours, and of a column in pieces only the piece is looked at.
    """

    rows: pl.Series
    start: int
    length: int

    @classmethod
    def of(cls, rows: pl.Series) -> Places:
        """The places of some rows."""
        low, high = rows.min(), rows.max()
        if not isinstance(low, int) or not isinstance(high, int):
            return cls(rows=rows, start=0, length=0)
        return cls(rows=rows - low if low else rows, start=low, length=high - low + 1)

    def gather(self, column: pl.Series) -> pl.Series:
        """The values at these places."""
        here = column.slice(self.start, self.length)
        if here.null_count() == self.length:
            return pl.Series(column.name, [None], column.dtype).new_from_index(0, len(self.rows))
        return (here if here.n_chunks() == 1 else here.rechunk()).gather(self.rows)


class SentValues:
    """Values that are still in the frame that they were read into."""

    def __init__(self, sent: pl.DataFrame, places: Sequence[Places]) -> None:
        """Take over sent_… of every field. places: of the control, the candidate and the site."""
        self._sent = sent
        self._places = tuple(places)

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """As `Values.of`."""
        column = self._sent[f"sent_{name}"]
        control, candidate, observed = (places.gather(column) for places in self._places)
        return control, candidate, observed


class SentColumns:
    """Values that stand in the pairs themselves, as `with_sent` puts them there."""

    def __init__(self, pairs: pl.DataFrame) -> None:
        self._pairs = pairs

    def of(self, name: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """As `Values.of`."""
        control, candidate, observed = (self._pairs[f"{side}_{name}"] for side in SENT_SIDES)
        return control, candidate, observed


def with_sent(pairs: pl.DataFrame, values: Values) -> pl.DataFrame:
    """Add control_sent_…, candidate_sent_… and observed_… of every field; all texts written out."""
    columns = {
        f"{side}_{name}": written(column)
        for name in VALUE_FIELDS
        for side, column in zip(SENT_SIDES, values.of(name), strict=True)
    }
    return all_written(pairs).with_columns(**columns)
