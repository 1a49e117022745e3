"""Jobs as a person looks for them: one page of a list, and one job in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job of a list. Names no person."""

    job_id: str
    created_at: datetime
    package_size: int | None
    priority: int | None
    control_word: str | None
    """The old system's own word for the job."""
    candidate_word: str | None
    control_status: str | None
    """all_ok, partial, none_ok or open, counted by one rule for both; None without a pair."""
    candidate_status: str | None
    verdicts: tuple[tuple[Verdict, int], ...]
    """Every verdict over its live pairs, in the order of `Verdict`."""
    sampled: bool = True
    """False where nothing shows that the candidate was meant to get it: it counts nowhere."""

    def count(self, *verdicts: Verdict) -> int:
        """How many live pairs of it have one of these verdicts."""
        return sum(number for verdict, number in self.verdicts if verdict in verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """One page of the jobs that a search found, the newest first."""

    seq: int
    found: int
    """Jobs that the search found, on all pages."""
    jobs: int
    """Jobs recorded, whatever is searched for."""
    offset: int
    """Jobs on the pages before this one."""
    rows: tuple[JobRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmission:
    """One directory of a job: what each side did in one mode, and what the comparison says."""

    mode: str
    directory: str
    verdict: Verdict
    control_outcome: str | None
    """None where that side has said nothing."""
    candidate_outcome: str | None
    control_error: str | None
    """Error class."""
    candidate_error: str | None
    control_s: float | None
    """How long it took, in scaled seconds."""
    candidate_s: float | None
    excluded_by: str = ""
    """The rule that set it apart; empty where none did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One event of a job."""

    seq: int
    occurred_at: datetime
    lane: str
    """Whose it is: control, candidate, other, job (both sides write the job's row) or replay."""
    directory: str | None
    """None for what concerns the whole job."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """One job in full."""

    seq: int
    row: JobRow
    submissions: tuple[JobSubmission, ...]
    """Production first, then by run; in each by directory."""
    events: tuple[JobEvent, ...]
    """Of production and of replays, oldest first; the newest where there are too many."""
    events_before: int
    """Older events that were left out."""
