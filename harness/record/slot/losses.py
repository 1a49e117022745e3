"""What the slot tells and nobody can record, as gaps. No driver, no clock.

A gap is an event of the answer that has the change in it, so it is in the journal before the slot
advances: whatever happens to the recorder then, the loss stays known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from harness.model import EventDraft, EventKind, Source
from harness.record.gaps import LOST_STATES, TABLE_GAP
from harness.record.postgres.introspect import Table
from harness.record.postgres.tables import TABLES
from harness.record.slot.changes import Relation, Transaction

SPAN = timedelta(seconds=30)
"""One gap stands for so much time, or each answer would add one for as long as a right is missing.
"""
_NAMES = frozenset(spec.name for spec in TABLES)
_TRUNCATED = "which of its rows were there; a comparison with the source finds those recorded"


def left_out(
    relation: Relation,
    transaction: Transaction,
    xid: int,
    *,
    tables: Sequence[Table],
    told_until: Mapping[str, datetime],
) -> EventDraft | None:
    """Return the gap of a change of a table that is ours and cannot be read, so not be shown.

    tables: those that can be recorded now; told_until: by table, how far the last gap stands.
    Returns None if that one stands for this change too, or the table is none of ours.
    """
    name, at = relation.name, transaction.committed_at
    names = {table.name for table in tables if table.schema == relation.schema}
    # Customers are recorded for the jobs that name one; where none can, they are not.
    ours = name in _NAMES and bool(names) and (name != "customers" or "jobs" not in names)
    if not ours or (name in told_until and at <= told_until[name]):
        return None
    why = f"{name} was changed while it could not be read"
    return _gap(f"unread:{name}:{xid}", TABLE_GAP + name, why, at, at + SPAN, LOST_STATES)


def truncated(table: Table, transaction: Transaction, xid: int) -> EventDraft:
    """Return the gap of a table that was emptied, which the log tells without its rows."""
    at = transaction.committed_at
    why = f"TRUNCATE emptied {table.schema}.{table.name}"
    return _gap(f"truncate:{table.name}:{xid}", table.name, why, at, at, _TRUNCATED)


def _gap(key: str, what: str, why: str, since: datetime, until: datetime, loses: str) -> EventDraft:
    return EventDraft(
        source=Source.RECORDER,
        kind=EventKind.RECORD_GAP,
        key=f"{EventKind.RECORD_GAP}:{key}",
        occurred_at=since,
        payload={
            "what": what,
            "why": why,
            "from": since.isoformat(),
            "until": until.isoformat(),
            "loses": loses,
        },
    )
