"""What a poll of production answers: events in chunks, and at the end what it proved. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.model import EventDraft
from harness.record.horizon import SnapshotMark


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a poll proved."""

    tier: str
    """copy, sweep or fast."""
    mark: SnapshotMark
    since: datetime | None
    """S for the next poll; None while the fast tier is provisional."""
    held: str | None
    """Why S did not move on."""
    tables: tuple[str, ...]
    """Tables of which every committed row is now recorded up to the snapshot."""
    complete: bool
    """True if that is every table."""
    rows: int
    """New events, all chunks together."""
    cost_ms: float
    """Time the source spent on it, without round trips."""
    drift: tuple[Mapping[str, Any], ...]
    shape: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some events of one snapshot; `done` comes with the last."""

    events: tuple[EventDraft, ...]
    tier: str
    done: Done | None = None
