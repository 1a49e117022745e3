"""Gates, phases, what people have said about them, and what would change the decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.assessment.figures import Interval
from harness.model import Decision, GateStatus, IntervalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A named person takes the risk of one gate, for a limited time."""

    gate: str
    """Identifier such as ``shadow.complaints``."""
    by: str
    reason: str
    until: datetime
    at: datetime
    seq: int
    valid: bool = True
    """Whether it still counts as of the moment asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """One gate over the jobs of one stage of traffic."""

    percent: float
    since: datetime
    until: datetime | None
    """None for the stage that goes on."""
    status: GateStatus
    n: int
    """Jobs of the stage."""
    text: str
    """What it says, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDefinition:
    """What a gate asks, as its file declares it; empty where it asks nothing of the kind."""

    kind: str
    """Its kind in the gates file, such as ``mean_at_least``."""
    statistic: str
    """What is measured, in words."""
    comparison: str
    """How it is compared with what is required, in words."""
    confidence: float | None
    """One-sided, in [0, 1]; None where it counts and does not estimate."""
    least_evidence: str
    freshness: str
    """What must be recent, and how recent."""
    scope: str
    """Which jobs and directories it is about."""
    why: str
    """Why this threshold."""
    waivable: bool
    attestation: str = ""
    """The statement that it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One criterion, what it saw and what it says."""

    gate: str
    """Identifier such as ``shadow.p95_latency``."""
    phase: str
    title: str
    status: GateStatus
    value: float | None
    value_text: str
    """The value as a person reads it: ``97.3 %``, ``2 lost``, ``no evidence``."""
    threshold: float | None
    threshold_text: str
    interval: Interval | None
    n: int
    unit: str
    evidence_text: str
    """How much evidence, for example ``58 jobs, 2 pending``."""
    reason: str
    """One sentence: why this status."""
    missing: str | None
    """What would settle it; None once settled."""
    required: bool = True
    owner: str = ""
    """Who acts on it."""
    when_red: str = ""
    """What to do when it fails."""
    judged: GateStatus | None = None
    """What the evidence says of a waived gate; None for every other."""
    waiver: Waiver | None = None
    stages: tuple[StageResult, ...] = ()
    """By stage of traffic, where the gate is about each of them."""
    more_jobs: float | None = None
    """About how many more jobs would settle it; None where jobs alone do not."""
    more_s: float | None = None
    """About how many scaled seconds so many jobs take at the pace of the record; None without."""
    definition: GateDefinition | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that does not hold at every look: it decides nothing."""
        if self.interval is not None and self.interval.kind is not IntervalKind.HEADLINE:
            raise ValueError(
                f"interval of {self.gate} is a {self.interval.kind.value}; a gate is judged by one "
                "that holds at every look"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """A phase, its gates and the decision they make."""

    phase: str
    title: str
    decision: Decision
    reason: str
    gates: tuple[GateResult, ...]
    decides: bool = True
    """Whether it takes part in the decision; a phase that has not come yet is shown only."""
    begun: bool = True
    """False where the mark from which its evidence counts is not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a named person attested: the newest of its name."""

    name: str
    holds: bool
    by: str
    note: str
    until: datetime
    at: datetime
    seq: int
    valid: bool
    """False once it has expired."""
    took_s: float | None = None
    """What was measured in a drill, in seconds; None where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment of the migration that the record cannot show by itself."""

    what: str
    """ramp, deployment, cutover or note."""
    value: str
    """Percent of traffic, version of the candidate, or words."""
    by: str
    note: str
    at: datetime
    """When it was journaled: jobs count by this time, so that it cannot be set back."""
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChange:
    """One gate as it is and as it would be."""

    gate: str
    before: GateStatus
    after: GateStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """The decision if every difference of some clusters had been an agreement."""

    clusters: tuple[str, ...]
    """Ids of the clusters mended."""
    alone: bool
    """Whether it is one cluster by itself; else the costliest ones down to the last of them."""
    decision: Decision
    agreement: float | None
    """Mean agreement by job in [0, 1] that it would give."""
    gates: tuple[GateChange, ...]
    """The gates that would change; empty where none would."""
