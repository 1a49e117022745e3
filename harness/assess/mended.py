"""What the decision would be if some clusters of differences were mended. Pure.

Every pair all of whose differences lie in the mended clusters counts as an agreement; where the
control succeeded, the candidate does too; a job whose silence they explain counts as processed. A
critical finding of which every place lies in such pairs or jobs is gone. Latency stays as it is:
nobody knows how long the mended work would have taken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from harness.assess.sequences import LEAKS
from harness.assessment import Cluster, Counterfactual, Finding, GateChange, PhaseResult
from harness.journal.detectors import of_the_record
from harness.model import LIVE, Decision, Severity

_KEYS = ["mode", "job_id", "directory"]
_DONE = ["submitted", "skipped"]
MOST = 5
"""Clusters that are looked at; each costs one more evaluation, and one more with those before."""
_RANK = {Decision.NO_GO: 0, Decision.UNDECIDED: 1, Decision.GO: 2}

Evaluate = Callable[
    [pl.DataFrame, pl.DataFrame, Mapping[str, int]],
    tuple[tuple[PhaseResult, ...], Decision, float | None],
]
"""Pairs of the jobs that may have changed, all jobs, and critical findings, to phases, decision and
agreement by job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a decision was made of."""

    pairs: pl.DataFrame
    jobs: pl.DataFrame
    """With `fate`."""
    members: pl.DataFrame
    """`Clustering.members`: which cluster each difference is in."""
    findings: Sequence[Finding]


def critical(findings: Sequence[Finding]) -> dict[str, int]:
    """By id, how many places each critical finding of a fault shows at."""
    found: dict[str, int] = {}
    for one in findings:
        if one.severity is Severity.CRITICAL and one.id not in of_the_record():
            found[one.id] = found.get(one.id, 0) + max(1, len(one.evidence))
    return found


def counterfactuals(
    world: World,
    clusters: Sequence[Cluster],
    phases: Sequence[PhaseResult],
    evaluate: Evaluate,
) -> tuple[Counterfactual, ...]:
    """Each of the costliest clusters alone, by its effect on the decision; then them together."""
    live = sorted((c for c in clusters if c.mode == LIVE), key=lambda c: (-c.cost, c.id))[:MOST]
    ids = [cluster.id for cluster in live]
    world = replace(world, pairs=_pairs_near(world, ids))
    alone = [_mended(world, (one,), phases, evaluate, alone=True) for one in ids]
    together = [
        _mended(world, tuple(ids[:n]), phases, evaluate, alone=False)
        for n in range(2, len(ids) + 1)
    ]
    # Equally good ones stay in the order of their cost.
    alone.sort(key=lambda one: (-_RANK[one.decision], -len(one.gates)))
    return (*alone, *together)


def _mended(
    world: World,
    ids: tuple[str, ...],
    phases: Sequence[PhaseResult],
    evaluate: Evaluate,
    *,
    alone: bool,
) -> Counterfactual:
    keys = _explained(world.members, ids)
    pairs = _with_agreement(world.pairs, keys)
    jobs, saved = _with_processed(world.jobs, pairs)
    left = _left(world.findings, keys, saved)
    changed, decision, agreement = evaluate(pairs, jobs, critical(left))
    before = {gate.gate: gate.status for phase in phases for gate in phase.gates}
    return Counterfactual(
        clusters=ids,
        alone=alone,
        decision=decision,
        agreement=agreement,
        gates=tuple(
            GateChange(gate=gate.gate, before=before[gate.gate], after=gate.status)
            for phase in changed
            for gate in phase.gates
            if gate.status is not before[gate.gate]
        ),
    )


def _pairs_near(world: World, ids: Collection[str]) -> pl.DataFrame:
    """The live pairs of the jobs that have a difference in one of these clusters.

    Mending them changes no other job, and they are few among all pairs.
    """
    near = world.members.filter((pl.col("mode") == LIVE) & pl.col("cluster").is_in(list(ids)))
    return world.pairs.join(near.select("job_id").unique(), on="job_id", how="semi").filter(
        pl.col("mode") == LIVE
    )


def _explained(members: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
    """Keys of the live pairs all of whose differences are in these clusters."""
    return (
        members.filter((pl.col("mode") == LIVE) & (pl.col("field") != "latency_s"))
        .group_by(_KEYS)
        .agg(pl.col("cluster").is_in(list(ids)).all().alias("whole"))
        .filter("whole")
        .select(_KEYS)
    )


def _with_agreement(pairs: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    # Only the keys are joined, so that no column of all pairs is copied.
    found = pairs.select(_KEYS).join(
        keys.with_columns(mended=True), on=_KEYS, how="left", maintain_order="left"
    )
    marked = pairs.with_columns(found["mended"].fill_null(False))
    well = pl.col("mended") & pl.col("control_outcome").is_in(_DONE).fill_null(False)
    return marked.with_columns(
        verdict=pl.when("mended").then(pl.lit("agree")).otherwise("verdict"),
        candidate_outcome=pl.when(well).then("control_outcome").otherwise("candidate_outcome"),
        candidate_pending=pl.col("candidate_pending") & ~pl.col("mended"),
    )


def _with_processed(jobs: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str]]:
    """Jobs that were lost, and of which no pair is silent any more, as processed; and which."""
    told = (
        pairs.filter(pl.col("mode") == LIVE)
        .group_by("job_id")
        .agg(
            pl.col("mended").any().alias("helped"),
            (pl.col("verdict") == "missing_candidate").any().alias("silent"),
        )
        .filter(pl.col("helped") & ~pl.col("silent"))
    )
    saved = jobs.filter(pl.col("fate").is_in(LEAKS)).join(told, on="job_id", how="semi")
    ids = saved["job_id"].to_list()
    fate = pl.when(pl.col("job_id").is_in(ids)).then(pl.lit("processed")).otherwise("fate")
    return jobs.with_columns(fate=fate), frozenset(ids)


def _left(findings: Sequence[Finding], keys: pl.DataFrame, saved: frozenset[str]) -> list[Finding]:
    places = set(keys.select("job_id", "directory").iter_rows())
    helped = {job for job, _ in places} | saved

    def gone(finding: Finding) -> bool:
        return bool(finding.evidence) and all(
            (one.job_id, one.directory) in places
            or (one.directory is None and one.job_id in helped)
            for one in finding.evidence
        )

    return [finding for finding in findings if not gone(finding)]
