"""Journals of several batches, each recorded at its own moment, for what people say in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from harness.assess.said import MarkKind, MarkPayload, said_event
from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from tests.support.events import at
from tests.support.journals import make_watermarks, sound_job

BY = "Ana Ruiz"


def job_name(number: int) -> str:
    """An id that sorts by its number."""
    return f"{number:08d}-1111-4111-8111-111111111111"


def failed_job(number: int, *, second: float) -> list[EventDraft]:
    """A job of which the candidate says ``error`` where the control submitted."""
    events = []
    for event in sound_job(job_name(number), second=second, run=None):
        if event.payload.get("event") == "submitted":
            payload = {**event.payload, "event": "failed"}
            event = EventDraft(
                source=event.source, kind=event.kind, key=event.key, job_id=event.job_id,
                occurred_at=event.occurred_at, directory=event.directory, payload=payload,
            )  # fmt: skip
        events.append(event)
    return events


def good_job(number: int, *, second: float) -> list[EventDraft]:
    """A job that both sides bring to a good end."""
    return sound_job(job_name(number), second=second, run=None)


def mark(what: MarkKind, value: str = "", *, second: float = 0) -> EventDraft:
    """A mark of a person."""
    return said_event(MarkPayload(what=what, value=value, by=BY), at=at(second))


def make_batches(
    folder: Path, batches: Sequence[tuple[float, Sequence[EventDraft]]], *, until: float
) -> Journal:
    """A journal of batches, each recorded at its second; the last proves it up to `until`."""
    moment: list[datetime] = [at(0)]
    journal = Journal.create(folder / "week.duckdb", clock=lambda: moment[0])
    for place, (second, events) in enumerate(batches):
        moment[0] = at(second)
        last = place == len(batches) - 1
        journal.append(
            Batch(
                events=tuple(events),
                watermarks=make_watermarks(at(until)) if last else (),
            )
        )
    return journal
