"""The shapes in which a recorded table is known to occur, and what each can tell. Pure data.

A shape is recognised by columns alone; the SQL in ``sql/sources`` reads each row by the columns
that it has, whatever shape its table is said to have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model import EventKind


class EvidenceLevel(StrEnum):
    """How much of what a table could tell it tells in this shape."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One known shape of a table; the first of a table that fits is the one."""

    name: str
    meaning: str
    has: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    """Column → start of its type."""
    evidence: EvidenceLevel = EvidenceLevel.COMPLETE
    mend: str | None = None
    """SQL for the table's owner that brings the missing evidence; {table} is its name."""

    def fits(self, columns: Mapping[str, str]) -> bool:
        """Whether a table with these columns (name → type) has this shape."""
        return (
            not self.missing(columns)
            and not any(name in columns for name in self.lacks)
            and all(columns.get(name, "").startswith(kind) for name, kind in self.typed.items())
        )

    def missing(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """The columns that this shape has and these are without."""
        return tuple(name for name in (*self.has, *self.typed) if name not in columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one table."""

    variants: tuple[Variant, ...]
    unreadable: str
    """What the record lacks if no variant fits."""
    wanted: Mapping[tuple[str, ...], str]
    """Columns of which one should be there → what is not known without any of them."""


_JOBS = Known(
    variants=(
        Variant(
            name="motia",
            has=("status", "directories_total", "directories_done"),
            meaning="Its counts of progress are kept and not compared.",
        ),
        Variant(
            name="020",
            has=("status", "directories_to_process"),
            meaning="Its counts of progress are kept and not compared; it allows the word "
            "completed.",
        ),
        Variant(
            name="legacy",
            has=("status", "action", "created_by"),
            meaning="It is the renamed autobolt_processing_queue, whose words are queued and "
            "processing.",
        ),
        Variant(
            name="autobolt",
            has=("status",),
            typed={"customer_id": "uuid"},
            meaning="Jobs refer to customers by their uuid (autobolt-schema and database_schema).",
        ),
        Variant(
            name="live",
            has=("status", "customer_id"),
            meaning="Both systems write this row, so the control is read from its submissions.",
        ),
    ),
    unreadable="Jobs are counted, and neither their words nor their customers are known.",
    wanted={
        ("created_at",): "a job counts from when it was first recorded",
        ("started_at",): "the control's queue wait is unknown",
        ("completed_at",): "the control's end-to-end latency is unknown",
        ("business_data",): "what the control sends is known only where its own rows say it",
    },
)
_DIRECTORY_SUBMISSIONS = Known(
    variants=(
        Variant(
            name="live",
            has=("submission_queue_id", "directory_url", "status"),
            meaning="The control's outcomes are read from it.",
        ),
        Variant(
            name="job_id",
            has=("job_id", "directory_url", "status"),
            meaning="The control's outcomes are read from it; rows name their job by job_id.",
        ),
        Variant(
            name="legacy",
            has=("queue_id", "directory_url", "submission_status"),
            meaning="The control's outcomes are read from it; rows name their job by queue_id and "
            "their word by submission_status.",
        ),
        Variant(
            name="customer_job_id",
            has=("customer_job_id", "directory_url", "status"),
            meaning="The control's outcomes are read from it; rows name the customer of their job, "
            "so they count once that job is recorded.",
        ),
    ),
    unreadable="The control's outcomes cannot be read.",
    wanted={
        ("result_message", "error_message", "rejection_reason"): "why the control failed is "
        "unknown",
        ("updated_at",): "when a row changed is known to a tick only",
        ("listing_data",): "what the control sent is taken from the job",
    },
)
_OTHER_WRITERS = (
    "Without idempotency_key its rows are not the candidate's but those of an old writer that no "
    "column names: they are shown (unknown_writer) and compared with nothing. What the candidate "
    "sends is unknown; its worker cannot write here."
)
_JOB_RESULTS = Known(
    variants=(
        Variant(
            name="migrated",
            has=("job_id", "directory_name", "idempotency_key", "payload"),
            meaning="What the candidate is about to send is read from it, and no outcome.",
        ),
        Variant(
            name="generated-types",
            has=("job_id", "directory_url", "submission_url"),
            lacks=("idempotency_key",),
            meaning=_OTHER_WRITERS,
            evidence=EvidenceLevel.NONE,
        ),
        Variant(
            name="021",
            has=("job_id", "directory_name", "submission_status"),
            lacks=("idempotency_key",),
            meaning=_OTHER_WRITERS,
            evidence=EvidenceLevel.NONE,
        ),
        Variant(
            name="live",
            has=("job_id", "directory_name", "status"),
            lacks=("idempotency_key",),
            meaning=_OTHER_WRITERS,
            evidence=EvidenceLevel.NONE,
        ),
    ),
    unreadable="What the candidate sends cannot be read.",
    wanted={},
)
_QUEUE_HISTORY = Known(
    variants=(
        Variant(
            name="both",
            has=("job_id", "event", "status_to"),
            meaning="It has the columns of both shapes; each row is read as what it is.",
        ),
        Variant(
            name="migrated",
            has=("job_id", "event"),
            meaning="The candidate's history is read from it.",
        ),
        Variant(
            name="live",
            has=("customer_id", "status_to"),
            lacks=("event",),
            meaning="It has the shape from before migration 003: there is no event, so the "
            "candidate's history cannot be observed. Add the columns (migration 003 changes "
            "nothing where the table exists), or expect every outcome of the candidate as unknown.",
            evidence=EvidenceLevel.NONE,
            # Old writers go on as before, and the new one may leave their columns out.
            mend="ALTER TABLE {table} ADD COLUMN job_id uuid, ADD COLUMN directory_name text, "
            "ADD COLUMN event text, ADD COLUMN details jsonb, ADD COLUMN worker_id uuid, "
            "ALTER COLUMN customer_id DROP NOT NULL, ALTER COLUMN status_to DROP NOT NULL",
        ),
    ),
    unreadable="The candidate's history cannot be observed.",
    wanted={
        ("directory_name",): "the candidate's outcomes cannot be told apart by directory",
        ("details",): "the candidate's errors and durations are unknown",
        ("created_at",): "when the candidate did something is known to a tick only",
    },
)
_WORKER_HEARTBEATS = Known(
    variants=(
        Variant(
            name="migrated",
            has=("worker_id", "last_heartbeat"),
            meaning="Which worker lives, and which job it holds, is read from it.",
        ),
        Variant(
            name="live",
            has=("worker_id", "last_seen"),
            lacks=("last_heartbeat",),
            meaning="Which worker lives is read from it; it names neither job nor queue.",
            evidence=EvidenceLevel.PARTIAL,
        ),
    ),
    unreadable="Whether the candidate's workers live is unknown.",
    wanted={},
)
_WORKER_STATUS = Known(
    variants=(
        Variant(
            name="live",
            has=("worker_id", "last_heartbeat"),
            meaning="Whether the old poller lives is read from it.",
        ),
    ),
    unreadable="Whether the old poller lives is unknown.",
    wanted={},
)
_CUSTOMERS = Known(
    variants=(
        Variant(
            name="live",
            has=("customer_id", "business_name"),
            meaning="The business of a job is read from it.",
        ),
        Variant(
            name="autobolt",
            has=("business_name",),
            typed={"id": "uuid"},
            meaning="The business of a job is read from it, by its uuid.",
        ),
    ),
    unreadable="A replay has no business but the one that the job carries.",
    wanted={},
)
KNOWN: Mapping[str, Known] = {
    EventKind.JOBS: _JOBS,
    EventKind.DIRECTORY_SUBMISSIONS: _DIRECTORY_SUBMISSIONS,
    EventKind.JOB_RESULTS: _JOB_RESULTS,
    EventKind.QUEUE_HISTORY: _QUEUE_HISTORY,
    EventKind.WORKER_HEARTBEATS: _WORKER_HEARTBEATS,
    EventKind.WORKER_STATUS: _WORKER_STATUS,
    EventKind.CUSTOMERS: _CUSTOMERS,
}
