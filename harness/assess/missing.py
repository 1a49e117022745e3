"""What an assessment did not look at, said loudly. Pure."""

from __future__ import annotations

from harness.assess.evidence import STALE_S
from harness.assess.gaps import RecordedGap
from harness.assessment import RecordingHealth, ReplayProgress
from harness.compare.silence import BlindPeriod
from harness.gates.inputs import GateInputs
from harness.gates.wording import counted, listed


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
    unsampled: int = 0,
) -> tuple[str, ...]:
    """What this assessment did not look at, one sentence each."""
    parts = []
    if older:
        parts.append(
            f"{counted(older, 'job')} created before the shadow week began "
            f"{'is' if older == 1 else 'are'} left out (compare.since)."
        )
    if unsampled:
        parts.append(
            f"{counted(unsampled, 'job')} of stages below 100 % traffic never reached the new "
            "system's queue and "
            f"{'is' if unsampled == 1 else 'are'} left out: a job that was lost before the queue "
            "looks the same as one that was not chosen."
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
