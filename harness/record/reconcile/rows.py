"""Holds what production has against what the journal has. Pure: no driver, no journal, no clock.

The tiers find rows by what they are: young, or written by a late transaction. This finds what is
simply not there: a row that was deleted, one that a restore put back, one that a tier missed.
Differences become events of their own; nothing is mended in silence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.journal.store import canonical_json
from harness.model import EventDraft, EventKind, Source
from harness.record.chunk import Bucket, Listed
from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.introspect import Table
from harness.record.postgres.tables import event_key, identity_of, make_event
from harness.record.postgres.xids import CYCLE, full_xid

ROWS_AT_ONCE = 50_000
"""Of one table, in one snapshot, from both sides: they are held in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The last word of the journal on one row."""

    xid: int | None
    """None in a table that is only appended to."""
    seq: int
    row: Mapping[str, Any]
    job_id: str | None
    directory: str | None
    gone: bool
    """True if its deletion was recorded since."""


@dataclass(slots=True)
class TableFindings:
    """What the comparison of one table found."""

    rows_source: int = 0
    rows_journal: int = 0
    differing: int = 0
    """Buckets that were not the same."""
    missed: int = 0
    """Rows that no tier had found."""
    changed: int = 0
    """Versions that no tier had found, or other content under a version already recorded."""
    rewritten: int = 0
    """Rows with a new transaction number and the same content, such as a restore leaves."""
    deleted: int = 0
    events: list[EventDraft] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """As the journal keeps it."""
        return {
            "rows_source": self.rows_source,
            "rows_journal": self.rows_journal,
            "differing_buckets": self.differing,
            "missed": self.missed,
            "changed": self.changed,
            "rewritten": self.rewritten,
            "deleted": self.deleted,
        }


def differing_buckets(source: Mapping[int, Bucket], journal: Mapping[int, Bucket]) -> list[int]:
    """Return the buckets that are not the same on both sides, in order."""
    return sorted(
        bucket
        for bucket in source.keys() | journal.keys()
        if source.get(bucket) != journal.get(bucket)
    )


def first_buckets(differing: Sequence[int], rows: Mapping[int, int]) -> list[int]:
    """Return as many of the differing buckets as may be looked at together; one in any case.

    rows: of each bucket, on both sides together.
    """
    chosen: list[int] = []
    held = 0
    for bucket in differing:
        held += rows.get(bucket, 0)
        if chosen and held > ROWS_AT_ONCE:
            break
        chosen.append(bucket)
    return chosen


def compare_rows(
    table: Table,
    listed: Sequence[Listed],
    held: Mapping[str, Held],
    *,
    mark: SnapshotMark,
    not_before: str | None,
) -> TableFindings:
    """Return what differs between the rows of some buckets, with an event for each difference.

    listed: the source's rows in the snapshot `mark`, after a sweep of that snapshot is in the
    journal; held: the journal's, by identity. not_before: when the last comparison found the
    deleted rows still there.
    """
    found = TableFindings()
    present: set[str] = set()
    for one in listed:
        xid = full_xid(one.xmin, next_xid=mark.xmax)
        key = event_key(table.spec, table.key, one.row, xid)
        identity = identity_of(table.key, one.row)
        present.add(identity)
        if not one.related:
            continue
        before = held.get(identity)
        if before is None:
            found.missed += 1
        elif before.gone:
            # Its key may be taken by the life before.
            found.missed += 1
            key = told_apart(key, one.row, before.seq)
        elif _same(before.row, one.row):
            if table.spec.append_only or before.xid is None or before.xid % CYCLE == one.xmin:
                continue
            found.rewritten += 1
        else:
            found.changed += 1
            if table.spec.append_only or before.xid == xid:
                key = told_apart(key, one.row, before.seq)
        found.events.append(make_event(table.spec, one.row, key=key, snapshot_at=mark.at))
    for identity, before in held.items():
        if before.gone or identity in present:
            continue
        found.deleted += 1
        found.events.append(_deleted(table, identity, before, mark=mark, not_before=not_before))
    return found


def told_apart(key: str, row: Mapping[str, Any], after_seq: int) -> str:
    """Return a key for content that came under a key already used, the same for the same content.

    Transaction numbers are used again after a failover, and identities after a deletion.
    """
    digest = hashlib.sha256(f"{after_seq}:{canonical_json(row)}".encode()).hexdigest()
    return f"{key}~{digest[:12]}"


def _deleted(
    table: Table, identity: str, before: Held, *, mark: SnapshotMark, not_before: str | None
) -> EventDraft:
    return EventDraft(
        source=Source.PRODUCTION,
        kind=EventKind.ROW_DELETED,
        key=f"{EventKind.ROW_DELETED}:{table.name}:{identity}:{before.seq}",
        occurred_at=mark.at,
        job_id=before.job_id,
        directory=before.directory,
        payload={
            "table": table.name,
            "identity": identity,
            "last_seq": before.seq,
            "not_before": not_before,
            "not_after": mark.at.isoformat(),
            "found_by": "reconcile",
        },
    )


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Equal in the columns that both have: a column that came or went is drift, told elsewhere."""
    return all(before[column] == now[column] for column in before.keys() & now.keys())
