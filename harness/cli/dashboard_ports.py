"""What the dashboard's screens ask beside the journal, by the very functions of the commands."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import JournalError
from harness.tui.ports import KeptEvidence

if TYPE_CHECKING:
    from replay.evidence.store import Kept


class EvidenceBeside:
    """Evidence beside one journal. Only reads, and writes pages beside what they show."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def evidence(self, job_id: str, directory: str) -> tuple[KeptEvidence, ...]:
        """What is kept of a pair, the newest first."""
        from harness.cli.evidence import evidence_words

        found = [one for one in self._all() if _pair(one) == (job_id, directory)]
        return tuple(
            KeptEvidence(
                run=str(one.facts["run"]),
                made_at=str(one.facts["made_at"]),
                words=evidence_words(one).partition(": ")[2],
                folder=one.folder,
                files=tuple(path.name for path in one.files),
            )
            for one in reversed(found)
        )

    def picture(self, kept: KeptEvidence) -> bytes | None:
        """The page on which the submission ended."""
        from replay.evidence.capture import FINAL

        try:
            return (kept.folder / FINAL).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalError(f"{kept.folder}: cannot be read ({error}).") from error

    def open_evidence(self, kept: KeptEvidence) -> str:
        """As ``shadow evidence --open``."""
        from harness.cli.evidence import has_screen, view_trace
        from replay.evidence.page import write_page

        found = next((one for one in self._all() if one.folder == kept.folder), None)
        if found is None:
            raise JournalError(f"{kept.folder}: this evidence has been dropped since.")
        if view_trace(found):
            return f"The trace viewer shows run {kept.run}."
        try:
            page = write_page(found)
        except OSError as error:
            raise JournalError(f"{kept.folder}: no page can be written ({error}).") from error
        if has_screen() and webbrowser.open(page.as_uri()):
            return f"Opened: {page}"
        return f"Written: {page}"

    def _all(self) -> list[Kept]:
        from replay.evidence.store import EvidenceStore

        try:
            return list(EvidenceStore(self._journal).kept())
        except (OSError, ValueError) as error:
            raise JournalError(f"The evidence cannot be read ({error}).") from error


def _pair(kept: Kept) -> tuple[str, str]:
    return str(kept.facts["job_id"]), str(kept.facts["directory"])
