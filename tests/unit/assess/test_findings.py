"""Every detector of ``sql/findings``: it names its fault, and stays silent without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.assess.live.evidence import kinds_read
from harness.assessment import Finding
from harness.journal.detectors import VIEWS, Detector, Scope, catalogue
from harness.journal.findings import detect
from harness.journal.focus import Focus, reading_new
from harness.model import EventDraft, Severity
from harness.resources import sql_queries
from tests.support.events import (
    HOST,
    JOB,
    at,
    make_again,
    make_control,
    make_history,
    make_job,
    make_plan,
    make_replay,
    make_result,
)
from tests.support.journals import make_journal, sound_job
from tests.support.samples import (
    make_dead_letter,
    make_flow_run,
    make_prefect_sample,
    make_workers_sample,
)
from tests.support.shapes import (
    LIVE,
    MIGRATED,
    make_drift,
    make_look,
    make_old_history,
    make_old_result,
)

OTHER = "22222222-2222-4222-8222-222222222222"
NO_WORDS = "No success indicators found on final page"
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

TYPED = {
    "name": "Maple Joinery", "email": "desk@maple-joinery.example", "phone": "+1 202-555-0142",
    "website": "http://maple-joinery.example", "city": "Albany", "zip": "12207",
}  # fmt: skip
"""What the plan of `sound_job` types."""
LATE = {"error": "Timeout 10000ms exceeded."}
NO_PLAN = {"error": "Failed to get submission plan: 404 for url http://brain.test/plan/plan"}
LISTED = f"https://{HOST}/listing"


def _earlier(error: str) -> list[EventDraft]:
    """A job that ends well, after an attempt that raised."""
    return [make_history("error", number=98, second=5, error=error, **HERE), *sound_job(OTHER)]


def _late_at(place: int) -> list[EventDraft]:
    where = {**HERE, "host": f"site-{place}.test"}
    return [
        make_control("submitted", second=60, **where),
        make_history("error", number=100 + place, second=40, **where, **LATE),
    ]


def _beat(worker: str, status: str, second: float) -> EventDraft:
    return _own(
        "worker_heartbeats",
        {"worker_id": worker, "status": status, "last_heartbeat": at(second).isoformat()},
        source="production", key=f"worker_heartbeats:{worker}:{second}", occurred_at=at(second),
    )  # fmt: skip


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
        HOST, "submitted 2 times in 1 attempt(s)",
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
        [*sound_job(OTHER, run=None), make_replay("failed", accepted=1, values=TYPED, **HERE)],
        HOST, "site accepted the listing",
    ),
    "control_began_again": (
        [*sound_job(OTHER), make_control("submitting", version=8, second=70, **HERE),
         make_control("submitted", version=9, second=80, **HERE)],
        HOST, "begun 2 times, ended 2 time(s), now submitted",
    ),
    "posted_twice": (
        [*sound_job(OTHER, run=None), make_replay("submitted", accepted=2, values=TYPED, **HERE)],
        HOST, "2 listings accepted, 1 forms received, claimed submitted",
    ),
    "partial_form": (
        [*sound_job(OTHER, run=None),
         make_replay("submitted", accepted=1, values=TYPED | {"phone": " "}, **HERE)],
        HOST, "empty: phone",
    ),
    "sandbox_escape": (
        [_own("replay.escape", {"kind": "beacon", "url": "https://outside.test/", "count": 2},
              source="replay:demo:2", job_id=OTHER, directory=HOST)],
        HOST, "beacon https://outside.test/ (2 times)",
    ),
    "flaky_replay": (
        [*sound_job(OTHER, run=None), make_replay("failed", accepted=0, error=NO_WORDS, **HERE),
         make_again(first_error=NO_WORDS, **HERE)],
        HOST, "first failed (not stored), then submitted (stored)",
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
    "candidate_not_observable": (
        [make_look(*LIVE), make_job(OTHER)],
        None, "from the beginning until now: 1 job(s)",
    ),
    "schema_drift": (
        [make_drift(table="jobs", change="recreated", added=("tier",), missing=("status", "zip"),
                    retyped=("priority",), key=[["id"], ["tenant", "id"]],
                    by_time=[True, False])],
        None, "jobs was made anew, lost status, zip, changed the type of priority, has another "
        "key, has no exact creation time any more",
    ),
    "requeued_stale": (
        [make_old_history(number=n, second=n, event="requeued_stale", job_id=OTHER)
         for n in (1, 2)],
        None, "2 time(s), last 09:00:02 UTC: in_progress to pending",
    ),
    "unknown_writer": (
        [make_old_result("failed", number=n, job_id=OTHER) for n in (1, 2)],
        HOST, "job_results says failed, the control has no such row",
    ),
    "skipped_without_submission": (
        [*sound_job(OTHER, hosts=()), make_control(**HERE),
         make_history("skipped_duplicate", number=9, second=15, **HERE)],
        HOST, "skipped_duplicate 09:00:15 UTC, never submitted before",
    ),
    "control_left_pending": (
        [*sound_job(OTHER), make_control("pending", host=BIRCH, **HERE),
         _job(status="failed", completed_at=at(90).isoformat())],
        BIRCH, "job failed 09:01:30 UTC, row still pending",
    ),
    "dead_letter_message": (
        [make_dead_letter(job_id=OTHER)], None, "exceeded_retry_limit_3, sent 2026-11-20T09:00:01",
    ),
    "prefect_run_failed": (
        [make_flow_run("FAILED", job_id=OTHER, message="ValueError: customer_id is missing")],
        None, "Failed 09:00:20 UTC: ValueError: customer_id is missing, flow run run-1",
    ),
    "prefect_no_deployment": (
        [make_prefect_sample(30), *(make_prefect_sample(n, deployments=0) for n in (60, 90))],
        None, "no deployment at all in 2 sample(s), from 20 November 09:01:00 to 20 November 09:01",
    ),
    "stale_worker": (
        [make_workers_sample(30), make_workers_sample(60, "w-1"), make_workers_sample(90, "w-1")],
        None, "worker w-1 in 2 sample(s), from 20 November 09:01:00",
    ),
    "clock_skew": (
        [*sound_job(OTHER, hosts=()), make_control("submitting", second=30, **HERE),
         make_control("submitted", version=2, second=20, **HERE),
         make_history("submitted", number=8, second=15, **HERE)],
        HOST, "control ended 09:00:20.000 UTC, control begun 09:00:30.000 UTC",
    ),
    "idempotency_check_failed": (
        _earlier("Failed to check idempotency: no attribute 'data'"),
        HOST, "1 time(s): Failed to check idempotency",
    ),
    "event_loop_nested": (
        _earlier("asyncio.run() cannot be called from a running event loop"),
        HOST, "1 time(s): asyncio.run()",
    ),
    "plan_retried_late": (
        _earlier(NO_PLAN["error"]), HOST, "no plan 09:00:05 UTC, begun again after 1 s",
    ),
    "no_plan": (
        [*sound_job(OTHER, hosts=()), make_control("failed", message="rejected", **HERE),
         make_history("error", number=98, second=5, **HERE, **NO_PLAN)],
        HOST, "1 attempt(s), last: Failed to get submission plan: 404",
    ),
    "nothing_tried": (
        [*sound_job(OTHER, hosts=()),
         make_history("job_finalized", number=97, host=None, second=80, final_status="failed",
                      total=3, submitted=0, failed=3, **HERE)],
        None, "finalised failed 09:01:20 UTC with 3 directories, 3 of them failed, none begun",
    ),
    "guessed_address": (
        [*sound_job(OTHER), make_history("error", number=98, second=20, **HERE, **LATE)],
        HOST, "timeout at /submit, the work list says /add-listing",
    ),
    "timed_out_together": (
        [*sound_job(OTHER), *(event for place in range(5) for event in _late_at(place))],
        None, "5 of 6 directories timed out, the first at 09:00:40 and the last at 09:00:40 UTC",
    ),
    "start_overwritten": (
        [*sound_job(OTHER), _job(started_at=at(50).isoformat())],
        None, "first 09:00:05 UTC, then 09:00:50",
    ),
    "worker_left_idle": (
        [_beat("w-1", "idle", 10), _beat("w-2", "running", 20), _beat("w-2", "idle", 131)],
        None, "worker w-1 idle since 20 November 09:00:10 UTC",
    ),
    "priority_lost": (
        [make_job(OTHER, priority_level=1, package_size=500), *sound_job(OTHER)[3:],
         make_history("flow_started", number=77, host=None, second=4, priority="starter", **HERE)],
        None, "priority 1, package of 500, flow told starter",
    ),
    "result_never_updated": (
        [*sound_job(OTHER), make_result("submitting", **HERE)],
        None, "1 of 1 ended submission(s) still submitting in job_results",
    ),
    "result_without_listing": (
        [*sound_job(OTHER), make_result("submitted", **HERE)],
        None, "1 of 1 submitted row(s) without an address",
    ),
    "result_rows_doubled": (
        [*sound_job(OTHER), make_result("submitted", listing_url=LISTED, **HERE),
         make_result("failed", idem="key-2", **HERE)],
        HOST, "2 keys: submitted and failed",
    ),
}  # fmt: skip
"""Per finding: events beside a sound week, where it shows, and words of its evidence."""

OF_NO_JOB = (
    "recording_gap", "candidate_not_observable", "schema_drift", "prefect_no_deployment",
    "stale_worker", "worker_left_idle",
)  # fmt: skip

LIMITS: dict[str, Any] = {"until": at(5000), "deadline_s": 2400.0, "time_scale": 1.0}


def _detect(folder: Path, events: Sequence[EventDraft]) -> tuple[Finding, ...]:
    with make_journal(folder, events).reader() as reader:
        return detect(reader, **LIMITS)


def test_every_finding_of_the_catalogue_has_a_plant() -> None:
    elsewhere = {"rule_hides_too_much", "candidate_silent", "field_left_out"}
    assert set(PLANTS) | elsewhere == {detector.id for detector in catalogue()}


@pytest.mark.parametrize("detector", catalogue(), ids=lambda detector: detector.id)
def test_the_same_record_gives_the_evidence_in_the_same_order(detector: Detector) -> None:
    """Rows that are alike in all that orders them come in any order, and a report must not."""
    _, _, ordered = detector.sql.rpartition("ORDER BY")
    names = {key.strip(" ;\n").rpartition(".")[2] for key in ordered.split(",")}
    assert names >= {"job_id", "directory", "detail", "seq"}
    assert "mode" in names or detector.sql.count("'live'") > 0


def test_a_rule_that_hides_too_much_is_a_finding_in_its_own_words(tmp_path: Path) -> None:
    with make_journal(tmp_path, sound_job()).reader() as reader:
        (found,) = detect(reader, **LIMITS, overstepping_rules=["rule b hides 2", "rule a hides 3"])
    assert (found.id, found.severity) == ("rule_hides_too_much", Severity.WARNING)
    assert [e.detail for e in found.evidence] == ["rule a hides 3", "rule b hides 2"]


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
    assert evidence.job_id == (None if name in OF_NO_JOB else OTHER)
    assert evidence.directory == directory
    assert words in evidence.detail
    assert 0 < evidence.seq <= len(sound_job()) + len(events)


def _told_without_what_is_read(folder: Path, name: str, events: Sequence[EventDraft]) -> list[int]:
    """Rows of evidence of a detector, and of it again without the rows that its header names."""
    detector = next(detector for detector in catalogue() if detector.id == name)
    kinds = kinds_read(Scope.JOB)
    with (
        make_journal(folder, events).reader() as reader,
        reading_new(reader, after=0, kinds=kinds) as new_rows,
    ):
        rows = new_rows()
    focus = Focus(since=None)
    focus.load_jobs(rows)
    focus.load_events(rows)
    told = [len(list(focus.columns(detector.sql, None, **LIMITS)))]
    for read, condition in detector.reads.items():
        table, of_kind = (read, "true") if read in VIEWS else ("events_now", f"kind = '{read}'")
        met = f"({of_kind}) AND coalesce({condition}, false)"
        focus.load(**{table: focus.frame(f"FROM {table} WHERE NOT ({met})", **LIMITS)})
    told.append(len(list(focus.columns(detector.sql, None, **LIMITS))))
    focus.close()
    return told


@pytest.mark.parametrize(
    "name", [d.id for d in catalogue() if d.id in PLANTS and d.scope is Scope.JOB]
)
def test_there_is_no_evidence_without_a_row_of_what_the_header_reads(
    tmp_path: Path, name: str
) -> None:
    events = [*sound_job(), *PLANTS[name][0]]
    assert _told_without_what_is_read(tmp_path, name, events) == [1, 0]


def _unheard(*numbers: int) -> list[EventDraft]:
    return [make_job(f"{n}" * 8, created_at=at(n).isoformat()) for n in numbers]


def test_three_jobs_in_a_row_without_a_word_are_more_than_three_lost_messages(
    tmp_path: Path,
) -> None:
    found = {f.id: f for f in _detect(tmp_path, [*sound_job(), *_unheard(3, 4, 5)])}
    assert set(found) == {"never_enqueued", "candidate_silent"}
    evidence = found["candidate_silent"].evidence
    assert [e.job_id for e in evidence] == ["33333333", "44444444", "55555555"]
    assert {e.detail for e in evidence} == {
        "one of 3 in a row, created 09:00:03 to 09:00:05 UTC; the queue was not seen empty since"
    }


def test_three_jobs_with_one_between_them_that_was_heard_of_are_not_in_a_row(
    tmp_path: Path,
) -> None:
    events = [*_unheard(1, 2, 4), *sound_job(OTHER, second=3)]
    assert [f.id for f in _detect(tmp_path, events)] == ["never_enqueued"]


@pytest.mark.parametrize(("others", "found"), [(3, []), (4, ["field_left_out"])])
def test_a_field_is_missed_where_every_other_directory_of_the_job_gets_it(
    tmp_path: Path, others: int, found: list[str]
) -> None:
    hosts = tuple(f"site-{place}.test" for place in range(others + 1))
    events = [
        make_plan({k: v for k, v in TYPED.items() if k != "phone"}, host=hosts[-1])
        if event.kind == "job_results" and event.directory == hosts[-1]
        else event
        for event in sound_job(hosts=hosts)
    ]
    events = [event for event in events if event.kind != "replay.submission"]
    told = _detect(tmp_path, events)
    assert [finding.id for finding in told] == found
    (tmp_path / "focus").mkdir()
    assert _told_without_what_is_read(tmp_path / "focus", "field_left_out", events) == [
        len(found), 0,
    ]  # fmt: skip
    assert [e.detail for finding in told for e in finding.evidence] == ["without phone"] * len(
        found
    )
    assert {e.directory for finding in told for e in finding.evidence} <= {hosts[-1]}


def test_a_monitor_that_cannot_write_its_own_row_is_named_by_what_it_did_to_the_job(
    tmp_path: Path,
) -> None:
    put_back = make_job(OTHER, version=4, second=30, status="pending", created_at=at(0).isoformat())
    events = [*sound_job(OTHER)[:2], put_back, *sound_job(OTHER)[2:]]
    (finding,) = _detect(tmp_path, events)
    assert finding.id == "requeued_stale"
    (evidence,) = finding.evidence
    assert evidence.detail == "1 time(s), last 09:00:30 UTC: in_progress to pending"


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


BLIND_FROM, BLIND_TO = 1000, 1500
"""Seconds; the silence of the planted jobs lasts from 0 to 2400."""


@pytest.mark.parametrize("name", SILENT)
def test_silence_is_no_fault_while_the_history_cannot_be_observed(
    tmp_path: Path, name: str
) -> None:
    events, _, _ = PLANTS[name]
    lost = make_drift(missing=("event",), second=BLIND_FROM)
    found = make_drift(added=("event",), second=BLIND_TO, number=1)
    blind = _detect(tmp_path, [make_look(*MIGRATED), *events, lost])
    assert name not in {finding.id for finding in blind}
    with make_journal(
        tmp_path, [make_look(*MIGRATED), *events, lost, found], name="b"
    ).reader() as r:
        assert name not in {finding.id for finding in detect(r, **LIMITS)}


@pytest.mark.parametrize("name", SILENT)
@pytest.mark.parametrize(
    "looks",
    [
        # Whoever could look all the time; who lost sight when the deadline had passed; who was
        # blind before the job began.
        [make_look(*MIGRATED)],
        [make_look(*MIGRATED), make_drift(missing=("event",), second=2450)],
        [make_look(*LIVE, second=-900), make_look(*MIGRATED, second=-1, session="next")],
        [make_look(*MIGRATED), make_drift(missing=("details",), second=5)],
        [make_look(*MIGRATED), make_drift(missing=("event",), second=5, table="job_results")],
    ],
)
def test_silence_stays_a_fault_where_the_history_was_observed_until_the_deadline(
    tmp_path: Path, name: str, looks: list[EventDraft]
) -> None:
    events, _, _ = PLANTS[name]
    found = _detect(tmp_path, [*looks, *events])
    assert name in {finding.id for finding in found}


def test_a_job_created_before_the_history_could_be_observed_is_no_loss(tmp_path: Path) -> None:
    migrated = make_drift(added=("event", "job_id"), second=300)
    early = make_job(OTHER, created_at=at(299).isoformat())
    late = make_job("late", created_at=at(301).isoformat())
    found = _detect(tmp_path, [make_look(*LIVE), early, late, migrated])
    evidence = {finding.id: finding.evidence for finding in found}
    assert [item.job_id for item in evidence["never_enqueued"]] == ["late"]
    (period,) = evidence["candidate_not_observable"]
    assert "from the beginning to 20 Nov 09:05:00 UTC: 1 job(s)" in period.detail


def test_blindness_that_hides_no_job_is_past_and_forgotten(tmp_path: Path) -> None:
    looks = [make_look(*LIVE), make_drift(added=("event",), second=-1)]
    assert _detect(tmp_path, [*looks, *sound_job()]) == ()


def test_a_column_that_was_only_added_is_no_finding(tmp_path: Path) -> None:
    drifts = [
        make_drift(table="jobs", added=("region",)),
        make_drift(table="job_results", change="appeared", added=("id",), number=1),
    ]
    assert _detect(tmp_path, [*sound_job(), *drifts]) == ()


def test_a_submission_that_failed_and_was_tried_again_is_no_duplicate(tmp_path: Path) -> None:
    tries = [
        make_history(word, number=90 + number, second=6 + number, **HERE)
        for number, word in enumerate(["submitting", "failed", "submitting", "submitted"])
    ]
    assert _detect(tmp_path, [*sound_job(OTHER, hosts=()), make_control(**HERE), *tries]) == ()


def test_a_skip_after_a_submission_is_no_finding(tmp_path: Path) -> None:
    skip = make_history("skipped_duplicate", number=97, second=16, **HERE)
    assert _detect(tmp_path, [*sound_job(OTHER), skip]) == ()


def test_what_the_control_has_not_reached_in_an_open_job_is_not_left(tmp_path: Path) -> None:
    waiting = make_control("pending", host=BIRCH, **HERE)
    open_again = _job(status="pending", completed_at=at(90).isoformat())
    assert _detect(tmp_path, [*sound_job(OTHER), waiting, open_again]) == ()


def test_the_candidates_other_signs_speak_against_a_job_that_was_never_enqueued(
    tmp_path: Path,
) -> None:
    unclaimed = [make_job(OTHER), make_history("submitted", number=1, **HERE)]
    assert _detect(tmp_path, unclaimed) == ()


def test_a_flow_that_completed_without_finalising_its_job_is_told_apart(tmp_path: Path) -> None:
    end = make_history("flow_completed", number=9, host=None, second=30, **HERE)
    (finding,) = _detect(tmp_path, [*PLANTS["never_finished"][0], end])
    assert finding.id == "never_finished"
    assert "flow_completed 09:00:30 UTC, no job_finalized since" in finding.evidence[0].detail


def test_an_error_that_stayed_on_a_job_that_ended_well_is_no_refused_word(tmp_path: Path) -> None:
    stale = [
        _job(status="failed", error_message="No pending submissions"),
        make_job(OTHER, version=10, second=96, status="complete", error_message=None),
    ]
    assert _detect(tmp_path, [*sound_job(OTHER), *stale]) == ()


def test_a_word_of_a_job_that_no_mapping_lists_is_an_unknown_word(tmp_path: Path) -> None:
    (finding,) = _detect(tmp_path, [*sound_job(OTHER), _job(status="levitating")])
    assert (finding.id, finding.evidence[0].detail) == ("unknown_status", "jobs says levitating")


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([], []),
        ([make_look(*MIGRATED)], []),
        ([make_look(*LIVE)], [(None, None)]),
        ([make_look(*LIVE), make_drift(added=("event",), second=9)], [(None, at(9))]),
        ([make_look(*MIGRATED), make_drift(missing=("event",), second=5),
          make_look(*LIVE, session="next", second=7), make_drift(added=("event",), second=9,
          number=1)], [(at(5), at(7)), (at(7), at(9))]),
        ([make_look(*MIGRATED), make_drift(change="vanished", missing=MIGRATED, second=5)],
         [(at(5), None)]),
    ],
)  # fmt: skip
def test_blind_periods_go_from_a_look_without_history_to_the_next_look(
    tmp_path: Path,
    looks: list[EventDraft],
    expected: list[tuple[datetime | None, datetime | None]],
) -> None:
    with make_journal(tmp_path, looks).reader() as reader:
        query = sql_queries("views/observability.sql")["select_blind_periods"]
        assert reader.rows(query) == expected


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


def test_a_run_that_is_late_is_named_whether_it_has_begun_or_not(tmp_path: Path) -> None:
    line = {"flow_run_id": "run-1", "job_id": OTHER, "late_s": 90.0}
    events = [
        make_prefect_sample(30, late_runs=[line]),
        make_prefect_sample(60, late_runs=[line | {"late_s": 120.0}]),
        make_flow_run("RUNNING", run="run-2", late_s=75.4),
    ]
    (finding,) = _detect(tmp_path, [*sound_job(), *events])
    assert finding.id == "prefect_run_failed"
    assert [(e.job_id, e.detail) for e in finding.evidence] == [
        (JOB, "late by 75 s or more, flow run run-2"),
        (OTHER, "late by 120 s or more, flow run run-1"),
    ]


def test_another_deployment_is_not_the_one_that_is_triggered(tmp_path: Path) -> None:
    (finding,) = _detect(tmp_path, [make_prefect_sample(30, deployments=2, exists=False)])
    assert finding.evidence[0].detail.startswith("process_job/production is missing in 1 sample")


def test_what_the_samples_saw_before_the_week_is_none_of_its_findings(tmp_path: Path) -> None:
    events = [
        make_dead_letter(second=10), make_flow_run("CRASHED", second=10),
        make_prefect_sample(10, deployments=0), make_workers_sample(10, "w-1"),
    ]  # fmt: skip
    with make_journal(tmp_path, events).reader() as reader:
        reader.narrow(at(20))
        assert detect(reader, **LIMITS) == ()


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
