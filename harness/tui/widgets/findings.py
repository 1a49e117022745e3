"""The findings that matter most, one line each."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from harness.assessment import Finding
from harness.model import LIVE, Severity
from harness.tui.widgets.options import Options
from harness.tui.wording import SEVERITY_WORDS, plain

SEVERITY_STYLES = {
    Severity.CRITICAL: "$error bold",
    Severity.WARNING: "$warning",
    Severity.INFO: "$secondary",
}


def finding_key(finding: Finding) -> str:
    """What tells findings apart: the same pattern in two modes is two findings."""
    return f"{finding.id}/{finding.mode}"


class FindingList(Options):
    """Findings, worst first; says when one is highlighted and when one is chosen."""

    BORDER_TITLE = "Findings"

    @dataclass
    class Highlighted(Message):
        """The cursor stands on a finding."""

        list: FindingList
        finding: Finding

        @property
        def control(self) -> FindingList:
            """Where it happened."""
            return self.list

    @dataclass
    class Chosen(Message):
        """A finding was chosen, to be read in full."""

        list: FindingList
        finding: Finding

        @property
        def control(self) -> FindingList:
            """Where it happened."""
            return self.list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel", markup=False)
        self._findings: tuple[Finding, ...] | None = None

    def show(self, findings: tuple[Finding, ...]) -> None:
        """Paint `findings`; the highlighted one stays highlighted."""
        if findings == self._findings:
            return
        before = self.highlighted
        chosen = None if before is None else self.get_option_at_index(before).id
        self._findings = findings
        self.border_subtitle = _counts(findings)
        self.clear_options()
        if not findings:
            self.add_option(Option(Content.styled("No finding.", "$secondary"), disabled=True))
            return
        self.add_options([Option(_line(one), id=finding_key(one)) for one in findings])
        keys = [finding_key(one) for one in findings]
        if chosen in keys:
            self.highlighted = keys.index(str(chosen))

    def highlight(self, finding: Finding) -> None:
        """Put the cursor on `finding` if it is in the list."""
        keys = [finding_key(one) for one in self._findings or ()]
        if finding_key(finding) in keys:
            self.highlighted = keys.index(finding_key(finding))

    @property
    def target(self) -> Finding | None:
        """The finding under the cursor."""
        at = self.highlighted
        return None if at is None else self._finding(self.get_option_at_index(at).id)

    @on(OptionList.OptionHighlighted)
    def _tell_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if finding := self._finding(event.option_id):
            self.post_message(self.Highlighted(self, finding))

    @on(OptionList.OptionSelected)
    def _tell_chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if finding := self._finding(event.option_id):
            self.post_message(self.Chosen(self, finding))

    def _finding(self, key: str | None) -> Finding | None:
        return next((one for one in self._findings or () if finding_key(one) == key), None)


def _line(finding: Finding) -> Content:
    return Content.assemble(
        (f"{SEVERITY_WORDS[finding.severity]:<11}", SEVERITY_STYLES[finding.severity]),
        plain(finding.title),
        (f"  {len(finding.evidence):,}×{_mode(finding)}", "$secondary"),
    )


def _mode(finding: Finding) -> str:
    return "" if finding.mode == LIVE else f" in {plain(finding.mode)}"


def _counts(findings: tuple[Finding, ...]) -> str:
    counts = [(sum(one.severity is each for one in findings), each.value) for each in Severity]
    return ", ".join(f"{count} {word}" for count, word in reversed(counts) if count)
