"""Traffic, samples and the recorder's own word, as of a moment; what nobody recorded is None."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assess.health import recording_health
from harness.assessment import Assessment, GateResult, Operations
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from tests.support.events import at, make_history, make_job
from tests.support.journals import assess_events, assessed, make_journal
from tests.support.samples import make_prefect_sample, make_queue_sample, make_workers_sample

HOUR = 3600.0


def _job(number: int, created: float, *, old: float | None, new: float | None) -> list[EventDraft]:
    name = f"job-{number:03}"
    row: dict[str, Any] = {"created_at": at(created).isoformat()}
    events = [make_job(name, second=created, **row)]
    if old is not None:
        ended = row | {"status": "completed", "completed_at": at(old).isoformat()}
        events.append(make_job(name, version=2, second=old, **ended))
    events.append(make_history("queue_claimed", number=1, job_id=name, host=None, second=created))
    if new is not None:
        where: dict[str, Any] = {"job_id": name, "host": None, "second": new}
        events.append(make_history("job_finalized", number=2, final_status="completed", **where))
    return events


def _running(assessment: Assessment) -> Operations:
    assert assessment.operations is not None
    return assessment.operations


def test_rates_count_the_last_hour_and_backlogs_what_has_not_ended() -> None:
    events = [
        *_job(1, 0, old=60, new=30),
        *_job(2, 4000, old=5000, new=4100),
        *_job(3, 7000, old=None, new=7100),
        *_job(4, 7150, old=None, new=None),
    ]
    traffic = _running(assess_events(events, complete_until=at(7200))).traffic
    assert traffic.window_s == HOUR
    assert (traffic.admitted_per_h, traffic.control_per_h, traffic.candidate_per_h) == (3, 1, 2)
    assert (traffic.control_backlog, traffic.candidate_backlog, traffic.candidate_lost) == (2, 1, 0)
    assert traffic.pace_per_h == pytest.approx(3 / 7150 * HOUR)


def test_a_rehearsal_counts_scaled_hours() -> None:
    events = [*_job(1, 0, old=20, new=10), *_job(2, 30, old=None, new=40)]
    traffic = _running(assess_events(events, complete_until=at(60), time_scale=100.0)).traffic
    assert traffic.window_s == HOUR
    assert (traffic.admitted_per_h, traffic.control_per_h, traffic.candidate_per_h) == (1, 0, 1)


def test_a_record_of_half_a_minute_gives_no_rate_and_one_without_a_proof_gives_nothing() -> None:
    short = _running(assess_events(_job(1, 0, old=None, new=10), complete_until=at(30))).traffic
    assert (short.window_s, short.admitted_per_h, short.control_backlog) == (None, None, 1)
    unproved = _running(assess_events(_job(1, 0, old=1, new=2), complete_until=None)).traffic
    assert unproved.until is None
    assert unproved.control_backlog is unproved.admitted_per_h is unproved.candidate_lost is None
    assert unproved.bins == ()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 900)), min_size=1, max_size=9))
def test_the_bins_hold_every_job_once(jobs: list[tuple[int, int]]) -> None:
    events = [
        event
        for number, (created, took) in enumerate(jobs)
        for event in _job(number, created, old=created + 2 * took, new=created + took)
    ]
    traffic = _running(assess_events(events, complete_until=at(9000))).traffic
    assert len(traffic.bins) <= 24
    for name in ("admitted", "control_ended", "candidate_ended"):
        assert sum(getattr(one, name) for one in traffic.bins) == len(jobs)


def test_never_sampled_is_none_and_the_newest_sample_counts(tmp_path: Path) -> None:
    none = _running(assess_events(_job(1, 0, old=1, new=2)))
    assert (none.queue, none.prefect, none.workers, none.heartbeats) == (None, None, None, ())
    samples = [
        make_queue_sample(10, queue_depth=9, dlq_depth=2),
        make_queue_sample(20, queue_depth=3, dlq_depth=None, dlq_why="no such queue"),
        make_prefect_sample(30),
        make_workers_sample(40, "worker-2"),
    ]
    found = _running(assess_events([*_job(1, 0, old=1, new=2), *samples]))
    assert found.queue is not None
    assert (found.queue.depth, found.queue.dlq_depth) == (3, None)
    assert found.queue.why == "no such queue"
    assert found.queue.age_s == 5480.0
    assert found.prefect is not None
    assert found.workers is not None
    assert found.workers.stale == 1


def test_the_recorder_says_how_it_does_and_an_older_one_says_nothing(tmp_path: Path) -> None:
    so_far = {"polls": 12, "sweeps": 2, "cost_ms": 70.0, "sweeps_cost_ms": 50.0, "lock_retries": 3}
    started = {"session": "s1", "mode": "poll", "tick_s": 2.0}

    def event(kind: str, second: float, payload: dict[str, Any]) -> EventDraft:
        return EventDraft(
            source="recorder", kind=kind, key=f"{kind}:{second}", occurred_at=at(second),
            payload=payload,
        )  # fmt: skip

    journal = make_journal(tmp_path, [event("record.started", 1, started)])
    journal.append(Batch(events=(event("record.sweep", 2, {"cost_ms": 25.0}),)))
    journal.append(Batch(events=(event("record.sweep", 3, {"cost_ms": 26.0, "so_far": so_far}),)))
    journal.append(Batch(events=(event("schema.drift", 4, {"table": "jobs"}),)))

    def said(seq: int) -> Any:
        with journal.reader(seq) as reader:
            return recording_health(reader, time_scale=1.0)

    assert said(1).recorder.lock_retries is None
    assert (said(2).recorder.sweep_cost_ms, said(2).recorder.lock_retries) == (25.0, None)
    newest = said(4)
    assert newest.recorder.lock_retries == 3
    assert newest.recorder.polls == 12
    assert newest.recorder.tick_cost_ms == 2.0
    assert newest.recorder.stopped_at is None
    assert (said(3).drifts, newest.drifts, newest.batches) == (0, 1, 4)
    assert str(newest.last_drift).startswith("jobs, ")


def test_marks_are_those_of_the_moment_and_positions_prove_nothing(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb", clock=lambda: at(50))

    def mark(source: str, second: float, **position: Any) -> Watermark:
        return Watermark(source=source, position=position, complete_until=at(second))

    first = (mark("production", 10, tables=["jobs"]), mark("production:copy", -9e8))
    journal.append(Batch(events=(make_job("a"),), watermarks=first))
    journal.append(Batch(events=(make_job("b"),), watermarks=(mark("production", 40),)))
    for seq, second, tables in ((1, 10, ("jobs",)), (2, 40, ())):
        with journal.reader(seq) as reader:
            (one,) = recording_health(reader, time_scale=1.0).marks
        assert (one.source, one.complete_until, one.tables) == ("production", at(second), tables)
        assert one.lag_s == 50.0 - second


def test_a_forecast_of_time_is_that_of_jobs_at_the_pace(tmp_path: Path) -> None:
    events = [event for n in range(40) for event in _job(n, 60.0 * n, old=60.0 * n + 9, new=None)]
    journal = make_journal(tmp_path, events)
    assessment = assessed(journal)
    pace = _running(assessment).traffic.pace_per_h
    assert pace == pytest.approx(60.0)
    gates: list[GateResult] = [gate for phase in assessment.phases for gate in phase.gates]
    for gate in gates:
        assert (gate.more_s is None) == (gate.more_jobs is None)
        if gate.more_jobs is not None and gate.more_s is not None:
            assert gate.more_s == pytest.approx(60.0 * gate.more_jobs)


def test_what_the_recorder_says_of_itself_is_json() -> None:
    from harness.record.progress import RecorderProgress, so_far

    said = so_far(RecorderProgress(polls=3, cost_total_ms=1.23456, lock_retries=2))
    assert json.loads(json.dumps(said)) == {
        "polls": 3, "sweeps": 0, "cost_ms": 1.235, "sweeps_cost_ms": 0.0, "lock_retries": 2,
    }  # fmt: skip
