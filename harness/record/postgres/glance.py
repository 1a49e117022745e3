"""What a tick asks of each table, and the one round trip in which it asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, pairwise

from psycopg import sql
from psycopg.rows import DictRow

from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.horizon import SnapshotMark, horizon_query, look_statements, mark_of
from harness.record.postgres.introspect import Table
from harness.record.postgres.reading import (
    Question,
    age_since,
    ask_changed,
    ask_created_since,
    ask_touched_since,
    rewritten_query,
    together,
)

LATELY = sql.SQL("now() - interval '30 s'")
"""How far a provisional fast tier looks back: it proves nothing, so any bound will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What came back."""

    look: Sequence[Sequence[DictRow]]
    """The answers of ``look_statements``, from a transaction before that of the snapshot."""
    mark: SnapshotMark
    rows: Mapping[str, list[DictRow]]
    """By table."""
    costs_s: Mapping[str, float]
    """What each table that is read by time took the source."""
    cost_s: float
    """What all tables together took it."""
    rewritten: frozenset[str]
    """Tables whose new file the snapshot cannot see."""


def ask_glance(
    table: Table,
    *,
    xid: int | None,
    since: datetime | None,
    customers_of: tuple[Table, str] | None,
    affordable: bool,
    limit: int,
) -> Question | None:
    """Return what a tick asks of `table`; None if it leaves it to the sweeps.

    xid: X of the last look at the table; since: S, None while the tier is provisional.
    """
    if table.by_time and table.created:
        if not affordable:
            return None
        return ask_created_since(table, table.created, since=since or LATELY, limit=limit)
    if affordable and xid is not None:
        return ask_changed(table, age=age_since(xid), customers_of=customers_of, limit=limit)
    if table.touched and table.name != "customers":
        return ask_touched_since(table, table.touched, since=LATELY, limit=limit)
    return None


def read_glance(
    connection: SourceConnection, tables: Sequence[Table], asked: Mapping[str, Question]
) -> Glance:
    """Ask the questions in one snapshot. Raises SourceError.

    A table that is read by time has its cost measured here, because it grows with the age of the
    oldest transaction; the others are asked together, and the sweeps measure each.
    """
    by_time = [table.name for table in tables if table.by_time]
    others = {name: question for name, question in asked.items() if name not in by_time}
    statements: list[sql.Composable] = [asked[name].statement for name in by_time]
    if others:
        statements.append(together(others))
    clock = horizon_query("select_clock")
    between = chain.from_iterable((statement, clock) for statement in statements[:-1])
    # The last of them tells the time as well.
    script = (horizon_query("select_snapshot"), *between, *statements[-1:], rewritten_query(tables))
    look, ((marked,), *answers) = connection.ask(look_statements(), script)
    (rewritten,) = answers[-1]
    times = [marked["clock"], *(rows[0]["clock"] for rows in answers[1::2])]
    took_s = [max(0.0, (ended - began).total_seconds()) for began, ended in pairwise(times)]
    found: dict[str, list[DictRow]] = {name: [] for name in asked}
    found |= dict(zip(by_time, answers[::2], strict=False))
    for row in answers[-2] if others else []:
        found[row["name"]].append(row)
    return Glance(
        look=look,
        mark=mark_of(marked),
        rows=found,
        costs_s=dict(zip(by_time, took_s, strict=False)),
        cost_s=sum(took_s),
        rewritten=frozenset(rewritten["names"]),
    )
