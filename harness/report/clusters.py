"""What is told of a cluster of differences, worded alike in every format. Pure text."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.assessment import Cluster, Triage
from harness.gates.shown import points, share


def cost(cluster: Cluster) -> str:
    """``1.67 points (27.4 % of what is lost)``; that a ceiling costs nothing is said."""
    if not cluster.cost:
        return "costs no agreement"
    return f"{points(cluster.cost)} ({share(cluster.cost_share)} of what is lost)"


def precision(cluster: Cluster) -> str:
    """``11 of 12 there (91.7 %)``: how many of the compared values at its place differ so."""
    return f"{cluster.size:,} of {cluster.compared:,} there ({share(cluster.precision)})"


def seen(cluster: Cluster) -> str:
    """``23 Nov 08:30 to 24 Nov 10:02 UTC``; a dash where no event tells a time."""
    if cluster.first_seen is None or cluster.last_seen is None:
        return "–"
    first, last = _minute(cluster.first_seen), _minute(cluster.last_seen)
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"


def triaged(said: Triage | None) -> str:
    """``environment: the site was down (Ana Ruiz)``; empty where nothing was said."""
    return "" if said is None else f"{said.label.value}: {said.reason} ({said.author})"


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %H:%M").lstrip("0")
