"""Plants faults in pairs, compares them by the real rules, and says which showed. Pure."""

from __future__ import annotations

import polars as pl

from harness.compare.calibration.causes import find_causes, shown
from harness.compare.calibration.kinds import KINDS, Effect
from harness.compare.calibration.plan import Conditions, Plan
from harness.compare.calibration.planting import copy_names, planted
from harness.compare.calibration.scoring import Mutant
from harness.compare.comparison import Comparison


def run(
    plan: Plan,
    comparison: Comparison,
    submissions: pl.DataFrame,
    jobs: pl.DataFrame,
    conditions: Conditions,
) -> list[Mutant]:
    """Judge every mutant of a plan by the rules of the comparison, in one call of `compare`.

    submissions, jobs: the frames that `comparison` was made from.
    """
    if plan.mutants.is_empty():
        return []
    mutants = copy_names(plan.mutants)
    copies = conditions.compared(*planted(submissions, jobs, mutants), comparison.rules)
    innocent = [kind.id for kind in KINDS.values() if kind.effect is Effect.INNOCENT]
    is_innocent = pl.col("kind").is_in(innocent)
    seen = shown(copies, mutants.filter(~is_innocent)) | _alarmed(
        copies, mutants.filter(is_innocent)
    )
    survivors = mutants.filter(~is_innocent & ~pl.col("mutant").is_in(list(seen)))
    causes = find_causes(copies, comparison, survivors) if survivors.height else {}
    return [
        Mutant(
            kind=row["kind"],
            field=row["field"],
            fault=KINDS[row["kind"]].fault,
            effect=KINDS[row["kind"]].effect,
            mode=row["mode"],
            job_id=row["job_id"],
            directory=row["directory"],
            shown=row["mutant"] in seen,
            cause=causes.get(row["mutant"]),
        )
        for row in mutants.iter_rows(named=True)
    ]


def _alarmed(copies: Comparison, innocent: pl.DataFrame) -> set[int]:
    """Numbers of innocent mutants with any difference; the pairs that they copy have none."""
    differing = copies.differing.select("mode", copy="job_id").unique()
    found = innocent.join(differing, on=["mode", "copy"], how="semi")
    return set(found["mutant"].to_list())
