"""What clusters look at in the cells and pairs of a few jobs, as rows. Pure.

`find_clusters` asks the same of whole columns (`universes`); for the jobs of one look, rows are
simpler and cost little.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from harness.compare.clusters import OF_DIFFERING, OF_STAGE
from harness.compare.differing import cause, job_stage, kind, step
from harness.model import Verdict

PAIR = ("mode", "job_id", "directory")


def with_features(cells: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Compared cells, each with what a description may say of its place, and how far its job got.

    cells: with `pair`, the row number in `pairs`. Adds the columns job, package, priority, hour,
    rules and job_stage, all text.
    """
    of_pairs = pairs.select(_features_of_pairs())
    return pl.concat([cells, of_pairs[cells["pair"]]], how="horizontal").with_columns(
        # The words of an outcome or error are what the rules map: the case itself, and no cause of
        # it.
        pl.when(pl.col("field").str.starts_with("values."))
        .then(pl.col("touched").list.join(", ").replace("", None))
        .alias("rules")
    )


@cache
def _features_of_pairs() -> list[pl.Expr]:
    return [
        pl.col("job_id").alias("job"),
        pl.col("package_size").cast(pl.String).alias("package"),
        pl.col("priority").cast(pl.String),
        pl.col("created_at").dt.strftime("%Y-%m-%d %H:00").alias("hour"),
        job_stage().alias("job_stage"),
    ]


def with_causes(differing: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Differing cells of `with_features`, each with kind, cause, step and when it was seen."""
    of_pairs = pairs.select(*OF_STAGE, *OF_DIFFERING)[differing["pair"]]
    return (
        pl.concat([differing, of_pairs], how="horizontal")
        .with_columns(kind=kind())
        .with_columns(cause=cause(), step=step())
        .with_columns(
            seen_at=pl.coalesce(
                pl.max_horizontal("control_finished_at", "candidate_finished_at"), "created_at"
            )
        )
    )


def settled_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs that count for agreement by job: mode, job_id, directory and whether they agree."""
    verdict = pairs["verdict"]
    apart = verdict.is_in([Verdict.IN_FLIGHT.value, Verdict.EXCLUDED.value])
    counts = ~apart & pairs["created_at"].is_not_null()
    told = pairs.select(PAIR).with_columns(agrees=verdict == Verdict.AGREE.value)
    return told.filter(counts)
