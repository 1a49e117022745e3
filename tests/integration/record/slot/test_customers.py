"""Customers are recorded for the jobs that name them, whatever the log tells of them before."""

from __future__ import annotations

from contextlib import closing

from harness.journal.store import Journal
from harness.model import EventKind
from harness.record.slot.source import SlotSource
from tests.integration.record.slot.kit import Decoding, connected, payloads, poll
from tests.support.postgres import Production, add_job

_NOBODY = "INSERT INTO customers (customer_id, business_name, email) VALUES ('X', 'Nobody', 'x')"
_THEIR_JOB = "INSERT INTO jobs (customer_id, package_size, status) VALUES ('X', 50, 'pending')"


def test_customers_without_a_job_leave_no_trace_not_even_of_their_end(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        job = add_job(session)
        session.execute(
            "INSERT INTO customers (customer_id, business_name, email) VALUES ('X', 'Nobody', 'x')"
        )
        session.execute("UPDATE customers SET phone = '555-0101'")
        poll(source, journal)
        session.execute("DELETE FROM customers WHERE customer_id = 'X'")
        session.execute("DELETE FROM jobs WHERE id = %s", [job])
        session.execute("DELETE FROM customers")
    poll(source, journal)
    phones = [row["phone"] for row in payloads(journal, "customers")]
    assert phones == ["555-0100", "555-0101"]
    tables = [row["table"] for row in payloads(journal, EventKind.ROW_DELETED)]
    assert tables == ["jobs", "customers"]


def test_a_customer_told_before_a_job_named_it_is_recorded_with_the_job(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session, production.connect(autocommit=False) as other:
        # Its number is below all that follows, so nothing that follows is of a time that is over.
        add_job(other)
        session.execute(_NOBODY)
        poll(source, journal)
        assert payloads(journal, "customers") == []
        session.execute(_THEIR_JOB)
        done = poll(source, journal)
        other.rollback()
    assert [row["customer_id"] for row in payloads(journal, "customers")] == ["X"]
    assert done is not None
    assert done.complete


def test_nothing_is_claimed_of_customers_while_one_is_left_to_a_sweep(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session, production.connect(autocommit=False) as other:
        with closing(connected(decoding, production, journal)) as source:
            poll(source, journal)
            add_job(other)
            session.execute(_NOBODY)
            poll(source, journal)
        with closing(connected(decoding, production, journal)) as source:
            # Nothing remembers that the slot has told the customer.
            poll(source, journal)
            session.execute(_THEIR_JOB)
            for full in (False, True, False):
                done = poll(source, journal, full=full)
                assert done is not None
                assert not done.complete
                assert "customers" not in done.tables
                assert "jobs" in done.tables
            other.rollback()
            done = poll(source, journal, full=True)
            assert done is not None
            assert done.complete
    assert [row["customer_id"] for row in payloads(journal, "customers")] == ["X"]
