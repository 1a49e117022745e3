"""A look at 1,000 new events of a growing journal: pairs and findings by increment.

Journals of more and more events show whether the cost depends on the history. Beside each stands
what the first look costs, which reads all of it. INCREMENT_EVENTS=10000000 adds a size.
"""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.assess.criteria import load_criteria
from harness.assess.live.state import LiveComparison
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from harness.settings import Settings

SIZES = (10_000, 100_000, 1_000_000)
LOOKS = 20
NEW = 1_000
_APART_S = 150
_DIRECTORIES = 9
_START = datetime(2026, 9, 1, tzinfo=UTC)
_CHUNK = 50_000


def run() -> None:
    """Print one line a size."""
    more = os.environ.get("INCREMENT_EVENTS")
    for size in (*SIZES, *([int(more)] if more else [])):
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> None:
    journal = Journal.create(folder / "bench.duckdb")
    events = make_week()
    for first in range(0, size, _CHUNK):
        _append(journal, itertools.islice(events, min(_CHUNK, size - first)))
    live = LiveComparison(load_criteria(Settings()))
    with journal.reader() as reader:
        began = time.perf_counter()
        live.advance(reader)
        first_s = time.perf_counter() - began
    appends, looks, clusters = [], [], []
    split: dict[str, list[float]] = {}
    for _ in range(LOOKS):
        began = time.perf_counter()
        _append(journal, itertools.islice(events, NEW))
        appends.append(time.perf_counter() - began)
        with journal.reader() as reader:
            began = time.perf_counter()
            advanced = live.advance(reader)
            looks.append(time.perf_counter() - began)
        for step, spent_ms in advanced.spent_ms.items():
            split.setdefault(step, []).append(spent_ms)
        began = time.perf_counter()
        live.clusters()
        clusters.append(time.perf_counter() - began)
    parts = ", ".join(f"{step} {statistics.median(ms):.0f}" for step, ms in split.items())
    print(
        f"increment of {NEW:,} at {size:,} events: pairs and findings "
        f"{statistics.median(looks) * 1000:.0f} ms ({parts}), clusters anew "
        f"{statistics.median(clusters) * 1000:.0f} ms, append "
        f"{statistics.median(appends) * 1000:.0f} ms, the first look {first_s:.1f} s; "
        f"medians of {LOOKS}"
    )


def _append(journal: Journal, events: Iterator[EventDraft]) -> None:
    batch = tuple(events)
    mark = Watermark(source="production", position={"xid": 7}, complete_until=batch[-1].occurred_at)
    journal.append(Batch(events=batch, watermarks=(mark,)))


def make_week() -> Iterator[EventDraft]:
    """Jobs without end, each with all its events; every fiftieth fails at one directory."""
    for number in itertools.count():
        job = f"job-{number:08d}"
        at = _START + timedelta(seconds=_APART_S * number)
        yield _event("jobs", job, None, at, 1, {
            "id": job, "customer_id": f"DIR-{number}", "status": "pending", "package_size": 50,
            "priority_level": 3, "created_at": at.isoformat(),
        })  # fmt: skip
        for place, word in enumerate(("queue_claimed", "flow_triggered", "flow_started")):
            yield _history(job, None, at + timedelta(seconds=2 + place), place, word)
        for place in range(_DIRECTORIES):
            host = f"site-{(number + place) % 80}.example"
            begun, ended = at + timedelta(seconds=8), at + timedelta(seconds=20 + place)
            row: dict[str, Any] = {"id": f"{job}/{host}", "directory_url": f"https://{host}/add"}
            for version, word in enumerate(("pending", "submitting", "submitted")):
                moment = (at, begun, ended)[version]
                yield _event("directory_submissions", job, host, moment, version, {
                    **row, "status": word, "result_message": None, "listing_data": None,
                })  # fmt: skip
            bad = number % 50 == 0 and place == 0
            yield _history(job, host, begun, 10 + 2 * place, "submitting")
            yield _history(job, host, ended, 11 + 2 * place, "failed" if bad else "submitted")
        end = at + timedelta(seconds=40)
        yield _history(job, None, end, 90, "job_finalized", final_status="completed")
        yield _history(job, None, end, 91, "flow_completed", status="completed")


def _history(
    job: str, host: str | None, at: datetime, number: int, event: str, **details: Any
) -> EventDraft:
    payload = {"id": number, "event": event, "directory_name": host, "details": details}
    return _event("queue_history", job, host, at, number, payload)


def _event(
    kind: str, job: str, host: str | None, at: datetime, version: int, payload: dict[str, Any]
) -> EventDraft:
    return EventDraft(
        source="production", kind=kind, key=f"{kind}:{job}/{host}:{version}", occurred_at=at,
        job_id=job, directory=host, payload=payload,
    )  # fmt: skip
