"""Records from a replication slot, with every version of a row; sweeps stay its safety net.

Knows no journal and no schedule. How the slot and the sweeps share the work:

The slot tells committed transactions, whole and in the order of their commits. A poll peeks, makes
events, yields them, and only when the caller asks for more, that is when the journal has them, it
lets the slot advance. A recorder that is killed in between is told the same changes again and makes
the same keys of them, which the journal knows.

Sweeps go on at their own pace, and the first poll begins with one. They find what no slot tells:
rows from before it began, rows that ALTER TABLE wrote anew, customers whose job came later. X moves
by them alone. So all that depends on the slot are the versions between two sweeps: when it is lost,
the next poll is a sweep from that X, and polling goes on.

A sweep follows a drained slot and leaves out what the slot may still have to tell: versions of
transactions that went on at the drain. Otherwise a version would get ahead of those before it.
The next sweep looks at them again, and by then their keys are known.

What the slot's watermark proves. A look at the server gives, in this order, its time, a snapshot,
and the position P up to which its log is written. Whatever was committed by that time, or is below
the snapshot's xmin and committed, stands in the log before P. Decoding reads only what is flushed,
so P may be passed one poll later. Once all before P is in the journal, the record is complete until
that time: as far as the slot tells everything, which each peek looks at, and as far as no table was
written anew, after which a sweep follows.

**A slot keeps production's log for as long as nobody reads it.** It outlives the recorder on
purpose, so that a pause loses nothing; who stops recording for good has to `drop` it. While the
recorder runs it warns, and drops the slot itself, at configured limits. For the time while it does
not, set ``max_slot_wal_keep_size`` on the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.errors import RewoundError, SourceError
from harness.model import EventDraft
from harness.record.chunk import CensusRequest, Chunk, Done
from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.introspect import Server, Table
from harness.record.postgres.source import PostgresSource
from harness.record.postgres.standing import format_lsn, rewound_words
from harness.record.postgres.tables import parse_time
from harness.record.slot.composer import CUSTOMERS, NOTHING_COMPOSED, Composed, Composer
from harness.record.slot.recorded import NothingRecorded, Recorded
from harness.record.slot.replication_slot import (
    Peek,
    ReplicationSlot,
    SlotOptions,
    SlotState,
    SlotUnusableError,
)
from harness.record.slot.watch import Loss, SlotWatch, gap_events

IDLE_ADVANCE_BYTES = 2**20
"""Advancing decodes the log once more, so for other people's changes it waits for this much."""
FLUSH_PATIENCE_S = 30.0
"""A server flushes its log within three times wal_writer_delay, which is 10 s at the most."""
_FLUSH_PAUSE_S = 0.1


class SweepingSource(PostgresSource):
    """The polling source, whose sweeps can be asked to look again."""

    def look_again_from(self, xid: int) -> None:
        """Forget what was seen of transactions from `xid` on; the next sweep reads it again."""
        self._xids = {name: min(xid, known) for name, known in self._xids.items()}
        self._seen = {}


class SlotSource:
    """The tables of production as a source of events, through a slot wherever one can be had.

    The same surface as `PostgresSource`. Not for several threads at once.
    """

    def __init__(
        self,
        sweeps: SweepingSource,
        options: SlotOptions,
        *,
        schema: str = "public",
        recorded: Recorded | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """recorded: what the journal holds. Without it, large values that an update left alone may
        be missing, and changes told twice after a kill recorded twice."""
        self.connection = sweeps.connection
        self.streaming = False
        """True while a slot is read; otherwise the source polls."""
        self._sweeps = sweeps
        self._options = options
        self._slot = ReplicationSlot(sweeps.connection, options, schema=schema)
        self._watch = SlotWatch(options)
        self._composer = Composer(recorded or NothingRecorded())
        self._monotonic = monotonic
        self._retry_at_s = float("-inf")
        self._halted: set[str] = set()
        self._losses: list[Loss] = []
        self._base: Done | None = None
        self._claimed_at: datetime | None = None
        self._must_sweep = True
        self._goal: SlotState | None = None
        self._proven: SlotState | None = None
        self._begun_at_xid = 0
        self._journaled = 0
        self._maybe_known_until: int | None = None
        self._awaits_customer = False
        self._followed = False
        """Whether an earlier session read this slot, until the moment below if that is known."""
        self._followed_until: datetime | None = None

    @property
    def server(self) -> Server | None:
        """Which server this is."""
        return self._sweeps.server

    @property
    def tables(self) -> tuple[Table, ...]:
        """The recorded tables."""
        return self._sweeps.tables

    @property
    def warning(self) -> str | None:
        """What a person should know now: much log is kept, or there is no slot."""
        return self._watch.warning

    @property
    def retained_mb(self) -> float:
        """What production kept of its log for the slot at the last look."""
        return self._watch.retained_mb

    def open(
        self,
        position: Mapping[str, Any] | None = None,
        shape: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Look at the source, and whether a slot may be used; makes none yet.

        Raises SourceError as `PostgresSource.open` does, and if server, role, publication or the
        slot's name do not allow slot mode: with the SQL that mends it.
        """
        self._sweeps.open(position, shape)
        self._slot.check(self.tables)
        if position and position.get("slot") == self._options.name:
            self._followed_until = parse_time(position.get("since"))
            self._followed = True

    def position(self, done: Done) -> dict[str, Any]:
        """Return what a later session needs to go on from `done`, a complete poll."""
        told = {"slot": self._options.name} if self.streaming else {}
        return self._sweeps.position(done) | told

    def take_up_copy(self, xids: Mapping[str, int], mark: SnapshotMark) -> None:
        """Go on behind a first copy: what transactions below its X wrote is in the journal."""
        self._sweeps.take_up_copy(xids, mark)

    def halt(self, table: str, why: str) -> None:
        """Record `table` no more until `start_over`."""
        self._halted.add(table)
        self._sweeps.halt(table, why)

    def start_over(self) -> None:
        """A person accepts that the source went back: read everything again."""
        self._halted.clear()
        self._claimed_at = None
        self._sweeps.start_over()
        self._watch.forget()
        self._journaled = 0
        self._goal = None
        self._must_sweep = True

    def drop(self) -> None:
        """Remove the slot: recording is over, and production need not keep its log any more."""
        self._slot.drop()
        self.streaming = False

    def begin(self) -> None:
        """Take up the slot or make it, unless the last attempt failed a moment ago.

        A poll does so too. Before a first copy it lets the slot tell what happens meanwhile, for
        which production keeps its log until the copy is over. Raises SourceError.
        """
        if self.streaming or self._monotonic() < self._retry_at_s:
            return
        try:
            state = self._slot.state()
            if not state.present:
                self._slot.check(self.tables)
                self._slot.create()
                if self._followed:
                    why = f"slot {self._options.name} was gone when recording went on"
                    self._losses.append(Loss(why, self._followed_until))
                # Transactions before it may have ended before the slot could tell them.
                self._begun_at_xid = self._slot.state().xmax
        except SlotUnusableError as error:
            self._poll_because(str(error))
            return
        self._followed = False
        self._watch.forget()
        self._goal = self._maybe_known_until = None
        self.streaming = True
        self._must_sweep = True

    def poll(
        self, *, full: bool, census: CensusRequest | None = None
    ) -> Generator[Chunk, None, None]:
        """Yield what is new. full: sweep every table too; a census asks for that.

        Raises SourceError; RewoundError if the source has gone back in its history.
        """
        self.connection.open()
        self.begin()
        if self.streaming:
            try:
                yield from self._follow(full=full or census is not None, census=census)
            except SlotUnusableError as error:
                self._give_up(str(error))
            else:
                return
        for chunk in self._read_tables(full=full or self._must_sweep, census=census):
            yield chunk
            self._must_sweep = self._must_sweep and chunk.done is None

    def _give_up(self, why: str) -> None:
        """A slot that tells too little would only fill production's disk."""
        try:
            self._slot.drop()
        except SourceError:
            why += (
                " It could not be dropped; until somebody does, production keeps its log: "
                f"SELECT pg_drop_replication_slot('{self._options.name}')"
            )
        self._poll_because(why)

    def _poll_because(self, why: str) -> None:
        if self._watch.warning != why:
            self._losses.append(Loss(why, self._proven.at if self._proven else None))
        self._watch.warning = why
        self.streaming = False
        self._must_sweep = True
        self._retry_at_s = self._monotonic() + self._options.retry_s

    def _follow(self, *, full: bool, census: CensusRequest | None) -> Iterator[Chunk]:
        """What the slot holds, and after it a sweep if one is due."""
        goal: SlotState | None = None
        rows = 0
        cost_s = 0.0
        patient_until_s = self._monotonic() + FLUSH_PATIENCE_S
        while True:
            began_s = self._monotonic()
            peek = self._peek()
            composed = self._compose(peek)
            cost_s += self._monotonic() - began_s
            rows += len(composed.events)
            self._awaits_customer = self._awaits_customer or composed.awaits_customer
            full = full or self._must_sweep
            goal = goal or peek.state
            proven = self._prove(peek, goal if full else None)
            if not full and (not peek.more or peek.covered >= goal.flushed):
                done = self._done(peek, proven, rows=rows, cost_s=cost_s)
                yield Chunk(events=composed.events, tier="slot", done=done)
                self._claimed_at = done.mark.at
                self._settle(peek, composed, proven)
                return
            if composed.events:
                yield Chunk(events=composed.events, tier="slot")
            self._settle(peek, composed, proven)
            if peek.covered >= goal.inserted:
                break
            if not peek.more:
                if self._monotonic() > patient_until_s:
                    raise SourceError(
                        f"{self.connection.place}: the log before {format_lsn(goal.inserted)} is "
                        "not flushed, or a standby that commits wait for does not answer. "
                        "Check the server."
                    )
                time.sleep(_FLUSH_PAUSE_S)
        yield from self._sweep(goal, census, rows=rows)

    def _peek(self) -> Peek:
        peek = self._slot.peek(self._wanted())
        self._watch.guard(peek)
        if peek.state.flushed < self._journaled:
            raise RewoundError(
                rewound_words(
                    self.connection.place,
                    f"its log stands at {format_lsn(peek.state.flushed)}, and was recorded up to "
                    f"{format_lsn(self._journaled)}",
                )
            )
        losses = self._watch.losses(peek, since=self._proven.at if self._proven else None)
        self._losses += losses
        if self._watch.was_written_anew(peek) or losses:
            self._must_sweep = True
        return peek

    def _compose(self, peek: Peek) -> Composed:
        if self._maybe_known_until is None:
            # An earlier session may have journaled what it could not advance over any more.
            self._maybe_known_until = peek.state.inserted
        # After a failed advance or a crash of the server the slot tells again what it told.
        fresh = [one for one in peek.transactions if one[1].end > self._journaled]
        if not fresh:
            return NOTHING_COMPOSED
        with self.connection.snapshot() as snapshot:
            return self._composer.compose(
                snapshot,
                fresh,
                tables=self._wanted(),
                oldest=peek.state.xmin,
                ask_journal=fresh[0][1].end <= self._maybe_known_until,
            )

    def _wanted(self) -> list[Table]:
        return [table for table in self.tables if table.name not in self._halted]

    def _prove(self, peek: Peek, goal: SlotState | None) -> SlotState | None:
        """Return up to which look the record is complete once this peek is in the journal.

        goal: the look that this poll waits for; without one, that of an earlier poll.
        """
        aim = goal or self._goal or peek.state
        if peek.covered >= aim.inserted:
            self._goal = None if aim is peek.state else peek.state
            return aim
        self._goal = aim
        return self._proven

    def _settle(self, peek: Peek, composed: Composed, proven: SlotState | None) -> None:
        """The journal has the events; the server need not keep them."""
        self._proven = proven
        self._composer.settle(composed, oldest=proven.xmin if proven else 0)
        self._journaled = max(self._journaled, peek.covered)
        confirmed = peek.state.confirmed or 0
        if peek.transactions or peek.covered - confirmed >= IDLE_ADVANCE_BYTES:
            self._watch.expect(max(peek.covered, confirmed))
            self._slot.advance(peek.covered)

    def _done(self, peek: Peek, proven: SlotState | None, *, rows: int, cost_s: float) -> Done:
        """The end of a poll without a sweep. Of X and S it says what the last sweep said."""
        base = self._base
        if base is None or proven is None:
            raise RuntimeError("the first poll of a slot sweeps")
        return self._without_awaited(
            replace(
                base,
                tier="slot",
                mark=replace(peek.mark, at=self._later(proven.at), xmin=base.mark.xmin),
                held=None,
                complete=base.complete and not self._halted,
                rows=rows,
                cost_ms=cost_s * 1000,
                drift=(),
                clock=None,
                census=None,
            )
        )

    def _without_awaited(self, done: Done) -> Done:
        """A customer that a job names and no answer had may have been committed long ago."""
        if not self._awaits_customer:
            return done
        tables = tuple(name for name in done.tables if name != CUSTOMERS)
        return replace(done, tables=tables, complete=False)

    def _later(self, at: datetime) -> datetime:
        """What the journal was told before stays true; a look from before it claims no less."""
        return max(at, self._claimed_at or at)

    def _sweep(
        self, goal: SlotState, census: CensusRequest | None, *, rows: int
    ) -> Iterator[Chunk]:
        """The tables, without what the slot has still to tell.

        A census is compared with the journal, so then everything is let through. What is left out
        and was told before a job named it will not be told again: the next sweep has it, and until
        then nothing is claimed of such a table.
        """
        limit = max(goal.xmin, self._begun_at_xid)
        in_place = {table.name for table in self.tables if not table.spec.append_only}
        withheld: set[str] = set()
        for chunk in self._read_tables(full=True, census=census):
            events = chunk.events
            if census is None:
                events = tuple(event for event in events if _number(event, in_place) < limit)
            withheld |= {event.key for event in chunk.events} - {event.key for event in events}
            done = chunk.done
            if done is not None and withheld:
                at, xmin = min(done.mark.at, goal.at), min(done.mark.xmin, limit)
                done = replace(done, mark=replace(done.mark, at=at, xmin=xmin))
            if done is not None:
                mark = replace(done.mark, at=self._later(done.mark.at))
                done = replace(done, mark=mark, rows=done.rows + rows - len(withheld))
                self._awaits_customer = self._composer.lacks_customer(withheld, since=limit)
                done = self._without_awaited(done)
            yield Chunk(events=events, tier=chunk.tier, done=done)
            if done is not None:
                self._base = done
                self._claimed_at = done.mark.at
        if withheld:
            self._sweeps.look_again_from(limit)
        self._must_sweep = False

    def _read_tables(self, *, full: bool, census: CensusRequest | None) -> Iterator[Chunk]:
        """A poll of the tables; with its end, what the slot left out meanwhile."""
        losses: list[Loss] = []
        with closing(self._sweeps.poll(full=full, census=census)) as chunks:
            for chunk in chunks:
                events = chunk.events
                if chunk.done is not None:
                    losses = list(self._losses)
                    events += gap_events(losses, chunk.done, slot=self._options.name)
                yield Chunk(events=events, tier=chunk.tier, done=chunk.done)
        del self._losses[: len(losses)]


def _number(event: EventDraft, in_place: set[str]) -> int:
    """The transaction in the key of a version of a row that changes in place, otherwise 0."""
    return int(event.key.rpartition(":")[2]) if event.kind in in_place else 0
