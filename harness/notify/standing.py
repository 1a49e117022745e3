"""What is watched of an assessment: the decision, the gates, critical findings. Pure.

Every text is masked here, so that nothing behind this module holds a personal value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.assessment import Assessment, Evidence, Finding, GateResult
from harness.model import Severity
from harness.report.redact import is_personal, mask_text, quotable

DECISION = "decision"
JOURNAL = "journal"
READABLE = "readable"
UNREADABLE = "unreadable"
LONGEST = 400
"""Characters of one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Something that is in one state at a time: the decision, a gate, the journal itself."""

    title: str
    value: str
    """The word of the status or decision, whatever words there are."""
    reason: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """A critical finding of one mode, and where it shows."""

    title: str
    keys: tuple[str, ...]
    """Sorted; job and directory of each case, numbered where a place has several.

    Neither the event nor the wording of the evidence is in it: both move on while the case
    stays the same.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one journal stands as of one moment."""

    journal_id: str
    seq: int
    as_of: datetime
    states: Mapping[str, State] = field(default_factory=dict)
    """By subject: ``decision``, ``journal`` or ``gate:ID``."""
    cases: Mapping[str, Cases] = field(default_factory=dict)
    """By subject: ``finding:MODE:ID``."""
    time_scale: float = 1.0


def standing_of(assessment: Assessment) -> Standing:
    """What is watched of `assessment`, personal values masked."""
    known = _Known(assessment)
    states = {
        JOURNAL: State(title="The journal", value=READABLE, reason=""),
        DECISION: State(
            title="Decision",
            value=assessment.decision.value,
            reason=known.masked(assessment.reason),
        ),
    }
    for phase in assessment.phases:
        for gate in phase.gates:
            states[f"gate:{gate.gate}"] = _gate(gate, known)
    return Standing(
        journal_id=assessment.provenance.journal_id,
        seq=assessment.provenance.seq,
        as_of=assessment.provenance.as_of,
        states=states,
        cases={
            f"finding:{finding.mode}:{finding.id}": _cases(finding)
            for finding in assessment.findings
            if finding.severity is Severity.CRITICAL
        },
        time_scale=assessment.provenance.time_scale,
    )


def printable(text: str) -> str:
    """One line of at most LONGEST printable characters; an escape sequence must reach nobody."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


class _Known:
    """The personal values that the comparison knows, and texts without them."""

    def __init__(self, assessment: Assessment) -> None:
        values = quotable(
            value
            for one in assessment.differences
            if is_personal(one.field)
            for value in (
                one.control_raw, one.candidate_raw, one.control_value, one.candidate_value
            )
        )  # fmt: skip
        self._values = [(value.casefold(), value) for value in values]

    def masked(self, text: str) -> str:
        """One line without personal values; cut only then, or half a value would be left."""
        # A bad week has a hundred thousand values, and to look for one costs a hundred times less
        # than to replace it.
        folded = text.casefold()
        return printable(mask_text(text, [v for key, v in self._values if key in folded]))


def _gate(gate: GateResult, known: _Known) -> State:
    # The reason of an attested gate quotes what a person wrote.
    return State(
        title=printable(gate.title),
        value=gate.status.value,
        reason=known.masked(gate.reason),
        required=gate.required,
    )


def _cases(finding: Finding) -> Cases:
    places = Counter(_place(evidence) for evidence in finding.evidence)
    return Cases(
        title=printable(finding.title),
        keys=tuple(
            sorted(
                place if number == 1 else f"{place}, no. {number}"
                for place, count in places.items()
                for number in range(1, count + 1)
            )
        ),
    )


def _place(evidence: Evidence) -> str:
    job = f"job {evidence.job_id}" if evidence.job_id else ""
    directory = f"at {evidence.directory}" if evidence.directory else ""
    return printable(mask_text(f"{job} {directory}")) or "not of one job"
