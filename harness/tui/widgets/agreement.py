"""Agreement now in words, and its course."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from harness.assessment import Agreement, Coverage, PairCounts
from harness.gates.shown import share, tally
from harness.gates.wording import counted
from harness.tui.widgets.band_plot import LEGEND, BandPlot
from harness.tui.widgets.cell import Cell
from harness.tui.widgets.panel import Panel
from harness.tui.wording import at_least


class AgreementPanel(Panel):
    """Agreement now, its weaker readings, and its course."""

    BORDER_TITLE = f"Agreement  {LEGEND}"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._now = Cell(classes="now")
        self._beside = Cell(classes="beside")
        self._pairs = Cell(classes="pairs")
        self._band = BandPlot()
        self._none = Cell(classes="none")

    def compose(self) -> ComposeResult:
        """Words above, plot below."""
        yield self._now
        yield self._beside
        yield self._pairs
        yield self._band
        yield self._none

    def show(
        self,
        agreement: Agreement,
        coverage: Coverage,
        pairs: PairCounts | None,
        threshold: float | None,
    ) -> None:
        """Paint `agreement`; `threshold` is what the agreement gate requires.

        pairs: those of production, each of which the sum counts.
        """
        by_job = agreement.by_job
        self.border_subtitle = (
            f"compared {coverage.jobs_compared:,} of {counted(coverage.jobs, 'job')}, "
            f"{coverage.submissions_compared:,} of {counted(coverage.submissions, 'submission')}"
        )
        self._now.show(
            Content.assemble(
                (share(by_job.value), "$primary bold"),
                f" of {counted(by_job.n, by_job.unit.removesuffix('s'))}, ",
                (at_least(by_job), "$secondary"),
            )
        )
        self._beside.show(
            f"by submission {share(agreement.by_submission.value)}, "
            f"without rules {share(agreement.without_rules.value)}"
        )
        self._now.display = self._beside.display = by_job.value is not None
        self._pairs.show(tally(pairs) if pairs else "")
        self._pairs.display = pairs is not None and pairs.pairs > 0
        drawn = len(agreement.series) > 1
        self._band.display = drawn
        self._none.display = not drawn
        self._none.show(
            "The band begins with the second job."
            if agreement.series
            else "No job has been compared yet."
        )
        self._band.show(agreement.series, threshold)
