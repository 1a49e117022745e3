"""Attestations as of a moment: what named persons have stated, and whether it still counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from harness.gates.inputs import Attestation
from harness.journal.reader import Reader
from harness.resources import sql_queries


def attestations(reader: Reader, *, at: datetime) -> dict[str, Attestation]:
    """The newest statement of each name; it counts until its expiry.

    at: the moment that is asked about. It may be later than the reader's last event: a journal to
    which nothing is added must not keep a statement alive.
    """
    found: dict[str, Attestation] = {}
    rows = reader.rows(sql_queries("views/recording_health.sql")["select_attestations"])
    for payload, _ in rows:
        said = json.loads(payload)
        until = datetime.fromisoformat(said["until"]).astimezone(UTC)
        words = "" if not said.get("note") else f" ({said['note']})"
        found[said["name"]] = Attestation(
            text=f"{said['by']}, until {until:%d %B %Y %H:%M} UTC{words}",
            valid=until > at,
            holds=bool(said["holds"]),
        )
    return found
