"""What goes through both systems, and what was sampled beside them: queue, Prefect, workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficBin:
    """Jobs of one stretch of the record; all stretches are equally long."""

    since: datetime
    admitted: int
    control_ended: int
    candidate_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Jobs that came and went up to the moment to which the record is proved complete.

    Everything is None where nothing proves it complete: a silence would be read as rest.
    """

    until: datetime | None
    window_s: float | None = None
    """How far back the rates look, in scaled seconds: an hour, or as long as the record is."""
    admitted_per_h: float | None = None
    """Jobs created, in the hour of the rates."""
    control_per_h: float | None = None
    """Jobs that the old system ended, in the hour of the rates."""
    candidate_per_h: float | None = None
    control_backlog: int | None = None
    """Jobs created whose row says no end of the old system."""
    candidate_backlog: int | None = None
    """Jobs that the new system has not ended and that it may still end; lost ones left out."""
    candidate_lost: int | None = None
    """Jobs without an outcome at the new system after their deadline."""
    pace_per_h: float | None = None
    """Jobs created an hour over the whole record; forecasts of time use it."""
    bins: tuple[TrafficBin, ...] = ()
    """From the first job on, at most 24, in order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSample:
    """What the newest sample of the queues said; None for what it could not tell."""

    at: datetime
    age_s: float
    """From the sample to the moment asked about, in real seconds."""
    depth: int | None
    """Messages that wait for a worker."""
    in_flight: int | None
    """Messages that a worker has taken and not yet deleted."""
    delayed: int | None
    oldest_age_s: float | None
    """Age of the oldest message that waits."""
    dlq_depth: int | None
    dlq_in_flight: int | None
    dlq_oldest_age_s: float | None
    why: str
    """Why something is not told; empty where all was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefectSample:
    """What the newest sample of Prefect said."""

    at: datetime
    age_s: float
    healthy: bool
    version: str | None
    deployment: str
    deployed: bool | None
    """Whether the deployment exists."""
    paused: bool | None
    scheduled: int | None
    """Runs whose time has come and that have not begun."""
    running: int | None
    late: int | None
    failed: int | None
    crashed: int | None
    lag_s: float | None
    """The longest that a run has waited beyond its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """The newest heartbeat of one worker."""

    worker: str
    side: str
    """control or candidate."""
    status: str
    """Its own word; ``stale`` where the newest sample says that it fell silent with work in hand.
    """
    seen_at: datetime
    age_s: float
    """From the heartbeat to the moment up to which the record is complete, in scaled seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersSample:
    """What the newest count of workers said; None for what could not be counted."""

    at: datetime
    age_s: float
    running: int | None
    idle: int | None
    stale: int | None
    """Workers of the candidate that fell silent with work in hand."""
    why: str
    """Why something could not be counted; empty where all was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Traffic and samples as of one moment; None for what was never sampled."""

    traffic: Traffic
    queue: QueueSample | None = None
    prefect: PrefectSample | None = None
    workers: WorkersSample | None = None
    heartbeats: tuple[WorkerSeen, ...] = ()
    """The old system's workers first, then by name."""
