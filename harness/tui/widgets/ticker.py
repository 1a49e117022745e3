"""One line that names the findings in turn."""

from __future__ import annotations

from textual.content import Content

from harness.assessment import Finding
from harness.gates.wording import counted
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.findings import SEVERITY_STYLES
from harness.tui.wording import SEVERITY_WORDS, plain

TURN_S = 6.0
"""How long each finding stands."""


class FindingTicker(Cell):
    """Finding after finding, the worst first; where animations are off, it keeps the first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._findings: tuple[Finding, ...] = ()
        self._place = 0

    def on_mount(self) -> None:
        """Begin to turn."""
        if self.app.animation_level != "none":
            self.set_interval(TURN_S, self.turn)

    def show_findings(self, findings: tuple[Finding, ...]) -> None:
        """Name these findings; others begin with their first."""
        if findings != self._findings:
            self._findings, self._place = findings, 0
        self._paint()

    def turn(self) -> None:
        """Name the next one."""
        # A screen behind another one has nobody who reads it.
        if self._findings and self.screen.is_active:
            self._place = (self._place + 1) % len(self._findings)
            self._paint()

    def _paint(self) -> None:
        if not self._findings:
            self.show(Content.styled("No finding.", "$secondary"))
            return
        finding = self._findings[self._place]
        places = len(finding.evidence)
        self.show(
            Content.assemble(
                (f"finding {self._place + 1} of {len(self._findings)}  ", "$secondary"),
                (SEVERITY_WORDS[finding.severity], SEVERITY_STYLES[finding.severity]),
                f" {plain(finding.title)}",
                (f"  {counted(places, 'place')}" if places else "", "$secondary"),
            )
        )
