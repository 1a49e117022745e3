"""What the actions need of whoever opened the dashboard: the very functions that commands call.

The dashboard itself writes nothing into a journal and renders no report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from harness.assessment import Assessment, Cluster, Difference, Finding, GateResult
from harness.model import TriageLabel

Target: TypeAlias = Difference | Cluster | GateResult | Finding
"""What an action applies to."""


class Child(Protocol):
    """A replay in a process of its own. It goes on when the dashboard leaves."""

    name: str
    """Of the run."""
    pid: int
    log: Path
    """Holds what the process says."""

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def stop(self) -> None:
        """Ask it to end after what is in hand."""

    def last_words(self) -> str:
        """What it said last."""

    def last_lines(self, most: int) -> tuple[str, ...]:
        """The last lines that it said, at most so many, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOrder:
    """What a person fills in to start or continue a run; empty: as the command does it."""

    run: str
    resume: bool = False
    worker: str = ""
    limit: str = ""
    concurrency: str = ""
    differing: bool = False
    """Only pairs that differ in production."""


class Operations(Protocol):
    """Every method may take seconds: call it in a worker thread. All raise ShadowError.

    Those that write say in words what was written.
    """

    author: str
    """Who is named unless a person names somebody else."""
    journal: Path

    def label(self, target: str, label: TriageLabel | None, reason: str, by: str) -> str:
        """Append what a cluster or difference comes from; None takes it back."""

    def attestable(self) -> tuple[str, ...]:
        """The names that gates ask a person for."""

    def attest(self, name: str, *, by: str, until: str, holds: bool, took: str, note: str) -> str:
        """Append an attestation. until and took as the command line takes them."""

    def waivable(self) -> tuple[str, ...]:
        """The gates that may be waived."""

    def waive(self, gate: str, *, by: str, reason: str, until: str | None) -> str:
        """Append a waiver; None takes it back."""

    def report(self, assessment: Assessment, folder: Path) -> tuple[Path, ...]:
        """Write the report of this very assessment."""

    def masked(self, target: Target, assessment: Assessment) -> Target:
        """The same, with personal values masked as in a report."""

    def replay(self, *, job_id: str, directory: str) -> Child:
        """Start a replay of one pair, with evidence kept of what differs."""

    def run_replay(self, order: ReplayOrder) -> Child:
        """Start or continue a whole run."""

    def add_rule(self, rule: str, *, name: str, author: str, reason: str, accept: bool) -> str:
        """Write a rule into the team's file. accept: even if it hides real faults."""
