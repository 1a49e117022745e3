"""What replays have kept of a pair, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from harness.tui.ports import KeptEvidence
from harness.tui.widgets.cell import Cell
from harness.tui.wording import plain

NONE_KEPT = "No replay has kept any. R replays this pair once more and keeps what it does."


class EvidencePanel(Vertical):
    """One line a run, newest first, and its files."""

    BORDER_TITLE = "Evidence"

    def __init__(self) -> None:
        super().__init__(classes="panel", id="evidence-kept")
        self._words = Cell()
        self.kept: tuple[KeptEvidence, ...] = ()

    def compose(self) -> ComposeResult:
        """Lines of words."""
        yield self._words

    def say(self, words: str) -> None:
        """Words instead of evidence."""
        self.kept = ()
        self.border_subtitle = ""
        self._words.show(words)

    def show(self, kept: Sequence[KeptEvidence]) -> None:
        """Paint what is kept; `i` and `o` are about the first."""
        if not kept:
            self.say(NONE_KEPT)
            return
        self.kept = tuple(kept)
        self.border_subtitle = "i draws the newest, o opens it"
        lines = [
            line
            for one in kept
            for line in (
                Content.assemble((plain(one.run), "$primary"), f": {plain(one.words)}"),
                Content.styled(f"  {plain(', '.join(one.files))}", "$secondary"),
            )
        ]
        self._words.show(Content("\n").join(lines))
