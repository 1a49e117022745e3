"""Findings: named faults, why they matter, how to mend them, where they show."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from harness.assessment import Assessment, Evidence, Finding
from harness.tui.screens.base import ShadowScreen
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.findings import SEVERITY_STYLES, FindingList
from harness.tui.widgets.named import Named
from harness.tui.wording import SEVERITY_WORDS, plain

MOST_EVIDENCE = 200


class FindingsScreen(ShadowScreen):
    """The list, and the finding under the cursor in full."""

    MODE = "findings"
    HELP_WORDS: ClassVar[str] = """\
A finding is a named pattern over the events: a fault of the new system, of the old one, or of the
shadow set-up itself. `✕ critical`, `▲ warning`, `· info`.

**Up** and **down** choose; **Tab** goes to the text, which scrolls.
"""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: Finding | None = None

    def compose_body(self) -> ComposeResult:
        """List and text, side by side where there is room."""
        with Horizontal(id="split"):
            yield FindingList(id="list")
            with VerticalScroll(id="text", classes="panel"):
                yield Cell(id="severity")
                yield Named("why")
                yield Named("mend")
                yield Cell(id="evidence")

    def paint(self, assessment: Assessment) -> None:
        """Fill the list; the cursor stays where it was."""
        findings = self.query_one(FindingList)
        findings.show(assessment.findings)
        if self._wanted is not None:
            findings.highlight(self._wanted)
            self._wanted = None
        elif findings.highlighted is None and assessment.findings:
            findings.highlighted = 0
        self.query_one("#text").set_class(not assessment.findings, "-empty")
        if not assessment.findings:
            self.query_one("#severity", Cell).show(
                "No finding: none of the known patterns shows in what was recorded."
            )

    def choose(self, finding: Finding) -> None:
        """Put the cursor on `finding` once the list holds it."""
        self._wanted = finding

    @on(FindingList.Highlighted)
    def _read(self, event: FindingList.Highlighted) -> None:
        event.stop()
        text = self.query_one("#text")
        text.border_title = plain(event.finding.title)
        self.query_one("#severity", Cell).show(_severity(event.finding))
        why, mend = self.query(Named)
        why.show(event.finding.explanation)
        mend.show(event.finding.mend)
        self.query_one("#evidence", Cell).show(_all_evidence(event.finding))
        text.scroll_home(animate=False)

    @on(FindingList.Chosen)
    def _go_to_text(self, event: FindingList.Chosen) -> None:
        event.stop()
        self.query_one("#text").focus()


def _severity(finding: Finding) -> Content:
    return Content.assemble(
        (SEVERITY_WORDS[finding.severity], SEVERITY_STYLES[finding.severity]),
        f"  {plain(finding.id)}, {plain(finding.mode)}",
    )


def _all_evidence(finding: Finding) -> Content:
    lines = [
        Content.styled(f"Evidence ({len(finding.evidence):,})", "bold"),
        *map(_evidence, finding.evidence[:MOST_EVIDENCE]),
    ]
    left = len(finding.evidence) - MOST_EVIDENCE
    if left > 0:
        lines.append(Content.styled(f"and {left:,} more: shadow findings lists all", "$secondary"))
    return Content("\n").join(lines)


def _evidence(evidence: Evidence) -> Content:
    where = [f"job {plain(evidence.job_id)}" if evidence.job_id else None, evidence.directory]
    words = ", ".join(plain(part) for part in where if part)
    seq = f"  seq {evidence.seq:,}" if evidence.seq is not None else ""
    return Content.assemble(
        "· ", (words, "$primary"), f"{': ' if words else ''}{plain(evidence.detail)}",
        (seq, "$secondary"),
    )  # fmt: skip
