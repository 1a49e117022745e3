"""From when on each kind of evidence counts: versions of the candidate and stages of traffic. Pure.

A new version starts everything anew. A step of the ramp starts anew what depends on the load
(latency); what does not (outcome, loss) carries over. A mark counts from when it was journaled, so
that a sequence begins where nobody could know how it would go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from harness.assessment import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A span of time with one share of traffic."""

    percent: float
    since: datetime
    until: datetime | None
    """None for the one that goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eras:
    """Where the sequences begin."""

    version: str | None
    """Of the candidate, as the newest deployment mark says; None where none was marked."""
    version_since: datetime | None
    attempt: int
    """Which version this is, from 1."""
    stages: tuple[Stage, ...]
    """Those of this version, in order of time."""
    cutover: datetime | None

    @property
    def load_since(self) -> datetime | None:
        """Where sequences begin that depend on the load."""
        return self.stages[-1].since if self.stages else self.version_since


def stages_of(marks: Sequence[Mark]) -> tuple[Stage, ...]:
    """Every stage of traffic, whatever the version, in order of time."""
    steps = [mark for mark in marks if mark.what == "ramp"]
    return tuple(
        Stage(percent=float(one.value), since=one.at, until=other.at if other else None)
        for one, other in zip_longest(steps, steps[1:])
    )


def deployments_of(marks: Sequence[Mark]) -> tuple[tuple[datetime, str], ...]:
    """Since when, and which version of the candidate; in order of time."""
    return tuple((mark.at, mark.value) for mark in marks if mark.what == "deployment")


def eras(marks: Sequence[Mark], *, first_job: datetime | None) -> Eras:
    """What the marks say.

    first_job: when the first recorded job was created; a deployment before it is the first version.
    """
    deployments = [mark for mark in marks if mark.what == "deployment"]
    later = [one for one in deployments if first_job is not None and one.at > first_job]
    current = deployments[-1] if deployments else None
    since = later[-1].at if later else None
    stages = list(stages_of(marks))
    if since is not None:
        # The stage that a new version meets goes on, and counts for it from its deployment.
        stages = [
            Stage(percent=one.percent, since=max(one.since, since), until=one.until)
            for one in stages
            if one.until is None or one.until > since
        ]
    cuts = [mark.at for mark in marks if mark.what == "cutover"]
    return Eras(
        version=current.value if current else None,
        version_since=since,
        attempt=1 + len(later),
        stages=tuple(stages),
        cutover=cuts[-1] if cuts else None,
    )
