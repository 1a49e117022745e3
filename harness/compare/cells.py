"""Spreads pairs into cells: one compared field of one pair, as it was recorded. Pure, set-based."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.kinds import LATENCY, VALUE_FIELDS, CeilingRule
from harness.compare.rules import RuleSet
from harness.compare.scope import SCOPE
from harness.compare.seconds import seconds_of_ms
from harness.compare.sent import IntArray, SentColumns, Values
from harness.compare.texts import all_written, combinations, equals, written
from harness.model import LIVE

KEYS = ("mode", "job_id", *SCOPE)
"""What a cell has of its pair."""

_Told = TypeVar("_Told", bound=np.generic)
_NO_TEXTS = pl.Series(dtype=pl.String)
NO_CELLS = pl.DataFrame(
    schema={
        "pair": pl.UInt32, "mode": pl.String, "job_id": pl.String, "directory": pl.String,
        "created_at": pl.Datetime("us", "UTC"), "archetype": pl.String,
        "candidate_version": pl.String, "field": pl.String, "control_raw": pl.String,
        "candidate_raw": pl.String, "control_class": pl.String, "candidate_class": pl.String,
    }
)  # fmt: skip
"""`keyed` of no cell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldCells:
    """The cells of one field as they were recorded.

    pairs: numbers of the pairs that have one, ascending. values: control_raw, candidate_raw; those
    of ``error`` also have control_class and candidate_class. of: for each cell its row in `values`,
    where cells with the same values share one, and each row is somebody's; else None.
    """

    pairs: pl.Series
    values: pl.DataFrame
    of: IntArray | None = None

    def each(self) -> FieldCells:
        """The same with a row for each cell."""
        if self.of is None:
            return self
        return FieldCells(pairs=self.pairs, values=self.values[pl.Series(self.of)])

    def told(self, of_values: npt.NDArray[_Told]) -> npt.NDArray[_Told]:
        """What is told of each row of `values`, for each cell."""
        return of_values if self.of is None else of_values.take(self.of)


class RawCells:
    """The recorded values of one compared field of every pair, field by field.

    A pair in flight or with contradicting control rows has no cells. A field that one side does not
    send is not compared: the two systems fill different sets of inputs, which is no difference in
    what they sent.
    """

    def __init__(self, pairs: pl.DataFrame, sent: Values | None = None) -> None:
        """Take over pairs with `state`. sent: their values; None where the pairs have them."""
        self.pairs = pairs
        self._sent = sent or SentColumns(pairs)
        self._numbers = pl.arange(0, pairs.height, eager=True, dtype=pl.UInt32).alias("pair")
        state = pairs["state"]
        self._settled = state == "settled"
        self._lost = {side: state == f"missing_{side}" for side in ("control", "candidate")}
        self._none = FieldCells(
            pairs=self._numbers.clear(),
            values=pl.DataFrame({"control_raw": _NO_TEXTS, "candidate_raw": _NO_TEXTS}),
        )

    def of(self, field: str) -> FieldCells:
        """Return the cells of a field."""
        if field == "outcome":
            return self._outcome()
        if field == "error":
            return self._error()
        if field == LATENCY:
            return self._latency()
        return self._value(field.removeprefix("values."))

    def _outcome(self) -> FieldCells:
        lost = self._lost
        here = self._settled | lost["control"] | lost["candidate"]
        said = {f"{side}_raw": self._said(side) for side in lost}
        return self._where(here, **said)

    def _said(self, side: str) -> pl.Series:
        """The outcome of a side in its own word."""
        own, lost = self.pairs[f"{side}_raw_status"], self._lost[side]
        if not lost.any():
            return own
        if not isinstance(own.dtype, pl.Categorical):
            own = written(own)
        missing = pl.Series(["missing"]).cast(own.dtype)
        return missing.new_from_index(0, len(own)).zip_with(lost, own)

    def _error(self) -> FieldCells:
        here = self._settled
        for side in ("control", "candidate"):
            here = here & equals(self.pairs[f"{side}_outcome"], "failed").fill_null(False)
        columns = {
            "control_raw": "control_error_text", "candidate_raw": "candidate_error_text",
            "control_class": "control_error_class", "candidate_class": "candidate_error_class",
        }  # fmt: skip
        cells = self._where(here, **{name: self.pairs[own] for name, own in columns.items()})
        values = all_written(cells.values)
        return replace(
            cells, values=values.with_columns(pl.col("control_raw", "candidate_raw").fill_null(""))
        )

    def _value(self, name: str) -> FieldCells:
        control, sent, observed = self._sent.of(name)
        if control.null_count() == len(control):
            return self._none
        # A replay shows what the site really received; production only what the plan would type.
        if observed.null_count() < len(observed):
            sent = observed.zip_with(observed.is_not_null(), sent)
        known = control.is_not_null() & sent.is_not_null()
        numbers = self._sent.numbers
        if numbers is None:
            return self._where(self._settled & known, control_raw=control, candidate_raw=sent)
        here = self._settled.to_numpy() & known.to_numpy().take(numbers)
        values = pl.DataFrame([control.alias("control_raw"), sent.alias("candidate_raw")])
        if here.all():
            return FieldCells(pairs=self._numbers, values=values, of=numbers)
        of = numbers[here]
        used = np.zeros(values.height, dtype=bool)
        used[of] = True
        places = np.cumsum(used, dtype=np.int32) - 1
        return FieldCells(
            pairs=self._numbers.filter(pl.Series(here)),
            values=values.filter(pl.Series(used)),
            of=places[of],
        )

    def _latency(self) -> FieldCells:
        took_ms = self.pairs["candidate_duration_ms"]
        here = self._settled & (self.pairs["mode"] == LIVE) & took_ms.is_not_null()
        cells = self._where(here, took_ms=took_ms)
        values = cells.values.select(
            control_raw=pl.lit(""),
            candidate_raw=seconds_of_ms(pl.col("took_ms")).round(1).cast(pl.String),
        )
        return replace(cells, values=values)

    def _where(self, here: pl.Series, **columns: pl.Series) -> FieldCells:
        """The rows of the columns where `here` holds."""
        values = pl.DataFrame([column.alias(name) for name, column in columns.items()])
        pairs = self._numbers
        if not here.all():
            pairs, values = pairs.filter(here), values.filter(here)
        shared = combinations(values)
        if shared is None:
            return FieldCells(pairs=pairs, values=values)
        rows, of = shared
        return FieldCells(pairs=pairs, values=values[rows], of=of)


def compared_fields(rules: RuleSet) -> tuple[str, ...]:
    """The fields that cells are made of; a latency is compared only where a rule limits it."""
    limited = any(isinstance(rule, CeilingRule) for rule in rules.rule)
    values = (f"values.{name}" for name in VALUE_FIELDS)
    return ("outcome", "error", *values, *([LATENCY] if limited else ()))


def keyed(
    numbers: pl.Series, values: pl.DataFrame, pairs: pl.DataFrame, field: str
) -> pl.DataFrame:
    """Cells with what names them: the keys of their pairs, and the field.

    numbers: of their pairs. values: as `FieldCells.values`, one row a cell.
    """
    if numbers.is_empty():
        return NO_CELLS
    keys = (written(pairs[name].gather(numbers)) for name in KEYS)
    classes = ("control_class", "candidate_class")
    none = {name: pl.lit(None, pl.String) for name in classes if name not in values.columns}
    return (
        pl.DataFrame([numbers, *keys, *values.get_columns()])
        .with_columns(field=pl.lit(field), **none)
        .select("pair", *KEYS, "field", "control_raw", "candidate_raw", *classes)
    )


def spread(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Return the cells of all pairs that are not in flight.

    Columns: pair (row number in `pairs`), mode, job_id, directory, created_at (of the job),
    archetype, candidate_version, field, control_raw, candidate_raw (text), control_class,
    candidate_class (error cells only).
    """
    raw = RawCells(pairs)
    fields = ((field, raw.of(field).each()) for field in compared_fields(rules))
    return pl.concat([keyed(cells.pairs, cells.values, pairs, field) for field, cells in fields])
