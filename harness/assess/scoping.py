"""Which pairs and jobs a gate with a scope is about, and where clusters are. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import polars as pl

from harness.gates.definition import GateSet
from harness.gates.kinds import StatisticalGate


def scoped_gates(gates: GateSet) -> Iterator[tuple[str, StatisticalGate]]:
    """The gates that are not about everything, by the names that results use."""
    for phase in gates.phase:
        for gate in phase.gate:
            if isinstance(gate, StatisticalGate) and gate.scope:
                yield f"{phase.id}.{gate.id}", gate


def of_directories(pairs: pl.DataFrame, globs: Sequence[str]) -> pl.DataFrame:
    """The pairs of hosts that match one of the globs; all of them without any."""
    if not globs:
        return pairs
    hosts = pairs["directory"].unique().to_list()
    named = [host for host in hosts if any(fnmatchcase(host, glob) for glob in globs)]
    return pairs.filter(pl.col("directory").is_in(named))


def of_packages(jobs: pl.DataFrame, sizes: Sequence[int]) -> pl.DataFrame:
    """The jobs of these package sizes; all of them without any."""
    return jobs.filter(pl.col("package_size").is_in(list(sizes))) if sizes else jobs


def cluster_places(
    members: pl.DataFrame, jobs: pl.DataFrame
) -> dict[str, set[tuple[str, int | None]]]:
    """Directory and size of package of the differences of each cluster.

    members: `Clustering.members`. jobs: ``select_jobs``.
    """
    distinct = (
        members.lazy()
        .select("cluster", "directory", "job_id")
        .join(jobs.lazy().select("job_id", "package_size"), on="job_id", how="left")
        .select("cluster", "directory", "package_size")
        .unique()
        .collect()
    )
    places: dict[str, set[tuple[str, int | None]]] = {}
    for cluster, directory, package in distinct.iter_rows():
        places.setdefault(cluster, set()).add((directory, package))
    return places
