"""What each rule made of both sides of a difference, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from harness.compare.kinds import PAIR
from harness.model import Side
from harness.tui.marking import marked_pair
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.side_by_side import Rows
from harness.tui.wording import SIDE_WORDS, plain

if TYPE_CHECKING:
    from harness.compare.explain import Step

_IDLE = frozenset({"not about this pair", "out of scope"})


class RuleSteps(Vertical):
    """The recorded values, then after every rule that is about the field."""

    BORDER_TITLE = "Rules, step by step"

    def __init__(self) -> None:
        super().__init__(classes="panel", id="steps")
        self._words = Cell()
        self._rows = Rows()
        self._shown: tuple[Step, ...] | None = None

    def compose(self) -> ComposeResult:
        """Words while there is nothing; then the grid."""
        yield self._words
        yield self._rows

    def say(self, words: str) -> None:
        """Words instead of steps."""
        self._shown = None
        self._words.show(words)
        self._words.display, self._rows.display = True, False
        self.border_subtitle = ""

    def show(self, field: str, steps: Sequence[Step]) -> None:
        """Paint the steps of `field`, and of the pair where a rule is about it."""
        here = tuple(s for s in steps if s.field == field or s.field == PAIR)
        shown = tuple(s for s in here if s.effect not in _IDLE)
        if not shown:
            self.say("At the moment shown the pair is not compared, so no rule was applied.")
            return
        idle = len(here) - len(shown)
        self.border_subtitle = f"{idle} more not about it" if idle else ""
        self._words.display, self._rows.display = False, True
        if shown != self._shown:
            self._shown = shown
            self._rows.lay(
                ["What it did", SIDE_WORDS[Side.CONTROL], SIDE_WORDS[Side.CANDIDATE]],
                [(plain(s.rule), _texts(s), not s.agrees) for s in shown],
            )


def _texts(step: Step) -> list[Content | str]:
    if step.agrees:
        return [plain(step.effect), *marked_pair("", step.control, step.candidate)]
    return [plain(step.effect), *marked_pair(step.field, step.control, step.candidate)]
