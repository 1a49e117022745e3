"""Reads production's tables so that no committed row is missed. Knows no journal and no schedule.

A poll yields chunks of events; what it proved becomes the base of the next poll only when the
caller asks for the chunk after the last, that is, when the last one is safely in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from harness.errors import RewoundError, SourceError
from harness.model import EventDraft
from harness.record.chunk import Census, CensusRequest, Chunk, Done, Problem
from harness.record.pace import Pace
from harness.record.postgres.census import take_census
from harness.record.postgres.connection import Snapshot, SourceConnection
from harness.record.postgres.glance import ask_glance, read_glance
from harness.record.postgres.horizon import (
    PUBLICATION_MARGIN_S,
    Horizon,
    SnapshotMark,
    horizon_of,
    look_statements,
    mark_snapshot,
)
from harness.record.postgres.introspect import (
    Server,
    Table,
    customer_link,
    read_server,
    read_tables,
)
from harness.record.postgres.reading import (
    Question,
    ask_all,
    ask_changed,
    rewritten_query,
    stream,
)
from harness.record.postgres.standing import ClockWatch, Standing, rewound_words
from harness.record.postgres.survey import (
    changed_since,
    drift_of,
    related,
    survey_source,
    unseen,
)
from harness.record.postgres.tables import TABLES, TableSpec
from harness.record.postgres.window import Found, Window
from harness.record.postgres.xids import CRASH_REUSE_XIDS, FIRST_NORMAL_XID, sweep_age

SWEEP_TIMEOUT_S = 300.0
"""A sweep scans whole tables and a first copy sorts one; a tick reads a few rows."""
_SCHEMA_ERRORS = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)


@dataclass(slots=True)
class _Poll:
    """What one poll has found so far; becomes the source's state when it is over."""

    mark: SnapshotMark
    window: Window
    cost_s: float = 0.0
    by_xid: list[str] = field(default_factory=list)
    by_time: list[str] = field(default_factory=list)
    renumbered: bool = False
    """Transaction numbers below X may have been used again."""
    rewritten: frozenset[str] = frozenset()
    """Tables whose new file this snapshot cannot see."""


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
        specs: Sequence[TableSpec] = TABLES,
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
        self._specs = specs
        self._monotonic = monotonic
        self._xids: dict[str, int] = {}
        self._since: datetime | None = None
        self._seen: dict[str, set[Found]] = {}
        self._shape: Mapping[str, Mapping[str, Any]] = {}
        self._generation = 0
        self._looked_at: datetime | None = None
        self._swept = False
        self._urgent = False
        self._standing: Standing | None = None
        self._clock = ClockWatch()
        self._halted: dict[str, str] = {}
        self._problems: tuple[Problem, ...] = ()
        self._unreadable: Mapping[str, Problem] = {}
        self._expected: frozenset[str] = frozenset()

    def open(
        self,
        position: Mapping[str, Any] | None = None,
        shape: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Look at the source and take up what the journal remembers of it.

        position: that of the watermark ``production``; shape: the columns last seen.
        Raises SourceError if the source cannot be recorded or is not the one of the journal.
        """
        with self.connection.snapshot() as snapshot:
            self.server = read_server(snapshot)
            self.tables = related(read_tables(snapshot, schema=self._schema, specs=self._specs))
        self._expected = frozenset(table.name for table in self.tables) | (shape or {}).keys()
        position = position or {}
        known = position.get("identity")
        if known and self.server.identity and known != self.server.identity:
            raise SourceError(
                f"{self.connection.place} is not the database that this journal was recorded from. "
                "Give another --journal, or point SHADOW_DSN at the first one."
            )
        self._xids = {name: int(position["xid"]) for name in position.get("tables", ())}
        self._standing = Standing.from_position(position)
        self._shape = shape or {}

    def position(self, done: Done) -> dict[str, Any]:
        """Return what a later session needs to go on from `done`, a complete poll."""
        identity = self.server.identity if self.server else None
        return {
            "xid": done.mark.xmin,
            "xmax": done.mark.xmax,
            "lsn": done.mark.lsn,
            "since": done.since.isoformat() if done.since else None,
            "tables": list(done.tables),
            "identity": identity,
        }

    def take_up_copy(self, xids: Mapping[str, int], mark: SnapshotMark) -> None:
        """Go on behind a first copy: what transactions below its X wrote is in the journal."""
        self._xids |= xids
        self._standing = Standing.of(mark)

    def halt(self, table: str, why: str) -> None:
        """Read `table` no more until `start_over`."""
        self._halted[table] = why

    def start_over(self) -> None:
        """A person accepts that the source went back: read everything again."""
        self._halted.clear()
        self._xids.clear()
        self._standing = None
        self._since = None
        self._swept = False

    def poll(
        self, *, full: bool, census: CensusRequest | None = None
    ) -> Generator[Chunk, None, None]:
        """Yield what is new. full: sweep every table, however dear; a census asks for that too.

        Raises SourceError; RewoundError if the source has gone back in its history.
        """
        self.connection.open()
        if self.connection.generation != self._generation:
            self._go_back()
        urgent = self._urgent and self._pace.sweep_due(self._monotonic(), urgent=True)
        if full or census or urgent or not self._swept:
            yield from self._sweep(census)
        else:
            yield from self._glance()

    def _go_back(self) -> None:
        """A new connection may be one to a server that has crashed meanwhile."""
        self._generation = self.connection.generation
        self._looked_at = None
        self._xids = {
            name: max(FIRST_NORMAL_XID, xid - CRASH_REUSE_XIDS) for name, xid in self._xids.items()
        }
        self._urgent = True

    def _sweep(self, census: CensusRequest | None) -> Iterator[Chunk]:
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
        counted: Census | None = None
        asked_s = self._monotonic()
        (look,) = self.connection.ask(look_statements())
        horizon, distrust = self._horizon(look, asked_s)
        with (
            self._paced(),
            self.connection.snapshot(statement_timeout_s=self._sweep_timeout_s) as snapshot,
        ):
            before_s = self._monotonic()
            poll = self._begin(mark_snapshot(snapshot), horizon)
            round_trip_s = self._monotonic() - before_s
            survey, shape = survey_source(
                snapshot,
                schema=self._schema,
                expected=self._expected,
                shape=self._shape,
                halted=self._halted,
                specs=self._specs,
            )
            tables = survey.tables
            copying = any(_age(self._xids, table.name, poll.mark) is None for table in tables)
            tier = "copy" if copying else "sweep"
            for table in tables:
                started_s = poll.cost_s
                answers = self._stream(snapshot, table, tables, poll)
                for rows in self._timed(poll, answers, round_trip_s):
                    buffer += poll.window.drafts(
                        table, rows, before=self._seen, keep_all=not copying
                    )
                    while len(buffer) >= self._chunk_rows:
                        yield Chunk(events=_in_order(buffer[: self._chunk_rows]), tier=tier)
                        del buffer[: self._chunk_rows]
                poll.by_xid.append(table.name)
                if table.by_time:
                    self._pace.forget(table.name)
                elif not copying:
                    self._pace.measured(table.name, poll.cost_s - started_s)
            if census is not None:
                counted = take_census(snapshot, tables, census)
            (rewritten,) = snapshot.execute(rewritten_query(tables)).fetchall()
        problems = survey.problems + tuple(unseen(name) for name in rewritten["names"])
        poll.by_xid = [name for name in poll.by_xid if name not in {p.table for p in problems}]
        done = Done(
            tier=tier,
            mark=poll.mark,
            since=horizon.since,
            held=horizon.held,
            tables=tuple(poll.by_xid),
            complete=not problems,
            rows=poll.window.rows,
            cost_ms=poll.cost_s * 1000,
            drift=drift_of(self._shape, shape, tables),
            shape=shape,
            problems=problems,
            clock=distrust,
            census=counted,
        )
        yield Chunk(events=_in_order(buffer), tier=tier, done=done)
        self._settle(poll)
        self.tables = tables
        self._shape = shape
        self._problems = problems
        self._unreadable = {}
        self._since = horizon.since
        self._swept = True
        self._urgent = bool(rewritten["names"])
        self._seen = poll.window.seen
        counting_s = counted.cost_ms / 1000 if counted else 0.0
        self._pace.swept(cost_s=poll.cost_s + counting_s, now_s=self._monotonic())

    def _glance(self) -> Iterator[Chunk]:
        """What a tick can afford: appended rows by time, changed rows by transaction number."""
        names = [table.name for table in self.tables]
        affordable = self._pace.affordable(names, self._monotonic())
        asked = self._questions(affordable)
        try:
            poll, horizon, distrust, answers = self._ask(asked, affordable)
        except SourceError as error:
            if not self._leave_out(error):
                raise
            asked = self._questions(affordable)
            poll, horizon, distrust, answers = self._ask(asked, affordable)
        buffer: list[EventDraft] = []
        for table in self.tables:
            if table.name not in asked:
                continue
            question, rows = asked[table.name], answers[table.name]
            buffer += poll.window.drafts(table, rows, before=self._seen)
            if len(rows) >= self._chunk_rows or self._is_blind(table, question, poll):
                # Only a sweep can tell what else there is.
                self._urgent = True
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
            complete=len(covered) == len(self.tables) and not self._problems,
            rows=poll.window.rows,
            cost_ms=poll.cost_s * 1000,
            drift=(),
            shape=self._shape,
            problems=tuple(self._unreadable.values()),
            clock=distrust,
        )
        yield Chunk(events=_in_order(buffer), tier="fast", done=done)
        self._settle(poll)
        self._since = since
        self._seen |= poll.window.seen

    def _questions(self, affordable: Sequence[str]) -> dict[str, Question]:
        """What a tick asks, by table."""
        readable = [table for table in self.tables if table.name not in self._unreadable]
        return {
            table.name: question
            for table in readable
            if (
                question := ask_glance(
                    table,
                    xid=self._xids.get(table.name),
                    since=self._since,
                    customers_of=customer_link(self.tables),
                    affordable=table.name in affordable,
                    limit=self._chunk_rows,
                )
            )
        }

    def _leave_out(self, error: SourceError) -> bool:
        """One table that cannot be read any more must not keep a tick from the others.

        Returns False if no such table is found. The next sweep looks at all of them again.
        """
        if not isinstance(error.__cause__, _SCHEMA_ERRORS):
            return False
        with self.connection.snapshot() as snapshot:
            survey, _ = survey_source(
                snapshot,
                schema=self._schema,
                expected=self._expected,
                shape=self._shape,
                halted=self._halted,
                specs=self._specs,
            )
        changed = changed_since(self.tables, survey)
        found = changed.keys() - self._unreadable.keys()
        self._unreadable = {**self._unreadable, **changed}
        return bool(found)

    def _horizon(self, look: Sequence[Any], asked_s: float) -> tuple[Horizon, str | None]:
        """S, and why the source's clock cannot be relied on since the last look."""
        horizon = horizon_of(look, previous=self._since, margin_s=self._margin_s)
        distrust = self._clock.look(horizon.at, asked_s=asked_s, answered_s=self._monotonic())
        if distrust:
            # A row may have been stamped with a time before S; only a sweep would find it.
            self._since = None
            self._urgent = True
        return horizon, distrust

    def _begin(self, mark: SnapshotMark, horizon: Horizon) -> _Poll:
        standing = Standing.of(mark)
        back = self._standing.went_back(standing) if self._standing else None
        if back:
            raise RewoundError(rewound_words(self.connection.place, back))
        poll = _Poll(mark=mark, window=Window(mark, since=horizon.since))
        if self._looked_at is not None and mark.backend_start > self._looked_at:
            # A pooler kept our connection and gave us a new process of the server's; the old one
            # may have gone in a crash, and transaction numbers with it.
            self._go_back()
            poll.renumbered = True
        return poll

    def _settle(self, poll: _Poll) -> None:
        """The caller has what the poll found."""
        self._standing = Standing.of(poll.mark)
        self._looked_at = poll.mark.at
        self._xids |= dict.fromkeys(poll.by_xid, poll.mark.xmin)

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

    def _ask(
        self, asked: Mapping[str, Question], affordable: Sequence[str]
    ) -> tuple[_Poll, Horizon, str | None, Mapping[str, list[Any]]]:
        """Ask everything in one round trip, and remember what it cost."""
        tables = [table for table in self.tables if table.name in asked]
        began_s = self._monotonic()
        try:
            answer = read_glance(self.connection, tables, asked)
        except SourceError as error:
            self._urgent = self._urgent or isinstance(error.__cause__, _SCHEMA_ERRORS)
            if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
                # One of them was too dear, and which one cannot be told: the sweeps have them all,
                # and measure each again.
                for name in affordable:
                    self._pace.measured(name, self._monotonic() - began_s)
            raise
        horizon, distrust = self._horizon(answer.look, began_s)
        poll = self._begin(answer.mark, horizon)
        poll.rewritten = answer.rewritten
        poll.cost_s = answer.cost_s
        for name, cost_s in answer.costs_s.items():
            self._pace.read(name, cost_s)
        self._pace.spent(answer.cost_s - sum(answer.costs_s.values()))
        return poll, horizon, distrust, answer.rows

    def _is_blind(self, table: Table, question: Question, poll: _Poll) -> bool:
        """Whether the answer may lack rows, whatever it holds."""
        if table.name in poll.rewritten:
            return True
        too_old = _age(self._xids, table.name, poll.mark) is None
        return question.by_xid and (poll.renumbered or too_old)

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

    def _timed(
        self, poll: _Poll, answers: Iterator[list[Any]], round_trip_s: float
    ) -> Iterator[list[Any]]:
        """Add what the source spent on each answer to the poll's cost; the rest is not its time."""
        while True:
            before_s = self._monotonic()
            try:
                rows = next(answers, None)
            finally:
                poll.cost_s += max(0.0, self._monotonic() - before_s - round_trip_s)
            if rows is None:
                return
            yield rows


def _age(xids: Mapping[str, int], name: str, mark: SnapshotMark) -> int | None:
    since = xids.get(name)
    if since is None:
        return None
    return sweep_age(since, xmin=mark.xmin, xmin_age=mark.xmin_age)


def _in_order(events: Sequence[EventDraft]) -> tuple[EventDraft, ...]:
    """By the time of what they tell, so that a reader who stops within a chunk sees no future."""
    return tuple(sorted(events, key=lambda event: event.occurred_at))
