"""Remembers when a source could not be recorded, until it can be written. Pure: no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import EventDraft, EventKind, Source

LOST_STATES = "states between two versions of a row that changes in place"
"""What no sweep brings back after a gap in the record of production."""
TABLE_GAP = "production:"
"""Begins the name of a gap of one table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """For a while `what` could not be read."""

    what: str
    why: str
    since: datetime
    """The last moment at which it still could."""
    loses: str
    """What no later sweep can bring back."""


class GapLog:
    """At most one open gap for each source; the first reason counts."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._open: dict[str, Gap] = {}
        self._closed: list[tuple[Gap, datetime]] = []
        self._written = 0

    def begin(self, gap: Gap) -> None:
        """The source failed; a second failure prolongs the gap."""
        self._open.setdefault(gap.what, gap)

    def end(self, what: str, *, until: datetime) -> None:
        """The source can be read again, or recording stops."""
        gap = self._open.pop(what, None)
        if gap is not None:
            self._closed.append((gap, until))

    def end_all(self, *, until: datetime) -> None:
        """Recording stops: what is open so far ends here."""
        for what in list(self._open):
            self.end(what, until=until)

    @property
    def current(self) -> tuple[Gap, ...]:
        """The gaps that are still open."""
        return tuple(self._open.values())

    def pending(self) -> tuple[EventDraft, ...]:
        """Return the closed gaps that no journal holds yet; the same ones until `wrote`."""
        return tuple(
            EventDraft(
                source=Source.RECORDER,
                kind=EventKind.RECORD_GAP,
                key=f"{EventKind.RECORD_GAP}:{self._session}:{self._written + number}",
                occurred_at=until,
                payload={
                    "what": gap.what,
                    "why": gap.why,
                    "from": gap.since.isoformat(),
                    "until": until.isoformat(),
                    "loses": gap.loses,
                },
            )
            for number, (gap, until) in enumerate(self._closed)
        )

    def wrote(self, count: int) -> None:
        """The first `count` pending gaps are in the journal."""
        del self._closed[:count]
        self._written += count
