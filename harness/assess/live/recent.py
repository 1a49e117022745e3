"""Remembers what was read of the jobs that changed last, so that it is not read again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from harness.journal.focus import JobRows

MOST_LOOKS = 16
"""As many looks are remembered; a job that is worked on comes up in nearly every look."""
MOST_ROWS = 50_000
"""The rows of a look with more events and submissions are not remembered."""


class RecentRows:
    """All rows of the jobs of the last looks, as of the last one."""

    def __init__(self) -> None:
        self._looks: dict[int, JobRows] = {}
        self._look_of: dict[str | None, int] = {}
        self._next = 0

    def __contains__(self, job: str | None) -> bool:
        return job in self._look_of

    def of(self, jobs: Collection[str | None]) -> list[JobRows]:
        """What is remembered of these jobs, in parts."""
        looks: dict[int, list[str | None]] = defaultdict(list)
        for job in jobs:
            if job in self._look_of:
                looks[self._look_of[job]].append(job)
        return [self._looks[look].of(wanted) for look, wanted in looks.items()]

    def put(self, jobs: Collection[str | None], rows: JobRows) -> None:
        """Remember all rows of these jobs, in place of what was remembered of them."""
        for job in jobs:
            self._look_of.pop(job, None)
        if rows.events.height + rows.submissions.height > MOST_ROWS:
            return
        self._looks[self._next] = rows
        self._look_of.update(dict.fromkeys(jobs, self._next))
        self._next += 1
        if len(self._looks) > MOST_LOOKS:
            oldest = next(iter(self._looks))
            del self._looks[oldest]
            gone = [job for job, look in self._look_of.items() if look == oldest]
            for job in gone:
                del self._look_of[job]
