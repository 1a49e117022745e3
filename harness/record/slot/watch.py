"""Watches what a slot costs production and whether it still tells everything. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import EventDraft, EventKind, Source
from harness.record.chunk import Done
from harness.record.gaps import LOST_STATES
from harness.record.slot.replication_slot import Peek, SlotOptions, SlotUnusableError


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that only the slot could have told."""

    why: str
    since: datetime | None
    """Until then nothing is missing; None if that is not known."""


class SlotWatch:
    """Looks at each peek before anything is made of it."""

    def __init__(self, options: SlotOptions) -> None:
        self.warning: str | None = None
        """What a person should know now."""
        self.retained_mb = 0.0
        """What production kept of its log for the slot at the last look."""
        self._options = options
        self._advanced: int | None = None
        self._extent: str | None = None
        self._storage: str | None = None

    def forget(self) -> None:
        """Another slot begins."""
        self.warning = None
        self._advanced = self._extent = self._storage = None

    def expect(self, position: int) -> None:
        """We are about to advance the slot; the answer may get lost."""
        self._advanced = position

    def guard(self, peek: Peek) -> None:
        """Raise SlotUnusableError if the slot must go: production's disk comes first."""
        state, options = peek.state, self._options
        self.retained_mb = state.retained_mb
        if state.wal_status in ("unreserved", "lost") or state.retained_mb > options.drop_mb:
            raise SlotUnusableError(
                f"slot {options.name} kept {state.retained_mb:.0f} MB of production's log (limit "
                f"{options.drop_mb:g} MB, state {state.wal_status}), and was dropped. Find the "
                "transaction that stays open for long, or raise record.slot_drop_mb."
            )
        if peek.trouble:
            raise SlotUnusableError(f"slot {options.name} was dropped: {peek.trouble}.")
        self.warning = None
        if state.retained_mb > options.warn_mb:
            self.warning = (
                f"slot {options.name} keeps {state.retained_mb:.0f} MB of production's log and is "
                f"dropped at {options.drop_mb:g} MB. Find the transaction that stays open for long."
            )

    def losses(self, peek: Peek, *, since: datetime | None) -> list[Loss]:
        """Return what the slot may have left out since the last peek; a sweep must follow."""
        found = []
        confirmed = peek.state.confirmed or 0
        if self._advanced is not None and confirmed > self._advanced:
            why = f"somebody else advanced slot {self._options.name}. Give each recorder its own."
            found.append(Loss(why, since))
        self._advanced = max(confirmed, self._advanced or 0)
        if self._extent not in (None, peek.extent):
            found.append(Loss("the publication or a recorded table was changed", since))
        self._extent = peek.extent
        return found

    def was_written_anew(self, peek: Peek) -> bool:
        """True if a table has other files than at the last peek; a sweep must follow."""
        before, self._storage = self._storage, peek.storage
        return before not in (None, peek.storage)


def gap_events(losses: list[Loss], done: Done, *, slot: str) -> tuple[EventDraft, ...]:
    """Return a gap for each loss, which ended with the sweep that `done` tells of."""
    until = done.mark.at
    return tuple(
        EventDraft(
            source=Source.RECORDER,
            kind=EventKind.RECORD_GAP,
            key=f"{EventKind.RECORD_GAP}:slot:{slot}:{done.mark.lsn}:{number}",
            occurred_at=until,
            payload={
                "what": "slot",
                "why": loss.why,
                "from": (loss.since or until).isoformat(),
                "until": until.isoformat(),
                "loses": LOST_STATES,
            },
        )
        for number, loss in enumerate(losses)
    )
