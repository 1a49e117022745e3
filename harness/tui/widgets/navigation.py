"""The line that names the screens, where one stands and how much each holds."""

from __future__ import annotations

from textual.content import Content

from harness.assessment import Assessment
from harness.model import Severity
from harness.tui.widgets.cell import Cell

SCREENS = (
    ("overview", "Overview"),
    ("differences", "Differences"),
    ("replays", "Replays"),
    ("findings", "Findings"),
)
"""Mode and title, in the order of their keys from 1."""


class Navigation(Cell):
    """Names every screen with its key; the current one in brackets, so that it reads plainly."""

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current

    def on_mount(self) -> None:
        """Name the screens before anything has been counted."""
        self.show_counts(None)

    def show_counts(self, assessment: Assessment | None) -> None:
        """Paint the line with the numbers of `assessment`."""
        counts = _counts(assessment) if assessment else {}
        parts: list[Content] = []
        for key, (mode, title) in enumerate(SCREENS, start=1):
            words = f"{key} {title}{counts.get(mode, '')}"
            if mode == self._current:
                parts.append(Content.styled(f"[{words}]", "$foreground bold"))
            else:
                action = f"@click=app.show_screen('{mode}')"
                parts.append(
                    Content.from_markup(f"[{action}][$secondary] $words [/][/]", words=words)
                )
        self.show(Content(" ").join(parts))


def _counts(assessment: Assessment) -> dict[str, str]:
    critical = sum(finding.severity is Severity.CRITICAL for finding in assessment.findings)
    running = sum(run.finished_at is None for run in assessment.replays)
    return {
        "differences": f" {len(assessment.differences):,}",
        "replays": f" {len(assessment.replays)}" + (f", {running} running" if running else ""),
        "findings": f" {len(assessment.findings)}" + (f", {critical} critical" if critical else ""),
    }
