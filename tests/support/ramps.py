"""Journals of a ramp: jobs of which only a percentage is in the shadow, chosen by the hash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from harness.journal.store import Journal
from harness.model import EventDraft
from harness.stats.membership import in_shadow
from tests.support.events import at
from tests.support.journals import make_journal, sound_job

SALT = "shadow-2025"
APART_S = 900.0
"""Between two jobs: four an hour."""
_CANDIDATE = ("queue_history", "job_results")


def job_id(number: int) -> str:
    """A job of a ramp."""
    return f"{number:08d}-2222-4222-8222-222222222222"


def selected(number: int, percent: float) -> bool:
    """Whether the hash selects a job."""
    return in_shadow(job_id(number), salt=SALT, percent=percent)


def ramp_events(
    stages: Sequence[tuple[float, int]],
    *,
    lost: Collection[int] = (),
    strays: Collection[int] = (),
    all_in: bool = False,
) -> list[EventDraft]:
    """Jobs that go well. stages: percentage and number of jobs, one after the other.

    lost: numbers of jobs that never reach the candidate although selected. strays: jobs that do
    although not selected. all_in: every job reaches it whatever the percentage.
    """
    events: list[EventDraft] = []
    number = 0
    for percent, jobs in stages:
        for _ in range(jobs):
            inside = all_in or number in strays or selected(number, percent)
            told = sound_job(job_id(number), second=number * APART_S, run=None)
            seen = inside and number not in lost
            events += [event for event in told if seen or event.kind not in _CANDIDATE]
            number += 1
    return events


def ramp_journal(
    folder: Path,
    stages: Sequence[tuple[float, int]],
    *,
    lost: Collection[int] = (),
    strays: Collection[int] = (),
    all_in: bool = False,
) -> Journal:
    """The same as a journal, complete until an hour after the last job."""
    events = ramp_events(stages, lost=lost, strays=strays, all_in=all_in)
    end = at(sum(jobs for _, jobs in stages) * APART_S + 3600.0)
    return make_journal(folder, events, complete_until=end, recorded_at=end)
