"""A replication slot on the server: whether it may be used, what it holds, and its end.

Knows no event and no journal. Everything is a call of an SQL function in a READ ONLY transaction.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg import sql

from harness.errors import SourceError
from harness.record.postgres.connection import SourceConnection, last_line
from harness.record.postgres.horizon import SnapshotMark, horizon_query, mark_of
from harness.record.postgres.introspect import Table
from harness.record.postgres.standing import format_lsn
from harness.record.postgres.xids import CYCLE, HALF_CYCLE
from harness.record.slot.changes import Transaction
from harness.record.slot.coverage import coverage_query, find_trouble
from harness.record.slot.decoding_text import parse_test_decoding
from harness.record.slot.pgoutput import decode_pgoutput
from harness.resources import sql_queries

CREATION_PATIENCE_S = 5.0
"""A slot begins when every transaction that is writing has ended; longer we do not wait for it."""
_HOPELESS = {
    psycopg.errors.UndefinedObject: "The recorder polls until it can make the slot anew.",
    psycopg.errors.ObjectNotInPrerequisiteState: "The recorder polls until it can make it anew.",
    psycopg.errors.InsufficientPrivilege: "Run: ALTER ROLE … REPLICATION for the recorder's role.",
    psycopg.errors.ConfigurationLimitExceeded: "Raise max_replication_slots, or drop an idle slot.",
    psycopg.errors.UndefinedFile: 'Set record.slot_plugin = "pgoutput".',
}
"""What asking again at once would not change, with the mend."""


class SlotUnusableError(SourceError):
    """No slot can be read, for now or any more; polling is not concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOptions:
    """Which slot, and how much of production's log it may keep."""

    name: str = "shadow_recorder"
    plugin: Literal["pgoutput", "test_decoding"] = "pgoutput"
    publication: str = "shadow_recorder"
    warn_mb: float = 256.0
    drop_mb: float = 1024.0
    peek_messages: int = 10_000
    """A peek ends with the transaction that exceeds it; the server keeps the answer in memory or
    in a temporary file."""
    retry_s: float = 300.0
    """Pause between two attempts to make a slot, where the last one failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """Slot and log as they stood before a peek."""

    at: datetime
    xmin: int
    xmax: int
    """64-bit; every transaction below `xmin` is over, and none at `xmax` or above had begun."""
    inserted: int
    """Behind all that had been committed by `at` and all transactions below `xmin`."""
    flushed: int
    """Decoding reads up to here, which may be a moment behind `inserted`."""
    present: bool
    confirmed: int | None
    """Changes of transactions that ended before it are not told any more."""
    retained_mb: float
    """What the server keeps of its log for the slot."""
    wal_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peek:
    """What a peek told."""

    state: SlotState
    transactions: tuple[tuple[int, Transaction], ...]
    """With their 64-bit numbers; none that somebody may not see yet."""
    covered: int
    """No transaction that is visible and ended before it is left out."""
    more: bool
    """The slot can tell more at once."""
    mark: SnapshotMark
    """Of a snapshot after the peek."""
    extent: str
    """Differs from the last one if it has changed meanwhile which changes the slot tells."""
    storage: str
    """Differs from the last one if a table was written anew, which no slot tells."""
    trouble: str | None
    """Why the slot does not tell everything."""


class ReplicationSlot:
    """One slot, by SQL functions over the recorder's one connection."""

    def __init__(self, connection: SourceConnection, options: SlotOptions, *, schema: str) -> None:
        self.options = options
        self._connection = connection
        self._schema = schema
        self._name = sql.Literal(options.name)
        self._published = options.publication if options.plugin == "pgoutput" else None

    def check(self, tables: Sequence[Table]) -> None:
        """Raise SlotUnusableError, with the mend, if server, role or schema allow no slot."""
        coverage = self._coverage(tables)
        ability = _query("select_ability")
        endangered = _query("select_endangered").format(publication=sql.Literal(self._published))
        ((able,), covered, at_risk) = self._connection.ask([ability, coverage, endangered])[0]
        trouble = None
        if able["standby"]:
            trouble = "it is a standby. Point SHADOW_DSN at the primary"
        elif able["wal_level"] != "logical":
            trouble = (
                f"its wal_level is {able['wal_level']}. "
                "Run: ALTER SYSTEM SET wal_level = logical, and restart the server"
            )
        elif not able["may_decode"]:
            trouble = f"the role may not. Run: ALTER ROLE {able['role']} REPLICATION"
        elif at_risk:
            name = at_risk[0]["name"]
            trouble = (
                f"publication {self.options.publication} makes every UPDATE and DELETE of {name} "
                f"fail, because nothing identifies its rows. Run at once: ALTER PUBLICATION "
                f"{self.options.publication} DROP TABLE {name}"
            )
        else:
            trouble = self._trouble(covered, tables)
        if trouble:
            raise SlotUnusableError(
                f'{self._connection.place}: record.mode = "slot" does not work here: {trouble}; '
                'or set record.mode = "poll".'
            )
        self.state()

    def state(self) -> SlotState:
        """Return where the slot stands. Raises SlotUnusableError if it is somebody else's."""
        try:
            (((row,),),) = self._connection.ask([_query("select_slot").format(slot=self._name)])
        except SourceError as error:
            raise self._explained(error) from error
        return self._state(row)

    def create(self) -> None:
        """Make the slot; it tells every transaction that is committed from now on.

        Raises SlotUnusableError if a transaction that has written goes on for too long, or if the
        server refuses.
        """
        query = _query("create_slot").format(
            slot=self._name, plugin=sql.Literal(self.options.plugin)
        )
        patience = f"SELECT set_config('lock_timeout', '{CREATION_PATIENCE_S:.0f}s', true)"
        try:
            with self._connection.snapshot() as snapshot:
                snapshot.execute(patience.encode())
                snapshot.execute(query)
        except SourceError as error:
            if isinstance(
                error.__cause__,
                psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled,
            ):
                raise SlotUnusableError(
                    f"slot {self.options.name} cannot begin while a transaction that has written "
                    "is open. The recorder polls, and tries again later."
                ) from error
            raise self._explained(error) from error

    def peek(self, tables: Sequence[Table]) -> Peek:
        """Return the next whole transactions without consuming them, in one round trip.

        Raises SlotUnusableError if the slot is of no use any more, SourceError otherwise.
        """
        plugin = self.options.plugin
        peek = _query(f"peek_{plugin}").format(
            slot=self._name,
            limit=sql.Literal(self.options.peek_messages),
            publication=sql.Literal(f'"{self.options.publication}"'),
        )
        try:
            # The snapshot comes last, so that whatever was flushed long enough ago to be told
            # is also visible in it; each transaction is checked all the same.
            ((row,),), (told,), ((visible,), (marked,), covered) = self._connection.ask(
                [_query("select_slot").format(slot=self._name)],
                [peek],
                [
                    _query("select_visible"),
                    horizon_query("select_snapshot"),
                    self._coverage(tables),
                ],
            )
        except SourceError as error:
            raise self._explained(error) from error
        state, mark = self._state(row), mark_of(marked)
        transactions = self._decode(told, row["encoding"])
        seen = _until_invisible(transactions, str(visible["snapshot"]))
        limited = len(told) >= self.options.peek_messages
        cut = len(seen) < len(transactions)
        end = seen[-1][1].end if seen else state.confirmed or 0
        return Peek(
            state=state,
            transactions=tuple(seen),
            covered=end if limited or cut else max(end, state.flushed),
            more=limited and not cut,
            mark=mark,
            extent=" ".join(one["extent"] for one in covered),
            storage=" ".join(one["storage"] for one in covered),
            trouble=self._trouble(covered, tables),
        )

    def advance(self, position: int) -> None:
        """Let the server forget its log before `position`. Raises SourceError."""
        try:
            self._connection.ask(
                [
                    _query("advance_slot").format(
                        slot=self._name, position=sql.Literal(format_lsn(position))
                    )
                ]
            )
        except SourceError as error:
            raise self._explained(error) from error

    def drop(self) -> None:
        """Remove the slot, if it is there, so that the server keeps no log for it."""
        if self.state().present:
            self._connection.ask([_query("drop_slot").format(slot=self._name)])

    def _coverage(self, tables: Sequence[Table]) -> sql.Composed:
        return coverage_query(tables, publication=self._published, schema=self._schema)

    def _trouble(self, covered: Sequence[Any], tables: Sequence[Table]) -> str | None:
        return find_trouble(covered, tables, publication=self._published, schema=self._schema)

    def _state(self, row: Any) -> SlotState:
        name = self.options.name
        if row["present"] and (row["plugin"], row["database"]) != (
            self.options.plugin,
            row["here"],
        ):
            owner = f"of {row['plugin'] or 'physical replication'}"
            if row["database"]:
                owner += f" in database {row['database']}"
            raise SlotUnusableError(
                f"{self._connection.place}: replication slot {name} exists and is one {owner}. "
                "Give another record.slot, or drop it if nobody reads it: "
                f"SELECT pg_drop_replication_slot('{name}')"
            )
        return SlotState(
            at=row["at"],
            xmin=row["xmin"],
            xmax=row["xmax"],
            inserted=row["inserted"],
            flushed=row["flushed"],
            present=row["present"],
            confirmed=row["confirmed"],
            retained_mb=row["retained"] / 2**20,
            wal_status=row["wal_status"],
        )

    def _decode(self, told: Sequence[Any], encoding: str) -> list[Transaction]:
        if self.options.plugin == "test_decoding":
            texts = ((row["xid"], row["lsn"], row["data"]) for row in told)
            return list(parse_test_decoding(texts))
        messages = ((row["xid"], row["data"]) for row in told)
        return list(decode_pgoutput(messages, encoding=_codec(encoding)))

    def _explained(self, error: SourceError) -> SourceError:
        """Say of an error in decoding what mends it, and whether polling must take over."""
        cause, name = error.__cause__, self.options.name
        if isinstance(cause, psycopg.errors.ObjectInUse):
            return SourceError(
                f"{self._connection.place}: replication slot {name} is being read by another "
                "session. End that session, or give another record.slot."
            )
        for kind, mend in _HOPELESS.items():
            if isinstance(cause, kind):
                return SlotUnusableError(f"{last_line(str(cause)).rstrip('.')}. {mend}")
        return error


def _until_invisible(
    transactions: Sequence[Transaction], snapshot: str
) -> list[tuple[int, Transaction]]:
    """Return the transactions before the first that the snapshot does not show.

    A transaction is in the log a moment before others see its rows, and for as long as a
    synchronous standby does not answer. Until then nobody could have acted on it, and a failover
    may undo it; and what the tables hold now could not be compared with it.
    """
    _xmin, xmax, running = snapshot.split(":")
    next_xid = int(xmax)
    unfinished = {int(xid) for xid in running.split(",") if xid}
    seen = []
    for transaction in transactions:
        xid = near_xid(transaction.xid, next_xid)
        if xid >= next_xid or xid in unfinished:
            break
        seen.append((xid, transaction))
    return seen


def near_xid(raw: int, near: int) -> int:
    """Return the 64-bit transaction number with these low 32 bits that is nearest to `near`."""
    return near + (raw - near + HALF_CYCLE) % CYCLE - HALF_CYCLE


def _codec(encoding: str) -> str:
    """Return Python's name for an encoding of PostgreSQL's."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return encoding.lower().replace("win", "cp")


def _query(name: str) -> sql.SQL:
    return sql.SQL(sql_queries("postgres/record/slot.sql")[name].rstrip(";"))
