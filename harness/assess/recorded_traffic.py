"""What a journal says of the traffic to come: jobs a day, their sizes, how alike they fare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from harness.assess.comparing import compare_journal
from harness.assess.criteria import Criteria
from harness.assess.sequences import job_sequence
from harness.journal.reader import Reader
from harness.stats.design_effect import intracluster_correlation

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTraffic:
    """Traffic as it was recorded. Of scaled time where a rehearsal has it."""

    jobs: int
    days: float
    """From the first recorded job to the moment up to which the record is complete."""
    per_weekday: tuple[float, ...] | None
    """Jobs of a Monday, …, Sunday; None where less than a week was recorded."""
    sizes: dict[int, int]
    """Compared submissions of a job → number of such jobs."""
    rho: float | None
    """Correlation of the agreement of two submissions of one job; None where it is undefined."""
    next_day: date
    """The first whole day after the record."""

    @property
    def per_day(self) -> float:
        """Mean number of jobs a day."""
        return self.jobs / self.days if self.days > 0.0 else 0.0


def read_traffic(reader: Reader, criteria: Criteria) -> RecordedTraffic:
    """Read the traffic of all recorded jobs, in the shadow or not."""
    compared = compare_journal(reader, criteria)
    sequence = job_sequence(compared.comparison.narrow, compared.jobs)
    settled = sequence.agreement_low == sequence.agreement_high
    sizes = sequence.sizes
    created = [
        at.astimezone(UTC) for at in compared.jobs["created_at"].to_list() if at <= compared.until
    ]
    span = compared.until - created[0] if created else timedelta()
    return RecordedTraffic(
        jobs=len(created),
        days=span.total_seconds() * criteria.time_scale / 86_400.0,
        per_weekday=(
            by_weekday(created, until=compared.until)
            if span >= _WEEK and criteria.time_scale == 1.0
            else None
        ),
        sizes={int(size): number for size, number in Counter(sizes.tolist()).items()},
        rho=intracluster_correlation(sequence.agreement_low[settled], sizes[settled]),
        next_day=(reader.as_of_time.astimezone(UTC) + timedelta(days=1)).date(),
    )


def by_weekday(created: Sequence[datetime], *, until: datetime) -> tuple[float, ...]:
    """Jobs of a Monday, …, Sunday, over as much of each as was recorded; UTC.

    created: sorted, not empty. A weekday of which nothing was recorded has 0 jobs.
    """
    jobs, seen_s = [0] * 7, [0.0] * 7
    for at in created:
        jobs[at.weekday()] += 1
    at = created[0]
    while at < until:
        midnight = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), UTC)
        end = min(midnight, until)
        seen_s[at.weekday()] += (end - at).total_seconds()
        at = end
    return tuple(
        number * 86_400.0 / seconds if seconds else 0.0
        for number, seconds in zip(jobs, seen_s, strict=True)
    )
