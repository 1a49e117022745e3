"""Spreads pairs into cells (one compared field of one pair) and passes them through the rules.

Pure and set-based: a rule's function runs once per distinct value, never once per pair.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from harness.compare.kinds import (
    VALUE_FIELDS,
    CeilingRule,
    ErrorClassRule,
    ExcludeRule,
    Rule,
    ToleranceRule,
)
from harness.compare.normalise import normaliser, within
from harness.compare.rules import RuleSet
from harness.compare.scope import in_scope, is_of_field
from harness.model import LIVE

_BITS = 64
"""Rules of one field that are kept apart at once, a bit each."""
_KEYS = ("pair", "mode", "job_id", "directory", "created_at")
LATENCY = "latency_s"


def spread(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Return the cells of all pairs that are not in flight.

    pairs: with `pair`, the number of each. Columns: pair, mode, job_id, directory, created_at (of
    the job), field, control_raw, candidate_raw (text), control_class, candidate_class (error cells
    only). A field that one side does not send is not compared: the two systems fill different sets
    of inputs, which is no difference in what they sent.
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
        pl.lit(LATENCY).alias("field"),
        pl.lit("").alias("control_raw"),
        (pl.col("candidate_duration_ms") / 1000).round(1).cast(pl.String).alias("candidate_raw"),
        none.alias("control_class"),
        none.alias("candidate_class"),
    )  # fmt: skip


def apply_rules(cells: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Add control_value, candidate_value, touched (names of rules) and differs to the cells.

    cells: as `spread` gives them; `created_at` only where a rule has a time span.
    """
    numbered = cells.with_columns(run=pl.col("field").rle_id())
    runs = numbered.partition_by("run", maintain_order=True, include_key=False)
    return pl.concat([_apply_all(run, rules) for run in runs or [cells]])


def _apply_all(cells: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """The same for cells of one field: a rule of another field costs nothing."""
    field = cells["field"].first()
    applied = [rule for rule in rules.rule if field is None or is_of_field(rule, str(field))]
    out = cells.with_columns(
        control_value=pl.col("control_raw"),
        candidate_value=pl.col("candidate_raw"),
        touched=pl.lit([], pl.List(pl.String)),
    )
    for start in range(0, len(applied), _BITS):
        some = applied[start : start + _BITS]
        out = out.with_columns(hits=pl.lit(0, pl.UInt64))
        for place, rule in enumerate(some):
            out = _apply(out, rule, bit=1 << place)
        out = _named(out, [rule.name for rule in some])
    differs = pl.col("control_value").ne_missing(pl.col("candidate_value"))
    # The control has no latency of its own here: only a ceiling says what is too much.
    slow = pl.lit(False)
    for rule in applied:
        if isinstance(rule, CeilingRule):
            above = pl.col("candidate_value").cast(pl.Float64, strict=False) > rule.limit
            slow = pl.when(in_scope(rule, cells)).then(above.fill_null(False)).otherwise(slow)
    return out.with_columns(
        differs=pl.when(pl.col("field") == LATENCY).then(slow).otherwise(differs)
    )


def _named(cells: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Add the rules that hit each cell to those that touched it."""
    bits = cells["hits"].unique().to_list()
    named = [[name for place, name in enumerate(names) if bit >> place & 1] for bit in bits]
    table = pl.DataFrame(
        {"hits": bits, "named": named}, schema={"hits": pl.UInt64, "named": pl.List(pl.String)}
    )
    return (
        cells.join(table, on="hits", how="left", maintain_order="left")
        .with_columns(touched=pl.concat_list("touched", "named"))
        .drop("hits", "named")
    )


def _apply(cells: pl.DataFrame, rule: Rule, *, bit: int) -> pl.DataFrame:
    if isinstance(rule, ExcludeRule):
        return cells
    here = in_scope(rule, cells)
    old = {side: pl.col(f"{side}_value") for side in ("control", "candidate")}
    if isinstance(rule, CeilingRule):
        limit = pl.lit(f"at most {rule.limit:g}")
        return cells.with_columns(control_value=pl.when(here).then(limit).otherwise(old["control"]))
    if isinstance(rule, ErrorClassRule):
        new = _classes(cells, rule, here)
    elif isinstance(rule, ToleranceRule):
        return _tolerate(cells, rule, here, bit=bit)
    else:
        changed = _changes(cells.filter(here), rule)
        if not changed:
            return cells
        new = {side: value.replace(changed) for side, value in old.items()}
    new = {side: pl.when(here).then(new[side]).otherwise(value) for side, value in old.items()}
    moved = pl.any_horizontal(new[side].ne_missing(value) for side, value in old.items())
    return cells.with_columns(
        hits=_hit(bit, moved),
        control_value=new["control"],
        candidate_value=new["candidate"],
    )


def _changes(subset: pl.DataFrame, rule: Rule) -> dict[str, str]:
    """What the rule makes of the values that it changes, each distinct one looked at once."""
    function = normaliser(rule)
    if function is None:
        raise AssertionError(f"rule {rule.name} has no function")
    distinct = pl.concat([subset["control_value"], subset["candidate_value"]]).drop_nulls()
    table = {value: function(value) for value in distinct.unique().to_list()}
    return {old: new for old, new in table.items() if old != new}


def _classes(cells: pl.DataFrame, rule: ErrorClassRule, here: pl.Expr) -> dict[str, pl.Expr]:
    """The class of either side's recorded text: of the first own pattern it holds, else shipped."""
    class_of = {side: pl.col(f"{side}_class") for side in ("control", "candidate")}
    if rule.pattern:
        patterns = [(re.compile(line.match), line.to) for line in rule.pattern]
        subset = cells.filter(here)
        texts = pl.concat([subset["control_raw"], subset["candidate_raw"]]).drop_nulls().unique()
        found = {
            text: next((to for pattern, to in patterns if pattern.search(text)), None)
            for text in texts.to_list()
        }
        for side, shipped in class_of.items():
            own = pl.col(f"{side}_raw").replace_strict(found, default=None, return_dtype=pl.String)
            class_of[side] = pl.coalesce(own, shipped)
    # Two texts that no class describes have nothing in common; they stay as they are.
    unknown = pl.any_horizontal((own == "unknown").fill_null(False) for own in class_of.values())
    return {
        side: pl.when(unknown).then(pl.col(f"{side}_value")).otherwise(own)
        for side, own in class_of.items()
    }


def _tolerate(cells: pl.DataFrame, rule: ToleranceRule, here: pl.Expr, *, bit: int) -> pl.DataFrame:
    """Where both numbers are near enough, the candidate's counts as the control's."""
    sides = ["control_value", "candidate_value"]
    differing = cells.filter(here & (pl.col(sides[0]) != pl.col(sides[1])))
    near = [pair for pair in differing.select(sides).unique().iter_rows() if within(rule, *pair)]
    if not near:
        return cells
    table = pl.DataFrame(near, schema=sides, orient="row").with_columns(near=True)
    absorbed = here & pl.col("near").fill_null(False)
    return (
        cells.join(table, on=sides, how="left", maintain_order="left")
        .with_columns(
            hits=_hit(bit, absorbed),
            candidate_value=pl.when(absorbed).then(pl.col(sides[0])).otherwise(pl.col(sides[1])),
        )
        .drop("near")
    )


def _hit(bit: int, moved: pl.Expr) -> pl.Expr:
    return pl.when(moved).then(pl.col("hits") | pl.lit(bit, pl.UInt64)).otherwise(pl.col("hits"))
