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

    Adds the columns job, package, priority, hour, rules and job_stage, all text.
    """
    of_pairs = pairs.lazy().select(*PAIR, *OF_STAGE, "package_size", "priority")
    return cells.lazy().join(of_pairs, on=PAIR).with_columns(_features()).collect()


@cache
def _features() -> list[pl.Expr]:
    return [
        pl.col("job_id").alias("job"),
        pl.col("package_size").cast(pl.String).alias("package"),
        pl.col("priority").cast(pl.String),
        pl.col("created_at").dt.strftime("%Y-%m-%d %H:00").alias("hour"),
        # The words of an outcome or error are what the rules map: the case itself, and no cause of
        # it.
        pl.when(pl.col("field").str.starts_with("values."))
        .then(pl.col("touched").list.join(", ").replace("", None))
        .alias("rules"),
        job_stage().alias("job_stage"),
    ]


def with_causes(differing: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Differing cells of `with_features`, each with kind, cause, step and when it was seen."""
    of_pairs = pairs.lazy().select(*PAIR, *OF_DIFFERING)
    return (
        differing.lazy()
        .join(of_pairs, on=PAIR, maintain_order="left")
        .with_columns(kind=kind())
        .with_columns(cause=cause(), step=step())
        .with_columns(
            seen_at=pl.coalesce(
                pl.max_horizontal("control_finished_at", "candidate_finished_at"), "created_at"
            )
        )
        .collect()
    )


def settled_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs that count for agreement by job: mode, job_id, directory and whether they agree."""
    counts = (
        pl.col("verdict").is_in([Verdict.IN_FLIGHT, Verdict.EXCLUDED]).not_()
        & pl.col("created_at").is_not_null()
    )
    settled = pairs.lazy().filter(counts)
    return settled.select(*PAIR, agrees=pl.col("verdict") == Verdict.AGREE).collect()
