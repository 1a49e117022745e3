"""What differs and why: differences, clusters, findings, and what each rule hides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import Outcome, Severity, TriageLabel, Verdict


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
    added_at: datetime | None = None
    """When the record first shows it in force; None for one that was there from the beginning."""
    noted: bool = True
    """False where no event tells when it was added: it counts as added just now."""

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
