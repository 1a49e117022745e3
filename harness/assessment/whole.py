"""One assessment of a journal as of one moment."""

from __future__ import annotations

from dataclasses import dataclass

from harness.assessment.calibrated import CalibrationTable
from harness.assessment.deciding import Counterfactual, Mark, PhaseResult, Statement, Waiver
from harness.assessment.differences import Cluster, Difference, Finding, RuleEffect, Triage
from harness.assessment.figures import Agreement, Beside, Breakdown, Coverage, Latency, PairCounts
from harness.assessment.operations import Operations
from harness.assessment.record import Provenance, RecordingHealth, ReplayProgress
from harness.model import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Where we stand as of one moment."""

    decision: Decision
    reason: str
    phases: tuple[PhaseResult, ...]
    agreement: Agreement
    latency: tuple[Latency, ...]
    differences: tuple[Difference, ...]
    clusters: tuple[Cluster, ...]
    findings: tuple[Finding, ...]
    rules: tuple[RuleEffect, ...]
    coverage: Coverage
    replays: tuple[ReplayProgress, ...]
    recording: RecordingHealth
    missing_parts: tuple[str, ...]
    """What this run did not look at, said loudly (for example: no browser, no replay)."""
    provenance: Provenance
    triage: tuple[Triage, ...] = ()
    """All that counts as of then, in the order in which it was said; also of what is gone."""
    beside: tuple[Beside, ...] = ()
    pairs: tuple[PairCounts, ...] = ()
    """One a mode, production first."""
    statements: tuple[Statement, ...] = ()
    """Attestations, the newest of each name; also those that no gate asks for or that expired."""
    waivers: tuple[Waiver, ...] = ()
    """The newest of each gate; also those that expired."""
    marks: tuple[Mark, ...] = ()
    """In the order in which they were journaled."""
    counterfactuals: tuple[Counterfactual, ...] = ()
    """Each cluster alone, by its effect on the decision; then the costliest ones together."""
    calibration: CalibrationTable | None = None
    """None where none was journaled."""
    breakdown: tuple[Breakdown, ...] = ()
    """By directory and by kind of site, where the candidate loses most first; by package last."""
    operations: Operations | None = None
    """Traffic, queue, Prefect and workers; None in an assessment made without them."""
