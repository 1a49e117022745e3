"""What a look at the journal gives. No library that reads or counts: the screens load at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from harness.assessment import Assessment

if TYPE_CHECKING:
    from harness.record.status import Health

Moment = int | datetime
"""A seq or an aware time; None stands for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From where to where the journal reaches."""

    first_at: datetime
    last_at: datetime
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one look at the journal gave."""

    assessment: Assessment | None
    """With `trouble`: the last good one of the same moment, if there is any."""
    trouble: str | None
    """In plain words why the journal could not be assessed just now."""
    taken_at: datetime
    span: Span | None = None
    """None where the journal could not be read or is empty."""
    took_s: float = field(default=0.0, compare=False)
    """How long the assessment took when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesNow:
    """What the files of the journal and of its recorder say now, whatever moment is shown."""

    taken_at: datetime
    bytes: int
    """Of the journal and of its write-ahead log."""
    recorder: Health
    """By the status file that a recorder keeps beside the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSaid:
    """What a person says of a proposed rule beside what it does; empty: nothing."""

    name: str = ""
    author: str = ""
    reason: str = ""
