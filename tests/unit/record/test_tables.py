"""How a row becomes an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.model import EventDraft, EventKind
from harness.record.postgres.tables import (
    TABLES,
    TableSpec,
    event_key,
    host_of,
    make_event,
    parse_time,
)

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def spec_of(kind: EventKind) -> TableSpec:
    return next(spec for spec in TABLES if spec.kind == kind)


def draft(kind: EventKind, row: dict[str, Any], xid: int = 77) -> EventDraft:
    spec = spec_of(kind)
    key = event_key(spec, spec.identity, row, xid)
    return make_event(spec, row, key=key, snapshot_at=AT)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.Maple-Listings.example/add-listing/?x=1#top",
        "http://maple-listings.example:8080",
        "WWW.MAPLE-LISTINGS.EXAMPLE/submit",
        " https://user:secret@maple-listings.example/ ",
    ],
)
def test_every_writing_of_an_address_has_the_same_host(url: str) -> None:
    assert host_of(url) == "maple-listings.example"


def test_an_appended_row_is_one_event_whoever_sees_it_and_when() -> None:
    row = {"id": "h1", "job_id": "j1", "event": "submitted", "directory_name": "a.example"}
    early = draft(EventKind.QUEUE_HISTORY, row, xid=1)
    late = draft(EventKind.QUEUE_HISTORY, row, xid=2)
    assert early.key == late.key == "queue_history:h1"
    assert (early.job_id, early.directory, early.kind) == ("j1", "a.example", "queue_history")


def test_each_version_of_a_changing_row_is_an_event_of_its_own() -> None:
    row = {"id": "s1", "submission_queue_id": "j1", "directory_url": "https://www.a.example/x"}
    event = draft(EventKind.DIRECTORY_SUBMISSIONS, row, xid=2**33 + 5)
    assert event.key == f"directory_submissions:s1:{2**33 + 5}"
    assert (event.job_id, event.directory) == ("j1", "a.example")


def test_an_event_occurred_when_its_writer_last_changed_the_row() -> None:
    row = {
        "id": "j1",
        "created_at": "2026-11-20T08:00:00+00:00",
        "updated_at": "2026-11-20T10:30:00.25+02:00",
    }
    event = draft(EventKind.JOBS, row)
    assert event.occurred_at == datetime(2026, 11, 20, 8, 30, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "infinity", "0044-03-15T12:00:00+00:00 BC"])
def test_a_row_without_a_usable_time_occurred_at_the_snapshot(value: str | None) -> None:
    assert draft(EventKind.JOBS, {"id": "j1", "updated_at": value}).occurred_at == AT


def test_a_time_without_zone_is_read_as_utc() -> None:
    assert parse_time("2026-11-20T09:00:00") == AT


def test_a_title_in_place_of_a_host_is_kept_as_it_is() -> None:
    row = {"id": "r1", "job_id": "j1", "directory_name": "Maple Listings"}
    assert draft(EventKind.JOB_RESULTS, row).directory == "Maple Listings"


def test_the_old_shape_of_queue_history_has_no_job_and_is_recorded_all_the_same() -> None:
    row = {"id": "h1", "customer_id": "DIR-1", "status_from": "a", "status_to": "b"}
    event = draft(EventKind.QUEUE_HISTORY, row)
    assert (event.job_id, event.directory, event.payload) == (None, None, row)


@pytest.mark.parametrize("metadata", [{"job_id": "j1", "event": "requeued_stale"}, None, "text"])
def test_the_stale_monitors_row_names_its_job_in_its_metadata(metadata: Any) -> None:
    row = {"id": "h1", "customer_id": "DIR-1", "status_to": "pending", "metadata": metadata}
    expected = "j1" if isinstance(metadata, dict) else None
    assert draft(EventKind.QUEUE_HISTORY, row).job_id == expected


@pytest.mark.parametrize("column", ["submission_queue_id", "job_id", "queue_id"])
def test_a_row_of_the_work_list_names_its_job_in_one_of_three_ways(column: str) -> None:
    row = {"id": "s1", column: "j1", "customer_job_id": "DIR-1", "directory_url": "https://a.test"}
    assert draft(EventKind.DIRECTORY_SUBMISSIONS, row).job_id == "j1"


def test_a_customer_in_place_of_a_job_is_no_job() -> None:
    row = {"id": "s1", "customer_job_id": "DIR-1", "directory_url": "https://a.test/add"}
    event = draft(EventKind.DIRECTORY_SUBMISSIONS, row)
    assert (event.job_id, event.directory) == (None, "a.test")


def test_a_result_is_at_its_address_and_where_it_has_none_at_its_name() -> None:
    row = {"id": 1, "job_id": 17, "directory_name": "b.test", "directory_url": "https://a.test/x"}
    assert draft(EventKind.JOB_RESULTS, row).directory == "a.test"
    assert draft(EventKind.JOB_RESULTS, row | {"directory_url": None}).directory == "b.test"
    assert draft(EventKind.JOB_RESULTS, row).job_id == "17"
