"""What mending a cluster of differences would change, in words. Pure text, no statistic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.assessment import Assessment, Cluster, Counterfactual, Difference, GateChange
from harness.gates.shown import STATUS_WORDS, share
from harness.gates.wording import counted, listed
from harness.model import Decision, GateStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A difference that stands for its cluster."""

    id: str
    text: str
    difference: Difference | None
    """None where the assessment does not hold it."""
    shown: bool
    """Whether the table of differences has it, so that it can be linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A cluster at its place in the order of what mending it would bring."""

    rank: int
    cluster: Cluster
    effect: str
    """What mending it alone would change; empty where nobody worked it out."""
    decision: Decision | None
    """The decision that mending it alone would give."""
    width: float
    """Its cost as a percentage of the largest one."""
    examples: tuple[Example, ...]


def ranked(assessment: Assessment, listed_ids: frozenset[str]) -> tuple[Ranked, ...]:
    """The clusters, those whose mending changes the decision first.

    listed_ids: differences that the page's table holds.
    """
    alone = {one.clusters[0]: one for one in assessment.counterfactuals if one.alone}
    order = {key: place for place, key in enumerate(alone)}
    told = examples(assessment, listed_ids)
    clusters = sorted(assessment.clusters, key=lambda one: order.get(one.id, len(order)))
    largest = max((cluster.cost for cluster in clusters), default=0.0)
    titles, now = gate_titles(assessment), assessment.agreement.by_job.value
    return tuple(
        Ranked(
            rank=rank,
            cluster=cluster,
            effect=effect(alone[cluster.id], titles, now) if cluster.id in alone else "",
            decision=alone[cluster.id].decision if cluster.id in alone else None,
            width=round(100.0 * cluster.cost / largest, 1) if largest else 0.0,
            examples=told[cluster.id],
        )
        for rank, cluster in enumerate(clusters, start=1)
    )


def examples(assessment: Assessment, listed_ids: frozenset[str]) -> dict[str, tuple[Example, ...]]:
    """Per cluster id, the differences that stand for it."""
    known = {difference.id: difference for difference in assessment.differences}
    return {
        cluster.id: tuple(
            Example(
                id=key,
                text=_place(known[key]) if key in known else key,
                difference=known.get(key),
                shown=key in listed_ids,
            )
            for key in cluster.examples
        )
        for cluster in assessment.clusters
    }


def summary(assessment: Assessment) -> str:
    """One sentence: whether mending differences would change the decision, and which."""
    whatifs = assessment.counterfactuals
    if not whatifs:
        return ""
    titles = {cluster.id: cluster.title for cluster in assessment.clusters}
    better = [one for one in whatifs if one.decision is Decision.GO]
    if assessment.decision is Decision.GO:
        return "The decision is GO as it stands; mending what is below would make it safer."
    if better and better[0].alone:
        key = better[0].clusters[0]
        return f"If this cluster alone were mended, the decision would be GO: {titles[key]}."
    if better:
        together = min(better, key=lambda one: len(one.clusters))
        return (
            f"No cluster alone makes the decision GO; if the first "
            f"{counted(len(together.clusters), 'cluster')} were mended together, it would be GO."
        )
    gates = gate_titles(assessment)
    changed = {change.gate for one in whatifs for change in one.gates}
    failing = [
        f"“{gate.title}”"
        for phase in assessment.phases
        if phase.decides
        for gate in phase.gates
        if gate.required and gate.status is GateStatus.FAIL and gate.gate not in changed
    ]
    text = "Mending clusters alone does not make the decision GO"
    if changed:
        text += f"; it would change {listed([f'“{gates[key]}”' for key in sorted(changed)])}"
    if failing:
        text += f". What fails stays so: {listed(failing)}"
    return f"{text}."


def together(assessment: Assessment) -> tuple[tuple[Counterfactual, str], ...]:
    """The mendings of several clusters at once, with what each would change."""
    titles, now = gate_titles(assessment), assessment.agreement.by_job.value
    return tuple(
        (one, effect(one, titles, now)) for one in assessment.counterfactuals if not one.alone
    )


def effect(one: Counterfactual, titles: dict[str, str], now: float | None) -> str:
    """``agreement 96.2 % → 98.1 %; Same outcome: undecided → pass``; now: agreement as it is."""
    parts = []
    if one.agreement is not None:
        parts.append(f"agreement {share(now)} → {share(one.agreement)}")
    parts.extend(_change(change, titles) for change in one.gates)
    if not one.gates:
        parts.append("no gate changes")
    return "; ".join(parts)


def gate_titles(assessment: Assessment, *, deciding: bool = False) -> dict[str, str]:
    """Title of each gate by its identifier; deciding: only of the phases that decide."""
    return {
        gate.gate: gate.title
        for phase in assessment.phases
        if phase.decides or not deciding
        for gate in phase.gates
    }


def _change(change: GateChange, titles: dict[str, str]) -> str:
    before, after = STATUS_WORDS[change.before].lower(), STATUS_WORDS[change.after].lower()
    return f"{titles.get(change.gate, change.gate)}: {before} → {after}"


def _place(difference: Difference) -> str:
    return f"{difference.directory}, job {difference.job_id[:8]}"


def example_ids(clusters: Sequence[Cluster]) -> frozenset[str]:
    """Ids of the differences that stand for their clusters."""
    return frozenset(key for cluster in clusters for key in cluster.examples)
