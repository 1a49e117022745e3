"""What named persons have said as of a moment: attestations, waivers and marks.

Each is an event and never taken away. Of one name or gate the newest statement counts.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from harness.assessment import Mark, Statement, Waiver
from harness.gates.inputs import Attestation
from harness.journal.reader import Reader
from harness.model import EventDraft, EventKind, Source
from harness.resources import sql_queries

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
MarkKind = Literal["ramp", "deployment", "cutover", "note"]


class AttestPayload(BaseModel):
    """The payload of an ``attest`` event."""

    model_config = ConfigDict(frozen=True)

    name: Words
    holds: bool
    by: Words
    until: AwareDatetime
    note: str | None = None
    took_s: float | None = Field(default=None, ge=0)


class WaivePayload(BaseModel):
    """The payload of a ``waive`` event."""

    model_config = ConfigDict(frozen=True)

    gate: Words
    by: Words
    reason: str
    until: AwareDatetime | None
    """None takes back what was waived."""


class MarkPayload(BaseModel):
    """The payload of a ``mark`` event."""

    model_config = ConfigDict(frozen=True)

    what: MarkKind
    value: str
    by: Words
    note: str | None = None


Payload = AttestPayload | WaivePayload | MarkPayload
_KINDS: dict[type[Payload], EventKind] = {
    AttestPayload: EventKind.ATTEST,
    WaivePayload: EventKind.WAIVE,
    MarkPayload: EventKind.MARK,
}


def said_event(payload: Payload, *, at: datetime) -> EventDraft:
    """The event that says it. Saying the same again is another statement."""
    kind = _KINDS[type(payload)]
    return EventDraft(
        source=Source.OPERATOR,
        kind=kind,
        key=f"{kind.value}:{uuid.uuid4()}",
        occurred_at=at,
        payload=payload.model_dump(mode="json"),
    )


def statements(reader: Reader, *, at: datetime) -> tuple[Statement, ...]:
    """The newest attestation of each name, by name; it counts until its expiry.

    at: the moment that is asked about. It may be later than the reader's last event: a journal to
    which nothing is added must not keep a statement alive.
    """
    found: dict[str, Statement] = {}
    for payload, occurred_at, seq in reader.rows(_queries()["select_attestations"]):
        said = AttestPayload.model_validate_json(payload)
        found[said.name] = Statement(
            name=said.name,
            holds=said.holds,
            by=said.by,
            note=said.note or "",
            until=said.until.astimezone(UTC),
            at=occurred_at.astimezone(UTC),
            seq=seq,
            valid=said.until > at,
            took_s=said.took_s,
        )
    return tuple(found[name] for name in sorted(found))


def attested(said: tuple[Statement, ...]) -> dict[str, Attestation]:
    """The statements as the gates are judged on them."""
    return {
        one.name: Attestation(
            text=f"{one.by}, until {one.until:%d %B %Y %H:%M} UTC"
            f"{f' ({one.note})' if one.note else ''}",
            valid=one.valid,
            holds=one.holds,
            took_s=one.took_s,
        )
        for one in said
    }


def waivers(reader: Reader, *, at: datetime) -> tuple[Waiver, ...]:
    """The newest waiver of each gate that was not taken back, by gate."""
    found: dict[str, Waiver] = {}
    for payload, occurred_at, seq in reader.rows(_queries()["select_waivers"]):
        said = WaivePayload.model_validate_json(payload)
        if said.until is None:
            found.pop(said.gate, None)
            continue
        found[said.gate] = Waiver(
            gate=said.gate,
            by=said.by,
            reason=said.reason,
            until=said.until.astimezone(UTC),
            at=occurred_at.astimezone(UTC),
            seq=seq,
            valid=said.until > at,
        )
    return tuple(found[gate] for gate in sorted(found))


def marks(reader: Reader) -> tuple[Mark, ...]:
    """Every mark, in the order in which it was journaled."""
    found = []
    for payload, recorded_at, seq in reader.rows(_queries()["select_marks"]):
        said = MarkPayload.model_validate_json(payload)
        found.append(
            Mark(
                what=said.what,
                value=said.value,
                by=said.by,
                note=said.note or "",
                at=recorded_at.astimezone(UTC),
                seq=seq,
            )
        )
    return tuple(found)


def _queries() -> dict[str, str]:
    return sql_queries("views/said.sql")
