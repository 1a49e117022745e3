"""Who was in the shadow, stage by stage. Pure: frames in, frames out.

A job is in the sample if the hash selects it, where a salt is known, and otherwise if the
candidate ever gave a sign of it. At 100 % every job is in, so that one without a sign is lost.
Below that it was not chosen or was lost before the queue, and the record cannot tell which: an
assessment leaves such jobs out and counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from harness.assess.eras import Stage
from harness.assessment import Finding
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
    created: list[datetime] = jobs["created_at"].to_list()
    placed = jobs.with_columns(
        stage=pl.Series([stage_of(at, stages) for at in created], dtype=pl.Int64),
        signed=_gave_sign(spoken["job_id"]),
    ).filter(pl.col("stage").is_not_null())
    percents = [stages[at].percent for at in placed["stage"].to_list()]
    selected = [
        percent >= 100.0 or (None if salt is None else in_shadow(job, salt=salt, percent=percent))
        for job, percent in zip(placed["job_id"].to_list(), percents, strict=True)
    ]
    return placed.with_columns(selected=pl.Series(selected, dtype=pl.Boolean)).with_columns(
        sampled=pl.coalesce("selected", "signed")
    )


def unsampled_jobs(
    jobs: pl.DataFrame, submissions: pl.DataFrame, stages: Sequence[Stage]
) -> frozenset[str]:
    """Ids of the jobs of stages below 100 % of which the candidate shows no sign.

    jobs, submissions: the frames of ``sql/views/select_submissions.sql``. stages: all there were.
    """
    partly = [stage for stage in stages if stage.percent < 100.0]
    if not partly:
        return frozenset()
    created = pl.col("created_at")
    within = pl.any_horizontal(
        (created >= stage.since) & (pl.lit(True) if stage.until is None else created < stage.until)
        for stage in partly
    )
    touched = submissions.filter((pl.col("side") == "candidate") & (pl.col("mode") == LIVE))
    return frozenset(jobs.filter(within & ~_gave_sign(touched["job_id"]))["job_id"].to_list())


def in_sample(findings: Sequence[Finding], unsampled: frozenset[str]) -> tuple[Finding, ...]:
    """The findings without the places of jobs that were not chosen; those without any are gone."""
    if not unsampled:
        return tuple(findings)
    kept = []
    for finding in findings:
        places = tuple(one for one in finding.evidence if one.job_id not in unsampled)
        if places or not finding.evidence:
            kept.append(replace(finding, evidence=places))
    return tuple(kept)


def _gave_sign(spoken: pl.Series) -> pl.Expr:
    """Whether the candidate ever gave a sign of a job. spoken: ids of those it spoke of."""
    signs = ("claimed_at", "triggered_at", "flow_started_at", "candidate_finished_at")
    return pl.any_horizontal(pl.col(name).is_not_null() for name in signs) | pl.col("job_id").is_in(
        spoken.unique().to_list()
    )
