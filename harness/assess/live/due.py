"""When silence is going to change something: the next such moment of each job. Pure."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta

ROUNDING = timedelta(milliseconds=1)
"""A job is looked at this much too early rather than a microsecond too late."""


class DueJobs:
    """The next due moment of every job that has one."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str]] = []
        self._next: dict[str, datetime] = {}

    def put(self, job_id: str, due: datetime | None) -> None:
        """Replace the moment of a job; None where nothing is going to change by itself."""
        if due is None:
            self._next.pop(job_id, None)
            return
        at = due - ROUNDING
        if self._next.get(job_id) != at:
            self._next[job_id] = at
            heapq.heappush(self._heap, (at, job_id))

    def pop(self, until: datetime) -> set[str]:
        """The jobs whose moment has come by `until`; they have none until one is set again."""
        found = set()
        while self._heap and self._heap[0][0] <= until:
            at, job_id = heapq.heappop(self._heap)
            # An entry that a later one has replaced stays in the heap until its time.
            if self._next.get(job_id) == at:
                del self._next[job_id]
                found.add(job_id)
        return found
