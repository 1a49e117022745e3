"""What the app hands to a screen: one look at the journal and what must be said beside it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.assessment import Assessment
from harness.tui.data import Moment, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a screen may paint."""

    as_of: Moment | None
    """The moment asked for; None means now."""
    snapshot: Snapshot | None
    """None until the first look has ended."""
    fault: str | None
    """A fault of the dashboard itself, which must not go unseen."""

    @property
    def assessment(self) -> Assessment | None:
        """The assessment to paint, None if there is none yet."""
        return self.snapshot.assessment if self.snapshot else None

    @property
    def past(self) -> bool:
        """Whether a chosen moment is shown instead of now."""
        return self.as_of is not None
