"""Gates: all of them by phase, and the one under the cursor in full."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from harness.assessment import Assessment
from harness.tui.screens.base import ShadowScreen
from harness.tui.widgets.gate_detail import GateDetail
from harness.tui.widgets.gate_list import GateList
from harness.tui.wording import plain


class GatesScreen(ShadowScreen):
    """The list, and one gate in full: definition, evidence, what is missing, forecast."""

    MODE = "gates"
    HELP_WORDS: ClassVar[str] = """\
Every gate of every phase. `✓ Pass`, `✕ Fail`, `~ Undecided` (evidence exists and does not settle
it), `○ Open` (required evidence is missing; never green), `! Waived` (a named person takes the
risk).

**Evidence** is what was seen, with its interval; the bar shows the interval `━`, the value `●` and
what is required `┃`. **What is missing** says what would settle the gate, and about how many jobs
and how long that takes at the pace of the record. **In force** are a waiver and a statement.
**Definition** is what the gates file declares.

**Up** and **down** choose; **Tab** or **Enter** goes to the text, which scrolls.
"""
    AUTO_FOCUS = "GateList"

    def __init__(self) -> None:
        super().__init__()
        self._assessment: Assessment | None = None

    def compose_body(self) -> ComposeResult:
        """List and text, side by side where there is room."""
        with Horizontal(id="split"):
            yield GateList(id="list")
            with VerticalScroll(id="text", classes="panel"):
                yield GateDetail()

    def paint(self, assessment: Assessment) -> None:
        """Fill the list and the text; the cursor stays where it was."""
        self._assessment = assessment
        self.query_one(GateList).show(assessment.phases)
        self._read()

    @on(GateList.Highlighted)
    def _highlighted(self, event: GateList.Highlighted) -> None:
        event.stop()
        self._read()
        self.query_one("#text").scroll_home(animate=False)

    @on(GateList.Chosen)
    def _go_to_text(self, event: GateList.Chosen) -> None:
        event.stop()
        self.query_one("#text").focus()

    def _read(self) -> None:
        gate = self.query_one(GateList).gate
        if self._assessment is None or gate is None:
            return
        self.query_one("#text").border_title = plain(gate.title)
        self.query_one(GateDetail).show(self._assessment, gate)
