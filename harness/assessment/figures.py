"""Figures: shares, percentiles and counts, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from harness.model import IntervalKind, Verdict


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
    """After every job up to the thousandth, then after every half per cent more."""
    verdicts: tuple[tuple[Verdict, int], ...]
    """Every pair is counted in exactly one verdict."""
    excluded: tuple[tuple[str, int], ...]
    """Reason and number of excluded pairs; of a rule that sets pairs apart, its name."""
    with_excluded: Estimate | None = None
    """By job, as if no rule set a pair apart; None where none does."""
    fresh: Estimate | None = None
    """By job, with rules, over jobs created after the youngest rule that changes a verdict among
    the older ones; None where no rule is younger than what it changes. The gates use it then."""
    fresh_since: datetime | None = None
    fresh_why: str = ""
    """Which rule, and how many jobs it leaves out; empty where `fresh` is None."""


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
    control_ecdf: tuple[tuple[float, float], ...] = ()
    """Seconds and the share in [0, 1] that has ended by then, rising in both: at most 200 points to
    draw. A lost job never ends, so that the curve may stay below 1."""
    candidate_ecdf: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts:
    """What became of every pair of one mode: nothing is left out of the count."""

    mode: str
    pairs: int
    verdicts: tuple[tuple[Verdict, int], ...]
    """Every verdict, in the order of `Verdict`; they add up to `pairs`."""
    excluded: tuple[tuple[str, int], ...]
    """Reason and number, most frequent first; they add up to the pairs excluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One thing that is compared beside the outcome; it changes no verdict."""

    name: str
    """job_status, attempts, visited_path, listing_url or order."""
    title: str
    mode: str
    unit: str
    """What is counted: ``jobs`` or ``submissions``."""
    compared: int
    same: int
    unknown: int
    """Where it cannot be compared, or not yet."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The live pairs of one directory, kind of site or size of package."""

    dimension: str
    """``directory``, ``archetype`` or ``package_size``."""
    name: str
    """``unknown`` where the record does not tell it."""
    submissions: int
    """Pairs that have a verdict; every other figure counts among these."""
    agreeing: int
    control_submitted: int
    candidate_submitted: int


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
