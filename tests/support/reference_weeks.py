"""Random small weeks for the two comparisons: every kind of event that has a say in a verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.model import EventDraft
from tests.support.events import at, make_control, make_history, make_job, make_plan, make_replay
from tests.support.shapes import LIVE, MIGRATED, make_look, make_nameless_control, make_old_result

CLASSES: dict[str | None, str] = {
    None: "refused",
    "AI predicted submission failed.": "refused",
    "No success indicators found on final page": "refused",
    "Playwright error: page.goto: Timeout 30000ms exceeded.": "timeout",
    "Step execution failed: Timeout 10000ms exceeded.": "timeout",
    "Playwright error: reCAPTCHA found, Timeout 30000ms exceeded.": "captcha",
    "Playwright error: net::ERR_NAME_NOT_RESOLVED": "navigation",
    "Missing directory URL for submission": "config",
    "no business profile": "config",
    "gremlins in the form": "unknown",
    "asyncio.run() cannot be called from a running event loop": "unknown",
}
"""Error texts of both systems, and what each is a case of."""
HOSTS = ("maple-listings.example", "birch-index.test", "cedar-pages.example")
CONTROL_STORIES: tuple[tuple[str | None, ...], ...] = (
    ("pending",), ("pending", "submitting"), ("pending", "submitting", "submitted"),
    ("pending", "submitting", "submitted"), ("submitting", "failed"), ("submitting", "failed"),
    ("submitted", "submitting", "submitted"), ("in_progress", "approved"), ("success",),
    ("processing", "rejected"), ("queued", "no_form"), ("submitting", "retry"), ("error",),
    ("manual_required",), ("submitting", "levitating"), (None,), ("pending", "under_review"),
)  # fmt: skip
CANDIDATE_STORIES: tuple[tuple[str, ...], ...] = (
    ("submitting",), ("submitting", "submitted"), ("submitting", "submitted"),
    ("submitting", "failed"), ("submitting", "failed"), ("skipped_duplicate",),
    ("submitting", "error"), ("submitting", "error") * 4,
    ("submitting", "error", "submitting", "submitted"), ("submitting", "error", "submitting"),
    ("submitting", "submitted", "skipped_duplicate"), ("error_no_profile",), ("unknown",),
    ("submitting", "unknown"), ("submitting", "submitted", "submitting", "failed"),
)  # fmt: skip
VALUES = {
    "name": ("Maple Joinery", " Maple  Joinery ", "Maple Joiners"),
    "email": ("desk@maple.example", "Desk@Maple.example", "shop@maple.example"),
    "phone": ("(202) 555-0142", "+1 202-555-0142", "202.555.0142", "202-555-0199", "n/a"),
    "website": ("https://www.maple.example/", "http://MAPLE.example", "maple.example:443",
                "https://maple.example/shop", "maple.example/Shop"),
    "city": ("ALBANY", "Albany", "Troy"),
    "zip": ("12207", " 12207", "12208", ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Week:
    """What a recorder journaled, in batches, and how the comparison is asked."""

    batches: tuple[tuple[EventDraft, ...], ...]
    until: datetime
    scale: float

    @property
    def events(self) -> list[EventDraft]:
        """All events in the order of the journal."""
        return [event for batch in self.batches for event in batch]


def random_week(seed: int) -> Week:
    """One to five jobs with up to three directories each, in any order that can be recorded.

    What one row or one directory's history says keeps its order; everything else comes as it will.
    """
    chance = random.Random(seed)
    streams: list[list[EventDraft]] = []
    for number in range(chance.randint(1, 5)):
        streams += _job(chance, f"job-{number}", second=chance.choice((0, 50, 900, 3000)))
    if chance.random() < 0.2:
        streams.append(_looks(chance))
    events = merged(streams, chance)
    for _ in range(chance.randint(0, 4)):
        # Delivered once more, somewhere behind the first time.
        place = chance.randrange(len(events))
        events.insert(chance.randint(place + 1, len(events)), events[place])
    cut = chance.randint(0, len(events)) if chance.random() < 0.25 else 0
    return Week(
        batches=tuple(tuple(part) for part in (events[:cut], events[cut:]) if part),
        until=at(chance.choice((300, 1600, 4000, 9000, 9000))),
        scale=chance.choice((1.0, 1.0, 5.0)),
    )


def merged(streams: list[list[EventDraft]], chance: random.Random) -> list[EventDraft]:
    """One list out of several, each of which keeps its order."""
    left = [list(reversed(stream)) for stream in streams if stream]
    events = []
    while left:
        stream = chance.choice(left)
        events.append(stream.pop())
        if not stream:
            left.remove(stream)
    return events


def reordered(events: Sequence[EventDraft], chance: random.Random) -> list[EventDraft]:
    """The same events as another recorder might have come upon them, each once."""
    streams: dict[tuple[object, ...], list[EventDraft]] = {}
    for event in {event.key: event for event in events}.values():
        match event.kind:
            case "directory_submissions":
                whose: tuple[object, ...] = (event.payload["id"],)
            case "queue_history":
                whose = (event.job_id, event.directory)
            case "jobs" | "record.started":
                whose = (event.job_id,)
            case _:
                whose = (event.key,)
        streams.setdefault((event.kind, *whose), []).append(event)
    return merged(list(streams.values()), chance)


def _looks(chance: random.Random) -> list[EventDraft]:
    moments = sorted(chance.sample(range(0, 4000, 50), 3))
    shapes = [chance.choice((LIVE, MIGRATED)) for _ in moments]
    return [
        make_look(*shape, second=moment, session=str(place))
        for place, (moment, shape) in enumerate(zip(moments, shapes, strict=True))
    ]


def _job(chance: random.Random, job_id: str, *, second: float) -> list[list[EventDraft]]:
    created: dict[str, Any] = {"created_at": at(second).isoformat(), "customer_id": f"C-{job_id}"}
    if chance.random() < 0.7:
        created["business_data"] = _values(chance, control=True)
    streams = [[make_job(job_id, version=1, second=second, **created)]]
    if chance.random() < 0.5:
        streams[0].append(
            make_job(job_id, version=2, second=second + 60, **created | {"status": "failed"})
        )
    words = ("queue_claimed", "flow_triggered", "flow_started")[: chance.randint(0, 3)]
    if len(words) == 3 and chance.random() < 0.5:
        words += (chance.choice(("job_finalized", "job_failed")),)
    streams.append(
        [
            make_history(word, number=place, job_id=job_id, host=None,
                         second=second + chance.randint(1, 5) + 20 * place)
            for place, word in enumerate(words)
        ]
    )  # fmt: skip
    for place, host in enumerate(chance.sample(HOSTS, chance.randint(1, 3))):
        streams += _directory(chance, job_id, host, second=second, number=100 * (place + 1))
    return streams


def _directory(
    chance: random.Random, job_id: str, host: str, *, second: float, number: int
) -> list[list[EventDraft]]:
    where: dict[str, Any] = {"job_id": job_id, "host": host}
    streams = [
        _control_row(chance, where, unit=f"{job_id}/{host}/{row}", second=second)
        for row in range(chance.choice((0, 1, 1, 1, 1, 1, 2, 3)))
    ]
    if chance.random() < 0.8:
        streams.append(_candidate(chance, where, second=second, number=number))
    if chance.random() < 0.4:
        plan = make_plan(_values(chance), job_id=job_id, host=host)
        streams.append([plan])
    if chance.random() < 0.2:
        name = chance.choice((host, "COMPLETION_LOG"))
        word = chance.choice(("submitted", "failed", "retry", "levitating"))
        streams.append(
            [make_old_result(word, number=number, job_id=job_id, host=name, second=second)]
        )
    for run in chance.sample(("demo", "again"), chance.choice((0, 0, 1, 2))):
        claimed = chance.choice(("submitted", "failed"))
        error = chance.choice(tuple(CLASSES)) if claimed == "failed" else None
        replay = make_replay(claimed, accepted=chance.randint(0, 1), run=run, error=error,
                             values=_values(chance), **where)  # fmt: skip
        streams.append([replay])
    return streams


def _control_row(
    chance: random.Random, where: dict[str, Any], *, unit: str, second: float
) -> list[EventDraft]:
    host = where["host"]
    if chance.random() < 0.1:
        customer = chance.choice((f"C-{where['job_id']}", "C-nobody"))
        story: tuple[str | None, ...] = chance.choice((("pending",), ("pending", "failed")))
        return [
            make_nameless_control(str(word), customer_id=customer, host=host, unit=unit,
                                  version=version, second=second + 30 * version)
            for version, word in enumerate(story, 1)
        ]  # fmt: skip
    form = chance.choice(("https://www.{}/add/", "{}/submit", "https://{}", "{}?to=a@b"))
    url = form.format(host) if chance.random() < 0.9 else f"HTTP://{host.upper()}:8080/x?a=1#b"
    events = []
    moment = second
    for version, word in enumerate(chance.choice(CONTROL_STORIES), 1):
        message = None
        if word in ("failed", "error", "no_form", "rejected", "manual_required"):
            message = chance.choice(tuple(CLASSES))
        business = _values(chance, control=True) if chance.random() < 0.3 else None
        events.append(
            make_control(word, unit=unit, version=version, second=moment, url=url, message=message,
                         business=business, **where)
        )  # fmt: skip
        moment += chance.choice((5, 40, 700))
    return events


def _candidate(
    chance: random.Random, where: dict[str, Any], *, second: float, number: int
) -> list[EventDraft]:
    events = []
    moment = second + 10
    name = chance.choice((where["host"], where["host"], f"{where['host']}:8080"))
    for place, word in enumerate(chance.choice(CANDIDATE_STORIES)):
        details: dict[str, Any] = {}
        if word in ("submitted", "failed"):
            details["duration_ms"] = chance.choice((7100, 119_960, 120_040, 120_060, 400_000))
        if word == "error":
            details["error"] = chance.choice([text for text in CLASSES if text])
        events.append(
            make_history(word, number=number + place, job_id=where["job_id"], host=name,
                         second=moment, **details)
        )  # fmt: skip
        moment += chance.choice((3, 30, 300))
    return events


def _values(chance: random.Random, *, control: bool = False) -> dict[str, str]:
    names = [name for name in VALUES if chance.random() < 0.6]
    alias = {"name": "business_name"} if control and chance.random() < 0.5 else {}
    # Mostly the first form, so that pairs agree often enough.
    return {
        alias.get(name, name): chance.choice(VALUES[name] if chance.random() < 0.15
                                             else VALUES[name][:1])
        for name in names
    }  # fmt: skip
