"""Reads production's tables so that no committed row is missed. Knows no journal and no schedule.

A poll yields chunks of events; what it proved becomes the base of the next poll only when the
caller asks for the chunk after the last, that is, when the last one is safely in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from harness.errors import SourceError
from harness.model import EventDraft
from harness.record.chunk import Chunk, Done
from harness.record.connection import Snapshot, SourceConnection
from harness.record.horizon import (
    PUBLICATION_MARGIN_S,
    Horizon,
    SnapshotMark,
    mark_snapshot,
    read_horizon,
)
from harness.record.introspect import (
    Server,
    Table,
    customer_link,
    describe_drift,
    read_server,
    read_tables,
    shape_of,
)
from harness.record.pace import Pace
from harness.record.reading import (
    Question,
    ask_all,
    ask_changed,
    ask_created_since,
    ask_touched_since,
    fetch,
    stream,
)
from harness.record.tables import event_key, make_event, parse_time
from harness.record.xids import CRASH_REUSE_XIDS, FIRST_NORMAL_XID, full_xid, sweep_age

OPPORTUNISTIC_S = 30.0
"""How far a provisional fast tier looks back: it proves nothing, so any bound will do."""
SWEEP_TIMEOUT_S = 300.0
"""A sweep scans whole tables and a first copy sorts one; a tick reads a few rows."""


@dataclass(slots=True)
class _Poll:
    """What one poll has found so far; becomes the source's state when it is over."""

    mark: SnapshotMark
    horizon: Horizon
    round_trip_s: float
    rows: int = 0
    cost_s: float = 0.0
    seen: dict[str, set[str]] = field(default_factory=dict)
    by_xid: list[str] = field(default_factory=list)
    by_time: list[str] = field(default_factory=list)
    overflowed: bool = False
    """A window outgrew one answer; only a sweep can tell what is in it."""


class PostgresSource:
    """The tables of production as a source of events. Not for several threads at once."""

    def __init__(
        self,
        connection: SourceConnection,
        *,
        pace: Pace,
        schema: str = "public",
        chunk_rows: int = 10_000,
        margin_s: float = PUBLICATION_MARGIN_S,
        sweep_timeout_s: float = SWEEP_TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self.server: Server | None = None
        self.tables: tuple[Table, ...] = ()
        self._pace = pace
        self._schema = schema
        self._chunk_rows = chunk_rows
        self._margin_s = margin_s
        self._sweep_timeout_s = sweep_timeout_s
        self._monotonic = monotonic
        self._xids: dict[str, int] = {}
        self._since: datetime | None = None
        self._seen: dict[str, set[str]] = {}
        self._shape: Mapping[str, Mapping[str, str]] = {}
        self._generation = 0
        self._swept = False
        self._urgent = False

    def open(
        self,
        position: Mapping[str, Any] | None = None,
        shape: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Look at the source and take up what the journal remembers of it.

        position: that of the watermark ``production``; shape: the columns last seen.
        Raises SourceError if the source cannot be recorded or is not the one of the journal.
        """
        with self.connection.snapshot() as snapshot:
            self.server = read_server(snapshot)
            self.tables = _related(read_tables(snapshot, schema=self._schema))
        position = position or {}
        known = position.get("identity")
        if known and self.server.identity and known != self.server.identity:
            raise SourceError(
                f"{self.connection.place} is not the database that this journal was recorded from. "
                "Give another --journal, or point SHADOW_DSN at the first one."
            )
        self._xids = {name: int(position["xid"]) for name in position.get("tables", ())}
        self._shape = shape or {}

    def position(self, done: Done) -> dict[str, Any]:
        """Return what a later session needs to go on from `done`, a complete poll."""
        identity = self.server.identity if self.server else None
        return {
            "xid": done.mark.xmin,
            "since": done.since.isoformat() if done.since else None,
            "tables": list(done.tables),
            "identity": identity,
        }

    def poll(self, *, full: bool) -> Generator[Chunk, None, None]:
        """Yield what is new. full: sweep every table, however dear. Raises SourceError."""
        horizon = read_horizon(self.connection, previous=self._since, margin_s=self._margin_s)
        if self.connection.generation != self._generation:
            self._go_back()
        urgent = self._urgent and self._pace.sweep_due(self._monotonic(), urgent=True)
        if full or urgent or not self._swept:
            yield from self._sweep(horizon)
        else:
            yield from self._glance(horizon)

    def _go_back(self) -> None:
        """A new connection may be one to a server that has crashed meanwhile."""
        self._generation = self.connection.generation
        self._xids = {
            name: max(FIRST_NORMAL_XID, xid - CRASH_REUSE_XIDS) for name, xid in self._xids.items()
        }
        self._urgent = True

    def _sweep(self, horizon: Horizon) -> Iterator[Chunk]:
        """Every version that the snapshot of the last sweep could not see.

        Why ``age(xmin) <= age(X)`` is sound without any privilege. X is the oldest transaction
        still running when the snapshot of the last sweep was taken, so every transaction below X
        was over: its rows were visible then, or will never be. A version that is visible now and
        was not then carries the number of its writer (or of a subtransaction, which is higher),
        and that is X or above. In-place updates are new versions and carry new numbers. X is
        compared by age(), which counts backwards from now on the 32-bit circle, because xmin
        itself has no order there. All tables are read in one snapshot, so one X serves all.
        """
        buffer: list[EventDraft] = []
        with (
            self._paced(),
            self.connection.snapshot(statement_timeout_s=self._sweep_timeout_s) as snapshot,
        ):
            poll = self._begin(snapshot, horizon)
            tables = _related(read_tables(snapshot, schema=self._schema))
            copying = any(_age(self._xids, table.name, poll.mark) is None for table in tables)
            tier = "copy" if copying else "sweep"
            for table in tables:
                started_s = poll.cost_s
                for rows in self._timed(poll, self._stream(snapshot, table, tables, poll)):
                    buffer += self._drafts(table, rows, poll, keep_all=not copying)
                    while len(buffer) >= self._chunk_rows:
                        yield Chunk(events=_in_order(buffer[: self._chunk_rows]), tier=tier)
                        del buffer[: self._chunk_rows]
                poll.by_xid.append(table.name)
                if table.by_time:
                    self._pace.forget(table.name)
                elif not copying:
                    self._pace.measured(table.name, poll.cost_s - started_s)
        shape = shape_of(tables)
        drift = describe_drift(self._shape, shape) if self._shape else []
        done = Done(
            tier=tier,
            mark=poll.mark,
            since=horizon.since,
            held=horizon.held,
            tables=tuple(poll.by_xid),
            complete=True,
            rows=poll.rows,
            cost_ms=poll.cost_s * 1000,
            drift=tuple(drift),
            shape=shape,
        )
        yield Chunk(events=_in_order(buffer), tier=tier, done=done)
        self.tables = tables
        self._shape = shape
        self._since = horizon.since
        self._swept = True
        self._urgent = False
        self._xids = dict.fromkeys(poll.by_xid, poll.mark.xmin)
        self._seen = poll.seen
        self._pace.swept(cost_s=poll.cost_s, now_s=self._monotonic())

    def _glance(self, horizon: Horizon) -> Iterator[Chunk]:
        """What a tick can afford: appended rows by time, changed rows by transaction number."""
        buffer: list[EventDraft] = []
        with self.connection.snapshot() as snapshot:
            poll = self._begin(snapshot, horizon)
            names = [table.name for table in self.tables]
            affordable = set(self._pace.affordable(names, self._monotonic()))
            for table in self.tables:
                question = self._ask_glance(table, poll, affordable=table.name in affordable)
                if question is None:
                    continue
                rows = self._fetch(snapshot, question, table, poll)
                buffer += self._drafts(table, rows, poll, keep_all=True)
                if len(rows) >= self._chunk_rows:
                    poll.overflowed = True
                elif question.by_xid:
                    poll.by_xid.append(table.name)
                elif table.by_time:
                    poll.by_time.append(table.name)
        timed = {table.name for table in self.tables if table.by_time}
        # S moves on only if the rows up to it were read from the S before.
        follows = self._since is not None and timed <= set(poll.by_time)
        since = horizon.since if follows else self._since
        covered = poll.by_xid + (poll.by_time if follows else [])
        done = Done(
            tier="fast",
            mark=poll.mark,
            since=since,
            held=horizon.held,
            tables=tuple(covered),
            complete=len(covered) == len(self.tables),
            rows=poll.rows,
            cost_ms=poll.cost_s * 1000,
            drift=(),
            shape=self._shape,
        )
        yield Chunk(events=_in_order(buffer), tier="fast", done=done)
        self._since = since
        self._urgent = self._urgent or poll.overflowed
        self._xids |= dict.fromkeys(poll.by_xid, poll.mark.xmin)
        self._seen |= poll.seen

    def _begin(self, snapshot: Snapshot, horizon: Horizon) -> _Poll:
        before_s = self._monotonic()
        mark = mark_snapshot(snapshot)
        return _Poll(mark=mark, horizon=horizon, round_trip_s=self._monotonic() - before_s)

    def _stream(
        self,
        snapshot: Snapshot,
        table: Table,
        tables: Sequence[Table],
        poll: _Poll,
    ) -> Iterator[list[Any]]:
        link = customer_link(tables)
        age = _age(self._xids, table.name, poll.mark)
        if age is None:
            question = ask_all(table, customers_of=link)
        else:
            question = ask_changed(table, age=age, customers_of=link)
        return stream(snapshot, question, chunk_rows=self._chunk_rows)

    def _ask_glance(self, table: Table, poll: _Poll, *, affordable: bool) -> Question | None:
        lately = poll.mark.at - timedelta(seconds=OPPORTUNISTIC_S)
        if table.by_time and table.created:
            since = self._since or lately
            if affordable:
                return ask_created_since(table, table.created, since=since, limit=self._chunk_rows)
            return None
        age = _age(self._xids, table.name, poll.mark)
        if affordable and age is not None:
            return ask_changed(
                table,
                age=age,
                customers_of=customer_link(self.tables),
                limit=self._chunk_rows,
            )
        if table.touched and table.name != "customers":
            return ask_touched_since(table, table.touched, since=lately, limit=self._chunk_rows)
        return None

    def _fetch(
        self, snapshot: Snapshot, question: Question, table: Table, poll: _Poll
    ) -> list[Any]:
        """Ask, and remember the price even if the source broke off; then the sweeps have it."""
        started_s = poll.cost_s
        try:
            (rows,) = self._timed(poll, (fetch(snapshot, asked) for asked in [question]))
        finally:
            # A glimpse by index is cheap and says nothing of what the whole table would cost.
            if question.by_xid or table.by_time:
                self._pace.read(table.name, poll.cost_s - started_s)
        return rows

    @contextmanager
    def _paced(self) -> Iterator[None]:
        """A sweep that the source cuts short has cost it time all the same."""
        before_s = self._monotonic()
        try:
            yield
        except SourceError as error:
            if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
                now_s = self._monotonic()
                self._pace.failed(cost_s=now_s - before_s, now_s=now_s)
            raise

    def _timed(self, poll: _Poll, answers: Iterator[list[Any]]) -> Iterator[list[Any]]:
        """Add what the source spent on each answer to the poll's cost; the rest is not its time."""
        while True:
            before_s = self._monotonic()
            try:
                rows = next(answers, None)
            finally:
                poll.cost_s += max(0.0, self._monotonic() - before_s - poll.round_trip_s)
            if rows is None:
                return
            yield rows

    def _drafts(
        self, table: Table, rows: Sequence[Mapping[str, Any]], poll: _Poll, *, keep_all: bool
    ) -> list[EventDraft]:
        """The rows that the last window did not hold, as events.

        A window overlaps the one before for as long as the oldest transaction ran, so its keys are
        remembered: an idle tick then need not open the journal only to learn that it knows all.
        """
        before = self._seen.get(table.name, set())
        now = poll.seen.setdefault(table.name, set())
        drafts = []
        for found in rows:
            row = found["row"]
            xid = full_xid(found["xmin"], next_xid=poll.mark.xmax)
            key = event_key(table.spec, table.key, row, xid)
            if keep_all or xid >= poll.mark.xmin or self._is_young(table, row, poll.horizon):
                now.add(key)
            if key not in before:
                drafts.append(make_event(table.spec, row, key=key, snapshot_at=poll.mark.at))
        poll.rows += len(drafts)
        return drafts

    def _is_young(self, table: Table, row: Mapping[str, Any], horizon: Horizon) -> bool:
        if not table.by_time or table.created is None or horizon.since is None:
            return False
        created = parse_time(row.get(table.created))
        return created is not None and created >= horizon.since


def _related(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Customers are recorded for their jobs; where no job names one, none is."""
    link = customer_link(tables)
    return tuple(table for table in tables if table.name != "customers" or link)


def _age(xids: Mapping[str, int], name: str, mark: SnapshotMark) -> int | None:
    since = xids.get(name)
    if since is None:
        return None
    return sweep_age(since, xmin=mark.xmin, xmin_age=mark.xmin_age)


def _in_order(events: Sequence[EventDraft]) -> tuple[EventDraft, ...]:
    """By the time of what they tell, so that a reader who stops within a chunk sees no future."""
    return tuple(sorted(events, key=lambda event: event.occurred_at))
