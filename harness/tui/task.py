"""What the dashboard must know of work that goes on beside it, such as a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class BackgroundTask(Protocol):
    """Work in another thread or process. Every method returns at once: the screen waits for it."""

    def status(self) -> str:
        """One line such as ``rehearsal: traffic 34 of 60 jobs``."""

    def progress(self) -> float | None:
        """Share done in [0, 1]; None where it is not known."""

    def finished(self) -> bool:
        """True once nothing more will happen, whether it went well or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What the task bar paints."""

    status: str
    progress: float | None
    finished: bool
    closes_in_s: int | None
    """Seconds until the dashboard leaves by itself; None if it stays."""
