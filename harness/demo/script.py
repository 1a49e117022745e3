"""The declared scripts that the actors of a rehearsal follow: plain frozen data, no I/O.

Whatever an actor does to a job stands here beforehand, so that the truth is known. Durations
named _s are scaled seconds: what the records show, not what the rehearsal takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict

MAX_ATTEMPTS = 4
"""The candidate's task is tried once and retried three times, on exceptions only."""
TRIES_APART_S = 30.0
"""Between an exception and the next attempt."""
RATE_LIMIT_S = {"starter": 2.25, "pro": 1.5, "enterprise": 0.75}
"""The pause before each attempt, by the only words for a priority that a flow knows."""


class Result(StrEnum):
    """How one attempt of the candidate ends."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    """Its judge found no confirmation; final."""
    ERROR = "error"
    """It raised; retried while attempts are left."""
    SKIPPED_DUPLICATE = "skipped_duplicate"
    """An earlier run had finished it; nothing is sent."""
    SILENT = "silent"
    """It began and no outcome follows."""


class Flow(StrEnum):
    """How the candidate gets on with a whole job."""

    COMPLETE = "complete"
    NOT_ENQUEUED = "not_enqueued"
    """No message is ever sent."""
    UNTRIGGERABLE = "untriggerable"
    """Its flow cannot be triggered, so its message is tried until it is given up."""
    UNWRITABLE = "unwritable"
    """The message is deleted, and not one row can be written."""
    UNRECORDABLE = "unrecordable"
    """By then the history has lost the column that would have held its events."""
    STOPS_AFTER_TRIGGER = "stops_after_trigger"
    """The message is deleted, the flow does not start."""
    NOTHING_TRIED = "nothing_tried"
    """The flow counts every directory as failed and begins none."""
    NOT_FINALIZED = "not_finalized"
    """The end of the job cannot be written; the flow completes all the same."""
    RUN_AGAIN = "run_again"
    """The stale-job monitor puts the job back while the old poller is at it, and it runs again."""
    OVERWRITES_START = "overwrites_start"
    """It writes its own beginning over that of the old poller."""
    AFTER_RESTART = "after_restart"
    """A new worker process takes it; the row of the one before is left as it is."""

    @property
    def tries_directories(self) -> bool:
        """Whether any directory is begun."""
        return self not in _UNTRIED

    @property
    def in_order(self) -> bool:
        """Whether the candidate writes everything that it should about the job."""
        return self.tries_directories and self is not Flow.NOT_FINALIZED


_UNTRIED = frozenset(
    {Flow.NOT_ENQUEUED, Flow.UNTRIGGERABLE, Flow.UNWRITABLE, Flow.UNRECORDABLE,
     Flow.STOPS_AFTER_TRIGGER, Flow.NOTHING_TRIED}
)  # fmt: skip


class Results(StrEnum):
    """What becomes of the candidate's rows in ``job_results``."""

    ENDED = "ended"
    """Each is updated to how its submission ended."""
    NEVER_UPDATED = "never_updated"
    WITHOUT_ADDRESS = "without_address"
    """Updated, without the addresses of listing and screenshot."""
    SECOND_ROW = "second_row"
    """Left as it is; a failure makes another row, under another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScript:
    """What the old poller writes for one row, and how long it takes for it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    status: str = "submitted"
    message: str = "AI predicted submission was successful."
    seconds: float | None = None
    """Scaled seconds from ``submitting`` to the end; None takes the directory's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of the candidate at one directory."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    result: Result
    duration_ms: int = 8000
    """As production would show it: never scaled."""
    error: str | None = None
    error_type: str = "RuntimeError"
    other_key: bool = False
    """Its idempotency key differs from that of the attempt before."""
    begun: bool = True
    """False: it raised before it had made its row and said that it is submitting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """What is listed in the directories; one way of writing it."""

    name: str
    email: str
    phone: str
    website: str
    address: str
    city: str
    state: str
    zip: str
    description: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who ordered a job."""

    id: str
    """Primary key, a uuid."""
    customer_id: str
    """``DIR-YYYYMMDD-XXXXXX``."""
    business: Business


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionScript:
    """One row of the work list and what both sides make of it."""

    submission_id: str
    directory_url: str
    """As the old catalogue writes it."""
    host: str
    """What it is paired by: lower case, without ``www.``."""
    directory_name: str
    """The candidate's key: the URL's netloc without ``www.``, in whatever case it came."""
    category: str
    listing: Mapping[str, str]
    """``listing_data``: what the old poller types into the form."""
    control: ControlScript
    control_s: float
    candidate: tuple[Attempt, ...]
    """Empty where the candidate does not know this row (its host came before, or no flow)."""
    plan: tuple[Mapping[str, Any], ...]
    results: Results = Results.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScript:
    """One job from its creation to the last thing that happens to it."""

    ordinal: int
    """From 1, in order of creation."""
    job_id: str
    created_offset_s: float
    """After the week's beginning."""
    customer: Customer
    business_data: Mapping[str, str]
    package_type: str
    package_size: int
    priority: int
    priority_word: str
    """What its flow is told instead of the number: one of `RATE_LIMIT_S`."""
    submissions: tuple[SubmissionScript, ...]
    flow: Flow

    @property
    def enqueued(self) -> bool:
        """Whether a message is sent for it."""
        return self.flow is not Flow.NOT_ENQUEUED


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One planted difference and where it was placed."""

    id: str
    kind: str
    job: int
    job_id: str | None
    """None where no one job but the whole set-up is meant."""
    directory: str | None
    """Host; None where the whole job is meant."""
    found_by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """All scripts of one rehearsal."""

    seed: int
    jobs: tuple[JobScript, ...]
    planted: tuple[Planted, ...] = field(default=())

    @property
    def submissions(self) -> int:
        """Rows of the work list over all jobs."""
        return sum(len(job.submissions) for job in self.jobs)

    @property
    def control_work_s(self) -> float:
        """Scaled seconds that the old poller spends on directories, one after another."""
        return sum(row.control_s for job in self.jobs for row in job.submissions)
