"""Whether the source has gone back: in its history, or on its clock. Pure: no driver, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.xids import CRASH_REUSE_XIDS

ACKNOWLEDGE = 'shadow record --acknowledge --by "NAME" --note "WHY"'
"""How a person says that it is meant."""
CLOCK_JUMP_S = 0.5
"""A source whose clock lost more than this against ours has been set back; it must stay well below
the margin that S keeps."""
LONGEST_LOOK_S = 1.0
"""In a longer answer the clock could have jumped without our knowing by how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a source had come when we last looked."""

    lsn: int
    xmax: int

    @classmethod
    def of(cls, mark: SnapshotMark) -> Standing:
        """Where the snapshot stands."""
        return cls(lsn=mark.lsn, xmax=mark.xmax)

    @classmethod
    def from_position(cls, position: Mapping[str, Any]) -> Standing | None:
        """What a watermark remembers; None for one that does not."""
        if "lsn" not in position or "xmax" not in position:
            return None
        return cls(lsn=int(position["lsn"]), xmax=int(position["xmax"]))

    def went_back(self, now: Standing) -> str | None:
        """Return what went back, None if nothing did.

        The flushed log never shrinks on one server, not even by a crash, so a lower position means
        another history: a replica that had not received everything, or a backup. Transaction
        numbers may go back a little, because a crashed server hands out again those that it had
        not flushed.
        """
        if now.lsn < self.lsn:
            return f"its log stands at {format_lsn(now.lsn)}, and stood at {format_lsn(self.lsn)}"
        if now.xmax < self.xmax - CRASH_REUSE_XIDS:
            return f"its next transaction is {now.xmax}, and was {self.xmax}"
        return None


@dataclass(slots=True)
class ClockWatch:
    """Holds the source's clock against our monotonic one, from look to look."""

    _at: datetime | None = None
    _latest_s: float = 0.0

    def look(self, at: datetime, *, asked_s: float, answered_s: float) -> str | None:
        """Return why the times since the last look cannot be relied on, None if they can.

        at: the source's time, read somewhere between `asked_s` and `answered_s` of our monotonic
        clock.
        """
        before, latest_s = self._at, self._latest_s
        self._at, self._latest_s = at, answered_s
        if before is None:
            return None
        lost_s = (asked_s - latest_s) - (at - before).total_seconds()
        if lost_s > CLOCK_JUMP_S:
            return f"the source's clock was set back by {lost_s:.1f} s or more"
        if answered_s - asked_s > LONGEST_LOOK_S:
            return "the source answered too slowly for its clock to be checked"
        return None


def rewound_words(place: str, back: str) -> str:
    """One line about a source that went back, with the mend. back: what did."""
    return (
        f"{place} has gone back in its history: {back}. If a failover or a restore explains it, "
        f"say so: {ACKNOWLEDGE}"
    )


def format_lsn(position: int) -> str:
    """Return a position in the log as PostgreSQL writes it, such as ``0/17AB318``."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"
