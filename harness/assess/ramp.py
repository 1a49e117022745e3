"""Reads from a journal what advice on a ramp rests on: the jobs in the shadow, and their gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.eras import eras, stages_of
from harness.assess.evidence import EvidenceOf
from harness.assess.gaps import recorded_gaps
from harness.assess.health import replay_progress
from harness.assess.said import marks, statements
from harness.assess.sample import with_membership
from harness.assess.sequences import (
    LEAKS,
    JobSequence,
    candidate_end_to_end,
    count_fates,
    job_sequence,
    sequence_of,
    with_fate,
)
from harness.assessment import GateResult
from harness.compare.comparison import Comparison
from harness.gates.definition import GateSet
from harness.gates.evaluate import evaluate
from harness.gates.inputs import GateInputs
from harness.gates.kinds import QuantileBelow
from harness.gates.statistical import recording_lacks
from harness.journal.reader import Reader
from harness.model import LIVE
from harness.plan.ramp_evidence import NamedMix, RampEvidence, StageSample
from harness.plan.ramp_outlook import means_of
from harness.plan.stages import DeclaredStage
from harness.stats.betting import headline_interval
from harness.stats.checks import FloatArray
from harness.stats.design_effect import intracluster_correlation
from harness.stats.estimates import settled
from harness.stats.power import WHOLE_JOBS, JobModel, shares_of_sizes
from harness.stats.quantiles import below_limit
from harness.stats.representative import compare_mix, sampled_share
from harness.stats.strata import Stratum, stratified_interval

_FEATURES = {
    "package size": pl.col("package_size").cast(pl.Utf8).fill_null("unknown"),
    "priority": pl.col("priority").cast(pl.Utf8).fill_null("unknown"),
    # Six parts of a day: of single hours there are too few jobs at 10 %.
    "hour of day": (pl.col("created_at").dt.convert_time_zone("UTC").dt.hour() // 4 * 4).cast(
        pl.Utf8
    ),
    "kind of site": pl.col("archetype").fill_null("unknown"),
}
"""What the jobs inside and outside the shadow are compared by."""


def marked_stages(reader: Reader) -> tuple[DeclaredStage, ...]:
    """The stages of traffic as the journal's marks say; none where no step was marked."""
    return tuple(
        DeclaredStage(percent=stage.percent, since=stage.since)
        for stage in stages_of(marks(reader))
    )


def read_ramp(
    reader: Reader,
    criteria: Criteria,
    stages: Sequence[DeclaredStage],
    *,
    salt: str | None = None,
    now: datetime | None = None,
) -> RampEvidence:
    """Gather the evidence of the jobs that were in the shadow at the declared stages."""
    scale = criteria.time_scale
    moment = now or reader.as_of_time
    # Here jobs that were left out are wanted too: to see whether the others are like them.
    compared = compare_journal(reader, criteria, now=now, unsampled_too=True)
    pairs, until = compared.comparison.narrow, compared.until
    placed = with_membership(
        with_fate(
            compared.jobs, pairs, until=until, deadline_s=criteria.deadline_s, scale=scale,
            blind=compared.blind,
        ),
        pairs, stages, salt=salt,
    ).join(_archetypes(pairs), on="job_id", how="left", maintain_order="left")  # fmt: skip
    inside = placed.filter("sampled")
    here = inside.filter(pl.col("stage") == len(stages) - 1)
    fates = count_fates(inside)
    evidence = EvidenceOf(
        reader,
        criteria,
        until=until,
        health=compared.health,
        gaps=recorded_gaps(reader),
        replays=replay_progress(reader, disagreeing={}),
        statements=statements(reader, at=moment),
        eras=eras((), first_job=None),
    )
    counts = evidence.counts(pairs)
    sequence = sequence_of(counts.whole, inside)
    inputs = evidence.inputs(counts, inside, critical=None, unseen=(), cut=None)
    # What depends on load is judged on the present stage alone.
    of_stage = _of_stage(inputs, counts.whole, here, until=until, scale=scale)
    harmed_low, harmed_high = _harmed(inside)
    return RampEvidence(
        stages=tuple(
            _stage_sample(number, stage, stages, placed, compared.comparison, criteria, until)
            for number, stage in enumerate(stages)
        ),
        jobs_per_hour=_jobs_per_hour(placed, until, scale),
        gates=_judged(criteria.gates, inputs, of_stage),
        seen=_seen(criteria.gates, inputs, of_stage),
        harmed_low=harmed_low,
        harmed_high=harmed_high,
        lost=sum(fates.losses.values()),
        failed=int(harmed_low.sum()) - sum(fates.losses.values()),
        ended_in_stage=count_fates(here).processed,
        record_lacks=tuple(why for why, _ in recording_lacks(inputs)),
        model=_model(sequence),
        selected_by_hash=salt is not None,
        unsampled=placed.filter(~pl.col("sampled") & ~pl.col("signed")).height,
        strays=placed.filter(~pl.col("sampled") & pl.col("signed")).height,
        reweighted=_reweighted(placed, inside, sequence, criteria),
    )


def _of_stage(
    inputs: GateInputs, counts: pl.DataFrame, here: pl.DataFrame, *, until: datetime, scale: float
) -> GateInputs:
    fates, took = count_fates(here), candidate_end_to_end(here, until=until, scale=scale)
    compared = len(sequence_of(counts, here).job_ids)
    return replace(
        inputs,
        end_to_end_s=took.seconds,
        end_to_end_state=took.states,
        admitted_jobs=fates.admitted,
        processed_jobs=fates.processed,
        pending_jobs=fates.pending,
        coverage=compared / fates.admitted if fates.admitted else None,
    )


def _judged(gates: GateSet, inputs: GateInputs, of_stage: GateInputs) -> tuple[GateResult, ...]:
    anew = {name for name, gate in means_of(gates) if isinstance(gate, QuantileBelow)}
    whole, stage = (
        {
            result.gate: result
            for phase in evaluate(gates, one)
            if phase.decides
            for result in phase.gates
        }
        for one in (inputs, of_stage)
    )
    return tuple(stage[name] if name in anew else result for name, result in whole.items())


def _seen(gates: GateSet, inputs: GateInputs, of_stage: GateInputs) -> dict[str, FloatArray]:
    """Settled values of every gate of a mean or a percentile, as the gate counts them."""
    found: dict[str, FloatArray] = {}
    for name, gate in means_of(gates):
        if isinstance(gate, QuantileBelow):
            ends = below_limit(
                of_stage.end_to_end_s, of_stage.end_to_end_state, limit_s=gate.threshold_s
            )
        elif gate.measure == "agreement":
            ends = inputs.agreement_low, inputs.agreement_high
        else:
            ends = inputs.success_low, inputs.success_high
        found[name] = settled(*ends)
    return found


def _harmed(inside: pl.DataFrame) -> tuple[FloatArray, FloatArray]:
    """1 for a job that was lost or failed as a whole; a pending one may still be either."""
    harmed = pl.col("fate").is_in(LEAKS) | (
        (pl.col("fate") == "processed") & pl.col("candidate_status").eq_missing("failed")
    )
    marked = inside.select(low=harmed, high=harmed | (pl.col("fate") == "pending"))
    return (
        marked["low"].to_numpy().astype(np.float64),
        marked["high"].to_numpy().astype(np.float64),
    )


def _stage_sample(
    number: int,
    stage: DeclaredStage,
    stages: Sequence[DeclaredStage],
    placed: pl.DataFrame,
    comparison: Comparison,
    criteria: Criteria,
    until: datetime,
) -> StageSample:
    jobs = placed.filter(pl.col("stage") == number)
    # Of a job that is younger than its deadline nobody knows yet whether it is coming.
    known = jobs.filter(pl.col("sampled") | (pl.col("fate") != "pending"))
    low = jobs["signed"].to_numpy().astype(np.float64)
    high = (jobs["signed"] | (jobs["fate"] == "pending")).to_numpy().astype(np.float64)
    partial = stage.percent < 100.0
    sequence = job_sequence(comparison.narrow, jobs.filter("sampled"))
    return StageSample(
        declared=stage,
        hours=_stage_hours(number, stages, placed, until) * criteria.time_scale,
        jobs=jobs.height,
        in_shadow=int(jobs["signed"].sum()),
        share=(
            sampled_share(
                low, high, declared=stage.percent / 100.0, alpha_total=criteria.alpha_total
            )
            if partial and jobs.height
            else None
        ),
        mixes=tuple(
            NamedMix(
                feature=name,
                found=compare_mix(
                    known.select(label=label)["label"].to_list(), known["signed"].to_list()
                ),
            )
            for name, label in _FEATURES.items()
            if partial and (name != "kind of site" or criteria.rules.archetype)
        ),
        agreement=(
            headline_interval(
                sequence.agreement_low,
                sequence.agreement_high,
                alpha_total=criteria.alpha_total / 2.0,
                n_min=criteria.n_min,
            )
            if sequence.sizes.size
            else None
        ),
    )


def _archetypes(pairs: pl.DataFrame) -> pl.DataFrame:
    """The kind of site that most directories of each job are of; of several, the first by name."""
    return (
        pairs.filter((pl.col("mode") == LIVE) & pl.col("archetype").is_not_null())
        .group_by("job_id", pl.col("archetype").cast(pl.String))
        .len()
        .sort("job_id", -pl.col("len").cast(pl.Int64), "archetype")
        .unique("job_id", keep="first", maintain_order=True)
        .select("job_id", "archetype")
    )


def _stage_hours(
    number: int, stages: Sequence[DeclaredStage], placed: pl.DataFrame, until: datetime
) -> float:
    """Recorded hours of a stage, not scaled; the first begins with its first job."""
    if not placed.height:
        return 0.0
    begin: datetime = max(stages[number].since, placed["created_at"][0].astimezone(UTC))
    end = stages[number + 1].since if number + 1 < len(stages) else until
    return max(0.0, (min(end, until) - begin).total_seconds() / 3600.0)


def _jobs_per_hour(placed: pl.DataFrame, until: datetime, scale: float) -> float:
    """All jobs an hour of scaled time, from the first recorded one."""
    created = placed.filter(pl.col("created_at") <= until)["created_at"]
    if not created.len():
        return 0.0
    hours: float = (until - created[0].astimezone(UTC)).total_seconds() * scale / 3600.0
    return created.len() / hours if hours > 0.0 else 0.0


def _model(sequence: JobSequence) -> JobModel:
    """Sizes and correlation as recorded; whole jobs where that cannot be told."""
    if not sequence.sizes.size:
        return WHOLE_JOBS
    done = sequence.agreement_low == sequence.agreement_high
    rho = intracluster_correlation(sequence.agreement_low[done], sequence.sizes[done])
    if rho is None:
        return WHOLE_JOBS
    counts = Counter(int(size) for size in sequence.sizes.tolist())
    return JobModel(sizes=shares_of_sizes(counts), rho=min(1.0, max(0.0, rho)))


def _reweighted(
    placed: pl.DataFrame, inside: pl.DataFrame, sequence: JobSequence, criteria: Criteria
) -> tuple[float, float] | None:
    """Agreement if the sample had the package sizes of all jobs (strata)."""
    label = _FEATURES["package size"]
    weights = Counter(placed.select(label=label)["label"].to_list())
    if len(weights) < 2 or not sequence.sizes.size:
        return None
    sizes = dict(inside.select("job_id", label=label).iter_rows())
    here = np.array([sizes[job] for job in sequence.job_ids])
    return stratified_interval(
        [
            Stratum(
                weight=number / weights.total(),
                low=sequence.agreement_low[here == size],
                high=sequence.agreement_high[here == size],
            )
            for size, number in sorted(weights.items())
        ],
        alpha_total=criteria.alpha_total,
    )
