"""Drift of the schema, and which customers belong to which jobs."""

from __future__ import annotations

from dataclasses import replace

from harness.model import EventKind
from harness.record.postgres.introspect import Table, customer_link, describe_drift, shape_of
from harness.record.postgres.tables import TABLES

EXACT = "timestamp with time zone"


def table(kind: EventKind, **columns: str) -> Table:
    spec = next(spec for spec in TABLES if spec.kind == kind)
    return Table(
        spec=spec, schema="public", columns=columns, key=("id",), created=None, touched=None, oid=7
    )


def test_drift_names_what_came_what_went_and_what_changed_its_type() -> None:
    before = shape_of([table(EventKind.JOBS, id="uuid", status="text", priority="integer")])
    after = shape_of([table(EventKind.JOBS, id="uuid", priority="bigint", tier="text")])
    assert describe_drift(before, before) == []
    assert describe_drift(before, after) == [
        {
            "table": "jobs",
            "change": "altered",
            "added": {"tier": "text"},
            "missing": {"status": "text"},
            "retyped": {"priority": ["integer", "bigint"]},
            "key": None,
            "by_time": None,
        }
    ]


def test_a_table_that_appears_or_vanishes_is_drift_with_all_its_columns() -> None:
    one = shape_of([table(EventKind.JOB_RESULTS, id="uuid")])
    (came,) = describe_drift({}, one)
    (went,) = describe_drift(one, {})
    assert (came["table"], came["change"], came["added"]) == (
        "job_results",
        "appeared",
        {"id": "uuid"},
    )
    assert (went["change"], went["missing"]) == ("vanished", {"id": "uuid"})


def test_a_table_made_again_with_the_same_columns_is_drift() -> None:
    first = table(EventKind.JOBS, id="uuid")
    (change,) = describe_drift(shape_of([first]), shape_of([replace(first, oid=8)]))
    assert (change["change"], change["added"], change["missing"]) == ("recreated", {}, {})


def test_another_key_is_drift() -> None:
    first = table(EventKind.JOBS, id="uuid", tenant="text")
    second = replace(first, key=("tenant", "id"))
    (change,) = describe_drift(shape_of([first]), shape_of([second]))
    assert (change["change"], change["key"]) == ("altered", [["id"], ["tenant", "id"]])


def test_a_creation_time_that_is_no_longer_exact_is_drift() -> None:
    exact = replace(table(EventKind.QUEUE_HISTORY, created_at=EXACT), created="created_at")
    rounded = replace(exact, columns={"created_at": "timestamp(0) with time zone"})
    (change,) = describe_drift(shape_of([exact]), shape_of([rounded]))
    assert change["by_time"] == [True, False]


def test_a_table_that_cannot_be_read_keeps_its_shape_and_one_that_is_gone_does_not() -> None:
    jobs, results = table(EventKind.JOBS, id="uuid"), table(EventKind.JOB_RESULTS, id="uuid")
    before = shape_of([jobs, results])
    assert describe_drift(before, shape_of([jobs], before=before)) == []
    gone = shape_of([jobs], before=before, absent={"job_results"})
    assert [drift["change"] for drift in describe_drift(before, gone)] == ["vanished"]


def test_the_shape_that_an_older_journal_remembers_is_compared_by_its_columns() -> None:
    now = shape_of([table(EventKind.JOBS, id="uuid", columns="text")])
    assert describe_drift({"jobs": {"id": "uuid", "columns": "text"}}, now) == []
    (change,) = describe_drift({"jobs": {"id": "uuid"}}, now)
    assert (change["change"], change["added"]) == ("altered", {"columns": "text"})


def test_customers_are_found_by_the_column_that_jobs_refer_to() -> None:
    customers = table(EventKind.CUSTOMERS, id="uuid", customer_id="text")
    live = table(EventKind.JOBS, id="uuid", customer_id="text")
    autobolt = table(EventKind.JOBS, id="uuid", customer_id="uuid")
    assert customer_link([customers, live]) == (live, "customer_id")
    assert customer_link([customers, autobolt]) == (autobolt, "id")


def test_where_jobs_cannot_be_read_no_customer_is_linked() -> None:
    assert customer_link([table(EventKind.CUSTOMERS, id="uuid", customer_id="text")]) is None


def test_where_jobs_name_no_customer_there_is_no_link() -> None:
    customers = table(EventKind.CUSTOMERS, id="uuid", customer_id="text")
    assert customer_link([customers, table(EventKind.JOBS, id="uuid")]) is None
