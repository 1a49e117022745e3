"""Carries one poll from the source into the journal, with what it proved. Knows no schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from harness.journal.store import utc_now
from harness.model import EventDraft, EventKind, Watermark
from harness.record.chunk import CensusRequest, Chunk, Done
from harness.record.gaps import LOST_STATES, TABLE_GAP, Gap
from harness.record.marks import fast_position, make_watermark, sweep_payload
from harness.record.progress import ProgressBoard, RecorderProgress, so_far
from harness.record.writer import PRODUCTION, PRODUCTION_FAST, PRODUCTION_SCHEMA, RecordWriter

SWEEPS = ("copy", "sweep")
"""Tiers that read the tables as a whole."""


class PolledSource(Protocol):
    """What the tables of production are read through, whatever the mode."""

    def poll(
        self, *, full: bool, census: CensusRequest | None = None
    ) -> Generator[Chunk, None, None]:
        """Yield what is new; going on after the last chunk says that it is in the journal."""

    def position(self, done: Done) -> dict[str, Any]:
        """Return what a later session needs to go on from `done`."""


class Polling:
    """Polls one source for one writer. Not for several threads at once."""

    def __init__(
        self,
        source: PolledSource,
        writer: RecordWriter,
        board: ProgressBoard,
        *,
        sweep_event_every_s: float,
        late_after_s: float,
    ) -> None:
        """late_after_s: a longer pause between two finished polls is a gap."""
        self.swept_once = False
        """True once everything that there was has been recorded."""
        self.good_at: datetime = utc_now()
        """When the last poll had come to its end."""
        self.last_new_s = time.monotonic()
        self._source = source
        self._writer = writer
        self._board = board
        self._sweep_event_every_s = sweep_event_every_s
        self._late_after_s = late_after_s
        self._last_sweep_event_s = float("-inf")
        self._broken: set[str] = set()

    def say_next_sweep(self) -> None:
        """The next sweep says how far the record is complete, however short ago the last did."""
        self._last_sweep_event_s = float("-inf")

    def once(
        self,
        *,
        full: bool,
        census: CensusRequest | None = None,
        stop: threading.Event | None = None,
    ) -> tuple[int, Done | None]:
        """Copy what is new; return how many rows were, and None if `stop` was set midway.

        Raises SourceError and JournalBusyError; what was written until then stays.
        """
        new = 0
        with closing(self._source.poll(full=full, census=census)) as chunks:
            for chunk in chunks:
                new += self._write(chunk, new)
                if chunk.done is not None:
                    # Going on tells the source that its last chunk is in the journal.
                    done = chunk.done
                    next(chunks, None)
                    return new, done
                if stop is not None and stop.is_set():
                    return new, None
        return new, None

    def _write(self, chunk: Chunk, new_before: int) -> int:
        events = list(chunk.events)
        own: list[EventDraft] = []
        marks: list[Watermark] = []
        done = chunk.done
        now = utc_now()
        if done is not None:
            self._note_lateness(now)
            self._writer.gaps.end("production", until=now)
            self._note_problems(done, now)
            own, marks = self._conclude(done, anything=bool(events) or new_before > 0)
        appended = self._writer.append(events + own, tier=chunk.tier, watermarks=marks)
        if done is not None:
            # Only now: a journal that is still locked has not got what this poll found.
            self._writer.gaps.end("journal", until=utc_now())
            self.good_at = now
        new = 0
        if appended is not None:
            new = len(events) - appended.known
        if new:
            self.last_new_s = time.monotonic()
        if any(event.kind == EventKind.RECORD_SWEEP for event in own):
            self._last_sweep_event_s = time.monotonic()
        self._report(
            chunk,
            new,
            last_seq=appended.last_seq if appended else None,
            retries=appended.lock_retries if appended else 0,
        )
        return new

    def _note_lateness(self, now: datetime) -> None:
        """A source (or a pooler before it) that kept us waiting was not watched meanwhile."""
        waited_s = (now - self.good_at).total_seconds()
        if self.swept_once and waited_s > self._late_after_s:
            why = f"the source kept the recorder waiting for {waited_s:.0f} s"
            self._writer.gaps.begin(
                Gap(what="production", why=why, since=self.good_at, loses=LOST_STATES)
            )

    def _note_problems(self, done: Done, now: datetime) -> None:
        """A table that cannot be read is a gap of its own; the others go on."""
        broken = {problem.table for problem in done.problems}
        for problem in done.problems:
            self._writer.gaps.begin(
                Gap(
                    what=TABLE_GAP + problem.table,
                    why=problem.why,
                    since=self.good_at,
                    loses=LOST_STATES,
                )
            )
        if done.tier not in SWEEPS:
            # Only a sweep proves that a table can be read again.
            self._broken |= broken
            return
        for table in self._broken - broken:
            self._writer.gaps.end(TABLE_GAP + table, until=now)
        self._broken = broken

    def _conclude(self, done: Done, *, anything: bool) -> tuple[list[EventDraft], list[Watermark]]:
        """What a finished poll adds to its last batch: its watermarks, drift, the sweep's event.

        An idle poll adds nothing, or the journal would grow by two writes a second for a week; but
        every so often it says that there was nothing, so that the record's own time moves on.
        """
        own = [
            self._writer.say(EventKind.SCHEMA_DRIFT, change, at=done.mark.at)
            for change in done.drift
        ]
        if done.clock:
            own.append(self._writer.say(EventKind.RECORD_CLOCK, {"why": done.clock}))
        marks: list[Watermark] = []
        if not self.swept_once or done.drift:
            marks.append(make_watermark(PRODUCTION_SCHEMA, done.shape, done))
        if done.tier == "fast":
            if anything and done.since is not None:
                marks.append(make_watermark(PRODUCTION_FAST, fast_position(done), done))
            return own, marks
        due_s = self._last_sweep_event_s + self._sweep_event_every_s
        event_due = time.monotonic() >= due_s
        if anything or event_due or not self.swept_once:
            if done.complete:
                marks.append(make_watermark(PRODUCTION, self._source.position(done), done))
            if done.since is not None:
                marks.append(make_watermark(PRODUCTION_FAST, fast_position(done), done))
        if done.complete and event_due:
            said = sweep_payload(done) | {"so_far": so_far(self._board.now)}
            own.append(self._writer.say(EventKind.RECORD_SWEEP, said))
        return own, marks

    def _report(self, chunk: Chunk, new: int, *, last_seq: int | None, retries: int) -> None:
        done = chunk.done
        full = done is not None and done.tier in SWEEPS
        self.swept_once = self.swept_once or full
        failing = tuple(gap.why for gap in self._writer.gaps.current)

        def how(progress: RecorderProgress) -> RecorderProgress:
            progress = replace(
                progress,
                tier=chunk.tier,
                rows=progress.rows + new,
                last_seq=last_seq or progress.last_seq,
                lock_retries=progress.lock_retries + retries,
                failing=failing,
            )
            if done is None:
                return progress
            return replace(
                progress,
                complete_until=done.mark.at if done.complete else progress.complete_until,
                sweeps=progress.sweeps + full,
                polls=progress.polls + 1,
                cost_ms=done.cost_ms,
                cost_total_ms=progress.cost_total_ms + done.cost_ms,
                sweeps_cost_ms=progress.sweeps_cost_ms + full * done.cost_ms,
                provisional=done.held if done.since is None else None,
            )

        self._board.change(how)
