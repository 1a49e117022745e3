"""The two clocks of the source: how old an unseen row can be, by time and by transaction number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from harness.record.postgres.connection import Snapshot, SourceConnection
from harness.resources import sql_queries

PUBLICATION_MARGIN_S = 2.0
"""Room between the moment that a transaction calls its start and the moment we can see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """What the look at the other sessions proved."""

    since: datetime | None
    """S: a row that the next snapshot does not show was or will be created at S or later.
    None where nothing was ever proved: the fast tier is then provisional."""
    held: str | None
    """Why S stays where it was before; None if it moved on."""
    at: datetime
    """The source's time at the look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMark:
    """Where a snapshot stands."""

    at: datetime
    """Whatever had been committed by then is in the snapshot."""
    xmin: int
    """X, 64-bit: every transaction below it is over, and visible if it committed."""
    xmax: int
    """No row in the snapshot has this number or a higher one."""
    xmin_age: int
    lsn: int
    """How far the log had been flushed (on a standby: replayed), in bytes."""
    backend_start: datetime
    """When the server's process that answers us was started; a pooler may give us another."""


def read_horizon(
    connection: SourceConnection,
    *,
    previous: datetime | None,
    margin_s: float = PUBLICATION_MARGIN_S,
) -> Horizon:
    """Return S, from a transaction of its own that ends before the caller takes a snapshot.

    Why S makes the fast tier sound, and each condition that it needs. ``created_at`` is ``now()``
    of the inserting transaction, which is its start, so a row appears with a time in the past, as
    long ago as its transaction ran. S is the start of the oldest transaction still running, or
    now if that is older. Take a row that snapshot N does not show and a later one does. Its
    transaction T ended after N was taken, so at the look before N it either ran, and S is no later
    than its start; or it had not begun, and it starts after S. Either way its row has
    ``created_at >= S``, and the next poll asks for exactly that.

    * The look must come *before* the snapshot, hence the transaction of its own. The other way
      round, T could commit between snapshot and look: invisible in the first, gone in the second,
      and its row older than S for ever.
    * A transaction reads the clock first and publishes its start a moment later. A process that is
      descheduled in between is invisible with a start in our past; so S stays `margin_s` behind.
    * A query string may hold several transactions, and all of them start, by their own word, when
      it arrived. Between two of them the session has no start to show; so one that works on a
      string counts from its arrival.
    * PREPARE TRANSACTION takes T out of pg_stat_activity before it ends, and pg_prepared_xacts
      does not tell when T began. So while any is prepared S stays where it was, which is right
      by the same argument one look earlier. The sessions are looked at first: T moves from there
      to the prepared ones, so looking in this order cannot miss it on its way.
    * A session shows its start only to pg_read_all_stats, not at all with track_activities off,
      and on a standby the writers are not sessions. Then S stays where it was too; and without an
      earlier S the tier is provisional: it still finds rows early, and proves nothing.
    """
    (answers,) = connection.ask(look_statements())
    return horizon_of(answers, previous=previous, margin_s=margin_s)


def look_statements() -> list[sql.Composable]:
    """What `horizon_of` wants the answers of; in a transaction before that of the snapshot."""
    return [horizon_query("select_activity"), horizon_query("count_prepared")]


def horizon_of(
    answers: Sequence[Sequence[Mapping[str, Any]]],
    *,
    previous: datetime | None,
    margin_s: float = PUBLICATION_MARGIN_S,
) -> Horizon:
    """Return S from the answers to `look_statements`."""
    (seen,), (prepared,) = answers
    latest = seen["at"] - timedelta(seconds=margin_s)
    since = min(latest, seen["oldest"]) if seen["oldest"] else latest
    reason = None
    if seen["standby"]:
        reason = "the source is a standby: its writers are sessions of another server"
    elif not seen["sees_all"]:
        reason = "the role lacks pg_read_all_stats, so other sessions' transactions are hidden"
    elif seen["hidden"]:
        reason = "a session runs with track_activities off, so its transactions are hidden"
    elif prepared["prepared"]:
        reason = "a prepared transaction of unknown age exists"
    return Horizon(since=since if reason is None else previous, held=reason, at=seen["at"])


def horizon_query(name: str) -> sql.SQL:
    """Return a statement of ``horizon.sql``."""
    return sql.SQL(sql_queries("postgres/record/horizon.sql")[name])


def mark_snapshot(snapshot: Snapshot) -> SnapshotMark:
    """Say where the transaction's snapshot stands."""
    (row,) = snapshot.execute(horizon_query("select_snapshot")).fetchall()
    return mark_of(row)


def mark_of(row: Mapping[str, Any]) -> SnapshotMark:
    """Return where a snapshot stands from the row of ``select_snapshot``."""
    return SnapshotMark(
        at=row["at"],
        xmin=row["xmin"],
        xmax=row["xmax"],
        xmin_age=row["xmin_age"],
        lsn=row["lsn"],
        backend_start=row["backend_start"],
    )
