"""What a recorder is told to do and what it says of itself. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderConfig:
    """How to record. Durations in seconds."""

    dsn: str
    schema: str = "public"
    tick_s: float = 2.0
    """Pause between two polls."""
    sweep_min_interval_s: float = 60.0
    """Shortest pause between two full sweeps."""
    sweep_max_share: float = 0.02
    """Largest share of the source's time for sweeps, and again as much for ticks."""
    sample_every_s: float = 30.0
    queue_url: str | None = None
    dlq_url: str | None = None
    aws_region: str = "us-east-1"
    endpoint_url: str | None = None
    """Of SQS; AWS_ENDPOINT_URL otherwise."""
    chunk_rows: int = 10_000
    """Events in one journal batch at most."""
    sweep_event_every_s: float = 10.0
    """While nothing happens, say at least so often how far the record is complete."""
    backoff_max_s: float = 30.0
    restart_gap_s: float = 60.0
    """A pause between two recorders that is longer than this is a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderProgress:
    """Where recording stands."""

    tier: str = "-"
    """What the last poll was: copy, sweep or fast."""
    rows: int = 0
    """Rows recorded since the start of this recorder."""
    last_seq: int = 0
    complete_until: datetime | None = None
    """Everything committed by then is in the journal."""
    sweeps: int = 0
    polls: int = 0
    cost_ms: float = 0.0
    """What the last poll cost the source."""
    cost_total_ms: float = 0.0
    """What all polls together cost it."""
    sweeps_cost_ms: float = 0.0
    """What of that went to the first copy and the sweeps."""
    provisional: str | None = None
    """Why the fast tier proves nothing; None if it does."""
    failing: tuple[str, ...] = ()
    """One line for each source that cannot be read now."""
    queue_depth: int | None = None
    dlq_depth: int | None = None
