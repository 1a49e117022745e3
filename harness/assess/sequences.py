"""From pairs and jobs to one value per job, in the control's order. Pure: frames in, arrays out.

Jobs are ordered by (created_at, job_id), never by completion, and a job still pending stands
with its worst and its best case, so that no figure depends on when people look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from harness.compare.silence import BlindPeriod, silent_for_s
from harness.model import LIVE
from harness.stats.checks import FloatArray
from harness.stats.quantiles import DurationState, States

_DONE = ["submitted", "skipped"]
_PENDING = pl.col("verdict") == "in_flight"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobSequence:
    """Shares per job with at least one live pair; every array has shape (n,)."""

    job_ids: pl.Series
    created_at: pl.Series
    """Columns, since a value of each job is dear to make and few are asked for."""
    sizes: FloatArray
    """Pairs of the job."""
    agreement_low: FloatArray
    agreement_high: FloatArray
    raw_low: FloatArray
    """Agreement of the raw words, no rule applied."""
    raw_high: FloatArray
    success_low: FloatArray
    success_high: FloatArray
    control_success: float | None
    """Mean share that the control submitted, over its settled submissions."""
    compared: int
    """Jobs of which at least one pair has a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of every admitted job at the candidate."""

    admitted: int
    processed: int
    pending: int
    losses: dict[str, int]
    """Jobs without an outcome after their deadline, by the last stage that they reached."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Durations:
    """One latency of one side: seconds of scaled time and what is known of each, shape (n,)."""

    seconds: FloatArray
    states: States
    skewed: int = 0
    """Left out because they end before they begin: a clock is wrong, which is a finding."""


def job_sequence(pairs: pl.DataFrame, jobs: pl.DataFrame) -> JobSequence:
    """Fold the live pairs of each job into shares.

    pairs: `Comparison.pairs`; jobs: ``select_jobs``, in the control's order.
    """
    return sequence_of(counts_by_job(pairs), jobs)


def counts_by_job(pairs: pl.DataFrame) -> pl.DataFrame:
    """What the live pairs of each job add up to; the dear part of a sequence, for several of them.

    Columns: job_id, n, pending, agree, raw, submitted, candidate_pending, control_submitted,
    control_done.
    """
    live = pairs.lazy().filter((pl.col("mode") == LIVE) & (pl.col("verdict") != "excluded"))
    submitted = pl.col("candidate_outcome").is_in(_DONE).fill_null(False)
    # A candidate that is done while the control is not cannot disagree yet, and its success is
    # known; one that may retry has failed and may still succeed. So success looks at its own side.
    candidate_pending = pl.col("candidate_pending")
    control_done = pl.col("control_outcome").is_in([*_DONE, "failed"]).fill_null(False)
    return (
        live.group_by("job_id")
        .agg(
            pl.len().alias("n"),
            _PENDING.sum().alias("pending"),
            (pl.col("verdict") == "agree").sum().alias("agree"),
            (pl.col("raw_agrees") & ~_PENDING).sum().alias("raw"),
            (submitted & ~candidate_pending).sum().alias("submitted"),
            candidate_pending.sum().alias("candidate_pending"),
            (pl.col("control_outcome").is_in(_DONE).fill_null(False))
            .sum()
            .alias("control_submitted"),
            control_done.sum().alias("control_done"),
        )
        .collect()
    )


def sequence_of(counts: pl.DataFrame, jobs: pl.DataFrame) -> JobSequence:
    """One value per job, of the jobs that have counts.

    counts: of `counts_by_job`; jobs: all or some of ``select_jobs``, in the control's order.
    """
    rows = jobs.select("job_id", "created_at").join(
        counts, on="job_id", how="inner", maintain_order="left"
    )
    n = _column(rows, "n")
    done = _column(rows, "control_done")
    known = done > 0
    return JobSequence(
        job_ids=rows["job_id"],
        created_at=rows["created_at"],
        sizes=n,
        agreement_low=_column(rows, "agree") / n,
        agreement_high=(_column(rows, "agree") + _column(rows, "pending")) / n,
        raw_low=_column(rows, "raw") / n,
        raw_high=(_column(rows, "raw") + _column(rows, "pending")) / n,
        success_low=_column(rows, "submitted") / n,
        success_high=(_column(rows, "submitted") + _column(rows, "candidate_pending")) / n,
        control_success=(
            float((_column(rows, "control_submitted")[known] / done[known]).mean())
            if known.any()
            else None
        ),
        compared=int((rows["n"] > rows["pending"]).sum()),
    )


def with_fate(
    jobs: pl.DataFrame,
    pairs: pl.DataFrame,
    *,
    until: datetime,
    deadline_s: float,
    scale: float,
    blind: Sequence[BlindPeriod] = (),
) -> pl.DataFrame:
    """Add `fate` to the jobs: processed, pending, or the stage at which a lost job was last seen.

    until: the moment up to which the record is complete; later silence proves nothing.
    blind: when the candidate's history could not be observed; nor does silence then.
    """
    signs = (
        pairs.filter(pl.col("mode") == LIVE)
        .group_by("job_id")
        .agg(
            pl.col("candidate_started_at").max().alias("last_start"),
            pl.col("candidate_finished_at").max().alias("last_end"),
        )
    )
    last = pl.max_horizontal(
        "created_at", "claimed_at", "triggered_at", "flow_started_at", "last_start", "last_end"
    )
    silent_s = silent_for_s(last, until=until, time_scale=scale, blind=blind)
    return (
        jobs.join(signs, on="job_id", how="left", maintain_order="left")
        .with_columns(
            fate=pl.when(pl.col("candidate_finished_at").is_not_null())
            .then(pl.lit("processed"))
            .when(silent_s <= deadline_s)
            .then(pl.lit("pending"))
            .when(pl.col("flow_started_at").is_not_null())
            .then(pl.lit("never_finished"))
            .when(pl.col("triggered_at").is_not_null())
            .then(pl.lit("lost_after_trigger"))
            .when(pl.col("claimed_at").is_not_null())
            .then(pl.lit("lost_after_claim"))
            .otherwise(pl.lit("never_enqueued"))
        )
        .drop("last_start", "last_end")
    )


LEAKS = ("never_enqueued", "lost_after_claim", "lost_after_trigger", "never_finished")


def count_fates(jobs: pl.DataFrame) -> Fates:
    """Count the fates; every kind of leak is looked for, so each has a number."""
    counts = {row[0]: row[1] for row in jobs.group_by("fate").len().iter_rows()}
    return Fates(
        admitted=jobs.height,
        processed=counts.get("processed", 0),
        pending=counts.get("pending", 0),
        losses={leak: counts.get(leak, 0) for leak in LEAKS},
    )


def candidate_end_to_end(jobs: pl.DataFrame, *, until: datetime, scale: float) -> Durations:
    """Created → finished at the candidate. A job that failed as a whole or was lost never ends."""
    fate = pl.col("fate")
    state = (
        pl.when((fate == "processed") & pl.col("candidate_status").ne_missing("failed"))
        .then(_code(DurationState.FINISHED))
        .when(fate == "pending")
        .then(_code(DurationState.RUNNING))
        .otherwise(_code(DurationState.LOST))
    )
    return _durations(
        jobs.with_columns(state=state),
        start="created_at",
        end="candidate_finished_at",
        until=until,
        scale=scale,
    )


def spans(
    jobs: pl.DataFrame, *, start: str, end: str, until: datetime, scale: float, lost: pl.Expr
) -> Durations:
    """`start` → `end` of every job that has a start; running where it has no end yet.

    lost: whether a job without an end will never have one.
    """
    state = (
        pl.when(pl.col(end).is_not_null())
        .then(_code(DurationState.FINISHED))
        .when(lost)
        .then(_code(DurationState.LOST))
        .otherwise(_code(DurationState.RUNNING))
    )
    begun = jobs.filter(pl.col(start).is_not_null()).with_columns(state=state)
    return _durations(begun, start=start, end=end, until=until, scale=scale)


def submission_spans(pairs: pl.DataFrame, *, side: str, scale: float) -> Durations:
    """Seconds per directory of one side, over its live submissions that ended.

    The control's exist where the recorder caught both ``submitting`` and the end; the candidate
    states its own, which a rehearsal does not scale.
    """
    live = pairs.filter(
        (pl.col("mode") == LIVE) & pl.col(f"{side}_outcome").is_in([*_DONE, "failed"])
    )
    begin, end = pl.col(f"{side}_started_at"), pl.col(f"{side}_finished_at")
    measured = (end - begin).dt.total_microseconds() * scale
    stated = pl.col(f"{side}_duration_ms") * 1000
    found = live.select(us=pl.coalesce(stated, measured)).drop_nulls()
    kept = found.filter(pl.col("us") >= 0)
    return Durations(
        seconds=_seconds(kept),
        states=np.full(kept.height, DurationState.FINISHED, dtype=np.int8),
        skewed=found.height - kept.height,
    )


def _durations(
    rows: pl.DataFrame, *, start: str, end: str, until: datetime, scale: float
) -> Durations:
    measured = rows.select(
        "state",
        us=(pl.coalesce(pl.col(end), pl.lit(until)) - pl.col(start)).dt.total_microseconds()
        * scale,
    )
    lost = pl.col("state") == _code(DurationState.LOST)
    running = pl.col("state") == _code(DurationState.RUNNING)
    # Begun after the moment up to which the record is complete: it has run for no time yet.
    measured = measured.with_columns(
        us=pl.when(lost | (running & (pl.col("us") < 0))).then(0.0).otherwise(pl.col("us"))
    )
    kept = measured.filter(pl.col("us") >= 0)
    return Durations(
        seconds=_seconds(kept),
        states=kept["state"].to_numpy(),
        skewed=measured.height - kept.height,
    )


def _seconds(rows: pl.DataFrame) -> FloatArray:
    """The column `us` in seconds, by an exact division (see `harness.compare.seconds`)."""
    return _column(rows, "us") / 1e6


def _code(state: DurationState) -> pl.Expr:
    return pl.lit(state.value, dtype=pl.Int8)


def _column(frame: pl.DataFrame, name: str) -> FloatArray:
    return frame[name].to_numpy().astype(np.float64)
