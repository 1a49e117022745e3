"""What a person reads while recording goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from harness.cli.record_status import describe
from harness.record.progress import RecorderProgress

NOW = datetime(2026, 11, 20, 14, 5, 9, tzinfo=UTC)
GOING = RecorderProgress(
    rows=12_345, polls=7, cost_ms=1.84, complete_until=NOW - timedelta(seconds=2.4)
)


def test_rows_completeness_lag_and_cost_are_one_line() -> None:
    assert describe(GOING, NOW) == (
        "12,345 rows; complete until 14:05:06 UTC, lag 2.4 s; last poll 1.8 ms"
    )


def test_before_the_first_copy_is_over_nothing_is_called_complete() -> None:
    assert describe(RecorderProgress(rows=10_000), NOW) == "10,000 rows; first copy"


def test_a_source_with_a_clock_ahead_of_ours_has_no_negative_lag() -> None:
    assert "lag 0.0 s" in describe(GOING, NOW - timedelta(minutes=1))


def test_an_empty_queue_is_told_and_a_queue_that_is_not_set_is_not() -> None:
    told = describe(replace(GOING, queue_depth=0, dlq_depth=None), NOW)
    assert told.endswith("queue 0")


def test_what_fails_and_what_is_only_provisional_is_told_with_its_reason() -> None:
    told = describe(
        replace(GOING, failing=("db.example: connection refused",), provisional="no privilege"),
        NOW,
    )
    assert "complete by sweeps only: no privilege" in told
    assert told.endswith("FAILING: db.example: connection refused")
