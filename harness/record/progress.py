"""What a recorder is told to do and what it says of itself. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from harness.journal.source_mapping import SourceMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderConfig:
    """How to record. Durations in seconds."""

    dsn: str
    schema: str = "public"
    mapping: SourceMapping | None = None
    """How the tables are read; None: by the shipped mapping."""
    mode: Literal["poll", "slot"] = "poll"
    slot: str = "shadow_recorder"
    slot_plugin: Literal["pgoutput", "test_decoding"] = "pgoutput"
    slot_publication: str = "shadow_recorder"
    slot_warn_mb: float = 256.0
    slot_drop_mb: float = 1024.0
    tick_s: float = 2.0
    """Pause between two polls."""
    sweep_min_interval_s: float = 60.0
    """Shortest pause between two full sweeps."""
    sweep_max_share: float = 0.02
    """Largest share of the source's time for sweeps, and again as much for ticks."""
    sample_every_s: float = 30.0
    reconcile_every_s: float = 3600.0
    """Pause between two comparisons of counts and keys."""
    queue_url: str | None = None
    dlq_url: str | None = None
    aws_region: str = "us-east-1"
    endpoint_url: str | None = None
    """Of SQS; AWS_ENDPOINT_URL otherwise."""
    prefect_url: str | None = None
    prefect_deployment: str = "process_job/production"
    prefect_late_after_s: float = 60.0
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
    warning: str | None = None
    """What a person should know now, such as that a slot keeps much of production's log."""
    rewound: str | None = None
    """What waits for a person's word because the source went back; None if nothing does."""
    copied_rows: int = 0
    """Rows of the first copy read so far."""
    copy_rows: int | None = None
    """Rows that the first copy will read, by the source's estimate; None when there is none."""
    lock_retries: int = 0
    """How often the journal was locked by somebody else."""
    failing: tuple[str, ...] = ()
    """One line for each source that cannot be read now."""
    queue_depth: int | None = None
    dlq_depth: int | None = None


def so_far(progress: RecorderProgress) -> dict[str, Any]:
    """What a recorder journals of its own work now and then; counts are of its session."""
    return {
        "polls": progress.polls,
        "sweeps": progress.sweeps,
        "cost_ms": round(progress.cost_total_ms, 3),
        "sweeps_cost_ms": round(progress.sweeps_cost_ms, 3),
        "lock_retries": progress.lock_retries,
    }


class ProgressBoard:
    """The newest progress, for several threads; tells whoever listens of each change."""

    def __init__(self) -> None:
        self.listener: Callable[[RecorderProgress], None] | None = None
        self._now = RecorderProgress()
        self._lock = threading.Lock()

    @property
    def now(self) -> RecorderProgress:
        """Where recording stands."""
        return self._now

    def change(self, how: Callable[[RecorderProgress], RecorderProgress]) -> None:
        """Replace the progress by what `how` makes of it."""
        with self._lock:
            self._now = progress = how(self._now)
        if self.listener is not None:
            self.listener(progress)

    def set(self, **changes: Any) -> None:
        """Replace some of its fields."""
        self.change(lambda progress: replace(progress, **changes))
