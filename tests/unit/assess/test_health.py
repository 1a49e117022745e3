"""What the journal says of its own recording, of replays, and what persons have attested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.assess.health import recording_health, replay_exclusions, replay_progress
from harness.assess.said import attested, statements
from harness.journal.reader import Reader
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.events import at, make_job, make_replay
from tests.support.journals import RECORDED_AT, make_journal
from tests.support.samples import make_prefect_sample, make_queue_sample, make_workers_sample


def _event(kind: str, number: int, payload: dict[str, Any], **columns: Any) -> EventDraft:
    values = {"source": "recorder", "occurred_at": at(number)} | columns
    return EventDraft(kind=kind, key=f"{kind}:{number}", payload=payload, **values)


def _attest(number: int, name: str, until: datetime, **payload: Any) -> EventDraft:
    said = {"name": name, "holds": True, "by": "Ana Ruiz", "until": until.isoformat()} | payload
    return _event("attest", number, said, source="operator")


def _replay(event: str, run: str, second: float, **payload: Any) -> EventDraft:
    return EventDraft(
        source=f"replay:{run}", kind=event, key=f"{event}:{run}:{second}", occurred_at=at(second),
        payload={"run": run} | payload,
    )  # fmt: skip


def _reading(folder: Path, events: Sequence[EventDraft], **options: Any) -> Any:
    return make_journal(folder, events, **options).reader()


def test_lag_is_the_time_between_the_newest_event_and_the_complete_record(tmp_path: Path) -> None:
    with _reading(tmp_path, [make_job()], complete_until=at(5440)) as reader:
        health = recording_health(reader, time_scale=1.0)
    assert (health.complete_until, health.lag_s) == (at(5440), 60.0)
    assert (health.events, health.by_kind) == (1, (("jobs", 1),))


def test_without_a_sweep_there_is_no_lag_to_speak_of(tmp_path: Path) -> None:
    with _reading(tmp_path, [make_job()], complete_until=None) as reader:
        health = recording_health(reader, time_scale=1.0)
    assert (health.complete_until, health.lag_s) == (None, None)
    assert (health.queue_depth, health.dlq_depth, health.provisional) == (None, None, False)


def test_gaps_and_a_provisional_tier_are_said_in_words(tmp_path: Path) -> None:
    gap = {"what": "production", "why": "no route", "from": "9:01", "until": "9:05"}
    events = [
        _event("record.started", 1, {"provisional": False}),
        _event("record.started", 2, {"provisional": True}),
        _event("record.gap", 3, gap),
    ]
    with _reading(tmp_path, events) as reader:
        health = recording_health(reader, time_scale=1.0)
    assert health.gaps == ("production, no route, 9:01 to 9:05",)
    assert health.provisional


def test_each_worker_shows_its_newest_heartbeat(tmp_path: Path) -> None:
    beats = [
        _event("worker_heartbeats", n, {"worker_id": worker, "status": status})
        for n, (worker, status) in enumerate([("w1", "running"), ("w2", "idle"), ("w1", "idle")])
    ]
    old = _event("worker_status", 30, {"worker_id": "poller-1", "status": "running"})
    # Recorded long after: what counts is up to when somebody looked.
    with _reading(tmp_path, [*beats, old], complete_until=at(62), recorded_at=at(900)) as reader:
        workers = recording_health(reader, time_scale=1.0).workers
        scaled = recording_health(reader, time_scale=10.0).workers
    assert workers == (
        "w1 idle, seen 60 s ago", "w2 idle, seen 61 s ago", "poller-1 running, seen 32 s ago",
    )  # fmt: skip
    assert scaled[0] == "w1 idle, seen 10 min ago"


def test_a_worker_that_hangs_is_shown_as_stale_whatever_it_said_last(tmp_path: Path) -> None:
    beats = [
        _event("worker_heartbeats", n, {"worker_id": f"w{n}", "status": "running"}) for n in (1, 2)
    ]
    events = [*beats, make_workers_sample(50, "w1"), make_workers_sample(60, "w2")]
    with _reading(tmp_path, events, complete_until=at(62)) as reader:
        health = recording_health(reader, time_scale=1.0)
    assert health.stale_workers == ("w2",)
    assert health.workers == ("w1 running, seen 61 s ago", "w2 stale, seen 60 s ago")


def test_of_the_queues_the_newest_sample_is_shown(tmp_path: Path) -> None:
    samples = [
        make_queue_sample(1, queue_depth=9, dlq_depth=2, oldest_age_s=4.0),
        make_queue_sample(2, queue_depth=7, oldest_age_s=31.5, dlq_oldest_age_s=90.0,
                          dead_letters_why="the DLQ has a redrive policy"),
    ]  # fmt: skip
    with _reading(tmp_path, samples) as reader:
        health = recording_health(reader, time_scale=1.0)
    assert (health.queue_depth, health.dlq_depth) == (7, 0)
    assert (health.oldest_age_s, health.dlq_oldest_age_s) == (31.5, 90.0)
    assert health.dlq_why == "the DLQ has a redrive policy"


def test_prefect_is_one_line(tmp_path: Path) -> None:
    runs = {"RUNNING": 2, "FAILED": 3, "CRASHED": 1}
    samples = [
        make_prefect_sample(10, deployments=0, exists=False, healthy=False, late=1, runs=runs)
    ]
    with _reading(tmp_path, [make_job()]) as reader:
        assert recording_health(reader, time_scale=1.0).prefect is None
    with _reading(tmp_path, samples, complete_until=at(40), name="asked.duckdb") as reader:
        line = recording_health(reader, time_scale=1.0).prefect
    assert line == (
        "not healthy, 0 deployments, process_job/production is missing, 2 running, 1 late, "
        "3 failed, 1 crashed; asked 30 s ago"
    )


def test_a_replay_shows_its_rate_and_what_remains(tmp_path: Path) -> None:
    done = [make_replay("submitted", accepted=1, run="one", job_id=f"job-{n}") for n in range(4)]
    skipped = _replay("replay.submission", "one", 90, excluded="environment unknown")
    events = [
        _replay("replay.started", "one", 40, worker="built-in", selected=11),
        *done,
        skipped,
        _replay("replay.escape", "one", 95, kind="beacon", url="https://outside.test/", count=3),
        _replay("replay.escape", "one", 96, kind="fetch", url="https://outside.test/"),
    ]
    with _reading(tmp_path, events) as reader:
        (run,) = replay_progress(reader, disagreeing={"one": 3, "two": 9})
        assert replay_exclusions(reader) == (("environment unknown", 1),)
    assert (run.run, run.worker, run.selected) == ("one", "built-in", 11)
    assert (run.done, run.excluded, run.disagreeing, run.escapes) == (4, 1, 3, 4)
    # Four in the minute from its start to its last word; six are left.
    assert run.rate_per_min == 4.0
    assert run.remaining_s == 90.0
    assert run.finished_at is None


def test_a_finished_replay_has_nothing_left(tmp_path: Path) -> None:
    events = [
        _replay("replay.started", "one", 0, selected=5),
        make_replay("submitted", accepted=1, run="one"),
        _replay("replay.finished", "one", 120),
        _replay("replay.started", "two", 0, selected=5),
    ]
    with _reading(tmp_path, events) as reader:
        one, two = replay_progress(reader, disagreeing={})
    assert (one.finished_at, one.rate_per_min, one.remaining_s) == (at(120), 0.5, None)
    assert (two.done, two.rate_per_min, two.remaining_s) == (0, None, None)


def _valid(reader: Reader, *, now: datetime = RECORDED_AT) -> dict[str, tuple[bool, bool]]:
    return {said.name: (said.valid, said.holds) for said in statements(reader, at=now)}


def test_an_attestation_counts_until_it_expires(tmp_path: Path) -> None:
    events = [
        _attest(1, "no_customer_complaints", at(6001), note="inbox read"),
        _attest(2, "tickets_steady", RECORDED_AT),
        _attest(3, "portal_shows_it", at(9000), holds=False),
    ]
    with _reading(tmp_path, events) as reader:
        assert _valid(reader) == {
            "no_customer_complaints": (True, True),
            "tickets_steady": (False, True),
            "portal_shows_it": (True, False),
        }
        # Nothing was journaled since, and yet it is later now.
        assert _valid(reader, now=at(6001))["no_customer_complaints"] == (False, True)
        said = attested(statements(reader, at=RECORDED_AT))
        text = said["no_customer_complaints"].text
    assert text == "Ana Ruiz, until 20 November 2026 10:40 UTC (inbox read)"


def test_the_newest_statement_of_a_name_counts_as_of_each_moment(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, [_attest(1, "no_customer_complaints", at(9000))])
    later = Journal(journal.path, clock=lambda: at(7000))
    contrary = _attest(2, "no_customer_complaints", at(8000), holds=False)
    later.append(Batch(events=(contrary,)))
    with journal.reader() as reader:
        assert _valid(reader) == {"no_customer_complaints": (True, False)}
    with journal.reader(as_of=1) as reader:
        assert _valid(reader) == {"no_customer_complaints": (True, True)}
