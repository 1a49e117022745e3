"""What a sampled source answers: facts of a moment that no row of production tells. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from harness.model import EventKind, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One fact; without a key it is a sample of its own, with one the same fact is kept once."""

    kind: EventKind
    payload: Mapping[str, Any]
    key: str | None = None
    occurred_at: datetime | None = None
    """None for the moment of sampling."""
    job_id: str | None = None


class Sampler(Protocol):
    """A source that is asked every so often."""

    @property
    def source(self) -> Source:
        """Under which name its events and its gaps are journaled."""

    @property
    def place(self) -> str:
        """Where it asks, without secrets."""

    @property
    def loses(self) -> str:
        """What an outage loses that no later sample brings back."""

    def sample(self) -> Sequence[Observation]:
        """Ask once. Raises SourceError of one line with the mend."""

    def close(self) -> None:
        """Give back what it holds."""
