"""A second, plain comparison of control and candidate: events in, verdicts and differences out.

It follows what is written about both systems, one event and one pair at a time, and shares no code
with the product. It is slow, and meant to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.model import EventDraft

DONE = ("submitted", "failed", "skipped")
FIELDS = ("name", "email", "phone", "website", "address", "city", "state", "zip", "category",
          "description")  # fmt: skip
CONTROL_MEANS = {
    **dict.fromkeys(("pending", "queued", "submitting", "in_progress", "processing", "retry"),
                    "in_flight"),
    **dict.fromkeys(("submitted", "approved", "success"), "submitted"),
    **dict.fromkeys(("failed", "rejected", "no_form", "error", "manual_required"), "failed"),
}  # fmt: skip
BEGINS = ("submitting", "in_progress", "processing")
CANDIDATE_MEANS = {
    "submitting": "in_flight", "submitted": "submitted", "failed": "failed", "error": "failed",
    "error_no_profile": "failed", "skipped_duplicate": "skipped",
}  # fmt: skip
SAME_WORD = CONTROL_MEANS | {"error_no_profile": "failed", "skipped_duplicate": "submitted",
                             "skipped": "submitted"}  # fmt: skip
"""What a word counts as when outcomes are compared; a skipped directory had been submitted."""
SLOW_S = 120.0
TRIES = 4


@dataclass(slots=True)
class Word:
    """The latest that one side said about one submission."""

    outcome: str = "in_flight"
    raw: str | None = None
    error: str | None = None
    began: datetime | None = None
    ended: datetime | None = None
    tries: int = 0
    duration_s: float | None = None
    sent: dict[str, Any] | None = None


@dataclass(slots=True)
class Job:
    """What is known of one job."""

    created: datetime | None = None
    customer: str | None = None
    business: dict[str, Any] | None = None
    signs: list[datetime] = field(default_factory=list)
    ended: bool = False


@dataclass(slots=True)
class Record:
    """Everything that the events say, sorted by whom they tell of."""

    jobs: dict[str, Job] = field(default_factory=dict)
    control: dict[tuple[str, str], dict[str, Word]] = field(default_factory=dict)
    """By (job, host), then by the id of the row."""
    candidate: dict[tuple[str, str, str], Word] = field(default_factory=dict)
    """By (mode, job, host)."""
    received: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    blind: list[tuple[datetime | None, datetime | None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict of one pair, and the fields that differ."""

    verdict: str
    fields: frozenset[str]


def compare_plainly(
    events: Sequence[EventDraft],
    classes: dict[str | None, str],
    *,
    until: datetime,
    deadline_s: float,
    scale: float,
) -> dict[tuple[str, str, str], Result]:
    """Judge each (mode, job, host). classes: the class of each error text that occurs."""
    record = read(events)
    keys = {("live", job, host) for job, host in record.control}
    keys |= {key for key in record.candidate if key[0] == "live"}
    # A replay asks whether the candidate does what the control did; without one it has no answer.
    keys |= {key for key in record.candidate if key[1:] in record.control}
    judge = Judge(record, classes, until, deadline_s, scale)
    return {key: judge.result(*key) for key in keys}


def counts(results: Iterable[Result]) -> Counter[str]:
    """How many pairs have each verdict."""
    return Counter(result.verdict for result in results)


def read(events: Sequence[EventDraft]) -> Record:
    """Take in the events one by one; one that is delivered again says nothing new."""
    record = Record()
    first: dict[str, EventDraft] = {}
    for event in events:
        first.setdefault(event.key, event)
    for event in first.values():
        if event.kind == "jobs":
            _read_job(record, event)
    owners = {job.customer: name for name, job in record.jobs.items()}
    looks: list[tuple[datetime, bool]] = []
    for event in first.values():
        if event.kind == "directory_submissions":
            owner = event.job_id or owners.get(event.payload.get("customer_job_id"))
            if owner is not None:
                _read_control(record, owner, event)
        elif event.kind == "queue_history":
            _read_history(record, event)
        elif event.kind == "job_results":
            _read_plan(record, event)
        elif event.kind == "replay.submission":
            _read_replay(record, event)
        elif event.kind == "record.started":
            columns = event.payload["tables"]["queue_history"]
            looks.append((event.occurred_at, "event" in columns))
    for place, (moment, could) in enumerate(looks):
        if not could:
            later = looks[place + 1][0] if place + 1 < len(looks) else None
            record.blind.append((moment if place else None, later))
    return record


def _read_job(record: Record, event: EventDraft) -> None:
    job = record.jobs.setdefault(str(event.job_id), Job())
    if job.created is None:
        job.created = datetime.fromisoformat(event.payload["created_at"])
    job.customer = event.payload["customer_id"]
    job.business = event.payload.get("business_data") or job.business


def _read_control(record: Record, job: str, event: EventDraft) -> None:
    row = event.payload
    rows = record.control.setdefault((job, host(row["directory_url"])), {})
    word = rows.setdefault(row["id"], Word())
    word.raw = row["status"]
    word.outcome = CONTROL_MEANS.get(word.raw or "", "unknown")
    word.error = row.get("result_message") if word.outcome == "failed" else None
    if word.raw in BEGINS:
        word.began = min(word.began or event.occurred_at, event.occurred_at)
    listing = row.get("listing_data") or {}
    if listing.get("email") is not None or listing.get("business_name") is not None:
        word.sent = listing


def _read_history(record: Record, event: EventDraft) -> None:
    said = event.payload["event"]
    details = event.payload["details"]
    job = str(event.job_id)
    if event.directory is None:
        known = record.jobs.setdefault(job, Job())
        if said in ("queue_claimed", "flow_triggered", "flow_started"):
            known.signs.append(event.occurred_at)
        known.ended = known.ended or said in ("job_finalized", "job_failed")
    elif said in CANDIDATE_MEANS:
        word = record.candidate.setdefault(("live", job, host(event.directory)), Word())
        word.raw, word.outcome = said, CANDIDATE_MEANS[said]
        word.error = {"error": details.get("error"),
                      "error_no_profile": "no business profile"}.get(said)  # fmt: skip
        word.ended = None if said == "submitting" else event.occurred_at
        if said == "submitting":
            word.tries += 1
            # Patience counts from the first try: it outlasts all tries and the waits between them.
            word.began = min(word.began or event.occurred_at, event.occurred_at)
        if "duration_ms" in details:
            word.duration_s = details["duration_ms"] / 1000


def _read_plan(record: Record, event: EventDraft) -> None:
    if "payload" not in event.payload:
        # Some other program's row: it is neither side's word.
        return
    word = record.candidate.setdefault(("live", str(event.job_id), host(event.directory)), Word())
    word.sent = {}
    for step in event.payload["payload"]["plan"]:
        if step["action"] == "fill":
            word.sent.setdefault(step["selector"].split("'")[1], step["value"])


def _read_replay(record: Record, event: EventDraft) -> None:
    key = (event.payload["run"], str(event.job_id), host(event.directory))
    claim = event.payload["claimed"]
    record.candidate[key] = Word(
        outcome=claim["status"], raw=claim["status"], error=claim["error_text"],
        began=event.occurred_at, ended=event.occurred_at, tries=1,
    )  # fmt: skip
    record.received[key] = event.payload["observed"]["values"]


@dataclass(frozen=True, slots=True)
class Judge:
    """Says of one pair at a time what it is."""

    record: Record
    classes: dict[str | None, str]
    until: datetime
    deadline_s: float
    scale: float

    def result(self, mode: str, job_id: str, directory: str) -> Result:
        """The verdict, and which fields differ."""
        rows = self.record.control.get((job_id, directory), {})
        new = self.record.candidate.get((mode, job_id, directory))
        ends = {word.outcome for word in rows.values() if word.outcome in DONE}
        if len(ends) > 1:
            return Result("excluded", frozenset())
        old = _speaker(rows)
        job = self.record.jobs[job_id]
        overdue = self._candidate_overdue(job, new)
        old_done = old is not None and old.outcome in DONE
        new_done = new is not None and new.outcome in DONE
        if new is not None and mode == "live" and new.raw == "error":
            # It will be tried again, unless the tries, the job or the patience are at an end.
            new_done = new.tries >= TRIES or job.ended or overdue
        if old_done and new_done and old is not None and new is not None:
            fields = self._differing(mode, job_id, directory, old, new)
            judged = fields - {"latency_s"}
            return Result("mismatch" if judged else "agree", fields)
        if old_done and overdue:
            return Result("missing_candidate", frozenset({"outcome"}))
        if new_done and self._control_overdue(old, overdue):
            return Result("missing_control", frozenset({"outcome"}))
        return Result("in_flight", frozenset())

    def _candidate_overdue(self, job: Job, new: Word | None) -> bool:
        signs = [job.created, *job.signs]
        if new is not None:
            signs += [new.began, new.ended]
        last = max(moment for moment in signs if moment is not None)
        heard_until = self.until
        for begin, end in self.record.blind:
            # What falls into a time when nobody could look is neither heard nor silent.
            if end is None or last < end:
                heard_until = min(heard_until, last if begin is None else max(last, begin))
        return (heard_until - last).total_seconds() * self.scale > self.deadline_s

    def _control_overdue(self, old: Word | None, overdue: bool) -> bool:
        if old is None:
            return overdue
        if old.outcome == "unknown" or old.began is None:
            return False
        return (self.until - old.began).total_seconds() * self.scale > self.deadline_s

    def _differing(
        self, mode: str, job_id: str, directory: str, old: Word, new: Word
    ) -> frozenset[str]:
        found = set()
        if SAME_WORD[old.raw or ""] != SAME_WORD[new.raw or ""]:
            found.add("outcome")
        if old.outcome == new.outcome == "failed":
            classes = self.classes[old.error], self.classes[new.error]
            texts = old.error or "", new.error or ""
            same = texts[0] == texts[1] if "unknown" in classes else classes[0] == classes[1]
            if not same:
                found.add("error")
        if mode == "live":
            new_sent = new.sent or {}
            if new.duration_s is not None and round(new.duration_s, 1) > SLOW_S:
                found.add("latency_s")
        else:
            new_sent = self.record.received[mode, job_id, directory]
        old_sent = old.sent or self.record.jobs[job_id].business or {}
        for name in FIELDS:
            values = _value(old_sent, name), _value(new_sent, name)
            if None not in values and _plain(name, str(values[0])) != _plain(name, str(values[1])):
                found.add(f"values.{name}")
        return frozenset(found)


def _speaker(rows: dict[str, Word]) -> Word | None:
    """The row of a host that speaks for it: one that has not ended, if any; else the first."""
    for _, word in sorted(rows.items()):
        if word.outcome not in DONE:
            return word
    return rows[min(rows)] if rows else None


def host(address: str | None) -> str:
    """The host of an address: lower case, without scheme, user, port and ``www.``."""
    text = (address or "").strip().lower()
    text = text.partition("://")[2] if "://" in text else text
    for mark in "/?#":
        text = text.partition(mark)[0]
    return text.rpartition("@")[2].partition(":")[0].removeprefix("www.")


def _value(sent: dict[str, Any], name: str) -> Any:
    aliases = {"name": ("name", "business_name", "customer_name"),
               "email": ("email", "customer_email")}  # fmt: skip
    return next((sent[a] for a in aliases.get(name, (name,)) if sent.get(a) is not None), None)


def _plain(name: str, value: str) -> str:
    text = " ".join(value.split())
    if name in ("email", "city"):
        return text.casefold()
    if name == "phone":
        digits = "".join(letter for letter in text if letter.isdigit())
        return digits[-10:] if len(digits) in (10, 11) else text
    if name == "website":
        bare = text.partition("://")[2] or text
        place, slash, path = bare.partition("/")
        place = place.lower().removeprefix("www.").removesuffix(":443").removesuffix(":80")
        return (place + slash + path).rstrip("/")
    return text
