"""Spreads pairs into cells: one compared field of one pair, as it was recorded. Pure, set-based."""

from __future__ import annotations

import polars as pl

from harness.compare.kinds import VALUE_FIELDS, CeilingRule
from harness.compare.rules import RuleSet
from harness.compare.scope import SCOPE
from harness.compare.sent import SentColumns, Values
from harness.compare.texts import all_written, equals, written
from harness.model import LIVE

LATENCY = "latency_s"
KEYS = ("mode", "job_id", *SCOPE)
"""What a cell has of its pair."""

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
        self._none = pl.DataFrame(
            {"pair": self._numbers.clear(), "control_raw": _NO_TEXTS, "candidate_raw": _NO_TEXTS}
        )

    def of(self, field: str) -> pl.DataFrame:
        """Return pair (row number, ascending), control_raw, candidate_raw of a field's cells.

        Those of ``error`` also have control_class and candidate_class.
        """
        if field == "outcome":
            return self._outcome()
        if field == "error":
            return self._error()
        if field == LATENCY:
            return self._latency()
        return self._value(field.removeprefix("values."))

    def _outcome(self) -> pl.DataFrame:
        lost = self._lost
        here = self._settled | lost["control"] | lost["candidate"]
        missing = pl.Series(["missing"])
        said = {
            f"{side}_raw": self.pairs[f"{side}_raw_status"]
            if not lost[side].any()
            else missing.new_from_index(0, len(here)).zip_with(
                lost[side], written(self.pairs[f"{side}_raw_status"])
            )
            for side in lost
        }
        return self._where(here, **said)

    def _error(self) -> pl.DataFrame:
        here = self._settled
        for side in ("control", "candidate"):
            here = here & equals(self.pairs[f"{side}_outcome"], "failed").fill_null(False)
        columns = {
            "control_raw": "control_error_text", "candidate_raw": "candidate_error_text",
            "control_class": "control_error_class", "candidate_class": "candidate_error_class",
        }  # fmt: skip
        cells = self._where(here, **{name: self.pairs[own] for name, own in columns.items()})
        return all_written(cells).with_columns(pl.col("control_raw", "candidate_raw").fill_null(""))

    def _value(self, name: str) -> pl.DataFrame:
        control, sent, observed = self._sent.of(name)
        if control.null_count() == len(control):
            return self._none
        # A replay shows what the site really received; production only what the plan would type.
        if observed.null_count() < len(observed):
            sent = observed.zip_with(observed.is_not_null(), sent)
        here = self._settled & control.is_not_null() & sent.is_not_null()
        return self._where(here, control_raw=control, candidate_raw=sent)

    def _latency(self) -> pl.DataFrame:
        took_ms = self.pairs["candidate_duration_ms"]
        here = self._settled & (self.pairs["mode"] == LIVE) & took_ms.is_not_null()
        return self._where(here, took_ms=took_ms).select(
            "pair",
            control_raw=pl.lit(""),
            candidate_raw=(pl.col("took_ms") / 1000).round(1).cast(pl.String),
        )

    def _where(self, here: pl.Series, **columns: pl.Series) -> pl.DataFrame:
        """The rows of the columns where `here` holds, with their numbers."""
        named = (column.alias(name) for name, column in columns.items())
        rows = pl.DataFrame([self._numbers, *named])
        return rows if here.all() else rows.filter(here)


def compared_fields(rules: RuleSet) -> tuple[str, ...]:
    """The fields that cells are made of; a latency is compared only where a rule limits it."""
    limited = any(isinstance(rule, CeilingRule) for rule in rules.rule)
    values = (f"values.{name}" for name in VALUE_FIELDS)
    return ("outcome", "error", *values, *([LATENCY] if limited else ()))


def keyed(raw: pl.DataFrame, pairs: pl.DataFrame, field: str) -> pl.DataFrame:
    """Add to cells of `RawCells.of` what names them: the keys of their pairs, and the field."""
    if raw.is_empty():
        return NO_CELLS
    keys = (written(pairs[name].gather(raw["pair"])) for name in KEYS)
    classes = ("control_class", "candidate_class")
    none = {name: pl.lit(None, pl.String) for name in classes if name not in raw.columns}
    return (
        pl.DataFrame([*keys, *raw.get_columns()])
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
    return pl.concat([keyed(raw.of(field), pairs, field) for field in compared_fields(rules)])
