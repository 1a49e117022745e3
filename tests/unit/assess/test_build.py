"""The whole assessment of small journals: what is planted is named, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.assessment import Assessment, GateResult
from harness.journal.store import Journal
from harness.model import (
    Batch,
    Decision,
    EventDraft,
    EventKind,
    GateStatus,
    Source,
    Verdict,
)
from harness.report.html import to_html
from harness.report.json_report import to_json
from tests.support.events import (
    HOST,
    JOB,
    at,
    make_control,
    make_history,
    make_job,
    make_plan,
    make_replay,
)
from tests.support.journals import (
    BUSINESS,
    COMPLETE_UNTIL,
    RECORDED_AT,
    assess_events,
    assessed,
    make_journal,
    make_watermarks,
    sound_job,
)

OTHER = "22222222-2222-4222-8222-222222222222"
HERE: dict[str, Any] = {"job_id": OTHER}
GONE = ("queue_claimed", "flow_triggered", "flow_started", "job_finalized", "flow_completed")


def _without(*words: str) -> list[EventDraft]:
    """`OTHER` as a sound job of production but for these events of the candidate."""
    return [
        event
        for event in sound_job(OTHER, run=None)
        if event.payload.get("event") not in words
    ]  # fmt: skip


def _ending(event: str, **details: Any) -> list[EventDraft]:
    """`OTHER`, with `event` in place of the candidate's success."""
    return [*_without("submitted"), make_history(event, number=11, second=14, **HERE, **details)]


NEVER_BEGUN = [e for e in _without(*GONE, "submitting", "submitted") if e.kind != "job_results"]
PLANTS: dict[str, tuple[Sequence[EventDraft], set[str], set[str]]] = {
    "never enqueued": (NEVER_BEGUN, {"missing_candidate"}, {"never_enqueued"}),
    "lost after trigger": (
        [e for e in _without(*GONE[2:], "submitting", "submitted") if e.kind != "job_results"],
        {"missing_candidate"}, {"lost_after_trigger"},
    ),
    "lost after claim": (
        [e for e in _without(*GONE[1:], "submitting", "submitted") if e.kind != "job_results"],
        {"missing_candidate"}, {"lost_after_claim"},
    ),
    "not finalized": (_without("job_finalized"), set(), {"never_finished"}),
    "orphan submitting": (
        _without("submitted", *GONE[3:]), {"missing_candidate"}, {"orphan_submitting"}
    ),
    "never finished": (_without(*GONE[3:]), set(), {"never_finished"}),
    "duplicate": (
        [*_without(), make_history("submitted", number=12, second=15, **HERE)],
        set(), {"duplicate_submission"},
    ),
    "collapsed": (
        [*_without(), make_control(unit="row-2", url=f"https://{HOST}/second", **HERE)],
        set(), {"directories_collapsed"},
    ),
    "false success": (
        [*_without(), make_replay("submitted", accepted=0, **HERE)], set(), {"false_success"}
    ),
    "captcha": (_ending("error", error="captcha found"), {"captcha"}, set()),
    "timeout": (_ending("error", error="Timeout 10000ms exceeded."), {"timeout"}, set()),
    "refused": (_ending("failed"), {"candidate_failed"}, set()),
    "wrong phone": (
        [*_without(), make_plan({"phone": "202-555-0199"}, version=2, **HERE)],
        {"wrong_value"}, set(),
    ),
    "slow": (_ending("submitted", duration_ms=130_000), {"slow"}, set()),
    "control failed": (
        [*_without(), make_control("failed", version=9, second=70,
                                   message="AI predicted submission failed.", **HERE)],
        {"control_failed"}, set(),
    ),
}  # fmt: skip
"""Per fault: events of a second job, kinds of difference and ids of findings that name it."""


@cache
def _planted(fault: str) -> Assessment:
    return assess_events([*sound_job(), *PLANTS[fault][0]])


def _gate(assessment: Assessment, name: str) -> GateResult:
    return next(g for phase in assessment.phases for g in phase.gates if g.gate == name)


def _named(assessment: Assessment) -> tuple[set[str], set[str]]:
    kinds = {difference.kind for difference in assessment.differences}
    return kinds, {finding.id for finding in assessment.findings}


def _verdicts(assessment: Assessment) -> dict[Verdict, int]:
    return {verdict: count for verdict, count in assessment.agreement.verdicts if count}


@pytest.mark.parametrize("fault", sorted(PLANTS))
def test_a_planted_fault_is_named_and_no_other(fault: str) -> None:
    _, kinds, findings = PLANTS[fault]
    found = _planted(fault)
    assert _named(found) == (kinds, findings)
    assert {difference.job_id for difference in found.differences} <= {OTHER}
    assert {e.job_id for finding in found.findings for e in finding.evidence} <= {OTHER}


def test_two_errors_that_no_class_describes_do_not_agree() -> None:
    other = [
        *_ending("error", error="KeyError: foo"),
        make_control("failed", version=9, second=70, message="Stripe: card declined", **HERE),
    ]
    found = assess_events([*sound_job(), *other])
    assert {d.kind for d in found.differences} == {"error_class"}


def test_control_rows_of_one_host_that_contradict_each_other_are_excluded_and_counted() -> None:
    row = {"unit": "row-2", "url": f"https://{HOST}/second", "second": 70, **HERE}
    rows = [*_without(), make_control("failed", message="AI predicted submission failed.", **row)]
    found = assess_events([*sound_job(), *rows])
    assert _verdicts(found) == {Verdict.AGREE: 1, Verdict.EXCLUDED: 1}
    ((reason, count),) = found.agreement.excluded
    assert "contradict" in reason
    assert count == 1
    assert found.coverage.jobs_compared == 1
    assert found.coverage.share == 0.5


def test_a_run_that_replayed_nothing_says_nothing_about_escapes() -> None:
    started = EventDraft(
        source="replay:r", kind="replay.started", key="replay:r:started:0", occurred_at=at(5001),
        payload={"run": "r", "worker": "playwright", "selected": 9},
    )  # fmt: skip
    found = assess_events([*sound_job(run=None), started])
    assert _gate(found, "shadow.sandbox_escapes").status is GateStatus.OPEN


def test_a_recorder_that_fell_silent_leaves_the_gates_open_until_it_ends_in_order() -> None:
    later: dict[str, Any] = {"source": "recorder", "occurred_at": at(5001)}
    stopped = EventDraft(
        kind="record.stopped", key="record.stopped:a:0", payload={"complete": True}, **later
    )
    silent = assess_events(sound_job(), recorded_at=at(9000))
    assert "is not complete" in _gate(silent, "dual-write.all_processed").reason
    ended = assess_events([*sound_job(), stopped], recorded_at=at(9000))
    assert _gate(ended, "dual-write.all_processed").status is GateStatus.PASS
    for found in (silent, ended):
        assert "the evidence ends there" in " ".join(found.missing_parts)


def test_odd_values_of_production_neither_stop_the_record_nor_hide_a_job() -> None:
    plan = [
        {"action": "fill", "selector": ".a", "value": "x"},
        {"action": "fill", "selector": ".b", "value": "y"},
        {"action": "fill", "value": "z"},
        {"action": "fill", "selector": "input[name='phone']", "value": None},
        {"action": "fill", "selector": "#phone", "value": "202-555-0142"},
    ]
    odd_plan = make_plan({}, version=3, **HERE)
    odd_plan.payload["payload"]["plan"] = plan
    odd_job = make_job(
        OTHER, version=8, second=1, created_at="infinity", started_at="", package_size="starter",
        priority_level="high", business_data=BUSINESS,
    )  # fmt: skip
    nameless = make_control(None, version=1, unit="row-9", host="odd.example", **HERE)
    found = assess_events(
        [*sound_job(), *_ending("submitted", duration_ms="7s"), odd_plan, odd_job, nameless]
    )
    assert found.coverage.jobs == 2
    # The plan names the phone and types nothing, while the control sent one.
    phone = [d for d in found.differences if d.field == "values.phone"]
    assert [(d.job_id, d.candidate_raw) for d in phone] == [(OTHER, "")]
    assert "unknown_status" in {finding.id for finding in found.findings}
    to_html(found)


def test_without_a_plant_nothing_is_named() -> None:
    found = assess_events([*sound_job(), *sound_job(OTHER)])
    assert _named(found) == (set(), set())
    assert _verdicts(found) == {Verdict.AGREE: 2}
    assert found.agreement.by_job.value == 1.0


@pytest.mark.parametrize(
    ("fault", "leak"),
    [
        ("never enqueued", "never enqueued"),
        ("lost after trigger", "lost after trigger"),
        ("lost after claim", "lost after claim"),
        ("not finalized", "never finished"),
        ("orphan submitting", "never finished"),
        ("never finished", "never finished"),
    ],
)
def test_a_lost_job_is_a_no_go_whatever_else_is_missing(fault: str, leak: str) -> None:
    found = _planted(fault)
    assert found.decision is Decision.NO_GO
    assert leak in _gate(found, "shadow.zero_loss").reason
    assert _gate(found, "dual-write.all_processed").status is GateStatus.FAIL


def test_a_job_older_than_the_week_is_none_of_it_and_is_counted_as_left_out() -> None:
    old, new = (
        make_job(job, created_at=at(second).isoformat(), second=second)
        for job, second in ((OTHER, 0), (JOB, 60))
    )
    pending = [make_control("pending", job_id=OTHER), make_control("pending", job_id=JOB)]
    found = assess_events([old, new, *pending], since=at(30))
    lost = {e.job_id for finding in found.findings for e in finding.evidence}
    assert lost == {JOB}
    assert found.coverage.jobs == 1
    assert "1 job created before the shadow week began is left out" in " ".join(found.missing_parts)
    assert found.provenance.since == at(30)
    everything = assess_events([old, new, *pending])
    assert everything.coverage.jobs == 2
    assert {e.job_id for f in everything.findings for e in f.evidence} == {JOB, OTHER}


@pytest.mark.parametrize("fault", ["never enqueued", "lost after trigger", "orphan submitting"])
def test_silence_proves_nothing_before_the_record_is_complete(fault: str) -> None:
    events = [*sound_job(), *PLANTS[fault][0]]
    for until in (None, at(1000)):
        found = assess_events(events, complete_until=until)
        assert _named(found) == (set(), set())
        assert found.decision is Decision.UNDECIDED
        assert _verdicts(found) == {Verdict.AGREE: 1, Verdict.IN_FLIGHT: 1}


def test_without_a_watermark_nothing_passes() -> None:
    events = [e for n in range(100) for e in sound_job(f"job-{n:03}", second=n, run=None)]
    proved, unproved = assess_events(events), assess_events(events, complete_until=None)
    assert _gate(proved, "dual-write.agreement").status is GateStatus.PASS
    assert _gate(proved, "shadow.p95_latency").status is GateStatus.PASS
    assert _gate(proved, "shadow.zero_loss").status is GateStatus.PASS
    statuses = {gate.status for phase in unproved.phases for gate in phase.gates}
    assert statuses == {GateStatus.OPEN}
    assert any("No sweep has finished" in part for part in unproved.missing_parts)


def test_a_gap_in_the_record_keeps_every_statistical_gate_open() -> None:
    gap = EventDraft(
        source=Source.RECORDER, kind=EventKind.RECORD_GAP, key="gap:1", occurred_at=at(50),
        payload={"what": "production", "why": "no route", "from": "9:00", "until": "9:01"},
    )  # fmt: skip
    events = [e for n in range(100) for e in sound_job(f"job-{n:03}", second=n, run=None)]
    gate = _gate(assess_events([*events, gap]), "dual-write.agreement")
    assert gate.status is GateStatus.OPEN
    assert "no route" in gate.reason


def test_an_empty_journal_leaves_everything_open(tmp_path: Path) -> None:
    found = assessed(make_journal(tmp_path))
    assert found.decision is Decision.UNDECIDED
    assert {gate.status for phase in found.phases for gate in phase.gates} == {GateStatus.OPEN}
    assert (found.agreement.by_job.value, found.coverage.share) == (None, None)
    assert (found.agreement.series, found.differences, found.findings) == ((), (), ())
    assert '"decision": "UNDECIDED"' in to_json(found)
    assert "UNDECIDED" in to_html(found)


def test_a_job_that_only_production_knows_is_not_compared_and_lowers_coverage() -> None:
    found = assess_events([*sound_job(), make_job(OTHER)])
    assert (found.coverage.jobs, found.coverage.jobs_compared) == (2, 1)
    assert found.coverage.share == 0.5


def test_the_dead_letters_that_a_sample_saw_count_after_the_queue_was_emptied() -> None:
    samples = [
        EventDraft(
            source=Source.SHADOW_QUEUE, kind=EventKind.SQS_SAMPLE, key=f"sqs.sample:{n}",
            occurred_at=at(n), payload={"queue_depth": 3, "dlq_depth": depth, "dlq_in_flight": 0},
        )
        for n, depth in enumerate([0, 2, 0])
    ]  # fmt: skip
    found = assess_events([*sound_job(), *samples])
    assert (found.recording.queue_depth, found.recording.dlq_depth) == (3, 0)
    assert _gate(found, "shadow.dead_letters").status is GateStatus.FAIL
    clean = assess_events([*sound_job(), samples[0], samples[2]])
    assert _gate(clean, "shadow.dead_letters").status is GateStatus.PASS


def test_a_rehearsal_says_how_fast_it_ran_and_scales_what_it_measured() -> None:
    found = assess_events(sound_job(), time_scale=200.0)
    assert found.provenance.time_scale == 200.0
    end_to_end = {latency.measure: latency for latency in found.latency}["end_to_end"]
    assert end_to_end.candidate[0].value_s == 20 * 200.0
    assert end_to_end.control[0].value_s == 90 * 200.0


def test_negative_durations_leave_the_latency_and_become_a_finding() -> None:
    skewed = [e for e in sound_job(OTHER, run=None) if e.payload.get("event") not in GONE[3:]]
    end = make_history("job_finalized", number=4, host=None, second=-9, **HERE)
    found = assess_events([*sound_job(), *skewed, end])
    end_to_end = {latency.measure: latency for latency in found.latency}["end_to_end"]
    assert (end_to_end.control_n, end_to_end.candidate_n) == (2, 1)
    assert {finding.id for finding in found.findings} == {"clock_skew"}


def _week(tmp_path: Path) -> Journal:
    """Three batches; the second ends in the middle of a job's life."""
    journal = make_journal(tmp_path, sound_job())
    for second, events in ((7000, _without("submitted", *GONE[3:])), (8000, PLANTS["slow"][0])):
        clock = at(second)
        later = Journal(journal.path, clock=lambda moment=clock: moment)
        mark = make_watermarks(COMPLETE_UNTIL + timedelta(seconds=second - 6000))
        later.append(Batch(events=tuple(events), watermarks=mark))
    return journal


def _pages(journal: Journal, as_of: int | None) -> tuple[str, str]:
    found = assessed(journal, as_of)
    return to_json(found), to_html(found)


def test_a_report_as_of_the_same_seq_gives_the_same_bytes_whatever_followed(tmp_path: Path) -> None:
    journal = _week(tmp_path)
    seq = journal.head().seq
    first = _pages(journal, None)
    assert _pages(journal, seq) == first
    # Watermarks alone, as after a sweep that found nothing new, and then more events.
    journal.append(Batch(events=(), watermarks=make_watermarks(at(20_000))))
    assert _pages(journal, seq) == first
    journal.append(
        Batch(events=tuple(sound_job("job-c", run=None)), watermarks=make_watermarks(at(30_000)))
    )
    assert _pages(journal, seq) == first
    assert to_json(assessed(journal)) != first[0]


def test_an_earlier_decision_equals_the_one_recomputed_as_of_then(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, sound_job())
    seen = [(journal.head().seq, assessed(journal))]
    faults = ("orphan submitting", "wrong phone")
    for number, fault in enumerate(faults):
        moment = RECORDED_AT + timedelta(minutes=number + 1)
        later = Journal(journal.path, clock=lambda moment=moment: moment)
        later.append(
            Batch(
                events=tuple(PLANTS[fault][0]), watermarks=make_watermarks(at(6000 + 100 * number))
            )
        )
        seen.append((journal.head().seq, assessed(journal)))
    for seq, then in seen:
        assert assessed(journal, seq) == then
        assert assessed(journal, then.provenance.as_of) == then
    assert len({then.reason for _, then in seen}) > 1


def test_two_journals_of_the_same_events_differ_in_their_name_only(tmp_path: Path) -> None:
    pages = []
    for name in ("one.duckdb", "two.duckdb"):
        found = assessed(make_journal(tmp_path, [*sound_job(), *PLANTS["slow"][0]], name=name))
        pages.append(to_json(found).replace(found.provenance.journal_id, "same"))
    assert pages[0] == pages[1]


def test_personal_values_do_not_reach_a_report() -> None:
    found = _planted("wrong phone")
    assert "202-555-0199" in str(found.differences)
    for page in (to_json(found), to_html(found)):
        assert "202-555-0199" not in page
        assert "desk@maple-joinery.example" not in page
