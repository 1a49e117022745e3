"""Assesses a journal as of one moment: reads it, compares, judges, and gathers what people see.

The one place where the pure parts (compare, stats, gates) meet the journal. Same journal, same
moment and same criteria give the same assessment.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import polars as pl

from harness import __version__
from harness.assess.attested import attestations
from harness.assess.criteria import Criteria
from harness.assess.health import (
    dead_letters_seen,
    ended_in_order,
    recording_health,
    replay_exclusions,
    replay_progress,
)
from harness.assess.sequences import (
    Durations,
    Fates,
    JobSequence,
    candidate_end_to_end,
    count_fates,
    job_sequence,
    spans,
    submission_spans,
    with_fate,
)
from harness.assessment import (
    Agreement,
    Assessment,
    BandPoint,
    Coverage,
    Latency,
    Provenance,
    RecordingHealth,
    ReplayProgress,
)
from harness.compare.clusters import cluster_differences
from harness.compare.comparison import Comparison, compare, differences, rule_effects
from harness.gates.evaluate import decide, evaluate
from harness.gates.inputs import GateInputs
from harness.gates.wording import counted
from harness.journal.findings import detect
from harness.journal.reader import Reader
from harness.model import JOURNAL_SCHEMA_VERSION, LIVE, Verdict
from harness.resources import sql_queries
from harness.stats.band import betting_band
from harness.stats.estimates import (
    LARGEST_JOB,
    estimate_by_job,
    estimate_by_submission,
    latency_quantiles,
    settled,
)

CONTRADICTION = "several control rows of one host contradict each other"
STALE_S = 600.0
"""A record whose proof is older than this is not up to date; real seconds."""
_BEGINNING = datetime.fromtimestamp(0, UTC)


def assess(reader: Reader, criteria: Criteria) -> Assessment:
    """Assess the journal as the reader sees it."""
    scale = criteria.time_scale
    older = reader.narrow(criteria.since) if criteria.since else 0
    health = recording_health(reader, time_scale=scale)
    # Silence is judged at the moment up to which the record is proved complete: what happened
    # after that may simply not have been recorded yet. Without a proof, nothing is overdue.
    until = health.complete_until or _BEGINNING
    queries = sql_queries("views/select_submissions.sql")
    jobs = reader.frame(queries["select_jobs"])
    comparison = compare(
        reader.frame(queries["select_submissions"]),
        jobs,
        criteria.rules,
        as_of=until,
        deadline_s=criteria.deadline_s,
        time_scale=scale,
    )
    pairs = comparison.pairs
    jobs = with_fate(jobs, pairs, until=until, deadline_s=criteria.deadline_s, scale=scale)
    sequence, fates = job_sequence(pairs, jobs), count_fates(jobs)
    end_to_end = candidate_end_to_end(jobs, until=until, scale=scale)
    replays = replay_progress(reader, disagreeing=_disagreeing(pairs))
    phases = evaluate(
        criteria.gates,
        _gate_inputs(reader, sequence, fates, end_to_end, health, replays),
    )
    decision, reason = decide(phases)
    found = differences(comparison)
    return Assessment(
        decision=decision,
        reason=reason,
        phases=phases,
        agreement=_agreement(comparison, sequence, criteria),
        latency=_latency(
            jobs, pairs, end_to_end, until=until, scale=scale, alpha_total=criteria.alpha_total
        ),
        differences=found,
        clusters=cluster_differences(found),
        findings=detect(reader, until=until, deadline_s=criteria.deadline_s, time_scale=scale),
        rules=rule_effects(comparison),
        coverage=_coverage(pairs, sequence, fates, replays, replay_exclusions(reader)),
        replays=replays,
        recording=health,
        missing_parts=_missing_parts(health, replays, older=older),
        provenance=Provenance(
            journal_id=reader.journal_id(),
            seq=reader.as_of_seq,
            as_of=reader.as_of_time,
            journal_hash=reader.journal_hash(),
            journal_schema_version=JOURNAL_SCHEMA_VERSION,
            rules_version=criteria.rules.digest,
            gates_version=criteria.gates.version,
            tool_version=__version__,
            since=criteria.since,
            deadline_s=criteria.deadline_s,
            time_scale=scale,
        ),
    )


def _gate_inputs(
    reader: Reader,
    sequence: JobSequence,
    fates: Fates,
    end_to_end: Durations,
    health: RecordingHealth,
    replays: tuple[ReplayProgress, ...],
) -> GateInputs:
    return GateInputs(
        agreement_low=sequence.agreement_low,
        agreement_high=sequence.agreement_high,
        success_low=sequence.success_low,
        success_high=sequence.success_high,
        control_success=sequence.control_success,
        end_to_end_s=end_to_end.seconds,
        end_to_end_state=end_to_end.states,
        admitted_jobs=fates.admitted,
        processed_jobs=fates.processed,
        pending_jobs=fates.pending,
        confirmed_losses=fates.losses if health.complete_until else None,
        coverage=len(sequence.job_ids) / fates.admitted if fates.admitted else None,
        recording_gaps=health.gaps,
        recording_complete=_recording_complete(reader, health),
        dlq_depth=dead_letters_seen(reader),
        prefect_errors=None,
        attestations=attestations(reader),
        # A run that carried nothing out has tried nothing.
        replay_escapes=(
            sum(run.escapes for run in replays) if any(run.done for run in replays) else None
        ),
    )


def _recording_complete(reader: Reader, health: RecordingHealth) -> bool | None:
    """None without a proof; False where a recorder fell silent while the journal went on."""
    if health.complete_until is None or health.lag_s is None:
        return None
    return health.lag_s <= STALE_S or ended_in_order(reader)


def _agreement(comparison: Comparison, sequence: JobSequence, criteria: Criteria) -> Agreement:
    low, high = sequence.agreement_low, sequence.agreement_high
    alpha_total, n_min = criteria.alpha_total, criteria.n_min
    counts = Counter(comparison.pairs.filter(pl.col("mode") == LIVE)["verdict"].to_list())
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
        verdicts=tuple((verdict, counts.get(verdict.value, 0)) for verdict in Verdict),
        excluded=_excluded(comparison.pairs),
    )


def _excluded(pairs: pl.DataFrame) -> tuple[tuple[str, int], ...]:
    out = pairs.filter(
        (pl.col("mode") == LIVE) & (pl.col("verdict") == Verdict.EXCLUDED.value)
    ).height
    return ((CONTRADICTION, out),) if out else ()


def _series(sequence: JobSequence, criteria: Criteria) -> tuple[BandPoint, ...]:
    low, high = sequence.agreement_low, sequence.agreement_high
    ends = betting_band(low, high, alpha_total=criteria.alpha_total).shown()
    known = low + (1.0 - high)
    has = known > 0.0
    share = np.zeros_like(low)
    share[has] = settled(low, high)
    seen = np.cumsum(has)
    means = np.cumsum(share) / np.maximum(seen, 1)
    return tuple(
        BandPoint(
            n=i + 1,
            job_id=job_id,
            created_at=created.astimezone(UTC),
            value=float(means[i]),
            low=float(ends[0][i]),
            high=float(ends[1][i]),
        )
        for i, (job_id, created) in enumerate(
            zip(sequence.job_ids, sequence.created_at, strict=True)
        )
        if seen[i]
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
        Latency(
            measure=measure,
            title=title,
            control_n=len(old.states),
            candidate_n=len(new.states),
            control=latency_quantiles(old.seconds, old.states, alpha_total=alpha_total),
            candidate=latency_quantiles(new.seconds, new.states, alpha_total=alpha_total),
        )
        for measure, title, old, new in measures
    )


def _coverage(
    pairs: pl.DataFrame,
    sequence: JobSequence,
    fates: Fates,
    replays: tuple[ReplayProgress, ...],
    excluded: tuple[tuple[str, int], ...],
) -> Coverage:
    live = pairs.filter(pl.col("mode") == LIVE)
    return Coverage(
        jobs=fates.admitted,
        jobs_compared=sequence.compared,
        submissions=live.height,
        submissions_compared=live.filter(pl.col("verdict") != Verdict.IN_FLIGHT.value).height,
        replayed=sum(run.done for run in replays),
        replay_excluded=excluded,
        share=sequence.compared / fates.admitted if fates.admitted else None,
    )


def _disagreeing(pairs: pl.DataFrame) -> dict[str, int]:
    differing = pairs.filter(
        (pl.col("mode") != LIVE) & (pl.col("verdict") == Verdict.MISMATCH.value)
    )
    return dict(differing.group_by("mode").len().iter_rows())


def _missing_parts(
    health: RecordingHealth, replays: tuple[ReplayProgress, ...], *, older: int
) -> tuple[str, ...]:
    parts = []
    if older:
        parts.append(
            f"{counted(older, 'job')} created before the shadow week began "
            f"{'is' if older == 1 else 'are'} left out (compare.since)."
        )
    if health.complete_until is None:
        parts.append("No sweep has finished: nothing proves that the record is complete.")
    elif health.lag_s is not None and health.lag_s > STALE_S:
        parts.append(
            f"Nothing after {health.complete_until:%d %B %Y %H:%M:%S} UTC is proved recorded: the "
            "evidence ends there."
        )
    if health.queue_depth is None and health.dlq_depth is None:
        parts.append("The queues were not sampled: backlog and dead letters are unknown.")
    parts.append("Prefect was not asked: failed and late flow runs are unknown.")
    if not any(run.done for run in replays):
        parts.append(
            "Nothing was replayed: what the candidate claims was not checked against what a site "
            "received."
        )
    elif any(run.finished_at is None for run in replays):
        parts.append("A replay has not finished: its part of the evidence is incomplete.")
    return tuple(parts)
