"""The vocabulary: events, outcomes, verdicts, decisions. No I/O, no driver, no clock.

Closed words are enums; an unknown word is an error or a finding, never a default.
Times are timezone-aware UTC; a naive one is refused. Durations name their unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

JOURNAL_SCHEMA_VERSION = 2
"""Version of the journal's tables. A journal of a newer version is refused by name; one of an older
version is read as it is and brought up to this one by the next write."""

LIVE = "live"
"""The mode of outcomes seen in production; every other mode is the name of a replay run."""


class Side(StrEnum):
    """Whose statement about a submission this is."""

    CONTROL = "control"
    """The old poller."""
    CANDIDATE = "candidate"
    """The new stack: what its worker claims."""
    OBSERVED = "observed"
    """What the sandbox site really received."""
    OTHER = "other"
    """A program of which we do not know whether it is either; compared with nothing."""


class Outcome(StrEnum):
    """Canonical outcome of a submission; that of its last attempt."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    SKIPPED = "skipped"
    IN_FLIGHT = "in_flight"
    """Begun or waiting, without a terminal event so far."""
    MISSING = "missing"
    """Silent after its deadline."""


class ErrorClass(StrEnum):
    """Why a submission failed, whatever the wording."""

    REFUSED = "refused"
    """The site answered and did not accept (verdict fail, no confirmation found)."""
    TIMEOUT = "timeout"
    NAVIGATION = "navigation"
    SELECTOR_MISSING = "selector_missing"
    CAPTCHA = "captcha"
    CONFIG = "config"
    """Never tried: no URL, no profile, nothing to do."""
    CRASH = "crash"
    """The browser or the worker died."""
    UNKNOWN = "unknown"
    """A text that no rule classifies; shown, never hidden."""


class Verdict(StrEnum):
    """What the comparison says of one pair."""

    AGREE = "agree"
    MISMATCH = "mismatch"
    MISSING_CANDIDATE = "missing_candidate"
    MISSING_CONTROL = "missing_control"
    IN_FLIGHT = "in_flight"
    EXCLUDED = "excluded"


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class GateStatus(StrEnum):
    """Result of one gate."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    """Evidence exists and does not settle it yet."""
    OPEN = "open"
    """Required evidence is missing. Never green."""
    WAIVED = "waived"
    """A named person takes the risk, whatever the evidence says. Never green."""


class Decision(StrEnum):
    """What the evidence says about a phase."""

    GO = "GO"
    NO_GO = "NO-GO"
    UNDECIDED = "UNDECIDED"

    @property
    def exit_code(self) -> int:
        """0 GO, 1 NO-GO, 3 UNDECIDED."""
        return {Decision.GO: 0, Decision.NO_GO: 1, Decision.UNDECIDED: 3}[self]


class TriageLabel(StrEnum):
    """What a person holds to be the cause of differences; changes no verdict and no figure."""

    CANDIDATE_BUG = "candidate-bug"
    CONTROL_BUG = "control-bug"
    ENVIRONMENT = "environment"
    """The site, the network or the shadow set-up, not either system."""
    ACCEPTED = "accepted"
    """A real difference that one is ready to live with."""


class IntervalKind(StrEnum):
    """How far an interval may be trusted."""

    HEADLINE = "headline"
    """Anytime-valid: holds at every look at once. Only these decide."""
    LABEL = "label"
    """Fixed sample size: right if you had looked once."""


class EventKind(StrEnum):
    """Closed set of event kinds. A row copied from table T has kind 'T'.

    A mapping of one's own adds the tables that it names.
    """

    JOBS = "jobs"
    """A version of a job's row; both systems write it."""
    CUSTOMERS = "customers"
    """A version of the row of a customer who has a job, so that a replay needs no production."""
    DIRECTORY_SUBMISSIONS = "directory_submissions"
    """A version of a row of the work list: the control's word."""
    JOB_RESULTS = "job_results"
    """A version of a row that the candidate makes when it begins: what it is about to send."""
    QUEUE_HISTORY = "queue_history"
    """A row of the candidate's history: its word."""
    WORKER_HEARTBEATS = "worker_heartbeats"
    """A version of the heartbeat of a candidate's worker."""
    WORKER_STATUS = "worker_status"
    """A version of the heartbeat of the control's worker."""
    ROW_DELETED = "row.deleted"
    """A recorded row is no longer in production; payload says which and between which looks."""
    SQS_SAMPLE = "sqs.sample"
    """Depth of the jobs queue and its DLQ, and the age of the oldest message where it is told."""
    SQS_DEAD_LETTER = "sqs.dead_letter"
    """A message seen in the dead-letter queue, read without taking it away."""
    PREFECT_SAMPLE = "prefect.sample"
    """Health of Prefect, its deployments, and its flow runs by state."""
    PREFECT_FLOW_RUN = "prefect.flow_run"
    """One state of one flow run, with its times."""
    WORKERS_SAMPLE = "workers.sample"
    """Stale workers by the view, where it works, and by our own count."""
    SOURCE_MAPPING = "source.mapping"
    """The first event of a journal that a mapping of its own reads: its tables and its SELECTs."""
    RECORD_STARTED = "record.started"
    """A recorder began: from where, which tables in which shape, and how far it may be trusted."""
    RECORD_STOPPED = "record.stopped"
    """It ended in good order; one that was killed leaves no such event."""
    RECORD_SWEEP = "record.sweep"
    """A sweep ended: everything visible at its snapshot is in the journal."""
    RECORD_GAP = "record.gap"
    """For a while a source could not be recorded; payload says which and why."""
    RECORD_RECONCILE = "record.reconcile"
    """Counts and keys of source and journal were compared; payload says what differed."""
    RECORD_REWOUND = "record.rewound"
    """The source went back in time (failover, restore); recording waits for a person's word."""
    RECORD_ACKNOWLEDGED = "record.acknowledged"
    """A named person accepts a rewound source; everything is compared anew."""
    RECORD_CLOCK = "record.clock"
    """A clock jumped, the source's or the recorder's."""
    SCHEMA_DRIFT = "schema.drift"
    """A recorded table appeared, vanished, was made anew, or changed its columns or its key."""
    REPLAY_STARTED = "replay.started"
    """A run began or went on: what it selected, with which worker, browser and limits."""
    REPLAY_MACHINE = "replay.machine"
    """One of several machines began to carry out parts of a run: its browser and its seal."""
    REPLAY_SUBMISSION = "replay.submission"
    """One finished submission of a replay: claimed, observed, timings, escapes."""
    REPLAY_RECEIVED = "replay.received"
    """One post that a site of the sandbox received, with its values and whether it stored them."""
    REPLAY_AGAIN = "replay.again"
    """A submission that differs was done again with evidence on; payload says whether it is flaky:
    whether it ended otherwise."""
    REPLAY_ESCAPE = "replay.escape"
    """An attempt to leave the sandbox, stopped and counted; in which step and by which layer."""
    REPLAY_FINISHED = "replay.finished"
    """Every selected submission of a run has its event."""
    ATTEST = "attest"
    """A named person states what no machine can measure, until it expires."""
    WAIVE = "waive"
    """A named person takes the risk of one gate until it expires, or takes that back."""
    MARK = "mark"
    """A named person says what happens now: a step of the ramp, a deployment, the cut-over."""
    CRITERIA = "criteria"
    """The rules and gates in force from now on, so that one made after looking is known as such."""
    CALIBRATED = "calibrated"
    """What a calibration of this journal showed."""
    TRIAGE = "triage"
    """A named person says what differences come from, or takes back what was said."""
    TRACE_IMPORTED = "trace.imported"
    """A trace was added to this journal: which one, and whether it was redacted."""


class Source(StrEnum):
    """Where an event comes from (replay events use ``replay:RUN``)."""

    PRODUCTION = "production"
    SHADOW_QUEUE = "shadow queue"
    PREFECT = "prefect"
    RECORDER = "recorder"
    OPERATOR = "operator"


def require_aware(name: str, value: datetime) -> datetime:
    """Return `value` in UTC; raise ValueError naming `name` if it has no time zone."""
    if value.tzinfo is None:
        raise ValueError(f"{name} = {value!r} has no time zone; give an aware UTC time")
    return value.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event before the journal gives it a `seq` and `recorded_at`."""

    source: str
    kind: str
    key: str
    """Identity for exactly-once: a key already journaled is not added again."""
    occurred_at: datetime
    payload: Mapping[str, Any]
    job_id: str | None = None
    directory: str | None = None

    def __post_init__(self) -> None:
        require_aware("occurred_at", self.occurred_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """How far a source has been recorded completely."""

    source: str
    """For example ``production:queue_history``."""
    position: Mapping[str, Any]
    """What the source needs to go on, such as ``{"xid": 812, "since": "…"}``."""
    complete_until: datetime
    """Everything that the source had committed by this moment is in the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events and the watermarks they prove; written in one transaction or not at all."""

    events: tuple[EventDraft, ...]
    watermarks: tuple[Watermark, ...] = ()
    tier: str = "-"
    """What found these events: fast, sweep, copy, sample, replay, operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What an append did."""

    first_seq: int | None
    last_seq: int
    """Last seq in the journal afterwards."""
    new: int
    known: int
    """Events whose key the journal already had."""
    lock_retries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One step of a submission plan; the actions are those of the brain's /plan answer."""

    action: str
    """goto, fill, select, click or wait."""
    url: str | None = None
    selector: str | None = None
    value: str | None = None
    until: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is given for one submission, as production would give it."""

    job_id: str
    directory: str
    """Host name, without ``www.``."""
    plan: tuple[PlanStep, ...]
    business: Mapping[str, str] = field(default_factory=dict)
    plan_source: str = "recorded"
    """``recorded``, or ``synthesised`` where the record holds no plan for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a worker says happened to one order."""

    status: Outcome
    duration_ms: float
    error_text: str | None = None
    error_step: str | None = None
    final_url: str | None = None
    steps_done: int = 0
