"""The whole assessment of small journals: what is planted is named, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.assess.build import assess, assessment_of
from harness.assess.criteria import load_criteria
from harness.assess.moment import read_moment
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
from harness.settings import Settings
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
    criteria,
    make_journal,
    make_watermarks,
    sound_job,
)
from tests.support.rules import make_rule, make_rules
from tests.support.samples import (
    make_flow_run,
    make_gap,
    make_prefect_sample,
    make_queue_sample,
    make_start,
)
from tests.support.shapes import make_look

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
    "timeout": (
        _ending("error", error="Timeout 10000ms exceeded."), {"timeout"}, {"guessed_address"}
    ),
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


def test_a_lost_job_keeps_the_curve_of_its_side_below_one_and_shows_at_its_directory() -> None:
    found = assess_events([*sound_job(run=None), *_without(*GONE)])
    (end_to_end,) = (one for one in found.latency if one.measure == "end_to_end")
    assert [share for _, share in end_to_end.control_ecdf][-1] == 1.0
    assert [share for _, share in end_to_end.candidate_ecdf][-1] == 0.5
    (row,) = (one for one in found.breakdown if one.dimension == "directory")
    assert (row.name, row.submissions, row.control_submitted) == (HOST, 2, 2)


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


def test_a_pair_that_a_rule_sets_apart_is_counted_and_its_lost_job_stays_lost() -> None:
    apart = make_rule("exclude", name="apart", directory="*.example")
    events = [*sound_job(), *PLANTS["lost after trigger"][0]]
    found = assess_events(events, rules=make_rules(apart))
    assert dict(found.agreement.excluded)["apart"] > 0
    assert dict(found.agreement.verdicts)[Verdict.EXCLUDED] == sum(
        count for _, count in found.agreement.excluded
    )
    assert _gate(found, "shadow.zero_loss").status is GateStatus.FAIL
    bare = assess_events(events, rules=make_rules()).agreement.by_job
    assert found.agreement.with_excluded == bare


@pytest.mark.parametrize("fault", ["never enqueued", "lost after trigger", "orphan submitting"])
def test_silence_of_a_candidate_that_cannot_be_heard_is_neither_loss_nor_proof(fault: str) -> None:
    blind = make_look("id", "customer_id", "status_from", "status_to")
    found = assess_events([blind, *sound_job(), *PLANTS[fault][0]])
    assert {finding.id for finding in found.findings} == {"candidate_not_observable"}
    assert found.differences == ()
    assert _gate(found, "shadow.zero_loss").status not in (GateStatus.FAIL, GateStatus.PASS)
    assert _gate(found, "dual-write.all_processed").status not in (GateStatus.FAIL, GateStatus.PASS)
    assert found.decision is Decision.UNDECIDED
    assert any("cannot be observed" in part for part in found.missing_parts)


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


WEEK = [event for n in range(100) for event in sound_job(f"job-{n:03}", second=n, run=None)]
OF_JOBS = ("dual-write.all_processed", "dual-write.agreement", "shadow.p95_latency",
           "shadow.success_rate", "shadow.zero_loss")  # fmt: skip
OF_SAMPLES = ("shadow.dead_letters", "dual-write.prefect_errors")


def _sampled(*, until: float = 5000) -> list[EventDraft]:
    """A record whose queues and whose Prefect are sampled from its start to `until`."""
    seconds = np.arange(0.0, until + 1.0, 500.0).tolist()
    return [
        make_start(),
        *(make_queue_sample(second) for second in seconds),
        *(make_prefect_sample(second) for second in seconds),
    ]


def _statuses(found: Assessment, names: Sequence[str]) -> set[GateStatus]:
    return {_gate(found, name).status for name in names}


def test_a_gap_that_no_sweep_closed_keeps_every_gate_on_jobs_open() -> None:
    gap = make_gap(first=50, last=5010)
    found = assess_events([*WEEK, *_sampled(), gap])
    assert _statuses(found, OF_JOBS) == {GateStatus.OPEN}
    assert "no route" in _gate(found, "dual-write.agreement").reason
    # What a queue or Prefect holds was seen by asking these.
    assert _statuses(found, OF_SAMPLES) == {GateStatus.PASS}


def test_a_gap_that_a_sweep_closed_stays_visible_and_costs_no_gate_its_evidence() -> None:
    found = assess_events([*WEEK, *_sampled(), make_gap(first=50, last=60)])
    assert _statuses(found, (*OF_JOBS, *OF_SAMPLES)) == {GateStatus.PASS}
    (gap,) = found.recording.gaps
    assert gap.endswith("(swept since)")
    (span,) = found.recording.gap_spans
    assert span.closed
    assert (span.since, span.until) == (at(50), at(60))
    assert "not watched 1 time" in " ".join(found.missing_parts)
    assert "recording_gap" in {finding.id for finding in found.findings}


@pytest.mark.parametrize(
    ("what", "hurt"),
    [("shadow queue", "shadow.dead_letters"), ("prefect", "dual-write.prefect_errors")],
)
def test_a_gap_in_samples_costs_only_the_gate_that_needs_them(what: str, hurt: str) -> None:
    found = assess_events([*WEEK, *_sampled(), make_gap(what, first=1000, last=1600)])
    assert _gate(found, hurt).status is GateStatus.OPEN
    assert "cover only 88.0 % of the recorded time" in _gate(found, hurt).reason
    others = {*OF_JOBS, *OF_SAMPLES} - {hurt}
    assert _statuses(found, sorted(others)) == {GateStatus.PASS}


def test_a_gap_before_the_week_costs_nothing() -> None:
    gap = make_gap("unheard of", first=1, last=20)
    week = [event for n in range(30, 130) for event in sound_job(f"job-{n:03}", second=n, run=None)]
    for event in week:
        if event.kind == "jobs":
            event.payload["created_at"] = event.occurred_at.isoformat()
    everything = assess_events([*week, *_sampled(), gap])
    assert _statuses(everything, OF_JOBS) == {GateStatus.OPEN}
    since = assess_events([*week, *_sampled(), gap], since=at(25))
    assert _statuses(since, OF_JOBS) == {GateStatus.PASS}
    assert len(since.recording.gaps) == 1


def test_samples_of_everything_all_along_are_evidence_and_one_sample_is_none() -> None:
    found = assess_events([*WEEK, *_sampled()])
    assert _statuses(found, OF_SAMPLES) == {GateStatus.PASS}
    assert _gate(found, "dual-write.prefect_errors").reason == "No error in Prefect."
    once = assess_events([*WEEK, make_start(), make_queue_sample(4999), make_prefect_sample(4999)])
    assert _statuses(once, OF_SAMPLES) == {GateStatus.OPEN}
    old = assess_events([*WEEK, *_sampled(until=4000)])
    assert _statuses(old, OF_SAMPLES) == {GateStatus.OPEN}
    assert "17 min older than the record" in _gate(old, "shadow.dead_letters").reason


def test_a_prefect_that_nobody_asked_leaves_its_gate_open_and_says_so() -> None:
    found = assess_events([*WEEK, make_start()])
    gate = _gate(found, "dual-write.prefect_errors")
    assert gate.status is GateStatus.OPEN
    assert "Prefect was never asked" in gate.reason
    assert "PREFECT_API_URL" in str(gate.missing)
    assert "Prefect was not asked" in " ".join(found.missing_parts)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (make_flow_run("CRASHED"), "1 error in Prefect (1 crashed flow run)"),
        (make_flow_run("RUNNING", late_s=90.0), "1 late flow run"),
        (make_prefect_sample(777, deployments=0), "1 missing deployment"),
    ],
)
def test_an_error_in_prefect_is_a_no_go_whatever_else_is_missing(
    event: EventDraft, words: str
) -> None:
    found = assess_events([*sound_job(), make_start(), make_prefect_sample(700), event])
    assert found.decision is Decision.NO_GO
    assert words in _gate(found, "dual-write.prefect_errors").reason


def test_a_dead_letter_queue_that_cannot_be_read_is_said() -> None:
    sample = make_queue_sample(10, dead_letters_why="the DLQ has a redrive policy")
    found = assess_events([*sound_job(), make_start(), sample])
    assert "the DLQ has a redrive policy" in " ".join(found.missing_parts)


def test_an_attestation_expires_although_nothing_is_journaled_any_more(tmp_path: Path) -> None:
    said = {"name": "no_customer_complaints", "holds": True, "by": "Ana Ruiz"}
    word = EventDraft(
        source=Source.OPERATOR, kind=EventKind.ATTEST, key="attest:1", occurred_at=at(5000),
        payload=said | {"until": at(9000).isoformat()},
    )  # fmt: skip
    journal = make_journal(tmp_path, [*sound_job(), word])
    with journal.reader() as reader:
        then = assess(reader, criteria())
        later = assess(reader, criteria(), now=at(9000))
    assert _gate(then, "shadow.complaints").status is GateStatus.PASS
    assert _gate(later, "shadow.complaints").status is GateStatus.OPEN
    assert (later.provenance, later.findings) == (then.provenance, then.findings)


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
    seen = make_queue_sample(777, queue_depth=3, dlq_depth=2)
    found = assess_events([*sound_job(), *_sampled(), seen])
    assert (found.recording.queue_depth, found.recording.dlq_depth) == (3, 2)
    assert _gate(found, "shadow.dead_letters").status is GateStatus.FAIL
    emptied = assess_events([*sound_job(), seen, *_sampled()])
    assert emptied.recording.dlq_depth == 0
    assert _gate(emptied, "shadow.dead_letters").status is GateStatus.FAIL


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


def test_what_was_read_is_weighed_without_the_journal(tmp_path: Path) -> None:
    journal, criteria = _week(tmp_path), load_criteria(Settings())
    with journal.reader() as reader:
        expected = assess(reader, criteria)
    with journal.reader() as reader:
        read = read_moment(reader, criteria)
    journal.path.unlink()
    assert to_json(assessment_of(read, criteria)) == to_json(expected)


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
