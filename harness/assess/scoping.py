"""Which pairs and jobs a gate with a scope is about. Pure."""

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
