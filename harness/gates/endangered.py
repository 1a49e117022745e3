"""Which gates a cluster of differences endangers, by what each gate measures. Pure."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from harness.assessment import Cluster
from harness.gates.definition import GateSet
from harness.gates.kinds import (
    AllProcessed,
    Gate,
    MeanAtLeast,
    QuantileBelow,
    StatisticalGate,
    SteadyFor,
    ZeroCount,
)
from harness.model import LIVE

_UNSUCCESSFUL = frozenset(
    {"candidate_failed", "captcha", "timeout", "error_class", "missing_candidate"}
)
"""Kinds of which the candidate submitted nothing."""


Places = Collection[tuple[str, int | None]]
"""Directory and size of package of pairs."""


def endangered(gates: GateSet, cluster: Cluster, places: Places) -> tuple[str, ...]:
    """Ids of the gates whose statistic the cluster's differences make worse, in the file's order.

    places: where its differences are; a gate with a scope is in danger from those inside only.
    A replay shows the candidate's work in a sandbox and is no evidence for any of them.
    """
    if cluster.mode != LIVE:
        return ()
    return tuple(
        f"{phase.id}.{gate.id}"
        for phase in gates.phase
        for gate in phase.gate
        if _makes_worse(cluster, gate) and any(_is_about(gate, *place) for place in places)
    )


def _is_about(gate: Gate, directory: str, package: int | None) -> bool:
    globs = gate.directory if isinstance(gate, MeanAtLeast) else ()
    sizes = gate.package if isinstance(gate, StatisticalGate) else ()
    return (not globs or any(fnmatchcase(directory, glob) for glob in globs)) and (
        not sizes or package in sizes
    )


def _makes_worse(cluster: Cluster, gate: Gate) -> bool:
    silent = cluster.kind == "missing_candidate"
    match gate:
        case MeanAtLeast(measure="agreement"):
            return cluster.kind != "slow"
        case MeanAtLeast(measure="success"):
            return cluster.kind in _UNSUCCESSFUL
        # A job without an end stands in the latencies as one that never ends.
        case QuantileBelow():
            return silent or cluster.kind == "slow"
        case ZeroCount(measure="lost_jobs") | AllProcessed() | SteadyFor(measure="stuck_jobs"):
            return silent
        case _:
            return False
