"""What proposed rules would hide, and which of it is a real fault. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from harness.assessment import Cluster, Difference
from harness.compare.clusters import KEYS, find_clusters
from harness.compare.comparison import Comparison, compare_again, difference_id, differences
from harness.compare.meaning import meaning
from harness.compare.rules import RuleSet
from harness.model import ErrorClass

_NO_FAULTS = frozenset({"other_word", "slow"})
"""Two words for one outcome, and a slow one: to absorb them is what rules are for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a comparison shows without the proposed rules and not with them."""

    shown: tuple[Difference, ...]
    """All that show without the proposed rules."""
    hidden: tuple[Difference, ...]
    faults: tuple[Difference, ...]
    """Those of the hidden that are a fault of one side and no way of writing."""
    clusters: tuple[Cluster, ...]
    """Of the hidden, the most agreement first."""
    appeared: tuple[Difference, ...]
    """What only shows with the proposed rules; a narrower rule in place of a wider one does so."""
    hidden_pairs: int
    set_apart: int
    """Pairs that are excluded with the proposed rules and not without."""


def try_rules(before: Comparison, rules: RuleSet) -> Trial:
    """Judge the same pairs again by `rules`, which hold the proposed ones."""
    after = compare_again(before, rules)
    shown, left = differences(before), differences(after)
    known, kept = {d.id for d in shown}, {d.id for d in left}
    hidden = tuple(d for d in shown if d.id not in kept)
    found = find_clusters(before, among=_keys(hidden))
    cluster_of = {difference_id(*row[:4]): row[4] for row in found.members.iter_rows()}
    hidden = tuple(replace(d, cluster=cluster_of[d.id]) for d in hidden)
    faults = {d.id for d in hidden if is_fault(d)} - _unclassified(before)
    return Trial(
        shown=shown,
        hidden=hidden,
        faults=tuple(d for d in hidden if d.id in faults),
        clusters=found.clusters,
        appeared=tuple(d for d in left if d.id not in known),
        hidden_pairs=len({(d.mode, d.job_id, d.directory) for d in hidden}),
        set_apart=_count_excluded(after) - _count_excluded(before),
    )


def is_fault(difference: Difference) -> bool:
    """Whether a difference is a fault: outcomes or classes differ, or another value was sent.

    Two ways of writing one value are none.
    """
    if difference.kind in _NO_FAULTS:
        return False
    if difference.kind != "wrong_value":
        return True
    sent = (difference.control_raw or "", difference.candidate_raw or "")
    return len({meaning(difference.field, value) for value in sent}) > 1


def _unclassified(comparison: Comparison) -> set[str]:
    """Ids of differing errors of which one has no class yet: to give it one hides no fault."""
    unknown = pl.any_horizontal(
        pl.col(f"{side}_class").eq_missing(ErrorClass.UNKNOWN.value)
        for side in ("control", "candidate")
    )
    cells = comparison.differing.filter((pl.col("field") == "error") & unknown).select(
        "mode", "job_id", "directory", "field"
    )
    return {difference_id(*row) for row in cells.iter_rows()}


def _keys(differences: Sequence[Difference]) -> pl.DataFrame:
    rows = [(d.mode, d.job_id, d.directory, d.field) for d in differences]
    return pl.DataFrame(rows, schema=dict.fromkeys(KEYS, pl.String), orient="row")


def _count_excluded(comparison: Comparison) -> int:
    return int(comparison.narrow["excluded_by"].count())
