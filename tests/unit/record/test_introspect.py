"""Drift of the schema, and which customers belong to which jobs."""

from __future__ import annotations

from harness.model import EventKind
from harness.record.introspect import Table, customer_link, describe_drift
from harness.record.tables import TABLES


def table(kind: EventKind, **columns: str) -> Table:
    spec = next(spec for spec in TABLES if spec.kind == kind)
    return Table(
        spec=spec, schema="public", columns=columns, key=("id",), created=None, touched=None
    )


def test_equal_shapes_are_no_drift() -> None:
    assert describe_drift({"jobs": {"id": "uuid"}}, {"jobs": {"id": "uuid"}}) == []


def test_drift_names_what_came_what_went_and_what_changed_its_type() -> None:
    before = {"jobs": {"id": "uuid", "status": "text", "priority": "integer"}}
    after = {"jobs": {"id": "uuid", "priority": "bigint", "tier": "text"}}
    assert describe_drift(before, after) == [
        {
            "table": "jobs",
            "added": {"tier": "text"},
            "missing": {"status": "text"},
            "retyped": {"priority": ["integer", "bigint"]},
        }
    ]


def test_a_table_that_appears_is_drift() -> None:
    (change,) = describe_drift({}, {"job_results": {"id": "uuid"}})
    assert (change["table"], change["added"]) == ("job_results", {"id": "uuid"})


def test_customers_are_found_by_the_column_that_jobs_refer_to() -> None:
    customers = table(EventKind.CUSTOMERS, id="uuid", customer_id="text")
    live = table(EventKind.JOBS, id="uuid", customer_id="text")
    autobolt = table(EventKind.JOBS, id="uuid", customer_id="uuid")
    assert customer_link([customers, live]) == (live, "customer_id")
    assert customer_link([customers, autobolt]) == (autobolt, "id")


def test_where_jobs_name_no_customer_there_is_no_link() -> None:
    customers = table(EventKind.CUSTOMERS, id="uuid", customer_id="text")
    assert customer_link([customers, table(EventKind.JOBS, id="uuid")]) is None
