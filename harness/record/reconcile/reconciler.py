"""Takes the journal's census, holds the source's against it, and says what comes next.

Knows the journal and the pure comparison; knows no driver and no schedule.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.journal.store import Journal
from harness.model import EventDraft, EventKind
from harness.record.chunk import Bucket, Census, CensusRequest, Done
from harness.record.postgres.introspect import Table
from harness.record.reconcile.rows import (
    Held,
    TableFindings,
    compare_rows,
    differing_buckets,
    first_buckets,
)
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one step of a comparison adds to the journal."""

    events: tuple[EventDraft, ...] = ()
    finished: dict[str, dict[str, int]] | None = None
    """Counts by table once every bucket was looked at."""
    vanished: dict[str, int] = field(default_factory=dict)
    """Rows gone from tables that are only appended to; nothing was recorded of them."""


class Reconciler:
    """Compares counts and keys of every table, then the rows of what differs, step by step."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.accepting = False
        """True until a comparison has taken the source as it is."""
        self._todo: dict[str, list[int]] = {}
        self._rows: dict[str, dict[int, int]] = {}
        self._totals: dict[str, TableFindings] = {}
        self._vanished: dict[str, int] = {}
        self._last_at: str | None = None

    def start_over(self) -> None:
        """A person accepted that the source went back: the next comparison takes it as it is.

        Rows gone from a table that is only appended to are then deletions. Content is compared too,
        of every row that changes in place: after a failover the source uses transaction numbers
        again, so equal stamps prove nothing.
        """
        self.accepting = True
        self._todo = {}

    def forget(self) -> None:
        """Begin with the next comparison anew."""
        self._todo = {}

    @property
    def busy(self) -> bool:
        """True while buckets that differ have not been looked at."""
        return bool(self._todo)

    def request(self) -> CensusRequest:
        """Return what the next sweep is to count."""
        return CensusRequest(
            listed={
                name: first_buckets(buckets, self._rows[name])
                for name, buckets in self._todo.items()
            }
        )

    def take(self, done: Done, tables: Sequence[Table]) -> Verdict:
        """Hold what `done` counted against the journal, which has everything `done` found."""
        if done.census is None:
            return Verdict()
        # Of a table that could not be read as a whole the census tells less than there is.
        read = [table for table in tables if table.name in done.tables]
        events: list[EventDraft] = []
        if self._todo:
            events = self._compare_rows(done, read)
        else:
            self._compare_buckets(done.census, read)
        if self._todo:
            return Verdict(events=tuple(events))
        self._last_at = done.mark.at.isoformat()
        counts = {name: found.counts() for name, found in self._totals.items()}
        return Verdict(events=tuple(events), finished=counts, vanished=self._vanished)

    def _compare_buckets(self, census: Census, tables: Sequence[Table]) -> None:
        query = sql_queries("journal/reconcile.sql")
        self._totals = {}
        self._todo = {}
        self._vanished = {}
        with self._journal.reader() as reader:
            reader.rows(query["create_row_heads"])
            for table in tables:
                source = census.buckets.get(table.name, {})
                rows = reader.rows(
                    query["select_census"],
                    kind=table.name,
                    versioned=not table.spec.append_only,
                )
                journal = {
                    bucket: Bucket(rows=count, stamp=int(stamp)) for bucket, count, stamp in rows
                }
                differing = differing_buckets(source, journal)
                if self.accepting and not table.spec.append_only:
                    differing = sorted(source.keys() | journal.keys())
                self._totals[table.name] = TableFindings(
                    rows_source=sum(bucket.rows for bucket in source.values()),
                    rows_journal=sum(bucket.rows for bucket in journal.values()),
                    differing=len(differing),
                )
                if differing:
                    self._todo[table.name] = differing
                    self._rows[table.name] = {
                        bucket: sum(
                            side[bucket].rows for side in (source, journal) if bucket in side
                        )
                        for bucket in differing
                    }

    def _compare_rows(self, done: Done, tables: Sequence[Table]) -> list[EventDraft]:
        census = done.census
        assert census is not None
        events: list[EventDraft] = []
        by_name = {table.name: table for table in tables}
        left: dict[str, list[int]] = {}
        for name in by_name.keys() & census.asked.keys():
            table, buckets = by_name[name], census.asked[name]
            found = compare_rows(
                table,
                census.listed[name],
                self._held(table, buckets),
                mark=done.mark,
                not_before=self._last_at,
            )
            if table.spec.append_only and found.deleted and not self.accepting:
                self._vanished[name] = self._vanished.get(name, 0) + found.deleted
                found.events = [e for e in found.events if e.kind != EventKind.ROW_DELETED]
            events += found.events
            self._add(name, found)
            left[name] = [bucket for bucket in self._todo[name] if bucket not in set(buckets)]
        # A table that could not be listed now is counted again by the next comparison.
        self._todo = {name: buckets for name, buckets in left.items() if buckets}
        return events

    def _held(self, table: Table, buckets: Sequence[int]) -> dict[str, Held]:
        query = sql_queries("journal/reconcile.sql")
        with self._journal.reader() as reader:
            reader.rows(query["create_row_heads"])
            rows = reader.rows(
                query["select_bucket_rows"],
                kind=table.name,
                versioned=not table.spec.append_only,
                buckets=list(buckets),
            )
        return {
            identity: Held(
                xid=xid,
                seq=seq,
                row=json.loads(payload),
                job_id=job_id,
                directory=directory,
                gone=gone,
            )
            for identity, gone, xid, seq, job_id, directory, payload in rows
            if payload is not None
        }

    def _add(self, name: str, found: TableFindings) -> None:
        total = self._totals[name]
        total.missed += found.missed
        total.changed += found.changed
        total.rewritten += found.rewritten
        total.deleted += found.deleted
