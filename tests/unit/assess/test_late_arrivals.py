"""What comes late changes a verdict, and time travel shows each verdict as it was known then."""

from __future__ import annotations

from pathlib import Path

from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Verdict
from tests.support.events import JOB, at, make_control, make_history, make_job
from tests.support.journals import assessed, make_journal, make_watermarks


def _passing(second: float) -> EventDraft:
    """An event of no job, so that a watermark has an event to count from."""
    return EventDraft(
        source="recorder", kind="record.sweep", key=f"record.sweep:{second}",
        occurred_at=at(second), payload={},
    )  # fmt: skip


def _verdict(journal: Journal, seq: int | None = None) -> Verdict:
    (live,) = assessed(journal, seq).pairs
    assert live.pairs == 1
    (verdict,) = [verdict for verdict, count in live.verdicts if count]
    return verdict


def test_a_pair_goes_from_in_flight_to_missing_to_agreement_and_time_travel_shows_all_three(
    tmp_path: Path,
) -> None:
    early = [
        make_job(),
        make_history("queue_claimed", number=1, host=None, second=2),
        make_control("submitted", second=60),
    ]
    journal = make_journal(tmp_path, early, complete_until=at(100))
    waiting = assessed(journal).provenance.seq
    journal.append(Batch(events=(_passing(9000),), watermarks=make_watermarks(at(9000))))
    silent = assessed(journal).provenance.seq
    late = (
        make_history("submitting", number=10, second=9100, job_id=JOB),
        make_history("submitted", number=11, second=9110, job_id=JOB),
    )
    journal.append(Batch(events=late, watermarks=make_watermarks(at(9200))))

    assert _verdict(journal) is Verdict.AGREE
    assert _verdict(journal, silent) is Verdict.MISSING_CANDIDATE
    assert _verdict(journal, waiting) is Verdict.IN_FLIGHT
