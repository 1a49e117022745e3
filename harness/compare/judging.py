"""Judges one compared field of all pairs at once, and keeps the cells that differ. Pure.

Most cells agree as they were recorded, and what agrees so still agrees behind the rules: both sides
of a cell lie in the same scope of every rule, and a function, a map and an ignored field make of
two equal values two equal ones; a tolerance moves only what differs. Two kinds of rules look at
something else: a ceiling at a limit, and an error class at the class that each side recorded beside
its text. Their cells are judged whatever the values are (`_is_open`).

Neighbours with the same values under the same rules are judged once: a business sends the same to
every directory of its job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import polars as pl

from harness.compare.applying import Applied, apply_to_field
from harness.compare.cells import LATENCY, RawCells, compared_fields, keyed
from harness.compare.kinds import CeilingRule, ErrorClassRule
from harness.compare.rules import RuleSet
from harness.compare.scope import in_scope, is_narrow, is_of_field

_PLACE = ("pair", "directory", "created_at")
"""What no rule looks at but to see whether it is about a cell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedField:
    """What the rules leave of one field.

    differing: the cells that differ, in the order of their pairs; `pair`, the columns of
    `cells.spread`, control_value, candidate_value, touched and differs.
    differing_raw: numbers of the pairs whose recorded values differ; none for a latency.
    """

    name: str
    differing: pl.DataFrame
    differing_raw: pl.Series


def judge_fields(raw: RawCells, rules: RuleSet) -> Iterator[JudgedField]:
    """Judge field by field, so that no more than one of them is held at a time."""
    for field in compared_fields(rules):
        yield judge_field(raw, field, rules)


def judge_field(raw: RawCells, field: str, rules: RuleSet) -> JudgedField:
    """Judge one field."""
    return _judge(raw.of(field), raw.pairs, field, rules)


def touched_by(
    raw: RawCells, field: str, rules: RuleSet
) -> tuple[pl.DataFrame, tuple[tuple[str, ...], ...]]:
    """Return pair (number, ascending) and `by` of all compared cells of a field; and names.

    by: a place in the names, which are those of the rules that changed a value of the cell, in
    their order.
    """
    cells = raw.of(field)
    moved = cells["control_raw"].ne_missing(cells["candidate_raw"])
    names: list[tuple[str, ...]] = []
    by = np.zeros(cells.height, np.uint32)
    # Apart, since each has long runs of its own.
    for here in (moved, ~moved):
        found, run = _in_runs(cells.filter(here), raw.pairs, field, rules)
        if any(found.names):
            by[here.to_numpy()] = found.by[run.to_numpy()] + len(names)
        else:
            by[here.to_numpy()] = len(names)
        names += found.names
    return cells.select("pair", by=pl.Series(by)), tuple(names)


def _judge(raw: pl.DataFrame, pairs: pl.DataFrame, field: str, rules: RuleSet) -> JudgedField:
    moved = raw["control_raw"].ne_missing(raw["candidate_raw"])
    cells = raw.filter(_is_open(raw, moved, field, rules))
    judged, run = _in_runs(cells, pairs, field, rules)
    differs = judged.differs.gather(run)
    found, run = keyed(cells.filter(differs), pairs, field), run.filter(differs)
    return JudgedField(
        name=field,
        differing=found.with_columns(
            control_value=judged.control.gather(run),
            candidate_value=judged.candidate.gather(run),
            touched=judged.touched().gather(run),
            differs=pl.lit(True),
        ),
        differing_raw=raw["pair"].filter(moved) if field != LATENCY else raw["pair"].clear(),
    )


def _is_open(raw: pl.DataFrame, moved: pl.Series, field: str, rules: RuleSet) -> pl.Series:
    """Which cells may differ behind the rules."""
    applied = [rule for rule in rules.rule if is_of_field(rule, field)]
    if any(isinstance(rule, CeilingRule) for rule in applied):
        return moved | True
    if "control_class" in raw.columns and any(isinstance(r, ErrorClassRule) for r in applied):
        return moved | raw["control_class"].ne_missing(raw["candidate_class"])
    return moved


def _in_runs(
    cells: pl.DataFrame, pairs: pl.DataFrame, field: str, rules: RuleSet
) -> tuple[Applied, pl.Series]:
    """Judge the first cell of each run of cells that the rules cannot tell apart.

    Return what became of these cells, and for each of `cells` the number of its run.
    """
    narrow = [rule for rule in rules.rule if is_of_field(rule, field) and is_narrow(rule)]
    if narrow:
        where = pairs.select("directory", "created_at")[cells["pair"]]
        cells = pl.concat([cells, where], how="horizontal")
    columns = [cells[name] for name in cells.columns if name not in _PLACE]
    columns += [cells.select(here=in_scope(rule, cells, field=False))["here"] for rule in narrow]
    begins = pl.repeat(True, cells.height, eager=True)
    if cells.height > 1:
        changes = (c.slice(1).ne_missing(c.slice(0, cells.height - 1)) for c in columns)
        begins = pl.concat([begins.slice(0, 1), reduce(or_, changes)])
    runs = (begins.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32)
    return apply_to_field(cells.filter(begins), field, rules), runs
