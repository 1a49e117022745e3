"""Outages become events, once each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.record.gaps import Gap, GapLog

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def gap(why: str = "connection refused", what: str = "production") -> Gap:
    return Gap(what=what, why=why, since=START, loses="states in between")


def test_a_gap_runs_from_the_first_failure_to_the_recovery_with_the_first_reason() -> None:
    log = GapLog("s")
    log.begin(gap("connection refused"))
    log.begin(gap("the server is starting up"))
    assert log.pending() == ()
    log.end("production", until=START + timedelta(seconds=90))
    (event,) = log.pending()
    assert event.payload["why"] == "connection refused"
    assert event.payload["from"] == START.isoformat()
    assert event.payload["until"] == (START + timedelta(seconds=90)).isoformat()


def test_a_gap_that_could_not_be_written_keeps_its_key_for_the_next_try() -> None:
    log = GapLog("s")
    log.begin(gap())
    log.end("production", until=START)
    first = log.pending()
    log.begin(gap(what="shadow queue"))
    log.end("shadow queue", until=START)
    again = log.pending()
    assert again[0].key == first[0].key
    log.wrote(1)
    assert [event.key for event in log.pending()] == [again[1].key]


def test_the_end_of_recording_ends_every_gap() -> None:
    log = GapLog("s")
    log.begin(gap())
    log.begin(gap(what="shadow queue"))
    log.end_all(until=START)
    assert log.current == ()
    assert {event.payload["what"] for event in log.pending()} == {"production", "shadow queue"}
