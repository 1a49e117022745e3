"""What the app hands to a screen: one look at the journal and what must be said beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.assessment import Assessment
from harness.tui.looked import Moment, Snapshot, Span

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Batches a second at which time is played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """How one moves in time just now."""

    playing: bool = False
    speed: float = 1.0
    """Batches a second; an assessment that takes longer slows it down."""
    searching: str | None = None
    """How far the search for a change of a gate has come, in words; None while there is none."""
    changes: frozenset[int] = frozenset()
    """Seqs at which a gate is known to have changed: what searches have found so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """What is shown was kept from before, until another moment has been read."""

    to: Moment | None
    """The moment asked for; None for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a screen may paint."""

    as_of: Moment | None
    """The moment asked for; None means now."""
    snapshot: Snapshot | None
    """None until the first look has ended."""
    fault: str | None
    """A fault of the dashboard itself, which must not go unseen."""
    span: Span | None = None
    """From where to where the journal reaches; None until that is known."""
    travel: Travel = field(default_factory=Travel)
    bridge: Bridge | None = None
    """Where what is shown only stands in for another moment."""

    @property
    def assessment(self) -> Assessment | None:
        """The assessment to paint, None if there is none yet."""
        return self.snapshot.assessment if self.snapshot else None

    @property
    def past(self) -> bool:
        """Whether a chosen moment is shown instead of now."""
        return self.as_of is not None
