"""Comparing counts and keys: deletes, restored rows, rows that no tier can find."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, EventKind
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.source import PostgresSource
from harness.record.reconcile.reconciler import Reconciler, Verdict
from tests.contracts.source import recorded
from tests.support.load import assert_same, fill
from tests.support.postgres import Production, add_history, add_job


class Comparison:
    """A source, a journal and what compares them, step by step."""

    def __init__(self, production: Production, journal: Journal) -> None:
        pace = Pace(tick_s=1e6, min_interval_s=0.0, max_share=1.0)
        self.source = PostgresSource(
            SourceConnection(production.recorder_dsn), pace=pace, margin_s=0.0
        )
        self.journal = journal
        self.reconciler = Reconciler(journal)
        self.source.open()
        self.sweep()

    def sweep(self) -> None:
        with closing(self.source.poll(full=True)) as chunks:
            for chunk in chunks:
                self.journal.append(Batch(events=chunk.events, tier=chunk.tier))

    def compare(self) -> tuple[dict[str, dict[str, int]], list[Verdict]]:
        verdicts = []
        for _ in range(100):
            request = self.reconciler.request()
            with closing(self.source.poll(full=True, census=request)) as chunks:
                for chunk in chunks:
                    self.journal.append(Batch(events=chunk.events, tier=chunk.tier))
                    if chunk.done is not None:
                        verdict = self.reconciler.take(chunk.done, self.source.tables)
            self.journal.append(Batch(events=verdict.events, tier="reconcile"))
            verdicts.append(verdict)
            if verdict.finished is not None:
                return verdict.finished, verdicts
        raise AssertionError("the comparison did not come to its end")


@pytest.fixture
def comparison(production: Production, journal: Journal) -> Iterator[Comparison]:
    fill(production, history_rows=400, jobs=8)
    with production.connect() as owner:
        for number in range(4):
            owner.execute(
                "INSERT INTO worker_status (worker_id, status) VALUES (%s, 'running')",
                [f"worker:{number},ä"],
            )
    made = Comparison(production, journal)
    yield made
    made.source.connection.close()


def deleted(journal: Journal) -> list[dict[str, Any]]:
    with journal.reader() as reader:
        rows = reader.rows("SELECT payload FROM events_now WHERE kind = 'row.deleted' ORDER BY seq")
    return [json.loads(text) for (text,) in rows]


def test_what_is_the_same_is_counted_and_nothing_is_written(comparison: Comparison) -> None:
    before = comparison.journal.head().seq
    counts, verdicts = comparison.compare()
    assert len(verdicts) == 1
    assert comparison.journal.head().seq == before
    assert {name: (c["rows_source"], c["rows_journal"]) for name, c in counts.items()} == {
        "customers": (8, 8),
        "jobs": (8, 8),
        "directory_submissions": (40, 40),
        "job_results": (0, 0),
        "queue_history": (400, 400),
        "worker_heartbeats": (0, 0),
        "worker_status": (4, 4),
    }
    assert all(c["differing_buckets"] == 0 for c in counts.values())


def test_rows_that_changed_since_the_last_sweep_are_no_difference(
    comparison: Comparison, production: Production
) -> None:
    production.execute("UPDATE jobs SET status = 'in_progress'")
    with production.connect() as owner:
        add_history(owner, add_job(owner), "queue_claimed")
    counts, _ = comparison.compare()
    assert all(c["missed"] == c["changed"] == c["deleted"] == 0 for c in counts.values())
    assert_same(production, comparison.journal)


def test_a_deleted_row_is_recorded_once_with_its_job_and_when_it_was_last_there(
    comparison: Comparison, production: Production
) -> None:
    comparison.compare()
    ((row, job),) = production.execute(
        "DELETE FROM directory_submissions WHERE id = (SELECT id FROM directory_submissions"
        " ORDER BY id LIMIT 1) RETURNING id::text, submission_queue_id::text"
    )
    production.execute("DELETE FROM worker_status WHERE worker_id = 'worker:1,ä'")
    counts, _ = comparison.compare()
    again, _ = comparison.compare()
    assert counts["directory_submissions"]["deleted"] == 1
    assert counts["worker_status"]["deleted"] == 1
    assert all(c["differing_buckets"] == 0 for c in again.values())
    found = {one["identity"]: one for one in deleted(comparison.journal)}
    assert set(found) == {row, "worker:1,ä"}
    assert found[row]["not_before"] < found[row]["not_after"]
    with comparison.journal.reader() as reader:
        ((job_id, directory),) = reader.rows(
            "SELECT job_id, directory FROM events_now WHERE kind = 'row.deleted'"
            " AND payload->>'$.table' = 'directory_submissions'"
        )
    assert (job_id, directory.endswith(".example")) == (job, True)


def test_a_row_that_comes_back_after_its_deletion_is_there_again(
    comparison: Comparison, production: Production
) -> None:
    for _ in range(2):
        production.execute("DELETE FROM worker_status WHERE worker_id = 'worker:2,ä'")
        comparison.compare()
        production.execute(
            "INSERT INTO worker_status (worker_id, status) VALUES ('worker:2,ä', 'idle')"
        )
        comparison.compare()
    counts, _ = comparison.compare()
    assert counts["worker_status"]["differing_buckets"] == 0
    assert counts["worker_status"]["rows_journal"] == 4
    assert len(deleted(comparison.journal)) == 2
    assert_same(production, comparison.journal)


def test_rows_that_no_tier_recorded_are_found_and_said_to_have_been_missed(
    comparison: Comparison, production: Production
) -> None:
    with production.connect() as owner:
        job = add_job(owner)
        row = add_history(owner, job, "submitted")
    # The sweep finds them and they are lost on their way: the journal never gets that batch.
    with closing(comparison.source.poll(full=True)) as chunks:
        assert sum(len(chunk.events) for chunk in chunks) == 3
    counts, _ = comparison.compare()
    missed = {name: c["missed"] for name, c in counts.items() if c["missed"]}
    assert missed == {"customers": 1, "jobs": 1, "queue_history": 1}
    assert recorded(comparison.journal, EventKind.QUEUE_HISTORY)[row] == 1
    assert_same(production, comparison.journal)
    assert verify(comparison.journal.path).clean


def test_a_restored_row_with_a_new_number_and_the_same_content_is_only_rewritten(
    comparison: Comparison, production: Production
) -> None:
    production.execute("ALTER TABLE jobs DISABLE TRIGGER ALL")
    production.execute("UPDATE jobs SET status = status")
    # The new versions never reach the journal, as if a restore had brought them frozen.
    with closing(comparison.source.poll(full=True)) as chunks:
        list(chunks)
    counts, _ = comparison.compare()
    assert (counts["jobs"]["rewritten"], counts["jobs"]["changed"]) == (8, 0)
    assert comparison.compare()[0]["jobs"]["differing_buckets"] == 0


def test_rows_gone_from_an_append_only_table_are_not_recorded_as_deletes_but_reported(
    comparison: Comparison, production: Production
) -> None:
    comparison.compare()
    production.execute("TRUNCATE queue_history")
    counts, verdicts = comparison.compare()
    assert sum(v.vanished.get("queue_history", 0) for v in verdicts) == 400
    assert counts["queue_history"]["deleted"] == 400
    assert deleted(comparison.journal) == []


def test_a_customer_whose_job_is_gone_is_not_said_to_be_deleted(
    comparison: Comparison, production: Production
) -> None:
    production.execute("DELETE FROM directory_submissions")
    production.execute("ALTER TABLE queue_history DISABLE TRIGGER ALL")
    production.execute("DELETE FROM queue_history")
    ((job,),) = production.execute(
        "DELETE FROM jobs WHERE id = (SELECT id FROM jobs ORDER BY id LIMIT 1) RETURNING id::text"
    )
    counts, _ = comparison.compare()
    assert counts["jobs"]["deleted"] == 1
    assert counts["customers"]["deleted"] == 0
    assert job in {one["identity"] for one in deleted(comparison.journal)}


def test_reused_numbers_after_a_failover_are_told_apart_when_everything_is_looked_at(
    comparison: Comparison, production: Production
) -> None:
    # The journal holds other content under the very version that production has now.
    with production.connect() as owner:
        add_job(owner, status="pending")
    with closing(comparison.source.poll(full=True)) as chunks:
        events = [event for chunk in chunks for event in chunk.events]
    lost = [
        type(event)(
            source=event.source,
            kind=event.kind,
            key=event.key,
            occurred_at=event.occurred_at,
            job_id=event.job_id,
            directory=event.directory,
            payload=dict(event.payload) | {"status": "failed"},
        )
        for event in events
        if event.kind == "jobs"
    ]
    comparison.journal.append(Batch(events=(*lost, *events), tier="sweep"))
    assert comparison.compare()[0]["jobs"]["changed"] == 0
    comparison.reconciler.start_over()
    assert comparison.compare()[0]["jobs"]["changed"] == 1
    assert_same(production, comparison.journal)


def test_a_comparison_counts_against_the_share_of_the_sweeps(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[float] = []
    monkeypatch.setattr(Pace, "swept", lambda self, *, cost_s, now_s: costs.append(cost_s))
    with closing(
        comparison.source.poll(full=True, census=comparison.reconciler.request())
    ) as chunks:
        (chunk,) = list(chunks)
    assert chunk.done is not None
    assert chunk.done.census is not None
    assert chunk.done.census.cost_ms > 0
    assert costs == [pytest.approx((chunk.done.cost_ms + chunk.done.census.cost_ms) / 1000)]
