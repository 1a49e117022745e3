"""From a comparison to the decision: the gates over their evidence, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from harness.assess.criteria import Criteria
from harness.assess.eras import Eras
from harness.assess.evidence import Counts, EvidenceOf
from harness.assess.fresh import Cut
from harness.assess.mended import World, counterfactuals, critical
from harness.assessment import Cluster, Counterfactual, Finding, PhaseResult, Waiver
from harness.gates.evaluate import decide, evaluate
from harness.gates.inputs import GateInputs
from harness.journal.detectors import of_the_record
from harness.model import Decision, Severity
from harness.stats.estimates import settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The decision and what it rests on."""

    decision: Decision
    reason: str
    phases: tuple[PhaseResult, ...]
    inputs: GateInputs
    counterfactuals: tuple[Counterfactual, ...]


def decided(
    evidence: EvidenceOf,
    criteria: Criteria,
    pairs: pl.DataFrame,
    counts: Counts,
    jobs: pl.DataFrame,
    *,
    eras: Eras,
    cut: Cut | None,
    waivers: tuple[Waiver, ...],
    findings: tuple[Finding, ...],
    clusters: tuple[Cluster, ...],
    members: pl.DataFrame,
) -> Decided:
    """Judge every gate and say what mending the costliest clusters would change.

    pairs: `Comparison.pairs`; counts: `EvidenceOf.counts` of them; jobs: with `fate`; members:
    `Clustering.members`.
    """
    by_gate = {waiver.gate: waiver for waiver in waivers}
    unseen = tuple(
        sorted({f.id for f in findings if f.severity is Severity.CRITICAL} & of_the_record())
    )

    def inputs_of(
        counts: Counts,
        jobs: pl.DataFrame,
        found: Mapping[str, int],
        since: datetime | None = None,
    ) -> GateInputs:
        return evidence.inputs(counts, jobs, critical=found, unseen=unseen, cut=cut, since=since)

    def judge(
        counts: Counts, jobs: pl.DataFrame, found: Mapping[str, int]
    ) -> tuple[GateInputs, tuple[PhaseResult, ...]]:
        inputs = inputs_of(counts, jobs, found)
        since = {}
        if eras.cutover is not None:
            since["cutover"] = inputs_of(counts, jobs, found, eras.cutover)
        return inputs, evaluate(
            criteria.gates, inputs, phase=criteria.phase, since=since, waivers=by_gate
        )

    def judge_again(
        changed: pl.DataFrame, jobs: pl.DataFrame, found: Mapping[str, int]
    ) -> tuple[tuple[PhaseResult, ...], Decision, float | None]:
        inputs, phases = judge(counts.with_changed(evidence.counts(changed)), jobs, found)
        share = settled(inputs.agreement_low, inputs.agreement_high)
        return phases, decide(phases)[0], float(np.mean(share)) if share.size else None

    inputs, phases = judge(counts, jobs, critical(findings))
    decision, reason = decide(phases)
    world = World(pairs=pairs, jobs=jobs, members=members, findings=findings)
    return Decided(
        decision=decision,
        reason=reason,
        phases=phases,
        inputs=inputs,
        counterfactuals=counterfactuals(world, clusters, phases, judge_again),
    )
