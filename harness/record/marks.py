"""What a finished poll proved, as the journal says it. Pure: no journal, no source, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import Watermark
from harness.record.chunk import Done


def make_watermark(source: str, position: Mapping[str, Any], done: Done) -> Watermark:
    """Return the watermark of `source`: complete up to the snapshot of the poll."""
    return Watermark(source=source, position=position, complete_until=done.mark.at)


def fast_position(done: Done) -> dict[str, Any]:
    """Return the position of the fast tier: S, and the tables that it covers."""
    since = done.since.isoformat() if done.since else None
    return {"since": since, "tables": list(done.tables)}


def sweep_payload(done: Done) -> dict[str, Any]:
    """Return the payload of ``record.sweep``."""
    return {
        "tier": done.tier,
        "xid": done.mark.xmin,
        "complete_until": done.mark.at.isoformat(),
        "rows": done.rows,
        "cost_ms": round(done.cost_ms, 3),
        "tables": list(done.tables),
        "provisional": done.since is None,
    }
