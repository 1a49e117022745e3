"""Groups differences by short descriptions, ranked by the agreement they cost. Pure, set-based.

Every difference is in exactly one cluster. Its description is a conjunction: always mode, kind and
field, with what the record tells of the cause (`differing.CAUSES`), and up to two terms about where
if these save more than they cost (`descriptions`). A cluster's id is made of its description and
nothing else, so that it stays the same however many differences come to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from harness.assessment import Cluster
from harness.compare.cells import LATENCY
from harness.compare.cluster_words import title
from harness.compare.comparison import Comparison, difference_id
from harness.compare.descriptions import (
    JOB,
    STEP,
    FloatArray,
    IntArray,
    Term,
    Universe,
    describe,
)
from harness.compare.differing import CAUSES, JOB_STAGES, cause, kind, step
from harness.compare.universes import Universes, encoded
from harness.model import LIVE

KEYS = ("mode", "job_id", "directory", "field")
"""What names a difference."""
EXAMPLES = 3

_OF_DIFFERING = (
    "claimed_at", "triggered_at", "flow_started_at",
    "verdict", "control_outcome", "candidate_outcome", "control_error_class",
    "candidate_error_class", "control_error_text", "candidate_error_text", "candidate_attempts",
    "control_finished_at", "candidate_finished_at",
)  # fmt: skip
"""What is looked at of a pair that differs."""
_SHARED = (STEP, "directory", JOB)
"""What is told of a cluster besides its description, if all its differences share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """Clusters, and which differences each of them holds."""

    clusters: tuple[Cluster, ...]
    """Those of production first, then run by run; the most agreement first."""
    members: pl.DataFrame
    """One row a difference: mode, job_id, directory, field and the id of its `cluster`."""


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
    groups = [
        group
        for cells in _in_question(comparison, among)
        for group in _groups(cells, comparison.narrow, universes)
    ]
    schema = dict.fromkeys((*KEYS, "cluster"), pl.String)
    members = pl.concat(
        [pl.DataFrame(schema=schema)]
        + [group.rows.select(*KEYS, cluster=pl.lit(group.id)) for group in groups]
    )
    return Clustering(clusters=_ranked(groups, universes), members=members)


def cluster_id(terms: Sequence[Term]) -> str:
    """Eight hex digits of a description, whatever the order of its terms."""
    text = "\x1e".join("\x1f".join(term) for term in sorted(terms))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _in_question(comparison: Comparison, among: pl.DataFrame | None) -> list[pl.DataFrame]:
    """The differing cells in question of each mode and field that has any, in order."""
    cells = comparison.differing
    if among is not None:
        cells = cells.join(among.select(KEYS), on=KEYS, how="semi", maintain_order="left")
    parts = cells.sort("mode", "field", maintain_order=True)
    return parts.partition_by("mode", "field", maintain_order=True) if parts.height else []


def _groups(cells: pl.DataFrame, pairs: pl.DataFrame, universes: Universes) -> Iterator[_Group]:
    """The clusters of one field of one mode. cells: those that differ."""
    universe, numbers = universes.of(*cells.select("mode", "field").row(0))
    rank = universes.rank
    cells = cells.with_columns(
        at=pl.Series(np.searchsorted(rank[numbers], rank[cells["pair"].to_numpy()]))
    ).sort("at")
    rows = (
        pl.concat([cells, pairs.select(*_OF_DIFFERING)[cells["pair"]]], how="horizontal")
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
        whole_jobs = first["kind"] == "missing_candidate" and first["cause"] in JOB_STAGES
        # What was lost as a whole job can only be set against jobs that got no further.
        alike = (universes.stages(numbers) == first["cause"]).to_numpy() if whole_jobs else True
        described = describe(
            universe,
            base["at"].to_numpy().astype(np.int64),
            base["step_code"].to_numpy(),
            whole_jobs=whole_jobs,
        )
        for part in described:
            inside = base.filter(pl.Series(np.isin(base["at"].to_numpy(), part.members)))
            yield _Group(
                terms=tuple(sorted((*_base(first), *part.terms))),
                rows=inside,
                compared=int((part.matched & alike).sum()),
                of_job=_cells_of_job(universe, part.members),
            )


def _base(row: Mapping[str, Any]) -> Iterator[Term]:
    """The terms that a description always has."""
    yield from (("mode", row["mode"]), ("kind", row["kind"]), ("field", row["field"]))
    if row["cause"] is not None:
        yield CAUSES[row["kind"]], row["cause"]


def _cells_of_job(universe: Universe, members: IntArray) -> int | None:
    """Compared cells of the one job that all members belong to; None where there are more."""
    jobs = universe.codes[JOB]
    of = jobs[members]
    return int((jobs == of[0]).sum()) if (of == of[0]).all() else None


def _ranked(groups: Sequence[_Group], universes: Universes) -> tuple[Cluster, ...]:
    costs = _attributed(groups, *universes.costs())
    of_mode: dict[str, tuple[int, float]] = {}
    for group, cost in zip(groups, costs, strict=True):
        size, lost = of_mode.get(_mode(group), (0, 0.0))
        of_mode[_mode(group)] = size + group.rows.height, lost + cost
    clusters = [
        _cluster(group, cost, *of_mode[_mode(group)])
        for group, cost in zip(groups, costs, strict=True)
    ]
    return tuple(sorted(clusters, key=_rank))


def _mode(group: _Group) -> str:
    return str(group.rows["mode"][0])


def _rank(cluster: Cluster) -> tuple[bool, str, float, int, tuple[Term, ...]]:
    """Production decides, so it comes first; then cost, size, and at last the text."""
    return (
        cluster.mode != LIVE, cluster.mode, -round(cluster.cost, 12), -cluster.size,
        cluster.description,
    )  # fmt: skip


def _attributed(groups: Sequence[_Group], costs: FloatArray, places: IntArray) -> list[float]:
    """The cost of each group; a pair in several of them counts for the first by rank only.

    The first by rank is the one that costs most while what came before it is taken away.
    costs, places: as `Universes.costs` gives them.
    """
    held = []
    for group in groups:
        pairs = np.unique(places[group.rows["pair"].to_numpy()])
        is_latency = dict(group.terms)["field"] == LATENCY
        held.append(pairs[:0] if is_latency else pairs[pairs >= 0])
    left = costs.copy()
    out = [0.0] * len(groups)
    open_ = set(range(len(groups)))
    totals = {at: float(left[held[at]].sum()) for at in open_}
    owners: dict[int, list[int]] = {}
    times = np.bincount(np.concatenate([*held, np.zeros(0, np.int64)]), minlength=left.size)
    for at, inside in enumerate(held):
        for pair in inside[times[inside] > 1].tolist():
            owners.setdefault(pair, []).append(at)
    while open_:
        at = min(open_, key=lambda g: (-round(totals[g], 12), -groups[g].rows.height,
                                       groups[g].terms))  # fmt: skip
        open_.discard(at)
        out[at] = float(left[held[at]].sum())
        touched = {g for pair in held[at].tolist() for g in owners.get(pair, ())} & open_
        left[held[at]] = 0.0
        for other in touched:
            totals[other] = float(left[held[other]].sum())
    return out


def _cluster(group: _Group, cost: float, of_mode: int, lost: float) -> Cluster:
    rows = group.rows
    terms = dict(group.terms)
    shared = {
        name: str(rows[name][0])
        for name in _SHARED
        if name not in terms and rows[name].n_unique() == 1 and rows[name][0] is not None
    }
    examples = rows.head(EXAMPLES).select(KEYS)
    return Cluster(
        id=group.id,
        title=title(terms, shared, size=rows.height, of_job=group.of_job),
        mode=terms["mode"],
        kind=terms["kind"],
        field=terms["field"],
        description=group.terms,
        size=rows.height,
        share=rows.height / of_mode,
        cost=cost,
        cost_share=cost / lost if lost else 0.0,
        compared=group.compared,
        precision=rows.height / group.compared,
        jobs=rows["job_id"].n_unique(),
        directories=rows["directory"].n_unique(),
        first_seen=_utc(rows["seen_at"].min()),
        last_seen=_utc(rows["seen_at"].max()),
        examples=tuple(difference_id(*row) for row in examples.iter_rows()),
    )


def _utc(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
