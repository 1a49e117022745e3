"""Stand-ins for what screens ask beside the journal; they note what they were asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.tui.ports import KeptEvidence, Ports


class FakeEvidence:
    """One run has kept something of every pair."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.png: bytes | None = None

    def evidence(self, job_id: str, directory: str) -> tuple[KeptEvidence, ...]:
        """A picture and a trace."""
        return (
            KeptEvidence(
                run="monday", made_at="2026-11-23T08:00:00Z",
                words="claimed submitted, 0 stored, recorded refused",
                folder=Path("/nowhere/monday"), files=("final.png", "trace.zip"),
            ),
        )  # fmt: skip

    def picture(self, kept: KeptEvidence) -> bytes | None:
        """What the test has set."""
        return self.png

    def open_evidence(self, kept: KeptEvidence) -> str:
        """Note it."""
        self.opened.append(kept.run)
        return f"The trace viewer shows run {kept.run}."


def make_ports(**given: object) -> Ports:
    """Evidence, unless a test gives its own."""
    whole = Ports(evidence=FakeEvidence())
    return replace(whole, **given)  # type: ignore[arg-type]
