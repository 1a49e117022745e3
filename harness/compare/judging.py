"""Judges one compared field of all pairs at once, and keeps the cells that differ. Pure.

Most cells agree as they were recorded, and what agrees so still agrees behind the rules: both sides
of a cell lie in the same scope of every rule, and a function, a map and an ignored field make of
two equal values two equal ones; a tolerance moves only what differs. One kind of rule looks at
something else, an error class at the class that each side recorded beside its text (`_is_open`). A
latency, which a ceiling judges, is recorded on one side only, so that none of them agrees so.

Neighbours with the same values under the same rules are judged once: a business sends the same to
every directory of its job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from harness.compare.applying import Applied, apply_to_field
from harness.compare.cells import NO_CELLS, FieldCells, RawCells, compared_fields, keyed
from harness.compare.kinds import LATENCY, ErrorClassRule
from harness.compare.parallel import side_by_side
from harness.compare.rules import RuleSet
from harness.compare.runs import runs_of
from harness.compare.scope import SCOPE, in_scope, is_narrow, is_of_field
from harness.compare.texts import all_written

_NONE_DIFFERING = NO_CELLS.with_columns(
    control_value=pl.lit(None, pl.String),
    candidate_value=pl.lit(None, pl.String),
    touched=pl.lit(None, pl.List(pl.String)),
    differs=pl.lit(None, pl.Boolean),
)
"""`JudgedField.differing` of a field of which no cell differs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedCells:
    """Which pairs have a cell of a field, and which rules changed a value of it.

    pairs: their numbers, ascending. by: for each a place in `names`, those of the rules in their
    order; equal ones may stand at several places.
    """

    pairs: pl.Series
    by: npt.NDArray[np.unsignedinteger[Any]]
    names: tuple[tuple[str, ...], ...]


_NONE_COMPARED = ComparedCells(pairs=NO_CELLS["pair"], by=np.zeros(0, dtype=np.uint8), names=((),))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedField:
    """What the rules leave of one field.

    differing: the cells that differ, in the order of their pairs; `pair`, the columns of
    `cells.spread`, control_value, candidate_value, touched and differs.
    differing_raw: numbers of the pairs whose recorded values differ; none for a latency.
    compared: all cells; None where that was not asked for.
    """

    name: str
    differing: pl.DataFrame
    differing_raw: pl.Series
    compared: ComparedCells | None


def judge_fields(raw: RawCells, rules: RuleSet, *, compared: bool) -> Iterator[JudgedField]:
    """Judge field by field, so that no more than two of them are held at a time."""

    def judge(field: str) -> JudgedField:
        return judge_field(raw, field, rules, compared=compared)

    return side_by_side(judge, compared_fields(rules), rows=raw.pairs.height)


def judge_field(
    raw: RawCells, field: str, rules: RuleSet, *, compared: bool = False
) -> JudgedField:
    """Judge one field. compared: whether to tell of all cells, agreeing ones too."""
    cells = raw.of(field)
    if cells.pairs.is_empty():
        return JudgedField(
            name=field,
            differing=_NONE_DIFFERING,
            differing_raw=cells.pairs,
            compared=_NONE_COMPARED if compared else None,
        )
    narrow = [rule for rule in rules.rule if is_of_field(rule, field) and is_narrow(rule)]
    if narrow:
        cells = cells.each()
    values = cells.values
    moved = values["control_raw"].ne_missing(values["candidate_raw"])
    open_ = _is_open(values, moved, field, rules)
    differing_raw = cells.pairs.clear()
    if field != LATENCY:
        differing_raw = cells.pairs.filter(pl.Series(cells.told(moved.to_numpy())))
    if not open_.any() and not compared:
        return JudgedField(
            name=field,
            differing=_NONE_DIFFERING,
            differing_raw=differing_raw,
            compared=None,
        )
    scopes = raw.pairs.select(SCOPE)[cells.pairs] if narrow else None
    opened = np.flatnonzero(open_.to_numpy())
    judged, run = _in_runs(
        values.filter(open_), None if scopes is None else scopes.filter(open_), field, rules
    )
    told = None
    if compared:
        told = _compared(cells, opened, (judged, run), scopes, field, rules)
    differs = np.zeros(values.height, dtype=bool)
    differs[opened] = judged.differs.gather(run).to_numpy()
    at = np.flatnonzero(cells.told(differs))
    rows = at if cells.of is None else cells.of[at]
    run = run.gather(np.searchsorted(opened, rows))
    return JudgedField(
        name=field,
        differing=keyed(
            cells.pairs.gather(at), all_written(values[rows]), raw.pairs, field
        ).with_columns(
            control_value=judged.control.gather(run),
            candidate_value=judged.candidate.gather(run),
            touched=judged.touched().gather(run),
            differs=pl.lit(True),
        ),
        differing_raw=differing_raw,
        compared=told,
    )


def _compared(
    cells: FieldCells,
    opened: npt.NDArray[np.intp],
    judged: tuple[Applied, pl.Series],
    scopes: pl.DataFrame | None,
    field: str,
    rules: RuleSet,
) -> ComparedCells:
    """All cells. judged: what became of the open ones; the others have two equal sides."""
    of_open, run = judged
    alike = cells.values.select(pl.exclude("candidate_raw", "candidate_class"))
    found, of_control = _in_runs(alike, scopes, field, rules)
    names = (*found.names, *of_open.names)
    by = np.zeros(alike.height, np.min_scalar_type(len(names)))
    if len(found.names) > 1:
        by = found.by.astype(by.dtype)[of_control.to_numpy()]
    if any(names):
        own = (of_open.by + len(found.names)).astype(by.dtype)
        by[opened] = own[run.to_numpy()]
    return ComparedCells(pairs=cells.pairs, by=cells.told(by), names=names)


def _is_open(raw: pl.DataFrame, moved: pl.Series, field: str, rules: RuleSet) -> pl.Series:
    """Which values may differ behind the rules."""
    applied = [rule for rule in rules.rule if is_of_field(rule, field)]
    if "control_class" in raw.columns and any(isinstance(r, ErrorClassRule) for r in applied):
        return moved | raw["control_class"].ne_missing(raw["candidate_class"])
    return moved


def _in_runs(
    values: pl.DataFrame, scopes: pl.DataFrame | None, field: str, rules: RuleSet
) -> tuple[Applied, pl.Series]:
    """Judge the first of each run of values that the rules cannot tell apart.

    scopes: `SCOPE` of each, where a rule is about some only. Return what became of these values,
    and for each of `values` the number of its run.
    """
    columns = values.get_columns()
    if scopes is not None:
        values = pl.concat([values, scopes], how="horizontal")
        narrow = (rule for rule in rules.rule if is_of_field(rule, field) and is_narrow(rule))
        columns += [
            values.select(here=in_scope(rule, values, field=False))["here"] for rule in narrow
        ]
    begins, runs = runs_of(columns)
    return apply_to_field(all_written(values.filter(begins)), field, rules), runs
