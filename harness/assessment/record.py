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
class SourceMark:
    """How far one source is recorded completely."""

    source: str
    """For example ``production``: every table, proved by sweeps."""
    tables: tuple[str, ...]
    """Which tables it is about; none where it does not name them."""
    complete_until: datetime
    lag_s: float
    """From then to when production was last heard of, in real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerState:
    """One source that is asked now and then."""

    name: str
    """queues, prefect or workers."""
    samples: int
    last_at: datetime | None
    """None where it never answered."""
    age_s: float | None
    """From its newest answer to the moment asked about, in real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderState:
    """What the newest recorder says of itself; None where its version did not say it."""

    session: str
    started_at: datetime
    stopped_at: datetime | None
    """None while it records, or where it was killed."""
    complete: bool | None
    """Whether it stopped with everything recorded; None where it has not stopped."""
    mode: str
    """poll or slot."""
    server_version: str
    tick_s: float | None
    """Pause between two polls."""
    sweep_min_interval_s: float | None
    """Shortest pause between two sweeps."""
    last_sweep_at: datetime | None
    sweep_age_s: float | None
    """From its last sweep to the moment asked about, in real seconds."""
    sweep_cost_ms: float | None
    """What the last sweep cost the source."""
    tick_cost_ms: float | None
    """What a poll that was no sweep has cost the source, on average."""
    polls: int | None
    lock_retries: int | None
    """How often the journal was locked by somebody else."""


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
    recorder: RecorderState | None = None
    """None where no recorder has begun."""
    marks: tuple[SourceMark, ...] = ()
    """One a source, by its name."""
    samplers: tuple[SamplerState, ...] = ()
    batches: int = 0
    """Of the journal, as of the moment."""
    drifts: int = 0
    """Changes of recorded tables that were met."""
    last_drift: str | None = None
    """Which table changed last and when."""
    clock_jumps: int = 0
    reconciled_at: datetime | None = None
    """When counts and keys of production and journal were last compared to the end."""


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
