"""Assesses a journal as of one moment: weighs what was read of it, and gathers what people see.

The one place where the pure parts (compare, stats, gates) meet the journal. Same journal, same
moment and same criteria give the same assessment.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from harness.assess.breakdown import break_down
from harness.assess.criteria import Criteria
from harness.assess.decided import decided
from harness.assess.fresh import Cut, fresh_cut
from harness.assess.in_force import gates_parts
from harness.assess.missing import missing_parts
from harness.assess.moment import Recorded, read_moment
from harness.assess.operations import with_times
from harness.assess.scoping import cluster_places
from harness.assess.sequences import (
    Durations,
    Fates,
    JobSequence,
    candidate_end_to_end,
    job_sequence,
    sequence_of,
    spans,
    submission_spans,
)
from harness.assess.triaged import on_clusters, on_differences, with_gone
from harness.assessment import (
    Agreement,
    Assessment,
    BandPoint,
    Coverage,
    Latency,
    PairCounts,
    ReplayProgress,
)
from harness.compare.beside import compare_beside
from harness.compare.clusters import find_clusters
from harness.compare.comparison import Comparison, differences
from harness.compare.pairing import is_flaky
from harness.gates.endangered import endangered
from harness.gates.wording import counted
from harness.journal.reader import Reader
from harness.model import LIVE, Verdict
from harness.stats.band import betting_band, drawn_after
from harness.stats.ecdf import drawn_ecdf
from harness.stats.estimates import (
    LARGEST_JOB,
    estimate_by_job,
    estimate_by_submission,
    latency_quantiles,
    settled,
)
from harness.stats.quantiles import Distribution

CONTRADICTION = "several control rows of one host contradict each other"
FLAKY = "flaky: it ended otherwise when it was replayed again"


def assess(reader: Reader, criteria: Criteria, *, now: datetime | None = None) -> Assessment:
    """Assess the journal as the reader sees it.

    now: the moment that is asked about, which only tells whether an attestation still counts; None
    for that of the reader's last event.
    """
    return assessment_of(read_moment(reader, criteria, now=now), criteria)


def assessment_of(moment: Recorded, criteria: Criteria) -> Assessment:
    """Assess what was read of a moment. criteria: those by which it was read. Pure.

    This is half of the work and needs no journal, so that whoever reads can close it before.
    """
    scale, until = criteria.time_scale, moment.compared.until
    comparison, jobs, era = moment.compared.comparison, moment.jobs, moment.era
    pairs = comparison.narrow
    by_job = moment.evidence.counts(pairs)
    sequence = sequence_of(by_job.whole, jobs)
    end_to_end = candidate_end_to_end(jobs, until=until, scale=scale)
    cut = fresh_cut(comparison, moment.force.rules)
    counts = _pair_counts(pairs)
    found = find_clusters(comparison)
    told = differences(comparison, found.members)
    present = {cluster.id for cluster in found.clusters} | {one.id for one in told}
    triaged = with_gone(moment.triages, present)
    clusters = on_clusters(found.clusters, triaged)
    places = cluster_places(found.members, moment.compared.jobs)
    outcome = decided(
        moment.evidence, criteria, pairs, by_job, jobs,
        eras=era, cut=cut, waivers=moment.waivers, findings=moment.findings, clusters=clusters,
        members=found.members,
    )  # fmt: skip
    return Assessment(
        decision=outcome.decision,
        reason=outcome.reason,
        phases=with_times(outcome.phases, moment.operations.traffic),
        agreement=_agreement(
            comparison, by_job.whole, jobs, sequence, criteria, counts[0], cut
        ),
        latency=_latency(
            jobs, pairs, end_to_end, until=until, scale=scale, alpha_total=criteria.alpha_total
        ),
        differences=on_differences(told, triaged),
        clusters=tuple(
            replace(cluster, gates=endangered(criteria.gates, cluster, places[cluster.id]))
            for cluster in clusters
        ),
        triage=triaged,
        findings=moment.findings,
        rules=moment.effects,
        beside=compare_beside(pairs, moment.compared.jobs),
        pairs=counts,
        breakdown=break_down(pairs),
        statements=moment.statements,
        waivers=moment.waivers,
        marks=moment.compared.marks,
        counterfactuals=outcome.counterfactuals,
        calibration=moment.calibration,
        coverage=_coverage(
            counts[0], sequence, moment.fates, moment.replays, moment.replay_exclusions
        ),
        replays=moment.replays,
        recording=moment.compared.health,
        operations=moment.operations,
        missing_parts=(
            *missing_parts(
                moment.compared.health, moment.replays, outcome.inputs,
                gaps=moment.gaps, blind=moment.compared.blind, older=moment.compared.older,
                unsampled=len(moment.compared.unsampled),
            ),
            *gates_parts(moment.force, first_job=moment.compared.first_job),
        ),
        provenance=moment.provenance,
    )  # fmt: skip


def _agreement(
    comparison: Comparison,
    by_job: pl.DataFrame,
    jobs: pl.DataFrame,
    sequence: JobSequence,
    criteria: Criteria,
    live: PairCounts,
    cut: Cut | None,
) -> Agreement:
    low, high = sequence.agreement_low, sequence.agreement_high
    alpha_total, n_min = criteria.alpha_total, criteria.n_min
    whole = None
    if any(reason != CONTRADICTION for reason, _ in live.excluded):
        whole = job_sequence(
            comparison.narrow.with_columns(verdict=pl.col("verdict_with_excluded")), jobs
        )
    fresh, left_out = None, 0
    if cut:
        since = jobs.filter(pl.col("created_at") >= cut.since)
        left_out = jobs.height - since.height
        rest = sequence_of(by_job, since)
        fresh = estimate_by_job(
            rest.agreement_low, rest.agreement_high, alpha_total=alpha_total, n_min=n_min
        )
    largest = max(LARGEST_JOB, int(sequence.sizes.max()) if sequence.sizes.size else 0)
    return Agreement(
        by_job=estimate_by_job(low, high, alpha_total=alpha_total, n_min=n_min),
        by_submission=estimate_by_submission(
            low, high, sequence.sizes, largest_job=largest, alpha_total=alpha_total, n_min=n_min
        ),
        without_rules=estimate_by_job(
            sequence.raw_low, sequence.raw_high, alpha_total=alpha_total, n_min=n_min
        ),
        series=_series(sequence, criteria),
        verdicts=live.verdicts,
        excluded=live.excluded,
        with_excluded=estimate_by_job(
            whole.agreement_low, whole.agreement_high, alpha_total=alpha_total, n_min=n_min
        )
        if whole
        else None,
        fresh=fresh,
        fresh_since=cut.since if cut else None,
        fresh_why=f"{cut.words}; {counted(left_out, 'job')} left out" if cut else "",
    )


def _pair_counts(pairs: pl.DataFrame) -> tuple[PairCounts, ...]:
    """One a mode; that of production is the first, whether it has pairs or not."""
    numbers = {(LIVE, Verdict.AGREE.value): 0}
    numbers |= {row[:2]: row[2] for row in pairs.group_by("mode", "verdict").len().iter_rows()}
    excluded = _excluded(pairs)
    modes = sorted({mode for mode, _ in numbers}, key=lambda mode: (mode != LIVE, mode))
    counts = []
    for mode in modes:
        verdicts = tuple((verdict, numbers.get((mode, verdict.value), 0)) for verdict in Verdict)
        counts.append(
            PairCounts(
                mode=mode,
                pairs=sum(number for _, number in verdicts),
                verdicts=verdicts,
                excluded=excluded.get(mode, ()),
            )
        )
    return tuple(counts)


def _excluded(pairs: pl.DataFrame) -> dict[str, tuple[tuple[str, int], ...]]:
    """By mode, reason and number of the excluded pairs, most frequent first."""
    own = pl.when(is_flaky()).then(pl.lit(FLAKY)).otherwise(pl.lit(CONTRADICTION))
    numbers = (
        pairs.lazy()
        .filter(pl.col("verdict") == Verdict.EXCLUDED.value)
        .group_by("mode", reason=pl.coalesce(pl.col("excluded_by").cast(pl.String), own))
        .len()
        .collect()
    )
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for mode, reason, number in numbers.sort("len", "reason", descending=[True, False]).iter_rows():
        found[mode] = (*found.get(mode, ()), (reason, number))
    return found


def _series(sequence: JobSequence, criteria: Criteria) -> tuple[BandPoint, ...]:
    low, high = sequence.agreement_low, sequence.agreement_high
    after = drawn_after(low.size)
    ends = betting_band(low, high, alpha_total=criteria.alpha_total, after=after).shown()
    has = low + (1.0 - high) > 0.0
    share = np.zeros_like(low)
    share[has] = settled(low, high)
    seen = np.cumsum(has)
    means = np.cumsum(share) / np.maximum(seen, 1)
    last = [n - 1 for n in after]
    drawn = zip(
        after,
        sequence.job_ids.gather(last),
        sequence.created_at.gather(last),
        means[last].tolist(),
        *(end.tolist() for end in ends),
        strict=True,
    )
    return tuple(
        BandPoint(
            n=n, job_id=job, created_at=at.astimezone(UTC), value=value, low=lower, high=upper
        )
        for n, job, at, value, lower, upper in drawn
        if seen[n - 1]
    )


def _latency(
    jobs: pl.DataFrame,
    pairs: pl.DataFrame,
    end_to_end: Durations,
    *,
    until: datetime,
    scale: float,
    alpha_total: float,
) -> tuple[Latency, ...]:
    gone = ~pl.col("fate").is_in(["processed", "pending"])
    never = pl.lit(False)

    def control(start: str, end: str) -> Durations:
        return spans(jobs, start=start, end=end, lost=never, until=until, scale=scale)

    def candidate(start: str, end: str) -> Durations:
        return spans(jobs, start=start, end=end, lost=gone, until=until, scale=scale)

    measures = (
        (
            "end_to_end", "End to end (created to finished)",
            control("created_at", "control_finished_at"), end_to_end,
        ),
        (
            "wait", "Queue wait (created to claimed)",
            control("created_at", "control_started_at"), candidate("created_at", "claimed_at"),
        ),
        (
            "processing", "Processing (claimed to finished)",
            control("control_started_at", "control_finished_at"),
            candidate("claimed_at", "candidate_finished_at"),
        ),
        (
            "submission", "One directory",
            submission_spans(pairs, side="control", scale=scale),
            submission_spans(pairs, side="candidate", scale=scale),
        ),
    )  # fmt: skip
    return tuple(
        _measured(
            measure,
            title,
            Distribution.of(old.seconds, old.states),
            Distribution.of(new.seconds, new.states),
            alpha_total=alpha_total,
        )
        for measure, title, old, new in measures
    )


def _measured(
    measure: str, title: str, old: Distribution, new: Distribution, *, alpha_total: float
) -> Latency:
    return Latency(
        measure=measure,
        title=title,
        control_n=old.least.size,
        candidate_n=new.least.size,
        control=latency_quantiles(old, alpha_total=alpha_total),
        candidate=latency_quantiles(new, alpha_total=alpha_total),
        control_ecdf=drawn_ecdf(old),
        candidate_ecdf=drawn_ecdf(new),
    )


def _coverage(
    live: PairCounts,
    sequence: JobSequence,
    fates: Fates,
    replays: tuple[ReplayProgress, ...],
    excluded: tuple[tuple[str, int], ...],
) -> Coverage:
    return Coverage(
        jobs=fates.admitted,
        jobs_compared=sequence.compared,
        submissions=live.pairs,
        submissions_compared=live.pairs - dict(live.verdicts)[Verdict.IN_FLIGHT],
        replayed=sum(run.done for run in replays),
        replay_excluded=excluded,
        share=sequence.compared / fates.admitted if fates.admitted else None,
    )
