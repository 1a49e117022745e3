"""Which jobs a trace holds. Pure: no journal, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which jobs a trace holds; everything of them, and what is said of no job."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    """Exclusive."""
    jobs: frozenset[str] = frozenset()
    share: float | None = None
    """Of all jobs, by the hash of their id: a smaller share is part of a larger one."""
    also: dict[str, Any] | None = None
    """What else was asked for, as the manifest tells it; `choose` answers it."""

    def holds(self, job_id: str, created_at: datetime | None) -> bool:
        """Whether a job is selected."""
        if self.jobs and job_id not in self.jobs:
            return False
        if self.share is not None and not in_sample(job_id, self.share):
            return False
        if self.created_from is None and self.created_to is None:
            return True
        return (
            created_at is not None
            and (self.created_from is None or created_at >= self.created_from)
            and (self.created_to is None or created_at < self.created_to)
        )

    def shown(self, name: Callable[[str], str]) -> dict[str, Any]:
        """As the manifest tells it. name: how a job is called there."""
        told: dict[str, Any] = {
            "from": self.created_from.isoformat() if self.created_from else None,
            "to": self.created_to.isoformat() if self.created_to else None,
            "jobs": sorted(map(name, self.jobs)) or None,
            "sample": self.share,
            **(self.also or {}),
        }
        return {key: value for key, value in told.items() if value is not None}


def in_sample(job_id: str, share: float) -> bool:
    """Whether a job belongs to a sample of this share of all jobs."""
    digest = hashlib.sha256(job_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
