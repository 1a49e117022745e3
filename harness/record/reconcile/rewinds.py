"""A source that went back in time: what the journal says of it, and whether a person accepted it.

Knows the journal; knows no driver and no schedule.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.journal.store import Journal, utc_now
from harness.model import Batch, EventDraft, EventKind, Source
from harness.record.postgres.standing import ACKNOWLEDGE
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewind:
    """One thing that went back and waits for a person's word."""

    table: str | None
    """None for the whole source."""
    why: str


def waiting_rewinds(journal: Journal) -> tuple[Rewind, ...]:
    """Return what nobody has acknowledged yet."""
    with journal.reader() as reader:
        rows = reader.rows(sql_queries("journal/reconcile.sql")["select_rewound"])
    found = [json.loads(payload) for _, payload in rows]
    return tuple(Rewind(table=payload["table"], why=payload["why"]) for payload in found)


def acceptance_is_new(journal: Journal) -> bool:
    """Return whether a person accepted a rewind and nothing was compared since."""
    with journal.reader() as reader:
        ((accepted,),) = reader.rows(sql_queries("journal/reconcile.sql")["select_acceptance"])
    return bool(accepted)


def rewind_payload(rewind: Rewind) -> dict[str, object]:
    """Return the payload of ``record.rewound``."""
    return {"table": rewind.table, "why": rewind.why, "mend": ACKNOWLEDGE}


def acknowledge(journal: Journal, *, by: str, note: str) -> tuple[Rewind, ...]:
    """Journal a person's word that the waiting rewinds are meant; return them.

    Nothing is written if nothing waits.
    """
    waiting = waiting_rewinds(journal)
    if waiting:
        now = utc_now()
        word = EventDraft(
            source=Source.OPERATOR,
            kind=EventKind.RECORD_ACKNOWLEDGED,
            key=f"{EventKind.RECORD_ACKNOWLEDGED}:{now.isoformat()}",
            occurred_at=now,
            payload={"by": by, "note": note, "accepted": [rewind.why for rewind in waiting]},
        )
        journal.append(Batch(events=(word,), tier="operator"))
    return waiting


def vanished_rows(table: str, rows: int) -> Rewind:
    """Rows are gone from a table that is only ever appended to."""
    return Rewind(
        table=table,
        why=f"{table}: {rows} recorded rows are gone from a table that is only appended to. "
        f"If a restore, a TRUNCATE or an archive explains it, say so: {ACKNOWLEDGE}",
    )
