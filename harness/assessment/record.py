"""What the evidence rests on: recording, replays, provenance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    """One replay run."""

    run: str
    worker: str
    started_at: datetime
    finished_at: datetime | None
    selected: int
    done: int
    excluded: int
    disagreeing: int
    escapes: int
    rate_per_min: float | None
    remaining_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSpan:
    """When something could not be recorded; None for an end that nobody knows."""

    what: str
    since: datetime | None
    until: datetime | None
    closed: bool
    """Whether a later sweep has read everything that still stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingHealth:
    """How well production is being recorded."""

    complete_until: datetime | None
    """Everything committed in production by then is in the journal."""
    lag_s: float | None
    """As-of time minus `complete_until`."""
    events: int
    by_kind: tuple[tuple[str, int], ...]
    gaps: tuple[str, ...]
    provisional: bool
    """True where the fast tier lacks the privilege that makes it sound."""
    queue_depth: int | None
    dlq_depth: int | None
    workers: tuple[str, ...]
    """One line a worker: id, status, age of its last heartbeat."""
    oldest_age_s: float | None = None
    """Age of the oldest message in the jobs queue; None where nobody tells it."""
    dlq_oldest_age_s: float | None = None
    dlq_why: str | None = None
    """Why the dead letters could not be counted or read, as of the newest sample."""
    prefect: str | None = None
    """One line: health, deployments, runs and the age of the sample; None if never asked."""
    stale_workers: tuple[str, ...] = ()
    """Workers of the candidate that fell silent with work in hand, as of the newest sample."""
    gap_spans: tuple[GapSpan, ...] = ()
    """One for each of `gaps`, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What this assessment was made from; enough to make it again."""

    journal_id: str
    seq: int
    as_of: datetime
    journal_hash: str
    journal_schema_version: int
    rules_version: str
    gates_version: str
    tool_version: str
    deadline_s: float = 0.0
    """After this long without a sign a silent side counts as missing; in scaled seconds."""
    since: datetime | None = None
    """Jobs created earlier were left out; None: every recorded job counts."""
    time_scale: float
    """1 in production; a rehearsal counts each recorded second this many times."""
    phase: str = ""
    """The phase that is decided on."""
    candidate_version: str | None = None
    """As the newest mark of a deployment says; None where none was marked."""
    version_since: datetime | None = None
    """Jobs created earlier met another version: they are shown and decide nothing."""
    attempt: int = 1
    """Which version of the candidate this is: trying until GO makes a false GO likelier."""
