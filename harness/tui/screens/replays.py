"""Replays: every run with its progress."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from harness.assessment import Assessment
from harness.tui.screens.base import ShadowScreen
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.replay_card import ReplayCard
from harness.tui.wording import plain


class ReplaysScreen(ShadowScreen):
    """One card a run, newest first, and what could not be replayed."""

    MODE = "replays"
    HELP_WORDS: ClassVar[str] = """\
A replay runs recorded jobs through the new worker in the sandbox.

**Excluded**: the record does not tell what the site did, so there is nothing to compare with.
**Disagreeing**: outcome other than the old system's. **Escape**: the worker tried to leave the
sandbox; it was stopped, and one is enough to fail the run.
"""

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, ReplayCard] = {}

    def compose_body(self) -> ComposeResult:
        """A list of cards."""
        yield Cell(id="none")
        yield VerticalScroll(id="runs")
        yield Cell(id="excluded")

    def paint(self, assessment: Assessment) -> None:
        """One card a run; cards stay while the runs are the same."""
        runs = sorted(assessment.replays, key=lambda run: run.started_at, reverse=True)
        if [run.run for run in runs] != list(self._cards):
            self._cards = {run.run: ReplayCard(run) for run in runs}
            place = self.query_one("#runs")
            place.remove_children()
            place.mount_all(self._cards.values())
        for run in runs:
            self._cards[run.run].show(run)
        none = self.query_one("#none", Cell)
        none.display = not runs
        none.show("Nothing has been replayed. Start one with: shadow replay")
        excluded = assessment.coverage.replay_excluded
        reasons = ", ".join(f"{plain(reason)} {count:,}" for reason, count in excluded)
        words = self.query_one("#excluded", Cell)
        words.display = bool(excluded)
        words.show(f"Excluded from replays: {reasons}")
