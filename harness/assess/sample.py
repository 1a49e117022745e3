"""Who was in the shadow, stage by stage. Pure: frames in, frames out.

A job is in the sample if the hash selects it, where a salt is known, and otherwise if the
candidate ever gave a sign of it. At 100 % every job is in, so that one without a sign is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from harness.model import LIVE
from harness.plan.stages import DeclaredStage, stage_of
from harness.stats.membership import in_shadow


def with_membership(
    jobs: pl.DataFrame,
    pairs: pl.DataFrame,
    stages: Sequence[DeclaredStage],
    *,
    salt: str | None,
) -> pl.DataFrame:
    """Add `stage`, `signed`, `selected` and `sampled`; jobs before the first stage are left out.

    jobs: ``select_jobs`` with `fate`. pairs: `Comparison.pairs`. signed: the candidate said
    something of it. selected: by the hash; null without a salt. sampled: counted in the shadow.
    """
    spoken = (
        pairs.filter((pl.col("mode") == LIVE) & pl.col("candidate_raw_status").is_not_null())
        .select("job_id")
        .unique()
    )
    signs = ("claimed_at", "triggered_at", "flow_started_at", "candidate_finished_at")
    created: list[datetime] = jobs["created_at"].to_list()
    placed = jobs.with_columns(
        stage=pl.Series([stage_of(at, stages) for at in created], dtype=pl.Int64),
        signed=pl.any_horizontal(pl.col(name).is_not_null() for name in signs)
        | pl.col("job_id").is_in(spoken["job_id"].to_list()),
    ).filter(pl.col("stage").is_not_null())
    percents = [stages[at].percent for at in placed["stage"].to_list()]
    selected = [
        percent >= 100.0 or (None if salt is None else in_shadow(job, salt=salt, percent=percent))
        for job, percent in zip(placed["job_id"].to_list(), percents, strict=True)
    ]
    return placed.with_columns(selected=pl.Series(selected, dtype=pl.Boolean)).with_columns(
        sampled=pl.coalesce("selected", "signed")
    )
