"""What every tier that reads production must keep, whatever its means. Runs nothing by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from harness.journal.store import Journal
from harness.model import Batch, EventKind
from harness.record.postgres.source import PostgresSource
from tests.support.postgres import Production, add_history, add_job, add_submission


class SourceContract:
    """Subclasses say how the source is made and which kind of poll is under test."""

    full: bool
    """True: every poll sweeps. False: polls after the first are of the fast tier."""

    def make(self, production: Production) -> PostgresSource:
        """A source that has not looked at the database yet."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, production: Production) -> Iterator[PostgresSource]:
        made = self.make(production)
        made.open()
        yield made
        made.connection.close()

    def poll(self, source: PostgresSource, journal: Journal) -> int:
        """Copy what is new into the journal; return how many events were new there."""
        new = 0
        tier = "?"
        with closing(source.poll(full=self.full)) as chunks:
            for chunk in chunks:
                new += journal.append(Batch(events=chunk.events, tier=chunk.tier)).new
                tier = chunk.tier
        assert tier == "copy" or (tier == "sweep") == self.full
        return new

    def test_a_poll_without_news_adds_nothing(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            add_history(session, add_job(session), "queue_claimed")
        assert self.poll(source, journal) == 3
        assert self.poll(source, journal) == 0
        assert self.poll(source, journal) == 0

    def test_a_row_committed_late_is_still_seen(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
        with production.connect(autocommit=False) as slow, production.connect() as quick:
            late = add_history(slow, job, "submitting")
            self.poll(source, journal)
            for number in range(3):
                add_history(quick, job, "submitted", number=number)
                self.poll(source, journal)
            assert late not in recorded(journal, EventKind.QUEUE_HISTORY)
            slow.commit()
        self.poll(source, journal)
        assert late in recorded(journal, EventKind.QUEUE_HISTORY)
        assert self.poll(source, journal) == 0

    def test_a_row_of_a_transaction_that_had_not_written_yet_at_the_poll_is_seen(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
        with production.connect(autocommit=False) as slow:
            # It has begun, and has no transaction number while the source looks.
            slow.execute("SELECT 1")
            self.poll(source, journal)
            self.poll(source, journal)
            late = add_history(slow, job, "submitting")
            slow.commit()
        self.poll(source, journal)
        assert late in recorded(journal, EventKind.QUEUE_HISTORY)

    def test_a_row_written_in_a_savepoint_is_seen(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
        with production.connect(autocommit=False) as slow:
            with slow.transaction():
                kept = add_history(slow, job, "submitting")
            with slow.transaction(force_rollback=True):
                undone = add_history(slow, job, "failed")
            self.poll(source, journal)
            slow.commit()
        self.poll(source, journal)
        seen = recorded(journal, EventKind.QUEUE_HISTORY)
        assert kept in seen
        assert undone not in seen

    def test_a_transaction_prepared_and_committed_later_is_seen(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
        self.poll(source, journal)
        with production.connect(autocommit=False) as slow:
            late = add_history(slow, job, "submitting")
            slow.execute(f"PREPARE TRANSACTION '{production.name}'".encode())
        for number in range(2):
            with production.connect() as quick:
                add_history(quick, job, "submitted", number=number)
            self.poll(source, journal)
        production.execute(f"COMMIT PREPARED '{production.name}'")
        self.poll(source, journal)
        assert late in recorded(journal, EventKind.QUEUE_HISTORY)

    def test_a_row_rolled_back_is_never_recorded(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
        with production.connect(autocommit=False) as slow:
            undone = add_history(slow, job, "submitting")
            self.poll(source, journal)
            slow.rollback()
        self.poll(source, journal)
        self.poll(source, journal)
        assert undone not in recorded(journal, EventKind.QUEUE_HISTORY)

    def test_each_version_that_a_poll_meets_is_an_event(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            row = add_submission(session, add_job(session), "https://www.acme.example/add")
            for status in ("submitting", "submitted"):
                self.poll(source, journal)
                session.execute(
                    "UPDATE directory_submissions SET status = %s WHERE id = %s", [status, row]
                )
            self.poll(source, journal)
        with journal.reader() as reader:
            rows = reader.rows(
                "SELECT payload->>'$.status', directory FROM events_now"
                " WHERE kind = 'directory_submissions' ORDER BY seq"
            )
        assert rows == [
            (status, "acme.example") for status in ("pending", "submitting", "submitted")
        ]

    def test_the_customer_of_a_new_job_is_recorded_however_old_its_row(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        production.execute(
            "INSERT INTO customers (customer_id, business_name, email) VALUES"
            " ('DIR-20261120-AAAAAA', 'Maple Bakery', 'a@maple.example'),"
            " ('DIR-20261120-BBBBBB', 'Nobody Ordered', 'b@maple.example')"
        )
        self.poll(source, journal)
        self.poll(source, journal)
        assert recorded(journal, EventKind.CUSTOMERS) == Counter()
        production.execute(
            "INSERT INTO jobs (customer_id, package_size) VALUES ('DIR-20261120-AAAAAA', 50)"
        )
        self.poll(source, journal)
        with journal.reader() as reader:
            names = reader.rows(
                "SELECT payload->>'$.business_name' FROM events_now WHERE kind = 'customers'"
            )
        assert names == [("Maple Bakery",)]

    def test_a_chunk_that_never_reached_the_journal_is_read_again(
        self, source: PostgresSource, production: Production, journal: Journal
    ) -> None:
        with production.connect() as session:
            job = add_job(session)
            self.poll(source, journal)
            row = add_history(session, job, "submitting")
        with closing(source.poll(full=self.full)) as chunks:
            lost = [event.key for chunk in [next(chunks)] for event in chunk.events]
        assert lost == [f"queue_history:{row}"]
        assert self.poll(source, journal) == 1


def recorded(journal: Journal, kind: EventKind) -> Counter[str]:
    """The ids of the recorded rows of a table, with how often each occurs."""
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT payload->>'$.id' FROM events_now WHERE kind = $kind", kind=str(kind)
        )
    return Counter(str(row_id) for (row_id,) in rows)
