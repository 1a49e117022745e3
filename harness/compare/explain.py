"""How each compared value of a pair came to be what it is, rule by rule. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from harness.compare.applying import apply_rules
from harness.compare.cells import compared_fields
from harness.compare.comparison import Comparison, cells_of, difference_id, pair_id
from harness.compare.kinds import PAIR, CeilingRule, ExcludeRule, Rule
from harness.compare.scope import in_scope, is_of_field, with_exclusions

_PAIR_KEYS = ["mode", "job_id", "directory"]
RECORDED = "recorded"
"""What the first step of every field is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One compared field of one pair after one rule."""

    pair: str
    """Id of the pair."""
    mode: str
    job_id: str
    directory: str
    field: str
    """``pair`` for a rule about the whole pair."""
    rule: str
    """``recorded`` before any rule."""
    effect: str
    """What the rule did, in a few words."""
    control: str | None
    candidate: str | None
    agrees: bool


def find_cell(comparison: Comparison, wanted: str) -> tuple[str, str, str, str] | None:
    """Mode, job, directory and field of the compared cell with this id, differing or not.

    Cells of excluded pairs count. An id is a hash, so that each cell is looked at.
    """
    pairs = comparison.pairs
    for number, (mode, job_id, directory) in enumerate(pairs.select(_PAIR_KEYS).iter_rows()):
        for name in compared_fields(comparison.rules):
            if difference_id(mode, job_id, directory, name) == wanted:
                found = cells_of(pairs[number : number + 1], comparison.rules)
                return (mode, job_id, directory, name) if name in found["field"] else None
    return None


def find_pairs(
    comparison: Comparison, wanted: str, directory: str | None = None
) -> list[tuple[str, str, str]]:
    """(mode, job, directory) of the pairs that are meant.

    wanted: the id of a pair or of one of its differences; with a directory, a job or how it begins.
    """
    keys = [tuple(row) for row in comparison.pairs.select(_PAIR_KEYS).iter_rows()]
    if directory is not None:
        return [key for key in keys if key[1].startswith(wanted) and key[2] == directory]
    whole = [key for key in keys if pair_id(*key) == wanted]
    if whole or (cell := find_cell(comparison, wanted)) is None:
        return whole
    return [cell[:3]]


def explain(comparison: Comparison, pair: tuple[str, str, str]) -> tuple[Step, ...]:
    """Each compared field of a pair: as recorded, then after every rule that is about the field."""
    here = pl.lit(True)
    for column, value in zip(_PAIR_KEYS, pair, strict=True):
        here &= pl.col(column) == value
    row = comparison.pairs.filter(here)
    cells = cells_of(row, comparison.rules)
    raw = cells.drop("control_value", "candidate_value", "touched", "differs").sort("field")
    steps = [_whole(comparison, row, rule) for rule in comparison.rules.rule
             if isinstance(rule, ExcludeRule)]  # fmt: skip
    for place in range(raw.height):
        steps += _of_field(comparison, raw[place])
    return tuple(steps)


def _whole(comparison: Comparison, row: pl.DataFrame, rule: ExcludeRule) -> Step:
    alone = comparison.rules.model_copy(update={"rule": (rule,)})
    applies = with_exclusions(row, alone)["excluded_by"][0] is not None
    words = row.row(0, named=True)
    if applies and words["excluded_by"] != rule.name:
        effect = f"would set the pair apart; {words['excluded_by']} has done so"
    else:
        effect = "sets the pair apart" if applies else "not about this pair"
    return _step(
        words, PAIR, rule.name, effect, words["control_raw_status"], words["candidate_raw_status"],
        agrees=words["verdict_with_excluded"] == "agree",
    )  # fmt: skip


def _of_field(comparison: Comparison, raw: pl.DataFrame) -> list[Step]:
    rules = comparison.rules
    words = raw.row(0, named=True)
    field = words["field"]
    # A latency is no value of both sides, so that before its ceiling nothing can differ.
    agrees = field == "latency_s" or words["control_raw"] == words["candidate_raw"]
    steps = [_step(words, field, RECORDED, "as recorded", words["control_raw"],
                   words["candidate_raw"], agrees=agrees)]  # fmt: skip
    for place, rule in enumerate(rules.rule):
        if not is_of_field(rule, field):
            continue
        until = rules.model_copy(update={"rule": rules.rule[: place + 1]})
        after = apply_rules(raw, until).row(0, named=True)
        before = steps[-1]
        steps.append(
            _step(
                words, field, rule.name, _effect(rule, raw, before, after),
                after["control_value"], after["candidate_value"], agrees=not after["differs"],
            )
        )  # fmt: skip
    return steps


def _effect(rule: Rule, raw: pl.DataFrame, before: Step, after: dict[str, object]) -> str:
    if not raw.select(in_scope(rule, raw).alias("here"))["here"][0]:
        return "out of scope"
    if isinstance(rule, CeilingRule):
        return "too slow" if after["differs"] else "within the ceiling"
    moved = [
        side for side in ("control", "candidate") if after[f"{side}_value"] != getattr(before, side)
    ]
    if not moved:
        return "no change"
    changed = "both changed" if len(moved) == 2 else f"{moved[0]} changed"
    if before.agrees or after["differs"]:
        return changed
    return f"{changed}, now they agree"


def _step(
    words: dict[str, object],
    field: str,
    rule: str,
    effect: str,
    control: object,
    candidate: object,
    *,
    agrees: bool,
) -> Step:
    mode, job_id, directory = (str(words[key]) for key in _PAIR_KEYS)
    return Step(
        pair=pair_id(mode, job_id, directory),
        mode=mode,
        job_id=job_id,
        directory=directory,
        field=field,
        rule=rule,
        effect=effect,
        control=None if control is None else str(control),
        candidate=None if candidate is None else str(candidate),
        agrees=agrees,
    )
