"""What the last calibration of the journal showed, as far as it speaks of the present rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedKind:
    """One kind of planted fault."""

    kind: str
    field: str
    fault: str
    """What was done to a copy of the record, in words."""
    planted: int
    shown: int
    visible_rate: float | None
    """The smallest rate at which this much evidence shows it; None where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """Planted faults that stayed hidden for one cause."""

    cause: str
    rules: tuple[str, ...]
    mutants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationTable:
    """The newest calibration that was journaled."""

    score: float | None
    """Share of the planted faults that showed, in [0, 1]."""
    at_least: float
    """What is asked of it."""
    planted: int
    caught: int
    innocent: int
    """Changes without meaning that were planted too."""
    false_alarms: int
    kinds: tuple[CalibratedKind, ...]
    hidden: tuple[Blinding, ...]
    at: datetime
    seq: int
    """The journal's seq that it was made of."""
    stale: str | None
    """Why it no longer speaks of the present; None where it does."""
