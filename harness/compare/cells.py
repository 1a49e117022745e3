"""Spreads pairs into cells (one compared field of one pair) and passes them through the rules.

Pure and set-based: a rule's function runs once per distinct value, never once per pair.
"""

from __future__ import annotations

import polars as pl

from harness.compare.normalise import normaliser
from harness.compare.rules import VALUE_FIELDS, CeilingRule, ErrorClassRule, Rule, RuleSet
from harness.model import LIVE

_KEYS = ("mode", "job_id", "directory")


def spread(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Return the cells of all pairs that are not in flight.

    Columns: mode, job_id, directory, field, control_raw, candidate_raw (text), control_class,
    candidate_class (error cells only). A field that one side does not send is not compared: the
    two systems fill different sets of inputs, which is no difference in what they sent.
    """
    settled = pairs.filter(pl.col("state") == "settled")
    missing = pairs.filter(pl.col("state").is_in(["missing_candidate", "missing_control"]))
    none = pl.lit(None, pl.String)
    outcome = pl.concat([settled, missing]).select(
        *_KEYS,
        pl.lit("outcome").alias("field"),
        pl.when(pl.col("state") == "missing_control")
        .then(pl.lit("missing"))
        .otherwise(pl.col("control_raw_status"))
        .alias("control_raw"),
        pl.when(pl.col("state") == "missing_candidate")
        .then(pl.lit("missing"))
        .otherwise(pl.col("candidate_raw_status"))
        .alias("candidate_raw"),
        none.alias("control_class"),
        none.alias("candidate_class"),
    )
    both_failed = (pl.col("control_outcome") == "failed") & (
        pl.col("candidate_outcome") == "failed"
    )
    error = settled.filter(both_failed).select(
        *_KEYS,
        pl.lit("error").alias("field"),
        pl.col("control_error_text").fill_null("").alias("control_raw"),
        pl.col("candidate_error_text").fill_null("").alias("candidate_raw"),
        pl.col("control_error_class").alias("control_class"),
        pl.col("candidate_error_class").alias("candidate_class"),
    )
    values = [_value_cells(settled, name) for name in VALUE_FIELDS]
    parts = [outcome, error, *values]
    if any(isinstance(rule, CeilingRule) for rule in rules.rule):
        parts.append(_latency_cells(settled))
    return pl.concat(parts)


def _value_cells(settled: pl.DataFrame, name: str) -> pl.DataFrame:
    none = pl.lit(None, pl.String)
    # A replay shows what the site really received; production only what the plan would type.
    sent = pl.coalesce(f"observed_{name}", f"candidate_sent_{name}")
    return (
        settled.select(
            *_KEYS,
            pl.lit(f"values.{name}").alias("field"),
            pl.col(f"control_sent_{name}").alias("control_raw"),
            sent.alias("candidate_raw"),
            none.alias("control_class"),
            none.alias("candidate_class"),
        )
        .drop_nulls(["control_raw", "candidate_raw"])
    )  # fmt: skip


def _latency_cells(settled: pl.DataFrame) -> pl.DataFrame:
    none = pl.lit(None, pl.String)
    live = settled.filter((pl.col("mode") == LIVE) & pl.col("candidate_duration_ms").is_not_null())
    return live.select(
        *_KEYS,
        pl.lit("latency_s").alias("field"),
        pl.lit("").alias("control_raw"),
        (pl.col("candidate_duration_ms") / 1000).round(1).cast(pl.String).alias("candidate_raw"),
        none.alias("control_class"),
        none.alias("candidate_class"),
    )  # fmt: skip


def apply_rules(cells: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Add control_value, candidate_value, touched (names of rules) and differs to the cells."""
    out = cells.with_columns(
        control_value=pl.col("control_raw"),
        candidate_value=pl.col("candidate_raw"),
        touched=pl.lit([], pl.List(pl.String)),
    )
    for rule in rules.rule:
        out = _apply(out, rule)
    ceilings = [rule for rule in rules.rule if isinstance(rule, CeilingRule)]
    differs = pl.col("control_value").ne_missing(pl.col("candidate_value"))
    for rule in ceilings:
        above = pl.col("candidate_value").cast(pl.Float64, strict=False) > rule.limit
        differs = pl.when(_matches(rule.field)).then(above.fill_null(False)).otherwise(differs)
    return out.with_columns(differs=differs)


def _matches(field: str) -> pl.Expr:
    if field.endswith(".*"):
        return pl.col("field").str.starts_with(field[:-1])
    return pl.col("field") == field


def _apply(cells: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    here = _matches(rule.field)
    if isinstance(rule, ErrorClassRule):
        # Two texts that no class describes have nothing in common; they stay as they are.
        known = here & ~pl.any_horizontal(
            (pl.col(f"{side}_class") == "unknown").fill_null(False)
            for side in ("control", "candidate")
        )
        new = {
            side: pl.when(known).then(pl.col(f"{side}_class")).otherwise(pl.col(f"{side}_value"))
            for side in ("control", "candidate")
        }
    elif isinstance(rule, CeilingRule):
        limit = pl.lit(f"at most {rule.limit:g}")
        control = pl.when(here).then(limit).otherwise(pl.col("control_value"))
        return cells.with_columns(control_value=control)
    else:
        function = normaliser(rule)
        if function is None:
            raise AssertionError(f"rule {rule.name} has no function")
        subset = cells.filter(here)
        distinct = pl.concat([subset["control_value"], subset["candidate_value"]]).drop_nulls()
        table = {value: function(value) for value in distinct.unique().to_list()}
        changed = {old: new_ for old, new_ in table.items() if old != new_}
        if not changed:
            return cells
        new = {
            side: pl.when(here)
            .then(pl.col(f"{side}_value").replace(changed))
            .otherwise(pl.col(f"{side}_value"))
            for side in ("control", "candidate")
        }
    moved = new["control"].ne_missing(pl.col("control_value")) | new["candidate"].ne_missing(
        pl.col("candidate_value")
    )
    return cells.with_columns(
        touched=pl.when(moved)
        .then(pl.concat_list("touched", pl.lit(rule.name)))
        .otherwise(pl.col("touched")),
        control_value=new["control"],
        candidate_value=new["candidate"],
    )
