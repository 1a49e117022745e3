"""Makes events of the rows that a poll found and the poll before did not. No driver, no clock.

A window overlaps the one before for as long as the oldest transaction ran, so its rows are
remembered: an idle tick then need neither parse them nor open the journal to learn that it knows
them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from harness.model import EventDraft
from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.introspect import Table
from harness.record.postgres.tables import event_key, make_event, parse_time
from harness.record.postgres.xids import full_xid

Found = tuple[int, str]
"""The raw xmin of a row version and the row as text."""


class Window:
    """The rows of one poll, table by table."""

    def __init__(self, mark: SnapshotMark, *, since: datetime | None) -> None:
        """mark: the poll's snapshot; since: S for the next poll."""
        self.rows = 0
        """Events made so far."""
        self.seen: dict[str, set[Found]] = {}
        self._mark = mark
        self._since = since

    def drafts(
        self,
        table: Table,
        rows: Iterable[Mapping[str, Any]],
        *,
        before: Mapping[str, set[Found]],
        keep_all: bool = True,
    ) -> list[EventDraft]:
        """Return the rows that `before` does not hold, as events.

        keep_all: False where a whole table is read, most of which no later window asks for.
        """
        known = before.get(table.name, set())
        now = self.seen.setdefault(table.name, set())
        drafts = []
        for found in rows:
            raw = (found["xmin"], found["row"])
            if keep_all:
                now.add(raw)
            if raw in known and keep_all:
                continue
            row = json.loads(found["row"])
            xid = full_xid(found["xmin"], next_xid=self._mark.xmax)
            if not keep_all and (xid >= self._mark.xmin or self._is_young(table, row)):
                now.add(raw)
            key = event_key(table.spec, table.key, row, xid)
            drafts.append(make_event(table.spec, row, key=key, snapshot_at=self._mark.at))
        self.rows += len(drafts)
        return drafts

    def _is_young(self, table: Table, row: Mapping[str, Any]) -> bool:
        if not table.by_time or table.created is None or self._since is None:
            return False
        created = parse_time(row.get(table.created))
        return created is not None and created >= self._since
