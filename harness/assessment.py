"""What a person is shown: one immutable assessment of a journal as of one moment.

Report and dashboard both paint this and compute nothing themselves, so they cannot disagree.
Imports only the vocabulary; opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import (
    Decision,
    GateStatus,
    IntervalKind,
    Outcome,
    Severity,
    TriageLabel,
    Verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval and how far it may be trusted."""

    low: float
    high: float
    alpha_total: float
    """Error probability spent on both sides together."""
    kind: IntervalKind
    method: str
    """For example ``betting confidence sequence`` or ``Wilson``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A share in [0, 1] with its interval to decide by and its interval to compare with."""

    value: float | None
    """None when there is nothing to average."""
    n: int
    unit: str
    """What is counted: ``jobs`` or ``submissions``."""
    headline: Interval
    label: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BandPoint:
    """Agreement after the first `n` jobs, in the control's order."""

    n: int
    job_id: str
    created_at: datetime
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How often the candidate reaches the control's outcome (live pairs)."""

    by_job: Estimate
    by_submission: Estimate
    without_rules: Estimate
    """By job, raw words compared as they are."""
    series: tuple[BandPoint, ...]
    verdicts: tuple[tuple[Verdict, int], ...]
    """Every pair is counted in exactly one verdict."""
    excluded: tuple[tuple[str, int], ...]
    """Reason and number of excluded pairs; of a rule that sets pairs apart, its name."""
    with_excluded: Estimate | None = None
    """By job, as if no rule set a pair apart; None where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """One percentile of a latency; bounds are None where no bound exists yet."""

    p: float
    value_s: float | None
    low_s: float | None
    high_s: float | None
    label_low_s: float | None
    label_high_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """One latency measure, both sides, seconds of (scaled) time."""

    measure: str
    """end_to_end, wait, processing (per job) or submission (per directory)."""
    title: str
    control_n: int
    candidate_n: int
    control: tuple[Quantile, ...]
    candidate: tuple[Quantile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One criterion, what it saw and what it says."""

    gate: str
    """Identifier such as ``shadow.p95_latency``."""
    phase: str
    title: str
    status: GateStatus
    value: float | None
    value_text: str
    """The value as a person reads it: ``97.3 %``, ``2 lost``, ``no evidence``."""
    threshold: float | None
    threshold_text: str
    interval: Interval | None
    n: int
    unit: str
    evidence_text: str
    """How much evidence, for example ``58 jobs, 2 pending``."""
    reason: str
    """One sentence: why this status."""
    missing: str | None
    """What would settle it; None once settled."""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """A phase, its gates and the decision they make."""

    phase: str
    title: str
    decision: Decision
    reason: str
    gates: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a named person says a cluster or a difference comes from. Changes no verdict."""

    target: str
    """Id of a cluster or of a difference."""
    label: TriageLabel
    reason: str
    author: str
    at: datetime
    seq: int
    description: str
    """What the target was called at that time."""
    gone: bool = False
    """Whether there is no such cluster or difference any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of one pair that disagrees after the rules."""

    id: str
    """Stable: a hash of mode, job, directory and field."""
    mode: str
    """``live`` or the name of a replay run."""
    kind: str
    """What it is, such as candidate_failed, control_failed, wrong_value, captcha, timeout."""
    verdict: Verdict
    job_id: str
    directory: str
    field: str
    control_raw: str | None
    candidate_raw: str | None
    control_value: str | None
    """After the rules."""
    candidate_value: str | None
    rules: tuple[str, ...]
    """Names of the rules that touched it."""
    explanation: str
    seq: int
    """Last event that made it what it is."""
    cluster: str = ""
    """Id of the cluster that holds it."""
    triage: Triage | None = None
    """What was said of this very difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Differences with one description."""

    id: str
    """Stable: a hash of the description, not of its members."""
    title: str
    """The description in words, and what else its differences share."""
    mode: str
    kind: str
    field: str
    description: tuple[tuple[str, str], ...]
    """Feature and value of each term, sorted; a difference of the cluster matches all of them."""
    size: int
    """Differences."""
    share: float
    """Share of all differences of its mode."""
    cost: float
    """By how much agreement by job would rise if it were mended, in [0, 1]; a pair that is in
    several clusters counts for the first of them."""
    cost_share: float
    """Share of the agreement that its mode has lost."""
    compared: int
    """Compared values that the description's terms about the place match, agreeing ones too."""
    precision: float
    """Share of those that are in the cluster."""
    jobs: int
    directories: int
    first_seen: datetime | None
    """When the first of its differences happened; None where no event tells a time."""
    last_seen: datetime | None
    examples: tuple[str, ...]
    """Ids of up to three differences."""
    gates: tuple[str, ...] = ()
    """Ids of the gates that it endangers."""
    triage: Triage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a finding shows."""

    job_id: str | None
    directory: str | None
    detail: str
    seq: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A named pattern that a person must know."""

    id: str
    title: str
    severity: Severity
    explanation: str
    mend: str
    mode: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEffect:
    """One rule and what it does to this journal."""

    name: str
    version: int
    author: str
    reason: str
    touched: int
    """Values it changed."""
    hidden: int
    """Differences that exist without it and do not with it."""
    hidden_pairs: int = 0
    """Pairs with such a difference; of a rule that sets pairs apart, the pairs."""
    expects_at_most: float | None = None
    """Pairs that it is declared to hide at most; None where it declares nothing."""

    @property
    def hides_too_much(self) -> bool:
        """Whether it hides more pairs than it is declared to."""
        return self.expects_at_most is not None and self.hidden_pairs > self.expects_at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event on the timeline of a submission or job."""

    seq: int
    occurred_at: datetime
    source: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionView:
    """One side of one submission, for side-by-side display."""

    side: str
    mode: str
    outcome: Outcome
    error_class: str | None
    error_text: str | None
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    url: str | None
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceDetail:
    """Everything about one difference: both sides, and the events behind it."""

    difference: Difference
    sides: tuple[SubmissionView, ...]
    timeline: tuple[EventView, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what was admitted could be compared."""

    jobs: int
    jobs_compared: int
    submissions: int
    submissions_compared: int
    replayed: int
    replay_excluded: tuple[tuple[str, int], ...]
    share: float | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Where we stand as of one moment."""

    decision: Decision
    reason: str
    phases: tuple[PhaseResult, ...]
    agreement: Agreement
    latency: tuple[Latency, ...]
    differences: tuple[Difference, ...]
    clusters: tuple[Cluster, ...]
    findings: tuple[Finding, ...]
    rules: tuple[RuleEffect, ...]
    coverage: Coverage
    replays: tuple[ReplayProgress, ...]
    recording: RecordingHealth
    missing_parts: tuple[str, ...]
    """What this run did not look at, said loudly (for example: no browser, no replay)."""
    provenance: Provenance
    triage: tuple[Triage, ...] = ()
    """All that counts as of then, in the order in which it was said; also of what is gone."""
