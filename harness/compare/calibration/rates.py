"""Plants faults in a share of all jobs at once, beside everything else that was recorded. Pure."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from harness.compare.calibration.kinds import KINDS, Effect
from harness.compare.calibration.plan import Conditions, Plan
from harness.compare.calibration.planting import planted_in_place
from harness.compare.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRun:
    """One run with a fault in a share of the jobs."""

    rate: float
    """The share that was asked for, in (0, 1]."""
    jobs: int
    """Jobs in which a fault could be planted."""
    hit: int
    """Jobs that got one: the share of them, rounded up."""
    shown: int
    """Of these, how many showed it."""


def at_rates(
    plan: Plan,
    comparison: Comparison,
    submissions: pl.DataFrame,
    jobs: pl.DataFrame,
    conditions: Conditions,
    rates: Sequence[float],
    *,
    seed: int,
) -> tuple[RateRun, ...]:
    """Plant one fault of any kind in each of so many jobs, and compare the whole record again."""
    faults = [kind.id for kind in KINDS.values() if kind.effect is Effect.CHANGES]
    by_job: dict[str, list[int]] = {}
    for number, job in (
        plan.mutants.filter(pl.col("kind").is_in(faults)).select("mutant", "job_id").iter_rows()
    ):
        by_job.setdefault(job, []).append(number)
    if not by_job:
        return ()
    runs = []
    for rate in rates:
        chance = random.Random(f"{seed}:{rate}")
        hit = chance.sample(sorted(by_job), math.ceil(rate * len(by_job)))
        numbers = [chance.choice(by_job[job]) for job in hit]
        mutants = plan.mutants.filter(pl.col("mutant").is_in(numbers))
        after = conditions.compared(planted_in_place(submissions, mutants), jobs, comparison.rules)
        shown = mutants.join(
            after.differing, on=["mode", "job_id", "directory", "field"], how="semi"
        )
        runs.append(RateRun(rate=rate, jobs=len(by_job), hit=len(hit), shown=shown.height))
    return tuple(runs)
