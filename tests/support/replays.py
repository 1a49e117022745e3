"""A small recorded week for replays: every condition once, and what the journal says of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.journal.store import Journal
from harness.model import Batch, EventDraft
from replay.worker.contract import Timeouts
from tests.support.events import JOB, make_control, make_history, make_job, make_plan

BUSINESS = {
    "business_name": 'Ahorn & Söhne "Süd" <b>',
    "email": "office+list@ahorn.example",
    "phone": "+1 (555) 010-0199",
    "website": "https://ahorn.example/?a=1&b=2#c",
    "description": "Zwei Zeilen:\nöffnet 'früh', schließt 日本 spät.\n\n100 % + 5",
}
SENT = {"name": BUSINESS["business_name"]} | {
    name: BUSINESS[name] for name in ("email", "phone", "website", "description")
}
"""What arrives at a site of the plan that is made from BUSINESS."""

QUICK = Timeouts(goto_ms=4000, action_ms=4000, idle_ms=4000)

REFUSED = "AI predicted submission failed."
CAPTCHA = "Playwright error: reCAPTCHA found and no captcha solver is configured"
TIMED_OUT = "Playwright error: page.goto: Timeout 30000ms exceeded."


def make_steps(
    host: str,
    values: dict[str, str],
    *,
    job_id: str = JOB,
    steps: list[dict[str, Any]] | None = None,
) -> EventDraft:
    """A job_results row whose plan also sends the form and waits; or just these steps."""
    draft = make_plan(values, job_id=job_id, host=host)
    plan = draft.payload["payload"]["plan"]
    if steps is None:
        plan += [
            {"action": "click", "selector": "button[type='submit']"},
            {"action": "wait", "until": "networkidle"},
        ]
    else:
        plan[:] = steps
    return draft


def make_journal(folder: Path, *events: EventDraft) -> Journal:
    """A journal of one job with a business, and these events."""
    journal = Journal.create(folder / "week.duckdb")
    journal.append(Batch(events=(make_job(business_data=BUSINESS), *events)))
    return journal


def every_condition() -> list[EventDraft]:
    """One submission for each condition, named by its host, and one that nobody can replay."""
    return [
        make_control(host="accepted.example"),
        make_control("failed", host="refused.example", message=REFUSED),
        make_control("failed", host="misleading.example", message=REFUSED),
        make_history("submitting", number=1, host="misleading.example"),
        make_history("submitted", number=2, host="misleading.example", second=9),
        make_control("failed", host="captcha.example", message=CAPTCHA),
        make_control("failed", host="slow.example", message=TIMED_OUT),
        make_control("pending", host="unknown.example"),
    ]


def accepted(number: int) -> list[EventDraft]:
    """So many submissions that their sites accept."""
    return [make_control(host=f"site-{n}.example") for n in range(number)]


def submissions_of(journal: Journal, run: str) -> dict[str, dict[str, Any]]:
    """Payloads of a run's submissions by host; fails if one is there twice."""
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT directory, payload FROM events_now "
            "WHERE kind = 'replay.submission' AND source = $source ORDER BY seq",
            source=f"replay:{run}",
        )
    found = {directory: json.loads(payload) for directory, payload in rows}
    assert len(found) == len(rows)
    return found


def payloads_of(journal: Journal, kind: str) -> list[dict[str, Any]]:
    """Payloads of all events of a kind."""
    with journal.reader() as reader:
        rows = reader.rows(
            "SELECT payload FROM events_now WHERE kind = $kind ORDER BY seq", kind=kind
        )
    return [json.loads(payload) for (payload,) in rows]
