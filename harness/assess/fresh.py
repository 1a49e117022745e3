"""Which jobs a rule made after looking may not speak for. Pure.

A rule that is younger than part of the data can hide every difference in it. So where a rule
changes a verdict among the jobs created before it was in force, the agreement that the gates use
begins anew with the jobs created since: a sequence that begins at such a moment is as good as any,
while leaving out only the jobs that the rule touches would leave out the differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from harness.assess.in_force import as_of_rules
from harness.compare.comparison import Comparison, compare_again
from harness.gates.wording import counted, listed
from harness.model import LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """From when on agreement counts."""

    since: datetime
    rules: tuple[str, ...]
    """The rules that are as young as this."""
    changed: int
    """Verdicts among the older pairs that are others because of them."""

    @property
    def words(self) -> str:
        """Why, in words."""
        noun = "rule" if len(self.rules) == 1 else "rules"
        return (
            f"only jobs since {noun} {listed(self.rules)} ({self.since:%d %B %Y %H:%M} UTC), which "
            f"would change {counted(self.changed, 'verdict')} among the older ones"
        )


def fresh_cut(comparison: Comparison, ages: Mapping[str, datetime | None]) -> Cut | None:
    """The youngest rules that change a verdict among live pairs of older jobs; None without any.

    ages: by name of the rule, since when it is in force; None from the beginning. Each age costs
    one more comparison.
    """
    moments = sorted({at for at in ages.values() if at is not None}, reverse=True)
    pairs = comparison.narrow
    for moment in moments:
        older = pairs.select(
            here=(pl.col("mode") == LIVE) & (pl.col("created_at") < pl.lit(moment)).fill_null(True)
        )["here"]
        if not older.any():
            continue
        before = compare_again(comparison, as_of_rules(comparison.rules, ages, moment)).narrow
        changed = int(((before["verdict"] != pairs["verdict"]) & older).sum())
        if changed:
            names = tuple(name for name, at in ages.items() if at == moment)
            return Cut(since=moment, rules=names, changed=changed)
    return None
