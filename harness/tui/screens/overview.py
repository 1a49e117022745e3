"""Overview: where we stand, at one look."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll

from harness.assessment import Assessment
from harness.model import LIVE
from harness.tui.screens.base import ShadowScreen
from harness.tui.screens.gate import GateScreen
from harness.tui.widgets.agreement import AgreementPanel
from harness.tui.widgets.cause_line import CauseLine
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.clusters import ClusterList
from harness.tui.widgets.findings import FindingList
from harness.tui.widgets.gates import GateRow, GatesPanel
from harness.tui.widgets.latency import LatencyPanel
from harness.tui.widgets.latency_plot import LatencyPlotPanel
from harness.tui.widgets.operations import OperationsPanel
from harness.tui.widgets.ticker import FindingTicker
from harness.tui.widgets.traffic import TrafficPanel
from harness.tui.wording import plain

AGREEMENT_GATE = "agreement"
HUGE = 170
"""From so many columns on, agreement, latency and operations stand side by side."""


class OverviewScreen(ShadowScreen):
    """Decision per phase with its gates; agreement, latency, operations; what to look at next."""

    MODE = "overview"
    HELP_WORDS: ClassVar[str] = """\
**Gates.** One row a gate. `✓ Pass`, `✕ Fail`, `~ Undecided` (evidence exists and does not settle
it), `○ Open` (required evidence is missing; never green). The bar is the interval `━` in which the
true share lies, however often you look; `●` is what was seen, `┃` what is required (`◆` where both
fall together). **Enter** on a gate explains it and says what would settle it.

**Agreement.** Mean over jobs in the order of the old system, with the band that holds at every
look.

**Latency.** Old and new side by side, and by how much the new one is slower (+) or faster (-). A
dash: the record does not reach that far yet. The curves say which share of the jobs has ended
after how long: `○` old, `●` new.

**Operations.** Jobs an hour over the last hour, jobs that wait, queue, dead letters (DLQ), Prefect,
workers, and how far the record is complete. *not recorded* means that nobody looked.

**Enter** on a cluster shows its differences, on a finding its evidence. Where the list of clusters
may be out of sight, a line below names the one that costs most; **m** shows its differences.
"""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._assessment: Assessment | None = None

    def compose_body(self) -> ComposeResult:
        """Gates above, then two columns where there is room for them."""
        with VerticalScroll(id="overview", can_focus=False):
            yield Cell(id="missing", classes="banner")
            yield GatesPanel(id="gates")
            with Horizontal(id="middle"):
                yield AgreementPanel(id="agreement")
                with Vertical(id="right"):
                    yield LatencyPanel(id="latency")
                    yield OperationsPanel(id="operations")
            with Horizontal(id="lower"):
                yield ClusterList(id="clusters")
                yield FindingList(id="findings")
            with Horizontal(id="plots"):
                yield LatencyPlotPanel(id="latency-plot")
                yield TrafficPanel(id="traffic")
        yield CauseLine(id="cause")
        yield FindingTicker(id="ticker")

    def paint(self, assessment: Assessment) -> None:
        """Hand each panel its part."""
        self._assessment = assessment
        missing = self.query_one("#missing", Cell)
        missing.display = bool(assessment.missing_parts)
        parts = " ".join(map(plain, assessment.missing_parts))
        missing.show(f"▲ NOT LOOKED AT ({len(assessment.missing_parts)}): {parts}")
        self.query_one(GatesPanel).show(assessment.phases)
        self.query_one(AgreementPanel).show(
            assessment.agreement,
            assessment.coverage,
            next((counts for counts in assessment.pairs if counts.mode == LIVE), None),
            _required(assessment),
        )
        self.query_one(LatencyPanel).show(assessment.latency)
        self.query_one(LatencyPlotPanel).show(assessment.latency)
        self.query_one(OperationsPanel).show(assessment)
        running = assessment.operations
        self.query_one(TrafficPanel).show(running.traffic if running else None)
        self.query_one(CauseLine).show_clusters(assessment.clusters)
        self.query_one(FindingTicker).show_findings(assessment.findings)
        self.query_one(ClusterList).show(assessment.clusters)
        self.query_one(FindingList).show(assessment.findings)
        if self.focused is None:
            # The rows have only just been mounted; the next refresh finds them.
            self.call_after_refresh(self._focus_first_gate)

    def on_resize(self) -> None:
        """Three columns where there is room."""
        self.set_class(self.size.width >= HUGE, "-huge")

    def _focus_first_gate(self) -> None:
        rows = self.query(GateRow)
        if self.focused is None and rows:
            rows.first().focus(scroll_visible=False)

    def action_page(self, direction: int) -> None:
        """Scroll by a page."""
        page = self.query_one("#overview", VerticalScroll)
        page.scroll_relative(y=direction * max(1, page.size.height - 2), animate=False)

    @on(GateRow.Selected)
    def _explain(self, event: GateRow.Selected) -> None:
        if self._assessment is not None:
            self.app.push_screen(GateScreen(self._assessment, event.gate))


def _required(assessment: Assessment) -> float | None:
    """The agreement that the first gate of that name requires."""
    for phase in assessment.phases:
        for gate in phase.gates:
            if gate.gate.rpartition(".")[2] == AGREEMENT_GATE:
                return gate.threshold
    return None
