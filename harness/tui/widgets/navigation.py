"""The line that names the screens, where one stands and how much each holds."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from harness.assessment import Assessment
from harness.model import Severity
from harness.tui.widgets.cell import Cell

SCREENS = (
    ("overview", "Overview"),
    ("differences", "Differences"),
    ("jobs", "Jobs"),
    ("gates", "Gates"),
    ("findings", "Findings"),
    ("replays", "Replays"),
    ("rules", "Rules"),
    ("health", "Health"),
)
"""Mode and title, in the order of their keys from 1."""
SHORT = {
    "Overview": "Over", "Differences": "Diff", "Findings": "Find", "Replays": "Repl",
}  # fmt: skip
"""What a title becomes where the line has no room for all of them."""


class Navigation(Cell):
    """Names every screen with its key; the current one in brackets, so that it reads plainly."""

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._counts: dict[str, tuple[str, str]] = {}

    def on_mount(self) -> None:
        """Name the screens before anything has been counted."""
        self.show_counts(None)

    def on_resize(self) -> None:
        """A wide terminal has room for more words."""
        self._paint()

    def show_counts(self, assessment: Assessment | None) -> None:
        """Paint the line with the numbers of `assessment`."""
        self._counts = _counts(assessment) if assessment else {}
        self._paint()

    def _paint(self) -> None:
        """The longest words that fit: a screen that is not named cannot be found."""
        for words in _wordings(self._counts):
            if sum(len(text) + 3 for text in words.values()) - 1 <= self.size.width:
                break
        parts: list[Content] = []
        for mode, text in words.items():
            if mode == self._current:
                parts.append(Content.styled(f"[{text}]", "$foreground bold"))
            else:
                action = f"@click=app.show_screen('{mode}')"
                parts.append(
                    Content.from_markup(f"[{action}][$secondary] $words [/][/]", words=text)
                )
        self.show(Content(" ").join(parts))


def _wordings(counts: dict[str, tuple[str, str]]) -> Iterator[dict[str, str]]:
    """By mode what stands in the line, from the longest wording to the shortest."""
    for place, shorten in ((1, False), (0, False), (0, True), (None, True)):
        yield {
            mode: f"{key} {SHORT.get(title, title) if shorten else title}"
            + ("" if place is None else counts.get(mode, ("", ""))[place])
            for key, (mode, title) in enumerate(SCREENS, start=1)
        }


def _counts(assessment: Assessment) -> dict[str, tuple[str, str]]:
    """By mode its number in short and in full."""
    critical = sum(finding.severity is Severity.CRITICAL for finding in assessment.findings)
    running = sum(run.finished_at is None for run in assessment.replays)
    overstepping = sum(rule.hides_too_much for rule in assessment.rules)
    differences = f" {len(assessment.differences):,}"
    replays, findings = f" {len(assessment.replays)}", f" {len(assessment.findings)}"
    rules = f" {len(assessment.rules)}"
    return {
        "differences": (differences, differences),
        "replays": (replays, replays + (f", {running} running" if running else "")),
        "findings": (findings, findings + (f", {critical} critical" if critical else "")),
        "rules": (rules, rules + (f", ▲ {overstepping}" if overstepping else "")),
    }
