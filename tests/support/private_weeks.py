"""A recorded week full of planted personal values, and how each of them may be written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID

from harness.demo.business import invent_business, vary
from harness.demo.script import Business
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, Watermark
from tests.support.events import at, make_control, make_history, make_job, make_plan, make_replay

HOSTS = ("first-list.example", "second-list.example", "third-list.example")
_SYLLABLES = (
    "bor", "cal", "dun", "fel", "gar", "hov", "jun", "kel", "lom", "mir", "nes", "pol", "quo",
    "rad", "sev", "tol", "vex", "wim", "yar", "zul",
)  # fmt: skip


def planted_business(rng: Random, number: int) -> Business:
    """A business whose every value occurs nowhere else, so that it can be searched for."""

    def word(parts: int) -> str:
        return "".join(rng.choice(_SYLLABLES) for _ in range(parts))

    plain = asdict(invent_business(rng, number))
    name = f"{word(3).title()} {word(2).title()}söhne"
    host = f"{word(4)}.example"
    return Business(**plain | {
        "name": name, "email": f"{word(3)}.{word(2)}@{host}", "website": f"https://{host}",
        "phone": f"+1{rng.choice((202, 303, 415))}555{rng.randrange(10_000):04d}",
        "address": f"{rng.randrange(1000, 9999)} {word(3).title()} Row", "city": word(4).title(),
        "zip": f"{rng.randrange(10_000, 99_999)}", "category": f"{word(4)}-trade",
        "description": f"{name} makes {word(3)} and {word(3)}, by hand.",
    })  # fmt: skip


def columns(business: Business) -> dict[str, Any]:
    """As a job's business_data has it."""
    named = asdict(business)
    return {"business_name": named.pop("name"), **named}


def make_week(
    folder: Path, *, jobs: int = 24, seed: int = 5, name: str = "week.duckdb"
) -> tuple[Journal, set[str]]:
    """A journal of many batches with every kind of verdict, and the personal values in it."""
    rng = Random(seed)
    moment = [0.0]
    journal = Journal.create(folder / name, clock=lambda: at(moment[0]))
    planted: set[str] = set()
    for number in range(jobs):
        business = planted_business(rng, number)
        planted |= {str(value) for key, value in asdict(business).items() if key != "state"}
        moment[0] = 100.0 * number + 50
        for part in _job(rng, number, business):
            moment[0] += 1
            mark = Watermark(source="production", position={"xid": number},
                             complete_until=at(moment[0]))  # fmt: skip
            journal.append(Batch(events=tuple(part), watermarks=(mark,), tier="fast"))
            planted |= {event.job_id for event in part if event.job_id}
    moment[0] += 6000
    mark = Watermark(source="production", position={}, complete_until=at(moment[0]))
    end = EventDraft(
        source="recorder", kind="record.stopped", key="stopped:1", occurred_at=at(moment[0]),
        payload={"session": "s", "complete": True},
    )  # fmt: skip
    journal.append(Batch(events=(end,), watermarks=(mark,), tier="stop"))
    planted |= {f"DIR-2026-{number:06d}" for number in range(jobs)}
    return journal, planted


def _job(rng: Random, number: int, business: Business) -> Iterator[list[EventDraft]]:
    job_id = str(UUID(int=rng.getrandbits(128), version=4))
    customer = f"DIR-2026-{number:06d}"
    t = 100.0 * number
    created = {"created_at": at(t).isoformat(), "customer_id": customer,
               "business_data": columns(business), "metadata": {"note": f"ring {business.name}"},
               "email": business.email.upper()}  # fmt: skip
    yield [
        EventDraft(source="production", kind="customers", key=f"customers:{customer}:1",
                   occurred_at=at(t), payload={"id": customer, "customer_id": customer,
                   **columns(business)}),
        make_job(job_id, second=t, **created),
        make_history("queue_claimed", number=1, job_id=job_id, host=None, second=t + 2),
        make_history("flow_started", number=2, job_id=job_id, host=None, second=t + 4),
    ]  # fmt: skip
    digits = re.sub(r"\D", "", business.phone)[-10:]
    slug = re.sub(r"\W+", "-", business.name.lower())
    for place, host in enumerate(HOSTS):
        where: dict[str, Any] = {"job_id": job_id, "host": host}
        sent = vary(business, rng)
        if rng.random() < 0.25:
            # A wrong value: agreement must notice it behind the fakes as well.
            wrong = {"phone": "+13035550199", "city": "Elsewhere", "zip": "00000"}
            field = rng.choice(sorted(wrong))
            sent = Business(**asdict(sent) | {field: wrong[field]})
        message = rng.choice([
            f"Playwright error: Timeout 30000ms exceeded for {business.name} <{business.email}>",
            f"AI predicted submission failed. {digits} {business.address}",
            f"net::ERR_FAILED at https://{host}/new?n={quote(business.name)}&p={digits}",
            f"{business.name} said no", f"odd trouble with {business.city}",
        ])  # fmt: skip
        control = rng.choice(["submitted", "submitted", "failed"])
        yield [
            make_control("submitting", second=t + 5, url=f"https://www.{host}/add/{slug}",
                         business=columns(business), **where),
            make_plan({k: v for k, v in asdict(sent).items() if k != "category"}, **where),
            make_history("submitting", number=10 * place + 10, second=t + 6, **where),
        ]  # fmt: skip
        candidate = rng.choice(["submitted", "submitted", "failed", "error", None])
        done = [make_control(control, version=2, second=t + 40, business=columns(business),
                             message=message if control == "failed" else None,
                             url=f"https://www.{host}/add/{slug}", **where)]  # fmt: skip
        if candidate:
            details: dict[str, Any] = {"duration_ms": 7000, "idem": f"{slug}-{place}"}
            if candidate == "error":
                details = {"error": message, "error_type": "RuntimeError"}
            done.append(make_history(candidate, number=10 * place + 11, second=t + 30, **where,
                                     **details))  # fmt: skip
        done.append(make_replay(rng.choice(["submitted", "failed"]), accepted=1,
                                values={"name": sent.name, "phone": sent.phone}, error=message,
                                **where))  # fmt: skip
        yield done
    yield [
        make_job(job_id, version=2, second=t + 60, status="failed",
                 error_message=f"Failed for {business.email}", **created),
        make_history("job_finalized", number=3, job_id=job_id, host=None, second=t + 60,
                     final_status="completed"),
        EventDraft(source="shadow queue", kind="sqs.dead_letter", key=f"dlq:{number}",
                   occurred_at=at(t + 61), job_id=job_id,
                   payload={"message_id": f"m-{number}", "receive_count": 4,
                            "reason": f"no flow for {business.name}",
                            "body": {"customer_id": customer, "email": business.email}}),
        EventDraft(source="recorder", kind="record.gap", key=f"gap:{number}",
                   occurred_at=at(t + 62),
                   payload={"what": "production", "why": f"lost {business.email}",
                            "from": at(t).isoformat(), "until": at(t + 1).isoformat()}),
    ]  # fmt: skip


def ways_of_writing(value: str) -> set[str]:
    """Forms in which a value must not be found, case folded."""
    forms = {value, quote(value), quote(value).replace("%20", "+"), json.dumps(value)[1:-1],
             re.sub(r"\W+", "-", value).strip("-"), re.sub(r"[\W_]+", "", value)}  # fmt: skip
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 10 and value.startswith("+"):
        forms |= {digits, digits[-10:], f"{digits[-10:-7]}-{digits[-7:-4]}-{digits[-4:]}"}
    if "@" in value:
        forms |= set(value.split("@"))
    if value.startswith("https://"):
        forms.add(value.removeprefix("https://"))
    return {form.casefold() for form in forms if len(form) >= 4}
