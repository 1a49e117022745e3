"""What a poll of production answers: events in chunks, and at the end what it proved. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.model import EventDraft
from harness.record.postgres.horizon import SnapshotMark


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One table that cannot be read now."""

    table: str
    why: str
    """One line with the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many rows of a table fall into one bucket, and the sum of their stamps."""

    rows: int
    stamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A row version of a bucket that was asked for in full."""

    xmin: int
    row: Mapping[str, Any]
    related: bool = True
    """False for a row that is none of ours (a customer without a job)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """What a snapshot holds: of each table every bucket, or the rows of some buckets."""

    buckets: Mapping[str, Mapping[int, Bucket]] = field(default_factory=dict)
    listed: Mapping[str, tuple[Listed, ...]] = field(default_factory=dict)
    asked: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The buckets that were listed."""
    cost_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusRequest:
    """What a sweep is to count in its snapshot, beside reading what is new."""

    listed: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Buckets of which every row is wanted, by table; empty to count all buckets of all tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a poll proved."""

    tier: str
    """copy, sweep, fast or slot."""
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
    shape: Mapping[str, Mapping[str, Any]]
    problems: tuple[Problem, ...] = ()
    """Tables that could not be read; what they hold is not in this poll."""
    clock: str | None = None
    """Why the source's clock could not be relied on since the last poll."""
    census: Census | None = None
    """What the snapshot holds in all, where that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some events of one snapshot; `done` comes with the last."""

    events: tuple[EventDraft, ...]
    tier: str
    done: Done | None = None
