"""Triage as of a moment: what named persons say that differences come from.

Of one target the newest statement counts, until it is taken back. It changes no verdict, no figure
and no decision.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from harness.assess.said import Words
from harness.assessment import Cluster, Difference, Triage
from harness.journal.reader import Reader
from harness.model import EventDraft, EventKind, Source, TriageLabel
from harness.resources import sql_queries


class TriagePayload(BaseModel):
    """The payload of a ``triage`` event."""

    model_config = ConfigDict(frozen=True)

    target: Words
    """Id of a cluster or of a difference."""
    label: TriageLabel | None
    """None takes back what was said of the target."""
    reason: str
    by: Words
    description: str
    """What the target was called at that time; personal values masked."""


def triage_event(payload: TriagePayload, *, key: str, at: datetime) -> EventDraft:
    """The event that says it; `key` makes one statement of it, however often it is appended."""
    return EventDraft(
        source=Source.OPERATOR,
        kind=EventKind.TRIAGE,
        key=key,
        occurred_at=at,
        payload=payload.model_dump(mode="json"),
    )


def triages(reader: Reader) -> tuple[Triage, ...]:
    """What counts as of the reader's moment, in the order in which it was said."""
    found: dict[str, Triage] = {}
    for seq, at, payload in reader.rows(sql_queries("views/triage.sql")["select_triage"]):
        said = TriagePayload.model_validate_json(payload)
        # Said anew, it stands where it was said last.
        found.pop(said.target, None)
        if said.label is not None:
            found[said.target] = Triage(
                target=said.target,
                label=said.label,
                reason=said.reason,
                author=said.by,
                at=at.astimezone(UTC),
                seq=seq,
                description=said.description,
            )
    return tuple(found.values())


def with_gone(said: tuple[Triage, ...], present: Collection[str]) -> tuple[Triage, ...]:
    """The same, those marked whose cluster or difference is not among the `present` ids."""
    return tuple(replace(one, gone=one.target not in present) for one in said)


def on_clusters(clusters: tuple[Cluster, ...], said: tuple[Triage, ...]) -> tuple[Cluster, ...]:
    """The clusters with what was said of each."""
    of = {one.target: one for one in said}
    return tuple(replace(c, triage=of[c.id]) if c.id in of else c for c in clusters)


def on_differences(
    differences: tuple[Difference, ...], said: tuple[Triage, ...]
) -> tuple[Difference, ...]:
    """The differences with what was said of each itself, not of its cluster."""
    of = {one.target: one for one in said}
    return tuple(replace(d, triage=of[d.id]) if d.id in of else d for d in differences)
