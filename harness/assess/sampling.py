"""Jobs that the candidate was never meant to get, because not all traffic goes to it. Pure.

At less than 100 % traffic a job without any sign of the candidate was not chosen, or was lost
before the queue: the record cannot tell them apart. Such jobs are left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from harness.assess.eras import Stage
from harness.assessment import Finding
from harness.model import LIVE

_SIGNS = ("claimed_at", "triggered_at", "flow_started_at", "candidate_finished_at")


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
    silent = pl.all_horizontal(pl.col(sign).is_null() for sign in _SIGNS)
    return frozenset(
        jobs.filter(within & silent).join(touched, on="job_id", how="anti")["job_id"].to_list()
    )


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
