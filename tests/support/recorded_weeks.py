"""Random small weeks as a recorder would have journaled them: in batches, with what it samples."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from tests.support.events import START, at
from tests.support.reference_weeks import random_week

TABLES = ["jobs", "directory_submissions", "queue_history"]


def recorded_week(folder: Path, seed: int, *, batches: int = 12) -> Journal:
    """A journal of a random week in about so many batches, each with its samples and marks."""
    now = [START]
    journal = Journal.create(folder / f"week-{seed}.duckdb", clock=lambda: now[0])
    for recorded_at, batch in week_batches(seed, batches=batches):
        now[0] = recorded_at
        journal.append(batch)
    return journal


def week_batches(seed: int, *, batches: int) -> Iterator[tuple[datetime, Batch]]:
    """The same batches one by one, each with when it was recorded."""
    chance = random.Random(seed)
    events = list({event.key: event for event in random_week(seed).events}.values())
    size = max(1, len(events) // batches)
    pieces = [events[i : i + size] for i in range(0, len(events), size)]
    polls = retries = 0
    for number, piece in enumerate(pieces):
        second = 6000.0 * (number + 1) / len(pieces)
        own = [_event("record.started", number, second, _started())] if number == 0 else []
        polls, retries = polls + chance.randint(1, 40), retries + chance.randint(0, 2)
        own += _samples(chance, number, second)
        marks: tuple[Watermark, ...] = ()
        if chance.random() < 0.7:
            until = at(second - chance.randint(0, 40))
            own.append(_event("record.sweep", number, second, _sweep(chance, polls, retries)))
            marks = _marks(until, chance)
        yield at(second), Batch(events=(*piece, *own), watermarks=marks, tier="sweep")


def _event(kind: str, number: int, second: float, payload: dict[str, Any]) -> EventDraft:
    source = {"sqs.sample": "shadow queue", "prefect.sample": "prefect"}.get(kind, "recorder")
    return EventDraft(
        source="production" if kind == "workers.sample" else source, kind=kind,
        key=f"{kind}:s1:{number}", occurred_at=at(second - 0.5), payload=payload,
    )  # fmt: skip


def _started() -> dict[str, Any]:
    return {
        "session": "s1", "mode": "poll", "server_version": "150006", "tick_s": 2.0,
        "sweep_min_interval_s": 60.0, "provisional": False,
    }  # fmt: skip


def _sweep(chance: random.Random, polls: int, retries: int) -> dict[str, Any]:
    cost = chance.uniform(0.5, 200.0)
    so_far = {
        "polls": polls + 2, "sweeps": 2, "cost_ms": 3.0 * polls + cost, "sweeps_cost_ms": cost,
        "lock_retries": retries,
    }  # fmt: skip
    # One of an older version says nothing of its own work.
    return {"cost_ms": cost} | ({"so_far": so_far} if chance.random() < 0.8 else {})


def _marks(until: datetime, chance: random.Random) -> tuple[Watermark, ...]:
    position = {"xid": 7, "tables": TABLES}
    marks = [Watermark(source="production", position=position, complete_until=until)]
    if chance.random() < 0.5:
        marks.append(Watermark(source="production:fast", position=position, complete_until=until))
    return tuple(marks)


def _samples(chance: random.Random, number: int, second: float) -> list[EventDraft]:
    made: list[tuple[str, dict[str, Any]]] = []
    if chance.random() < 0.6:
        read = chance.random() < 0.8
        made.append(("sqs.sample", {
            "queue_depth": chance.randint(0, 2000), "in_flight": chance.randint(0, 9),
            "delayed": 0, "oldest_age_s": chance.choice((None, 3.2, 5000.0)),
            "dlq_depth": chance.randint(0, 3) if read else None,
            "dlq_in_flight": 0 if read else None,
            "dlq_why": None if read else "the queue does not exist",
        }))  # fmt: skip
    if chance.random() < 0.4:
        made.append(("prefect.sample", {
            "healthy": chance.random() < 0.8, "version": "3.4.1", "deployments": 1,
            "deployment": {"name": "process_job/production", "exists": chance.random() < 0.9},
            "runs": {"RUNNING": chance.randint(0, 4), "FAILED": chance.randint(0, 2)},
            "late": chance.randint(0, 2), "lag_s": chance.uniform(0, 90),
            "late_runs": [],
        }))  # fmt: skip
    if chance.random() < 0.6:
        stale = [f"worker-{n}" for n in range(chance.randint(0, 2))]
        made.append(("workers.sample", {
            "running": chance.randint(0, 3), "idle": chance.randint(0, 3),
            "stale_count": len(stale), "stale": stale,
        }))  # fmt: skip
    if chance.random() < 0.15:
        span = {"from": at(second - 90).isoformat(), "until": at(second - 30).isoformat()}
        made.append(("record.gap", {"what": "production", "why": "connection refused"} | span))
    return [_event(kind, number, second, payload) for kind, payload in made]
