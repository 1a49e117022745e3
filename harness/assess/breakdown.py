"""Where agreement and success are lost: by directory, kind of site and size of package. Pure."""

from __future__ import annotations

from itertools import chain

import polars as pl

from harness.assessment import Breakdown
from harness.model import LIVE, Outcome, Verdict

UNKNOWN = "unknown"
_DONE = [Outcome.SUBMITTED.value, Outcome.SKIPPED.value]
_NO_VERDICT = [Verdict.IN_FLIGHT.value, Verdict.EXCLUDED.value]


def break_down(pairs: pl.DataFrame) -> tuple[Breakdown, ...]:
    """The live pairs that have a verdict: by directory, by kind of site, by size of package.

    pairs: `Comparison.pairs`. Within a dimension the largest loss of submissions comes first, then
    the largest number of disagreements, then the name; sizes stand by themselves, smallest first.
    Kinds of site are those that the rules declare; without any there is no such dimension.
    A skipped submission is one that was made before, so that it counts as submitted.
    """
    judged = pairs.lazy().filter((pl.col("mode") == LIVE) & ~pl.col("verdict").is_in(_NO_VERDICT))
    # Pairs that are alike in all dimensions are few, and are counted once for each of them.
    alike = judged.group_by("directory", "archetype", "package_size").agg(_counts()).collect()
    places = [
        sorted(
            _by(alike, dimension),
            key=lambda one: (
                one.candidate_submitted - one.control_submitted,
                one.agreeing - one.submissions,
                one.name,
            ),
        )
        for dimension in ("directory", "archetype")
        if alike[dimension].count()
    ]
    sizes = sorted(
        _by(alike, "package_size"),
        key=lambda one: (one.name == UNKNOWN, int(one.name) if one.name != UNKNOWN else 0),
    )
    return (*chain(*places), *sizes)


def _counts() -> list[pl.Expr]:
    def done(side: str) -> pl.Expr:
        return pl.col(f"{side}_outcome").is_in(_DONE).fill_null(False).sum()

    return [
        pl.len().alias("submissions"),
        (pl.col("verdict") == Verdict.AGREE.value).sum().alias("agreeing"),
        done("control").alias("control_submitted"),
        done("candidate").alias("candidate_submitted"),
    ]


def _by(alike: pl.DataFrame, dimension: str) -> list[Breakdown]:
    name = pl.col(dimension).cast(pl.String).fill_null(UNKNOWN).replace("", UNKNOWN)
    counts = pl.exclude("directory", "archetype", "package_size")
    rows = alike.group_by(name.alias("name")).agg(counts.sum())
    return [Breakdown(dimension=dimension, **row) for row in rows.iter_rows(named=True)]
