"""Gathers from the journal what the gates are judged on, and says what is missing."""

from __future__ import annotations

from datetime import datetime

from harness.assess.attested import attestations
from harness.assess.gaps import RecordedGap, open_gaps
from harness.assess.health import ended_in_order
from harness.assess.samples import (
    dead_letters_seen,
    dlq_sampling,
    prefect_errors,
    prefect_sampling,
    record_span,
)
from harness.assess.sequences import Durations, Fates, JobSequence
from harness.assessment import RecordingHealth, ReplayProgress
from harness.compare.silence import BlindPeriod
from harness.gates.inputs import GateInputs
from harness.gates.wording import counted, listed
from harness.journal.reader import Reader

STALE_S = 600.0
"""A record whose proof is older than this is not up to date; real seconds."""


def gate_inputs(
    reader: Reader,
    sequence: JobSequence,
    fates: Fates,
    end_to_end: Durations,
    health: RecordingHealth,
    replays: tuple[ReplayProgress, ...],
    *,
    gaps: tuple[RecordedGap, ...],
    since: datetime | None,
    now: datetime,
) -> GateInputs:
    """Everything that the gates are judged on, as of the reader's moment."""
    span = record_span(reader, complete_until=health.complete_until, since=since)
    still_open = open_gaps(gaps, since=since)
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
        recording_gaps=tuple(gap.words for gap in still_open),
        recording_complete=_recording_complete(reader, health),
        dlq_depth=dead_letters_seen(reader, span),
        dlq_sampling=dlq_sampling(reader, span, gaps),
        prefect_errors=prefect_errors(reader, span),
        prefect_sampling=prefect_sampling(reader, span, gaps),
        attestations=attestations(reader, at=now),
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


def _unsampled_parts(health: RecordingHealth, inputs: GateInputs) -> list[str]:
    parts = []
    if health.queue_depth is None and health.dlq_depth is None:
        parts.append("The queues were not sampled: backlog and dead letters are unknown.")
    if health.dlq_why:
        parts.append(f"Not every dead letter could be read: {health.dlq_why}.")
    if not inputs.prefect_sampling.samples:
        parts.append("Prefect was not asked: failed and late flow runs are unknown.")
    elif inputs.prefect_sampling.unseen:
        parts.append(f"Prefect: {listed(inputs.prefect_sampling.unseen)} were not seen.")
    return parts


def missing_parts(
    health: RecordingHealth,
    replays: tuple[ReplayProgress, ...],
    inputs: GateInputs,
    *,
    gaps: tuple[RecordedGap, ...],
    blind: tuple[BlindPeriod, ...],
    older: int,
) -> tuple[str, ...]:
    """What this assessment did not look at, one sentence each."""
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
    if blind:
        now = "cannot" if blind[-1][1] is None else "could not always"
        parts.append(
            f"The candidate's history {now} be observed (queue_history has the shape from before "
            "the migration): silence of that time is neither loss nor proof."
        )
    if closed := [gap for gap in gaps if gap.closed]:
        parts.append(
            f"Production was not watched {counted(len(closed), 'time')}: states that lasted only "
            'then, such as the control\'s "submitting", are not in the record. A later sweep has '
            "the rest."
        )
    parts += _unsampled_parts(health, inputs)
    if not any(run.done for run in replays):
        parts.append(
            "Nothing was replayed: what the candidate claims was not checked against what a site "
            "received."
        )
    elif any(run.finished_at is None for run in replays):
        parts.append("A replay has not finished: its part of the evidence is incomplete.")
    return tuple(parts)
