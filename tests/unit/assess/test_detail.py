"""One difference in full: both sides, what they sent, and the events behind it."""

from __future__ import annotations

from pathlib import Path

from harness.assess.detail import difference_detail
from harness.assessment import DifferenceDetail
from harness.journal.store import Journal
from harness.model import Batch, Outcome
from tests.support.events import HOST, JOB, make_control, make_history, make_plan, make_replay
from tests.support.journals import assessed, make_journal, sound_job


def _detail(journal: Journal, *, kind: str, as_of: int | None = None) -> DifferenceDetail:
    (found,) = [d for d in assessed(journal).differences if d.kind == kind]
    with journal.reader(as_of) as reader:
        return difference_detail(reader, found, time_scale=1.0)


def _wrong_phone(folder: Path) -> Journal:
    plan = make_plan({"phone": "202-555-0199"}, version=2)
    other = sound_job("job-b", hosts=("birch-index.test",), run=None)
    return make_journal(folder, [*sound_job(), plan, *other])


def test_both_sides_stand_side_by_side_with_what_they_sent(tmp_path: Path) -> None:
    detail = _detail(_wrong_phone(tmp_path), kind="wrong_value")
    old, new = detail.sides
    assert (old.side, new.side) == ("control", "candidate")
    assert (old.outcome, new.outcome) == (Outcome.SUBMITTED, Outcome.SUBMITTED)
    assert (old.duration_s, new.duration_s) == (54.0, 7.1)
    assert dict(old.values)["phone"] == "(202) 555-0142"
    assert dict(new.values)["phone"] == "202-555-0199"
    assert dict(old.values)["name"] == "Maple Joinery"
    assert old.url == f"https://www.{HOST}/add-listing/"
    assert new.url == f"https://{HOST}/submit"


def test_the_timeline_has_the_events_of_the_submission_and_of_its_job_only(tmp_path: Path) -> None:
    detail = _detail(_wrong_phone(tmp_path), kind="wrong_value")
    times = [(event.occurred_at, event.seq) for event in detail.timeline]
    assert times == sorted(times)
    texts = [event.text for event in detail.timeline]
    assert "queue_claimed" in texts
    assert "submitted duration_ms=7100" in texts
    assert "status submitted" in texts
    assert {event.source for event in detail.timeline} == {"production"}
    assert len(detail.timeline) == len(sound_job(run=None)) + 1


def test_personal_values_stay_out_of_the_timeline(tmp_path: Path) -> None:
    detail = _detail(_wrong_phone(tmp_path), kind="wrong_value")
    words = " ".join(event.text for event in detail.timeline)
    assert "555" not in words
    assert "maple-joinery" not in words


def test_a_replay_shows_what_was_claimed_and_what_the_site_received(tmp_path: Path) -> None:
    failed = make_replay("failed", accepted=1, error="no success words", values={"phone": "1"})
    journal = make_journal(tmp_path, [*sound_job(run=None), failed])
    detail = _detail(journal, kind="candidate_failed")
    assert [side.side for side in detail.sides] == ["control", "candidate", "observed"]
    assert [side.mode for side in detail.sides] == ["live", "demo", "demo"]
    assert detail.sides[1].error_text == "no success words"
    assert detail.sides[2].values == (("phone", "1"),)
    assert "claimed failed, site accepted 1 of 1 posts" in [e.text for e in detail.timeline]


def test_a_detail_is_as_of_the_readers_moment(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, [make_control("submitting"), make_history("failed", number=1)])
    journal.append(Batch(events=(make_control("submitted", version=2, second=60),)))
    early = _detail(journal, kind="candidate_failed", as_of=2)
    late = _detail(journal, kind="candidate_failed")
    assert (early.sides[0].outcome, late.sides[0].outcome) == (Outcome.IN_FLIGHT, Outcome.SUBMITTED)
    assert len(late.timeline) == len(early.timeline) + 1


def test_a_side_with_a_word_that_no_mapping_knows_has_no_outcome_yet(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, [make_control(), make_history("failed", number=1)])
    (found,) = assessed(journal).differences
    journal.append(Batch(events=(make_control("levitating", version=2),)))
    with journal.reader() as reader:
        sides = difference_detail(reader, found, time_scale=1.0).sides
    assert sides[0].outcome is Outcome.IN_FLIGHT
    assert found.job_id == JOB
