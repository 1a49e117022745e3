"""Groups differences by short descriptions, ranked by the agreement they cost. Pure, set-based.

Every difference is in exactly one cluster. Its description is a conjunction: always mode, kind and
field, with what the record tells of the cause (`differing.CAUSES`), and up to two terms about where
if these save more than they cost (`descriptions`). A cluster's id is made of its description and
nothing else, so that it stays the same however many differences come to it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TypeAlias

import numpy as np
import polars as pl

from harness.assessment import Cluster
from harness.compare.cluster_words import title
from harness.compare.comparison import Comparison, difference_id
from harness.compare.descriptions import (
    JOB,
    STEP,
    IntArray,
    Term,
    Universe,
    describe,
)
from harness.compare.differing import CAUSES, JOB_STAGES, cause, kind, step
from harness.compare.kinds import LATENCY
from harness.compare.parallel import side_by_side
from harness.compare.texts import all_written
from harness.compare.universes import Universes, encoded
from harness.model import LIVE

KEYS = ("mode", "job_id", "directory", "field")
"""What names a difference."""
EXAMPLES = 3

OF_STAGE = ("claimed_at", "triggered_at", "flow_started_at")
OF_DIFFERING = (
    "verdict", "control_outcome", "candidate_outcome", "control_error_class",
    "candidate_error_class", "control_error_text", "candidate_error_text", "candidate_attempts",
    "control_finished_at", "candidate_finished_at",
)  # fmt: skip
"""What is looked at of a pair that differs, besides how far its job got."""
SHARED = (STEP, "directory", JOB)
"""What is told of a cluster besides its description, if all its differences share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """Clusters, and which differences each of them holds."""

    clusters: tuple[Cluster, ...]
    """Those of production first, then run by run; the most agreement first."""
    members: pl.DataFrame
    """One row a difference: mode, job_id, directory, field and the id of its `cluster`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The differences of one description, counted.

    compared: cells that match what it says of the place, agreeing ones too. of_job: where all are
    of one job, its compared cells of the same field. shared: what else all have in common.
    """

    terms: tuple[Term, ...]
    size: int
    compared: int
    jobs: int
    directories: int
    first_seen: datetime | None
    last_seen: datetime | None
    shared: Mapping[str, str]
    of_job: int | None
    examples: tuple[str, ...]

    @property
    def mode(self) -> str:
        """Where its differences were found."""
        return dict(self.terms)["mode"]


Charges: TypeAlias = Mapping[tuple[frozenset[int], int], int]
"""Disagreeing pairs by the descriptions that hold them and by the settled pairs of their job."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Group:
    """One cluster before it is ranked."""

    terms: tuple[Term, ...]
    rows: pl.DataFrame
    compared: int
    of_job: int | None

    @property
    def id(self) -> str:
        return cluster_id(self.terms)


def find_clusters(comparison: Comparison, *, among: pl.DataFrame | None = None) -> Clustering:
    """Cluster the differences of a comparison.

    among: rows of mode, job_id, directory and field; only these differences are clustered.
    """
    universes = Universes(comparison)

    def of_field(cells: pl.DataFrame) -> list[_Group]:
        return list(_groups(cells, comparison.narrow, universes))

    fields = _in_question(comparison, among)
    groups = [*chain(*side_by_side(of_field, fields, rows=comparison.narrow.height))]
    schema = dict.fromkeys((*KEYS, "cluster"), pl.String)
    members = pl.concat(
        [pl.DataFrame(schema=schema)]
        + [group.rows.select(*KEYS, cluster=pl.lit(group.id)) for group in groups]
    )
    charges, jobs = _charges(groups, universes)
    clusters = rank_clusters([_counted(group) for group in groups], charges, jobs)
    return Clustering(clusters=clusters, members=members)


def cluster_id(terms: Sequence[Term]) -> str:
    """Eight hex digits of a description, whatever the order of its terms."""
    text = "\x1e".join("\x1f".join(term) for term in sorted(terms))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def description_base(mode: str, kind: str, field: str, cause: str | None) -> tuple[Term, ...]:
    """The terms that a description always has."""
    told = () if cause is None else ((CAUSES[kind], cause),)
    return (("mode", mode), ("kind", kind), ("field", field), *told)


def of_whole_jobs(kind: str, cause: str | None) -> bool:
    """Whether such differences come a job at a time."""
    return kind == "missing_candidate" and cause in JOB_STAGES


def _in_question(comparison: Comparison, among: pl.DataFrame | None) -> list[pl.DataFrame]:
    """The differing cells in question of each mode and field that has any, in order."""
    cells = comparison.differing
    if among is not None:
        cells = cells.join(among.select(KEYS), on=KEYS, how="semi", maintain_order="left")
    parts = cells.sort("mode", "field", maintain_order=True)
    return parts.partition_by("mode", "field", maintain_order=True) if parts.height else []


def _groups(cells: pl.DataFrame, pairs: pl.DataFrame, universes: Universes) -> Iterator[_Group]:
    """The clusters of one field of one mode. cells: those that differ."""
    universe, compared = universes.of(*cells.select("mode", "field").row(0))
    cells = cells.with_columns(at=pl.Series(compared.at[cells["pair"].to_numpy()])).sort("at")
    told = all_written(pairs.select(*OF_STAGE, *OF_DIFFERING)[cells["pair"]])
    rows = (
        pl.concat([cells, told], how="horizontal")
        .with_columns(kind=kind(), job=pl.col("job_id"))
        .with_columns(cause=cause(), step=step())
        .with_columns(
            seen_at=pl.coalesce(
                pl.max_horizontal("control_finished_at", "candidate_finished_at"), "created_at"
            )
        )
    )
    steps, step_names = encoded(rows[STEP])
    universe = replace(universe, names={**universe.names, STEP: step_names})
    rows = rows.with_columns(step_code=steps)
    for base in rows.partition_by("kind", "cause", maintain_order=True):
        first = base.row(0, named=True)
        whole_jobs = of_whole_jobs(first["kind"], first["cause"])
        # What was lost as a whole job can only be set against jobs that got no further.
        alike = (
            (universes.stages(compared.cells) == first["cause"]).to_numpy() if whole_jobs else True
        )
        base_terms = description_base(first["mode"], first["kind"], first["field"], first["cause"])
        described = describe(
            universe,
            base["at"].to_numpy().astype(np.int64),
            base["step_code"].to_numpy(),
            whole_jobs=whole_jobs,
        )
        for part in described:
            inside = base.filter(pl.Series(np.isin(base["at"].to_numpy(), part.members)))
            yield _Group(
                terms=tuple(sorted((*base_terms, *part.terms))),
                rows=inside,
                compared=int((part.matched & alike).sum()),
                of_job=_cells_of_job(universe, part.members),
            )


def _cells_of_job(universe: Universe, members: IntArray) -> int | None:
    """Compared cells of the one job that all members belong to; None where there are more."""
    jobs = universe.codes[JOB]
    of = jobs[members]
    return int((jobs == of[0]).sum()) if (of == of[0]).all() else None


def _counted(group: _Group) -> Described:
    rows, terms = group.rows, dict(group.terms)
    return Described(
        terms=group.terms,
        size=rows.height,
        compared=group.compared,
        jobs=rows["job_id"].n_unique(),
        directories=rows["directory"].n_unique(),
        first_seen=_utc(rows["seen_at"].min()),
        last_seen=_utc(rows["seen_at"].max()),
        shared={
            name: str(rows[name][0])
            for name in SHARED
            if name not in terms and rows[name].n_unique() == 1 and rows[name][0] is not None
        },
        of_job=group.of_job,
        examples=tuple(difference_id(*key) for key in rows.head(EXAMPLES).select(KEYS).iter_rows()),
    )


def _charges(groups: Sequence[_Group], universes: Universes) -> tuple[Charges, Mapping[str, int]]:
    """Disagreeing pairs by who holds them, and the jobs of each mode that have settled pairs."""
    settled, jobs = universes.settled()
    held = []
    for group in groups:
        is_latency = dict(group.terms)["field"] == LATENCY
        inside = np.unique(group.rows["pair"].to_numpy()[: 0 if is_latency else None])
        held.append(inside[settled[inside] > 0])
    holders = np.bincount(np.concatenate([*held, np.zeros(0, np.int64)]), minlength=settled.size)
    charges: Counter[tuple[frozenset[int], int]] = Counter()
    several: dict[int, list[int]] = {}
    for at, inside in enumerate(held):
        sizes, counts = np.unique(settled[inside[holders[inside] == 1]], return_counts=True)
        for n, count in zip(sizes.tolist(), counts.tolist(), strict=True):
            charges[frozenset({at}), n] += count
        for pair in inside[holders[inside] > 1].tolist():
            several.setdefault(pair, []).append(at)
    for pair, owners in several.items():
        charges[frozenset(owners), int(settled[pair])] += 1
    return charges, jobs


def rank_clusters(
    described: Sequence[Described], charges: Charges, jobs: Mapping[str, int]
) -> tuple[Cluster, ...]:
    """Clusters in their order, of descriptions that are in any.

    charges: by the places in `described` of those that hold a pair. jobs: by mode, those that have
    settled pairs.
    """
    costs = _attributed(described, charges, jobs)
    of_mode: dict[str, tuple[int, list[float]]] = {}
    for one, cost in zip(described, costs, strict=True):
        size, lost = of_mode.get(one.mode, (0, []))
        of_mode[one.mode] = size + one.size, [*lost, cost]
    clusters = [
        _cluster(one, cost, of_mode[one.mode][0], math.fsum(of_mode[one.mode][1]))
        for one, cost in zip(described, costs, strict=True)
    ]
    return tuple(sorted(clusters, key=_rank))


def _rank(cluster: Cluster) -> tuple[bool, str, float, int, tuple[Term, ...]]:
    """Production decides, so it comes first; then cost, size, and at last the text."""
    return (
        cluster.mode != LIVE, cluster.mode, -round(cluster.cost, 12), -cluster.size,
        cluster.description,
    )  # fmt: skip


def _attributed(
    described: Sequence[Described], charges: Charges, jobs: Mapping[str, int]
) -> list[float]:
    """The cost of each description: by how much agreement by job would rise without its pairs.

    A job of n settled pairs counts 1/n for each, and each of J jobs of a mode the same, so a pair
    costs 1/(n · J). A pair that several hold counts for the first by rank only, which is the one
    that costs most while what came before it is taken away. Pairs are counted by n, so that the
    sum does not depend on their order.
    """
    left: list[Counter[int]] = [Counter() for _ in described]
    of: list[list[tuple[frozenset[int], int]]] = [[] for _ in described]
    for charge, count in charges.items():
        for at in charge[0]:
            left[at][charge[1]] += count
            of[at].append(charge)

    def cost(at: int) -> float:
        return math.fsum(count / n for n, count in left[at].items()) / jobs[described[at].mode]

    costs = [cost(at) if counts else 0.0 for at, counts in enumerate(left)]
    open_, taken = set(range(len(described))), set[tuple[frozenset[int], int]]()
    while open_:
        at = min(
            open_, key=lambda g: (-round(costs[g], 12), -described[g].size, described[g].terms)
        )
        open_.discard(at)
        changed: set[int] = set()
        for charge in of[at]:
            others = charge[0] & open_
            for other in others:
                # Whoever comes first takes the pair; `charges` itself stays as it is.
                if charge not in taken:
                    left[other][charge[1]] -= charges[charge]
            changed |= others
            taken.add(charge)
        for other in changed:
            costs[other] = cost(other)
    return costs


def _cluster(one: Described, cost: float, of_mode: int, lost: float) -> Cluster:
    terms = dict(one.terms)
    return Cluster(
        id=cluster_id(one.terms),
        title=title(terms, one.shared, size=one.size, of_job=one.of_job),
        mode=terms["mode"],
        kind=terms["kind"],
        field=terms["field"],
        description=one.terms,
        size=one.size,
        share=one.size / of_mode,
        cost=cost,
        cost_share=cost / lost if lost else 0.0,
        compared=one.compared,
        precision=one.size / one.compared,
        jobs=one.jobs,
        directories=one.directories,
        first_seen=one.first_seen,
        last_seen=one.last_seen,
        examples=one.examples,
    )


def _utc(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
