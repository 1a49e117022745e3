"""What screens and app ask of the data, as small ports that a test can stand in for."""

from __future__ import annotations

from typing import Protocol

from harness.assessment import Difference, DifferenceDetail
from harness.tui.data import Moment, Snapshot


class DetailSource(Protocol):
    """Tells all about one difference."""

    def detail(self, difference: Difference, as_of: Moment | None) -> DifferenceDetail:
        """Both sides and the timeline; ShadowError if the journal cannot be read."""


class Source(DetailSource, Protocol):
    """Everything the dashboard asks; `DashboardData` answers from a journal."""

    def load(self, as_of: Moment | None) -> Snapshot:
        """Assess as of a moment; trouble comes as words."""

    def step(self, seq: int, *, forward: bool) -> int | None:
        """The next or previous moment at which the journal grew."""
