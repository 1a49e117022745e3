"""What screens ask of the rest of the harness, beside the journal. `shadow watch` fills it.

Every method may take seconds: call it in a worker thread. All raise ShadowError.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvidence:
    """What a replay kept of one submission."""

    run: str
    made_at: str
    """ISO 8601."""
    words: str
    """What the worker claimed and what the site saw."""
    folder: Path
    files: tuple[str, ...]


class EvidencePort(Protocol):
    """Evidence beside the journal."""

    def evidence(self, job_id: str, directory: str) -> tuple[KeptEvidence, ...]:
        """What is kept of a pair, the newest first."""

    def picture(self, kept: KeptEvidence) -> bytes | None:
        """The last page as PNG; None where there is none."""

    def open_evidence(self, kept: KeptEvidence) -> str:
        """Show it in the viewer or as a page; says in words what was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """None where the dashboard was opened without."""

    evidence: EvidencePort | None = None


class HasPorts(Protocol):
    """What screens need of the app."""

    ports: Ports


def ports_of(app: object) -> Ports:
    """The ports, for a screen that the app made without arguments."""
    return cast("HasPorts", app).ports
