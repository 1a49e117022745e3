"""Passes cells through the rules: what each side's value becomes, which rules changed it. Pure.

Set-based: a rule works on columns, and a function that must be called is called once per distinct
value, never once per pair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.forms import normalised
from harness.compare.kinds import (
    LATENCY,
    CeilingRule,
    ErrorClassRule,
    ExcludeRule,
    Rule,
    ToleranceRule,
)
from harness.compare.normalise import within
from harness.compare.rules import RuleSet
from harness.compare.scope import in_scope, is_narrow, is_of_field

_BITS = 64
"""Rules of one field that are kept apart at once, a bit each."""
_Codes: TypeAlias = npt.NDArray[np.uint32]
_Names: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Applied:
    """What rules make of cells of one field, in the order of the cells.

    differs: Boolean. by: for each cell a place in `names`: the rules that changed a value of it, in
    their order. No two of `names` are the same.
    """

    control: pl.Series
    candidate: pl.Series
    differs: pl.Series
    by: _Codes
    names: _Names

    def touched(self) -> pl.Series:
        """The names for each cell, as lists."""
        names = pl.Series(self.names, dtype=pl.List(pl.String))
        return (
            names.gather(pl.Series(self.by))
            if names.len() > 1
            else names.new_from_index(0, self.by.size)
        )


def apply_rules(cells: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """Add control_value, candidate_value, touched (names of rules) and differs to the cells.

    cells: as `cells.spread` gives them; `directory` and `created_at` only where a rule is about
    some.
    """
    numbered = cells.with_columns(run=pl.col("field").rle_id())
    runs = numbered.partition_by("run", maintain_order=True, include_key=False)
    return pl.concat([_with_values(run, rules) for run in runs or [cells]])


def _with_values(cells: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    field = cells["field"].first()
    found = apply_to_field(cells, "" if field is None else str(field), rules)
    return cells.with_columns(
        control_value=found.control,
        candidate_value=found.candidate,
        touched=found.touched(),
        differs=found.differs,
    )


def apply_to_field(cells: pl.DataFrame, field: str, rules: RuleSet) -> Applied:
    """Apply the rules of one field to cells of it: a rule of another field costs nothing.

    cells: control_raw and candidate_raw; the classes of an ``error``; `directory` and `created_at`
    where a rule is about some. Without a column of the candidate both sides are alike.
    """
    applied = [rule for rule in rules.rule if is_of_field(rule, field)]
    values = cells["control_raw"], _candidate(cells, "raw")
    by: _Codes = np.zeros(cells.height, np.uint32)
    names: _Names = ((),)
    for start in range(0, len(applied), _BITS):
        some = applied[start : start + _BITS]
        hits = np.zeros(cells.height, np.uint64)
        for place, rule in enumerate(some):
            values, moved = _apply(rule, cells, *values)
            if moved is not None:
                hits[moved.to_numpy()] |= np.uint64(1 << place)
        by, names = _also_by(by, names, hits, [rule.name for rule in some])
    control, candidate = values
    if field == LATENCY:
        differs = _slow(candidate, cells, applied)
    else:
        differs = control.ne_missing(candidate)
    return Applied(control=control, candidate=candidate, differs=differs, by=by, names=names)


def _also_by(
    by: _Codes, names: _Names, hits: npt.NDArray[np.uint64], rules: list[str]
) -> tuple[_Codes, _Names]:
    """Add the rules that hit each cell, a bit each, to those that did before them."""
    if not hits.any():
        return by, names
    together = pl.DataFrame({"by": by, "hits": hits})
    distinct = together.unique(maintain_order=True).with_row_index("code")
    found = tuple(
        (*names[before], *(name for place, name in enumerate(rules) if bits >> place & 1))
        for before, bits in distinct.select("by", "hits").iter_rows()
    )
    if distinct.height == 1:
        return np.zeros(by.size, np.uint32), found
    codes = together.join(distinct, on=["by", "hits"], how="left", maintain_order="left")["code"]
    return codes.to_numpy(), found


def _slow(candidate: pl.Series, cells: pl.DataFrame, applied: list[Rule]) -> pl.Series:
    """Whether each latency is above its ceiling; the last one that is about the cell counts.

    The control has no latency of its own here: only a ceiling says what is too much.
    """
    took_s = candidate.cast(pl.Float64, strict=False)
    slow = pl.repeat(False, cells.height, eager=True)
    for rule in applied:
        if isinstance(rule, CeilingRule):
            slow = (took_s > rule.limit).fill_null(False).zip_with(_here(rule, cells), slow)
    return slow


def _here(rule: Rule, cells: pl.DataFrame) -> pl.Series:
    """Whether a rule of the cells' field is about each of them."""
    if not is_narrow(rule):
        return pl.repeat(True, cells.height, eager=True)
    return cells.select(here=in_scope(rule, cells, field=False))["here"]


def _apply(
    rule: Rule, cells: pl.DataFrame, control: pl.Series, candidate: pl.Series
) -> tuple[tuple[pl.Series, pl.Series], pl.Series | None]:
    """The values of both sides after the rule, and in which cells it changed one."""
    old = control, candidate
    if isinstance(rule, ExcludeRule):
        return old, None
    here = _here(rule, cells)
    if isinstance(rule, CeilingRule):
        limit = pl.Series([f"at most {rule.limit:g}"]).new_from_index(0, cells.height)
        return (limit.zip_with(here, control), candidate), None
    if isinstance(rule, ErrorClassRule):
        new = _classes(rule, cells, here, control, candidate)
    elif isinstance(rule, ToleranceRule):
        near = _near(rule, here, control, candidate)
        new = control, control.zip_with(near, candidate)
    else:
        changed = _normalised(rule, control, here)
        new = changed, changed if candidate is control else _normalised(rule, candidate, here)
    moved = new[0].ne_missing(control)
    if candidate is not control:
        moved = moved | new[1].ne_missing(candidate)
    return (new, moved) if moved.any() else (old, None)


def _normalised(rule: Rule, values: pl.Series, here: pl.Series) -> pl.Series:
    if not is_narrow(rule):
        return normalised(rule, values)
    at = here.arg_true()
    return values.clone().scatter(at, normalised(rule, values.gather(at)))


def _candidate(cells: pl.DataFrame, name: str) -> pl.Series:
    """A column of the candidate; the control's where both sides are alike."""
    return cells[f"candidate_{name}" if f"candidate_{name}" in cells.columns else f"control_{name}"]


def _classes(
    rule: ErrorClassRule,
    cells: pl.DataFrame,
    here: pl.Series,
    control: pl.Series,
    candidate: pl.Series,
) -> tuple[pl.Series, pl.Series]:
    """The class of either side's recorded text: of the first own pattern it holds, else shipped."""
    raw = cells["control_raw"], _candidate(cells, "raw")
    class_of = [cells["control_class"], _candidate(cells, "class")]
    if rule.pattern:
        patterns = [(re.compile(line.match), line.to) for line in rule.pattern]
        texts = pl.concat([side.filter(here) for side in raw]).drop_nulls().unique()
        found = {
            text: next((to for pattern, to in patterns if pattern.search(text)), None)
            for text in texts.to_list()
        }
        for place, side in enumerate(raw):
            own = side.replace_strict(found, default=None, return_dtype=pl.String)
            class_of[place] = own.zip_with(own.is_not_null(), class_of[place])
    # Two texts that no class describes have nothing in common; they stay as they are.
    known = here
    for own in class_of:
        known = known & (own != "unknown").fill_null(True)
    return class_of[0].zip_with(known, control), class_of[1].zip_with(known, candidate)


def _near(
    rule: ToleranceRule, here: pl.Series, control: pl.Series, candidate: pl.Series
) -> pl.Series:
    """Where both numbers are near enough, so that the candidate's counts as the control's."""
    sides = ["control", "candidate"]
    cells = pl.DataFrame([control.alias(sides[0]), candidate.alias(sides[1])])
    differing = cells.filter(here & (control != candidate).fill_null(False)).unique()
    near = [pair for pair in differing.iter_rows() if within(rule, *pair)]
    table = pl.DataFrame(near, schema=cells.schema, orient="row").with_columns(near=True)
    found = cells.join(table, on=sides, how="left", maintain_order="left")["near"]
    return here & found.fill_null(False)
