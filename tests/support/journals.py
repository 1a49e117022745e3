"""Small journals, and what is thought of them; a test names only the events it is about."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.assess.build import assess
from harness.assess.criteria import Criteria, load_criteria
from harness.assessment import Assessment
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from harness.settings import Settings
from tests.support.events import (
    HOST,
    JOB,
    at,
    make_control,
    make_history,
    make_job,
    make_plan,
    make_replay,
)

COMPLETE_UNTIL = at(5000)
"""More than the deadline after the start of the week."""
RECORDED_AT = at(5500)
BUSINESS = {
    "business_name": "Maple Joinery",
    "email": "desk@maple-joinery.example",
    "phone": "(202) 555-0142",
    "website": "https://www.maple-joinery.example/",
    "city": "ALBANY",
    "zip": "12207",
}


def make_journal(
    folder: Path,
    events: Sequence[EventDraft] = (),
    *,
    complete_until: datetime | None = COMPLETE_UNTIL,
    recorded_at: datetime = RECORDED_AT,
    name: str = "week.duckdb",
) -> Journal:
    """A journal of one batch. complete_until: the watermark of production, None for none."""
    journal = Journal.create(folder / name, clock=lambda: recorded_at)
    if events:
        journal.append(Batch(events=tuple(events), watermarks=make_watermarks(complete_until)))
    return journal


def make_watermarks(complete_until: datetime | None) -> tuple[Watermark, ...]:
    """The watermark that proves production complete, or none."""
    if complete_until is None:
        return ()
    return (Watermark(source="production", position={"xid": 7}, complete_until=complete_until),)


def assessed(journal: Journal, as_of: int | datetime | None = None, **changes: Any) -> Assessment:
    """Assess a journal by the shipped criteria; `changes` override those of `Criteria`."""
    with journal.reader(as_of) as reader:
        return assess(reader, criteria(**changes))


def criteria(**changes: Any) -> Criteria:
    """The shipped criteria but for `changes`."""
    shipped = load_criteria(Settings())
    values = {
        "rules": shipped.rules,
        "gates": shipped.gates,
        "deadline_s": shipped.deadline_s,
        "time_scale": shipped.time_scale,
    }
    return Criteria(**{**values, **changes})


def assess_events(
    events: Sequence[EventDraft],
    *,
    complete_until: datetime | None = COMPLETE_UNTIL,
    recorded_at: datetime = RECORDED_AT,
    **changes: Any,
) -> Assessment:
    """Assess a journal of these events, which is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        journal = make_journal(
            Path(folder), events, complete_until=complete_until, recorded_at=recorded_at
        )
        return assessed(journal, **changes)


def sound_job(
    job_id: str = JOB,
    *,
    second: float = 0,
    hosts: Sequence[str] = (HOST,),
    run: str | None = "demo",
) -> list[EventDraft]:
    """A job that both systems bring to a good end, and a replay too; nothing to remark."""
    t = second
    plan = {
        "name": "Maple Joinery", "email": "desk@maple-joinery.example", "phone": "+1 202-555-0142",
        "website": "http://maple-joinery.example", "city": "Albany", "zip": "12207",
    }  # fmt: skip
    created = {"created_at": at(t).isoformat(), "business_data": BUSINESS}
    begun = created | {"status": "in_progress", "started_at": at(t + 5).isoformat()}
    ended = begun | {"status": "completed", "completed_at": at(t + 90).isoformat()}
    events = [
        make_job(job_id, version=1, second=t, **created),
        make_job(job_id, version=2, second=t + 5, **begun),
        make_job(job_id, version=3, second=t + 90, **ended),
        make_history("queue_claimed", number=1, job_id=job_id, host=None, second=t + 2),
        make_history("flow_triggered", number=2, job_id=job_id, host=None, second=t + 3),
        make_history("flow_started", number=3, job_id=job_id, host=None, second=t + 4),
    ]
    for place, host in enumerate(hosts):
        number = 10 * (place + 1)
        where: dict[str, Any] = {"job_id": job_id, "host": host}
        events += [
            make_control("pending", version=1, second=t, **where),
            make_control("submitting", version=2, second=t + 6, **where),
            make_control("submitted", version=3, second=t + 60, **where),
            make_plan(plan, **where),
            make_history("submitting", number=number, second=t + 6, **where),
            make_history("submitted", number=number + 1, second=t + 14, duration_ms=7100, **where),
        ]
        if run:
            events.append(make_replay("submitted", accepted=1, run=run, values=plan, **where))
    end = {"job_id": job_id, "host": None, "second": t + 20}
    return [
        *events,
        make_history("job_finalized", number=4, final_status="completed", **end),
        make_history("flow_completed", number=5, status="completed", **end),
    ]
