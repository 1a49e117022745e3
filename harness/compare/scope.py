"""Which cells and pairs a rule is about. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

import polars as pl

from harness.compare.kinds import ExcludeRule, Rule
from harness.compare.rules import RuleSet


def in_scope(rule: Rule, cells: pl.DataFrame, *, field: bool = True) -> pl.Expr:
    """Whether a cell has the rule's field, directory and time; never NULL.

    field: False where the cells are known to have the rule's field, and need no such column.
    """
    elsewhere = _elsewhere(rule, cells)
    return _matches_field(rule.field) & elsewhere if field else elsewhere


def is_narrow(rule: Rule) -> bool:
    """Whether a rule is about some directories or times only."""
    return bool(rule.directory or rule.since or rule.until)


def _matches_field(field: str) -> pl.Expr:
    """Whether a cell has this field; ``values.*`` has every value."""
    if field.endswith(".*"):
        return pl.col("field").str.starts_with(field[:-1])
    return pl.col("field") == field


def is_of_field(rule: Rule, field: str) -> bool:
    """Whether a rule is about a field; ``values.*`` is about every value."""
    if rule.field.endswith(".*"):
        return field.startswith(rule.field[:-1])
    return field == rule.field


def with_exclusions(pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Add `excluded_by`: the first rule that sets a pair apart, NULL for every other pair."""
    reasons = [pl.lit(None, pl.String)]
    for rule in rules.rule:
        if isinstance(rule, ExcludeRule):
            reasons.append(pl.when(_set_apart(rule, pairs)).then(pl.lit(rule.name)))
    # A pair that is already excluded because its own rows contradict each other keeps that reason.
    open_ = pl.col("state") != "excluded"
    own = dict.fromkeys(rule.name for rule in rules.rule if isinstance(rule, ExcludeRule))
    return pairs.with_columns(
        excluded_by=pl.when(open_).then(pl.coalesce(reasons)).cast(pl.Enum([*own]))
    )


def _set_apart(rule: ExcludeRule, pairs: pl.DataFrame) -> pl.Expr:
    here = _elsewhere(rule, pairs)
    for side, words in (("control", rule.control), ("candidate", rule.candidate)):
        if words:
            here &= pl.col(f"{side}_raw_status").is_in(words).fill_null(False)
    return here


def _elsewhere(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    """Scope besides the field. rows: with `directory`, and `created_at` for a time span."""
    here = pl.lit(True)
    if rule.directory:
        globs = rule.directory
        names = [
            name
            for name in rows["directory"].unique().to_list()
            if any(fnmatchcase(name, glob) for glob in globs)
        ]
        here &= pl.col("directory").is_in(names)
    # A job without a recorded creation is in no time span.
    if rule.since:
        here &= (pl.col("created_at") >= pl.lit(rule.since)).fill_null(False)
    if rule.until:
        here &= (pl.col("created_at") < pl.lit(rule.until)).fill_null(False)
    return here
