"""Every committed version is one event, in the order of commits, in slot and sweep alike."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest

from harness.journal.store import Journal
from harness.model import EventKind
from harness.record.slot.source import SlotSource
from tests.contracts.source import SourceContract, recorded
from tests.integration.record.slot.kit import (
    Decoding,
    append,
    connected,
    gaps,
    payloads,
    poll,
    set_status,
    statuses,
)
from tests.support.postgres import Production, add_history, add_job, add_submission
from tests.support.processes import wait_for
from tests.support.slots import slot_source


class TestSlot(SourceContract):
    full = False

    @pytest.fixture(autouse=True)
    def _with(self, decoding: Decoding, journal: Journal) -> None:
        self.decoding, self.journal = decoding, journal

    def make(self, production: Production) -> SlotSource:  # type: ignore[override]
        """The slot exists: one cannot begin while a transaction of these tests goes on."""
        with closing(connected(self.decoding, production, self.journal)) as first:
            for _ in first.poll(full=True):
                pass
        return slot_source(production, self.journal, plugin=self.decoding.plugin)


class TestSlotWithSweeps(TestSlot):
    full = True


def test_every_version_is_an_event_those_inside_a_transaction_too(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        for status in ("1", "2"):
            set_status(session, row, status)
        with session.transaction():
            set_status(session, row, "3")
            with session.transaction():
                set_status(session, row, "4")
            with session.transaction(force_rollback=True):
                set_status(session, row, "never")
            set_status(session, row, "5")
        with session.transaction(), session.transaction():
            set_status(session, row, "6")
    poll(source, journal)
    poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_version_written_in_a_savepoint_is_the_same_event_for_a_sweep(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        with session.transaction(), session.transaction():
            set_status(session, row, "1")
    poll(source, journal)
    with closing(source.connection):
        poll(source, journal, full=True)
        source.start_over()
        poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1"]


def test_a_sweep_does_not_get_ahead_of_the_slot(
    decoding: Decoding, source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")

        def change_between() -> None:
            with session.transaction(), session.transaction():
                set_status(session, row, "1")
            with session.transaction(), session.transaction():
                set_status(session, row, "2")

        before_the_tables_are_read(source, change_between)
        poll(source, journal, full=True)
        assert statuses(journal) == ["0"]
        with session.transaction(), session.transaction():
            set_status(session, row, "3")
    poll(source, journal)
    poll(source, journal, full=True)
    assert statuses(journal) == ["0", "1", "2", "3"]


def test_what_a_sweep_left_to_the_slot_is_not_lost_with_it(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        before_the_tables_are_read(source, lambda: set_status(session, row, "1"))
        poll(source, journal, full=True)
        assert statuses(journal) == ["0"]
        production.execute("SELECT pg_drop_replication_slot(%s)", [production.name])
        poll(source, journal)
    assert statuses(journal) == ["0", "1"]
    assert not source.streaming


def before_the_tables_are_read(source: SlotSource, act: Any) -> None:
    """Do `act` once, after the slot was drained and before the sweep that follows."""
    read = source._sweeps.poll

    def acting(**options: Any) -> Any:
        source._sweeps.poll = read  # type: ignore[method-assign]
        act()
        return read(**options)

    source._sweeps.poll = acting  # type: ignore[method-assign]


def test_a_deleted_row_and_a_changed_key_are_told(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        session.execute("INSERT INTO worker_status VALUES ('w:1', now(), 'idle')")
        session.execute("UPDATE worker_status SET worker_id = 'w:2'")
        session.execute("DELETE FROM worker_status")
    poll(source, journal)
    assert [row["worker_id"] for row in payloads(journal, "worker_status")] == ["w:1", "w:2"]
    deleted = payloads(journal, EventKind.ROW_DELETED)
    assert [(one["table"], one["identity"], one["key"]) for one in deleted] == [
        ("worker_status", "w:1", {"worker_id": "w:1"}),
        ("worker_status", "w:2", {"worker_id": "w:2"}),
    ]


@pytest.mark.parametrize("messages", [2, 10_000])
def test_updates_that_change_nothing_are_told_one_by_one(
    decoding: Decoding, production: Production, journal: Journal, messages: int
) -> None:
    """They cannot be told apart by what they wrote, and a small peek shows them one after another
    while the table has the last already."""
    with (
        closing(connected(decoding, production, journal, peek_messages=messages)) as source,
        production.connect() as session,
    ):
        poll(source, journal)
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        for _ in range(3):
            set_status(session, row, "0")
        for _ in range(2):
            with session.transaction(), session.transaction():
                set_status(session, row, "0")
        poll(source, journal)
        poll(source, journal, full=True)
    assert statuses(journal) == ["0"] * 6


@pytest.mark.parametrize("writers", ["plain", "savepoints"])
def test_a_kill_between_journal_and_slot_doubles_nothing_and_loses_nothing(
    decoding: Decoding, production: Production, journal: Journal, writers: str
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")

        def write(status: str) -> None:
            if writers == "plain":
                set_status(session, row, status)
            else:
                with session.transaction(), session.transaction():
                    set_status(session, row, status)

        with closing(connected(decoding, production, journal)) as first:
            poll(first, journal)
            write("1")
            write("2")
            with closing(first.poll(full=False)) as chunks:
                append(first, journal, next(chunks))
        write("3")
        with closing(connected(decoding, production, journal)) as second:
            poll(second, journal)
            write("4")
            poll(second, journal)
    assert statuses(journal) == ["0", "1", "2", "3", "4"]


def test_what_happened_while_no_recorder_ran_is_told_version_by_version(
    decoding: Decoding, production: Production, journal: Journal
) -> None:
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        with closing(connected(decoding, production, journal)) as first:
            poll(first, journal)
        for status in "1234":
            set_status(session, row, status)
        with closing(connected(decoding, production, journal, peek_messages=2)) as second:
            poll(second, journal)
    assert statuses(journal) == ["0", "1", "2", "3", "4"]
    assert gaps(journal) == []


def test_the_watermark_says_no_more_than_what_is_journaled(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    """Commits that do not wait for the disk may be visible before decoding can read them."""
    with production.connect() as session:
        session.execute("SET synchronous_commit = off")
        job = add_job(session)
        for number in range(20):
            row = add_history(session, job, "submitting", number=number)
            ((at,),) = session.execute("SELECT clock_timestamp()").fetchall()
            done = poll(source, journal)
            assert done is not None
            assert done.mark.at < at or row in recorded(journal, EventKind.QUEUE_HISTORY)
        wait_for(
            lambda: (found := poll(source, journal)) is not None and found.mark.at >= at,
            what="the watermark's coming up",
        )
    assert len(payloads(journal, "queue_history")) == 20


def test_a_commit_that_nobody_may_see_yet_is_not_told(
    source: SlotSource, production: Production, journal: Journal
) -> None:
    """It is in the log; but its standby has not answered, and a failover would undo it."""
    begun: list[str] = []
    ended = threading.Event()
    waits = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "0")
        poll(source, journal)

        def change_until_it_waits() -> None:
            # A setting takes effect a while after it was made.
            while not ended.is_set():
                begun.append(str(len(begun) + 1))
                set_status(session, row, begun[-1])

        writer = threading.Thread(target=change_until_it_waits)
        set_standby(production, "nobody")
        try:
            writer.start()
            wait_for(
                lambda: production.execute(waits, [session.info.backend_pid]) == [("SyncRep",)],
                what="the wait for a standby",
            )
            done = poll(source, journal)
            assert statuses(journal) == ["0", *begun[:-1]]
        finally:
            ended.set()
            set_standby(production, "")
            writer.join()
        later = poll(source, journal)
        assert statuses(journal) == ["0", *begun]
    assert done is not None
    assert later is not None
    assert done.mark.at < later.mark.at


def set_standby(production: Production, name: str) -> None:
    """Let commits wait for the standby of this name."""
    production.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    production.execute("SELECT pg_reload_conf()")
