"""What changed since a former report: the values. `changes` finds them, `since_text` words them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from harness.model import Decision, GateStatus, Severity

Change = Literal["new", "gone", "changed"]


class ReportError(ValueError):
    """Two reports cannot be compared; the text says why and what to do, on one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one of the two reports decided, and of which moment it speaks."""

    decision: Decision
    reason: str
    seq: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsBetween:
    """What the journal took in between the two reports."""

    first_seq: int | None
    """None where there is no event between them."""
    last_seq: int
    events: int
    by_kind: Mapping[str, int]
    """Kind and number, most frequent first."""
    jobs: int
    """Jobs more that count; negative where fewer do."""
    jobs_compared: int
    submissions_compared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMove:
    """Something that the assessment is made by and that is not what it was."""

    what: str
    """rules, gates, tool, phase, candidate, attempt, jobs since, candidate since, deadline or
    speed of time."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateMove:
    """A gate whose status or value moved, or that only one of the reports has."""

    gate: str
    phase: str
    title: str
    change: Change
    status_before: GateStatus | None
    status_after: GateStatus | None
    value_before: str | None
    """As a person reads it."""
    value_after: str | None
    reason: str
    """Why it is what it is now; of a gate that is gone, why it was what it was."""
    decides: bool
    """Whether it takes part in the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementMove:
    """One figure of agreement, in [0, 1]."""

    figure: str
    """by_job, by_submission, without_rules, with_excluded or fresh."""
    before: float | None
    after: float | None
    n_before: int | None
    n_after: int | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMove:
    """A cluster that came, went or has another size."""

    id: str
    title: str
    mode: str
    change: Change
    size_before: int
    size_after: int
    cost_before: float
    """Share of agreement by job that it costs, in [0, 1]."""
    cost_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMove:
    """A finding that came, went or shows in another number of cases."""

    id: str
    title: str
    mode: str
    severity: Severity
    change: Change
    cases_before: int
    cases_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMove:
    """A rule that came, went, has another version or hides another number of differences."""

    name: str
    change: Change
    version_before: int | None
    version_after: int | None
    hidden_before: int
    hidden_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a named person has said since, or what has stopped counting since."""

    what: Literal["waiver", "statement", "mark", "triage"]
    name: str
    """The gate, the statement's name, what is marked, or the triaged target."""
    change: Literal["said", "expired", "withdrawn"]
    by: str
    text: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Everything that is not as it was in the former report."""

    before: Standing
    after: Standing
    why: tuple[str, ...]
    """What moved the decision, or what happened while it stayed, in sentences."""
    events: EventsBetween
    versions: tuple[VersionMove, ...]
    gates: tuple[GateMove, ...]
    agreement: tuple[AgreementMove, ...]
    """Figures that moved."""
    clusters: tuple[ClusterMove, ...]
    findings: tuple[FindingMove, ...]
    rules: tuple[RuleMove, ...]
    said: tuple[Said, ...]
    missing_new: tuple[str, ...]
    """Parts that this report did not look at and the former did."""
    missing_gone: tuple[str, ...]
    untold: tuple[str, ...]
    """Parts of which the former report does not tell."""

    @property
    def moved(self) -> bool:
        """Whether the decision is another one."""
        return self.before.decision is not self.after.decision
