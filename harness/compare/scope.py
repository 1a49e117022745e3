"""Which cells and pairs a rule is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

import polars as pl

from harness.compare.kinds import ExcludeRule, Rule
from harness.compare.rules import RuleSet

SCOPE = ("directory", "created_at", "archetype", "candidate_version")
"""What a rule may be about besides its field: columns of a pair."""


def in_scope(rule: Rule, cells: pl.DataFrame, *, field: bool = True) -> pl.Expr:
    """Whether a cell has the rule's field, directory and time; never NULL.

    field: False where the cells are known to have the rule's field, and need no such column.
    """
    elsewhere = _elsewhere(rule, cells)
    return _matches_field(rule.field) & elsewhere if field else elsewhere


def is_narrow(rule: Rule) -> bool:
    """Whether a rule is about some directories, times or versions only."""
    return bool(
        rule.directory or rule.archetype or rule.candidate_version or rule.since or rule.until
    )


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
    excluding = [rule for rule in rules.rule if isinstance(rule, ExcludeRule)]
    names = pl.Enum([*dict.fromkeys(rule.name for rule in excluding)])
    reasons = [
        pl.when(_set_apart(rule, pairs)).then(pl.lit(rule.name, names)) for rule in excluding
    ]
    # A pair that is already excluded because its own rows contradict each other keeps that reason.
    open_ = pl.col("state") != "excluded"
    return pairs.with_columns(
        excluded_by=pl.when(open_).then(pl.coalesce(pl.lit(None, names), *reasons))
    )


def _set_apart(rule: ExcludeRule, pairs: pl.DataFrame) -> pl.Expr:
    here = _elsewhere(rule, pairs)
    for side, words in (("control", rule.control), ("candidate", rule.candidate)):
        if words:
            here &= pl.col(f"{side}_raw_status").is_in(words).fill_null(False)
    return here


def _elsewhere(rule: Rule, rows: pl.DataFrame) -> pl.Expr:
    """Scope besides the field. rows: with `directory`, and those of `SCOPE` that the rule names."""
    here = pl.lit(True)
    for name, globs in (
        ("directory", rule.directory), ("candidate_version", rule.candidate_version),
    ):  # fmt: skip
        if globs:
            here &= pl.col(name).is_in(_matching(rows[name], globs)).fill_null(False)
    if rule.archetype:
        kind = pl.col("archetype").cast(pl.String)
        here &= kind.is_in([*rule.archetype]).fill_null(False)
    # A job without a recorded creation is in no time span.
    if rule.since:
        here &= (pl.col("created_at") >= pl.lit(rule.since)).fill_null(False)
    if rule.until:
        here &= (pl.col("created_at") < pl.lit(rule.until)).fill_null(False)
    return here


def _matching(values: pl.Series, globs: Iterable[str]) -> list[str]:
    known = values.drop_nulls().unique().cast(pl.String).to_list()
    return [name for name in known if any(fnmatchcase(name, glob) for glob in globs)]


def with_archetypes(pairs: pl.DataFrame, archetypes: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Add `archetype`: the first kind of site that has the pair's directory; NULL where none has.

    archetypes: names, each with globs over hosts.
    """
    kinds = pl.Enum([*archetypes])
    of_host = {
        host: name
        for name, globs in reversed([*archetypes.items()])
        for host in _matching(pairs["directory"], globs)
    }
    if not of_host:
        return pairs.with_columns(archetype=pl.lit(None, kinds))
    return pairs.with_columns(
        archetype=pl.col("directory").replace_strict(of_host, default=None, return_dtype=kinds)
    )


def with_versions(pairs: pl.DataFrame, deployments: Sequence[tuple[datetime, str]]) -> pl.DataFrame:
    """Add `candidate_version`: the newest that was marked when the job was created, else NULL.

    deployments: since when, and which version; in order of time.
    """
    versions = pl.Enum([*dict.fromkeys(version for _, version in deployments)])
    version = pl.lit(None, versions)
    for at, name in deployments:
        version = (
            pl.when(pl.col("created_at") >= pl.lit(at))
            .then(pl.lit(name, versions))
            .otherwise(version)
        )
    return pairs.with_columns(candidate_version=version)
