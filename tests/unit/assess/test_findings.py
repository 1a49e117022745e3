"""Every detector of ``sql/findings``: it names its fault, and stays silent without it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.assessment import Finding
from harness.journal.findings import catalogue, detect
from harness.model import EventDraft, Severity
from tests.support.events import (
    HOST,
    at,
    make_control,
    make_history,
    make_job,
    make_replay,
)
from tests.support.journals import make_journal, sound_job

OTHER = "22222222-2222-4222-8222-222222222222"
BIRCH = "birch-index.test"
HERE: dict[str, Any] = {"job_id": OTHER}


def _own(kind: str, payload: dict[str, Any], **columns: Any) -> EventDraft:
    values = {"source": "recorder", "key": f"{kind}:1", "occurred_at": at(100)} | columns
    return EventDraft(kind=kind, payload=payload, **values)


def _job(**columns: Any) -> EventDraft:
    """A later version of the job that `sound_job` has brought to an end."""
    row = {"version": 9, "second": 95, "status": "completed"} | columns
    return make_job(OTHER, **row)


ENQUEUED = [make_history("queue_claimed", number=1, host=None, second=2, **HERE)]
TRIGGERED = [*ENQUEUED, make_history("flow_triggered", number=2, host=None, second=3, **HERE)]
GREMLINS = make_control("failed", version=9, second=70, message="gremlins", **HERE)
STARTED = [*TRIGGERED, make_history("flow_started", number=3, host=None, second=4, **HERE)]

PLANTS: dict[str, tuple[Sequence[EventDraft], str | None, str]] = {
    "never_enqueued": ([make_job(OTHER)], None, "no queue_claimed since"),
    "lost_after_claim": ([make_job(OTHER), *TRIGGERED[:1]], None, "queue_claimed 09:00:02 UTC"),
    "lost_after_trigger": ([make_job(OTHER), *TRIGGERED], None, "flow_triggered 09:00:03 UTC"),
    "orphan_submitting": (
        [make_job(OTHER), *STARTED, make_history("submitting", number=4, second=6, **HERE)],
        HOST, "submitting since 09:00:06 UTC, 1 attempt",
    ),
    "never_finished": (
        [make_job(OTHER), *STARTED, make_history("submitted", number=5, second=6, **HERE)],
        None, "flow_started 09:00:04 UTC, no end since",
    ),
    "duplicate_submission": (
        [*sound_job(OTHER), make_history("submitted", number=99, second=19, **HERE)],
        HOST, "2 final events in 1 attempts",
    ),
    "directories_collapsed": (
        [*sound_job(OTHER), make_control(unit="row-2", url=f"https://{HOST}/second", **HERE)],
        HOST, "2 control rows: https://",
    ),
    "false_success": (
        [*sound_job(OTHER, run=None), make_replay("submitted", accepted=0, **HERE)],
        HOST, "claimed submitted, site saw: refused",
    ),
    "false_failure": (
        [*sound_job(OTHER, run=None), make_replay("failed", accepted=1, **HERE)],
        HOST, "site accepted the listing",
    ),
    "sandbox_escape": (
        [_own("replay.escape", {"kind": "beacon", "url": "https://outside.test/", "count": 2},
              source="replay:demo:2", job_id=OTHER, directory=HOST)],
        HOST, "beacon https://outside.test/ (2 times)",
    ),
    "recording_gap": (
        [_own("record.gap",
              {"what": "production", "why": "no route", "from": "9:01", "until": "9:05"})],
        None, "production no route 9:01 to 9:05",
    ),
    "control_word_refused": (
        [*sound_job(OTHER), _job(status="failed", error_message="No pending submissions")],
        None, "status failed: No pending submissions",
    ),
    "unknown_error": (
        [*sound_job(OTHER, run=None), GREMLINS],
        HOST, "control: gremlins",
    ),
    "unknown_status": (
        [*sound_job(OTHER), make_control("levitating", version=9, second=80, **HERE)],
        HOST, "control says levitating",
    ),
    "clock_skew": (
        [*sound_job(OTHER, hosts=()), make_control("submitting", second=30, **HERE),
         make_control("submitted", version=2, second=20, **HERE),
         make_history("submitted", number=8, second=15, **HERE)],
        HOST, "control ended 09:00:20.000 UTC, control begun 09:00:30.000 UTC",
    ),
}  # fmt: skip
"""Per finding: events beside a sound week, where it shows, and words of its evidence."""


LIMITS: dict[str, Any] = {"until": at(5000), "deadline_s": 2400.0, "time_scale": 1.0}


def _detect(folder: Path, events: Sequence[EventDraft]) -> tuple[Finding, ...]:
    with make_journal(folder, events).reader() as reader:
        return detect(reader, **LIMITS)


def test_every_finding_of_the_catalogue_has_a_plant() -> None:
    assert set(PLANTS) == {detector.id for detector in catalogue()}


def test_a_sound_week_has_no_finding(tmp_path: Path) -> None:
    assert _detect(tmp_path, sound_job(hosts=(HOST, BIRCH))) == ()


def test_an_empty_journal_has_no_finding(tmp_path: Path) -> None:
    assert _detect(tmp_path, []) == ()


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_fault_is_named_and_nothing_else(tmp_path: Path, name: str) -> None:
    events, directory, words = PLANTS[name]
    (finding,) = _detect(tmp_path, [*sound_job(), *events])
    assert finding.id == name
    (evidence,) = finding.evidence
    assert evidence.job_id == (None if name == "recording_gap" else OTHER)
    assert evidence.directory == directory
    assert words in evidence.detail
    assert 0 < evidence.seq <= len(sound_job()) + len(events)


SILENT = [
    "never_enqueued", "lost_after_claim", "lost_after_trigger", "orphan_submitting",
    "never_finished",
]  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_silence_is_a_fault_only_after_the_deadline(tmp_path: Path, name: str) -> None:
    events, _, _ = PLANTS[name]
    with make_journal(tmp_path, [*sound_job(), *events]).reader() as reader:
        assert detect(reader, **LIMITS | {"until": at(2400)}) == ()
        assert detect(reader, **LIMITS | {"until": at(2500)}) != ()
        assert detect(reader, **LIMITS | {"until": at(40), "time_scale": 100.0}) != ()


def test_a_flow_that_began_and_did_nothing_at_all_never_finished(tmp_path: Path) -> None:
    (finding,) = _detect(tmp_path, [make_job(OTHER), *STARTED])
    assert finding.id == "never_finished"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([_job(completed_at=at(-1).isoformat())],
         "finished by the control 08:59:59.000 UTC, claimed by the control 09:00:05.000 UTC"),
        ([make_history("job_finalized", number=98, host=None, second=-3, **HERE)],
         "finished by the candidate 08:59:57.000 UTC, created 09:00:00.000 UTC"),
        ([make_history("submitted", number=98, second=15, duration_ms=-5.0, **HERE)],
         "candidate states -5.0 ms"),
    ],
)  # fmt: skip
def test_every_negative_duration_is_a_finding(
    tmp_path: Path, events: list[EventDraft], words: str
) -> None:
    found = _detect(tmp_path, [*sound_job(OTHER, run=None), *events])
    (skew,) = [finding for finding in found if finding.id == "clock_skew"]
    assert any(words in evidence.detail for evidence in skew.evidence), skew.evidence


def test_an_event_of_the_candidate_that_no_mapping_lists_is_an_unknown_word(tmp_path: Path) -> None:
    events = [*sound_job(), make_history("unknown", number=77, second=16)]
    (finding,) = _detect(tmp_path, events)
    assert (finding.id, finding.evidence[0].detail) == ("unknown_status", "candidate says unknown")


def test_findings_of_two_modes_stay_apart_and_the_worst_comes_first(tmp_path: Path) -> None:
    events = [
        *sound_job(run=None),
        make_replay("submitted", accepted=0, run="one"),
        make_replay("submitted", accepted=0, run="two"),
        _own("record.gap", {"what": "production"}),
        make_control("failed", job_id=OTHER, message="gremlins"),
    ]
    found = _detect(tmp_path, events)
    assert [(f.id, f.mode) for f in found] == [
        ("false_success", "one"), ("false_success", "two"), ("recording_gap", "live"),
        ("unknown_error", "live"),
    ]  # fmt: skip
    assert [f.severity for f in found] == [
        Severity.CRITICAL, Severity.CRITICAL, Severity.WARNING, Severity.INFO,
    ]  # fmt: skip


@pytest.mark.parametrize("detector", catalogue(), ids=lambda detector: str(detector.id))
def test_a_finding_explains_itself(detector: Any) -> None:
    for text in (detector.title, detector.explanation, detector.mend):
        assert text == text.strip()
        assert "  " not in text
    assert not detector.title.endswith(".")
    assert detector.explanation.endswith(".")
    assert detector.mend.endswith(".")
