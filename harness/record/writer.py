"""Writes what the recorder found into the journal, with what the recorder says of itself.

Knows the journal and the recorder's own events; knows no source and no schedule.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from harness.journal.store import Journal, utc_now
from harness.model import Appended, Batch, EventDraft, EventKind, Source, Watermark
from harness.record.gaps import GapLog

PRODUCTION = "production"
"""Watermark of the sweeps: every table, sound without any privilege."""
PRODUCTION_FAST = "production:fast"
"""Watermark of the fast tier: the tables it names, up to the last tick that found something."""
PRODUCTION_SCHEMA = "production:schema"
"""Columns last seen; its position is table → column → type."""

_LAST_RECORDED = (
    "SELECT max(recorded_at) FROM events_now WHERE source IN ('production', 'recorder')"
)


class RecordWriter:
    """One recorder's hand on the journal; may be used by several threads."""

    def __init__(self, journal: Journal) -> None:
        self.session = uuid.uuid4().hex[:12]
        self.gaps = GapLog(self.session)
        self._journal = journal
        self._lock = Lock()
        self._numbers: dict[EventKind, int] = {}

    def append(
        self,
        events: Sequence[EventDraft],
        *,
        tier: str,
        watermarks: Sequence[Watermark] = (),
    ) -> Appended | None:
        """Append the events with the gaps that have ended meanwhile; None if there is nothing."""
        with self._lock:
            gaps = self.gaps.pending()
            if not events and not watermarks and not gaps:
                return None
            appended = self._journal.append(
                Batch(events=(*events, *gaps), watermarks=tuple(watermarks), tier=tier)
            )
            self.gaps.wrote(len(gaps))
            return appended

    def say(
        self,
        kind: EventKind,
        payload: Mapping[str, Any],
        *,
        source: Source = Source.RECORDER,
        at: datetime | None = None,
    ) -> EventDraft:
        """Return an event of the recorder's own, numbered within this session."""
        with self._lock:
            number = self._numbers.get(kind, 0)
            self._numbers[kind] = number + 1
        return EventDraft(
            source=source,
            kind=kind,
            key=f"{kind}:{self.session}:{number}",
            occurred_at=at or utc_now(),
            payload=payload,
        )

    def remembered(self) -> tuple[Watermark | None, Watermark | None, datetime | None]:
        """Return the watermarks of sweeps and schema, and when a recorder last wrote anything."""
        with self._journal.reader() as reader:
            (row,) = reader.rows(_LAST_RECORDED)
            return reader.watermark(PRODUCTION), reader.watermark(PRODUCTION_SCHEMA), row[0]
