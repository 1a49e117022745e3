"""Runs the recorder: when to poll, how to fail and how to stop.

Signals are the caller's; everything that touches a row is in ``postgres``, everything that writes
what a poll found in ``polling``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from harness.errors import JournalBusyError, RewoundError, SourceError
from harness.journal.store import Journal, utc_now
from harness.model import EventKind, Source
from harness.record.chunk import Done
from harness.record.copy.first_copy import CopyProgress, copy_first
from harness.record.gaps import LOST_STATES, Gap
from harness.record.lock import recorder_lock
from harness.record.pace import Pace
from harness.record.polling import SWEEPS, Polling
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.horizon import read_horizon
from harness.record.postgres.mapping import describe_mapping, mapping_payload
from harness.record.progress import ProgressBoard, RecorderConfig, RecorderProgress, so_far
from harness.record.reconcile.reconciler import Reconciler
from harness.record.reconcile.rewinds import (
    Rewind,
    acceptance_is_new,
    rewind_payload,
    vanished_rows,
    waiting_rewinds,
)
from harness.record.samples.sampled import SampledSources
from harness.record.samples.sampler import Sampler
from harness.record.samples.workers import sample_workers
from harness.record.slot.source import SlotSource
from harness.record.sources import make_production
from harness.record.status import StatusFile
from harness.record.writer import RecordWriter

__all__ = ["Recorder", "RecorderConfig", "RecorderProgress"]

_WAIT_S = 0.05
_LOOK_FOR_WORD_S = 1.0
_LAST_LOOKS = 16
"""Rows that differ at the end are looked at in at most so many steps; it should end soon."""


class Recorder:
    """Copies production into one journal until it is told to stop."""

    def __init__(
        self, config: RecorderConfig, journal: Journal, *, samplers: Sequence[Sampler] = ()
    ) -> None:
        """samplers: asked beside production; the recorder closes them."""
        self._config = config
        self._journal = journal
        self._connection = SourceConnection(config.dsn)
        self._pace = Pace(
            tick_s=config.tick_s,
            min_interval_s=config.sweep_min_interval_s,
            max_share=config.sweep_max_share,
        )
        self._source = make_production(config, self._connection, journal, pace=self._pace)
        self._board = ProgressBoard()
        self._writer = RecordWriter(journal)
        self._polling = Polling(
            self._source,
            self._writer,
            self._board,
            sweep_event_every_s=config.sweep_event_every_s,
            late_after_s=max(config.restart_gap_s, 5 * config.tick_s),
        )
        self._sampled = SampledSources(samplers, self._writer, self._board)
        self._reconciler = Reconciler(journal)
        self._next_reconcile_s = float("inf")
        self._waiting: tuple[Rewind, ...] = ()
        self._next_word_s = 0.0
        self._next_workers_s = 0.0
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._until_idle_s: float | None = None
        self._must_sweep = False
        self._copied = False
        self._failures = 0
        self._retry_at_s = 0.0

    def run(
        self,
        *,
        for_s: float | None = None,
        until_idle_s: float | None = None,
        stop: threading.Event | None = None,
        on_progress: Callable[[RecorderProgress], None] | None = None,
    ) -> RecorderProgress:
        """Record until `stop` is set, `for_s` is over or nothing new came for `until_idle_s`.

        `until_idle_s` ends it only after a full sweep that found nothing. `on_progress` is called
        from other threads. The batch in hand is finished before it returns. A journal that does not
        exist is made as soon as production has answered. Raises SourceError if production cannot be
        recorded at the start; later failures are gaps in the record. Raises JournalBusyError if
        another recorder writes to this journal, JournalError or EnvironmentProblem if it cannot be
        used.
        """
        self._stop = stop or self._stop
        self._board.listener = on_progress
        self._until_idle_s = until_idle_s
        with recorder_lock(self._journal.path):
            try:
                self._start()
                status = StatusFile(
                    self._journal.path,
                    session=self._writer.session,
                    sweep_every_s=self._config.sweep_min_interval_s,
                )
                deadline_s = time.monotonic() + for_s if for_s is not None else float("inf")
                scheduler = self._schedule()
                try:
                    while time.monotonic() < deadline_s and not self._ended.is_set():
                        status.write(self._board.now, utc_now(), state="recording")
                        if self._stop.wait(_WAIT_S):
                            break
                finally:
                    self._stop.set()
                    self._wait_for_the_batch(scheduler)
                if self._failure is not None:
                    raise self._failure
                self._finish()
                status.write(self._board.now, utc_now(), state="stopped")
            finally:
                self._connection.close()
                self._sampled.close()
        return self._board.now

    def _start(self) -> None:
        exists = self._journal.path.exists()
        if exists:
            self._journal.require(self._config.mapping)
        sweeps, schema, last_at = self._writer.remembered() if exists else (None, None, None)
        self._copied = sweeps is not None
        self._source.open(sweeps.position if sweeps else None, schema.position if schema else None)
        if not exists:
            Journal.create(
                self._journal.path,
                mapping=self._config.mapping,
                busy_timeout_s=self._journal.busy_timeout_s,
            )
        elif acceptance_is_new(self._journal):
            self._start_over()
        horizon = read_horizon(self._connection, previous=None)
        self._await_word(waiting_rewinds(self._journal))
        self._polling.last_new_s = time.monotonic()
        self._polling.good_at = now = utc_now()
        if sweeps is not None:
            # Rows may have been deleted while nobody looked.
            self._next_reconcile_s = time.monotonic()
        else:
            self._next_reconcile_s = time.monotonic() + self._config.reconcile_every_s
        self._note_pause(last_at, now)
        server = self._source.server
        started = {
            "session": self._writer.session,
            "place": self._connection.place,
            "server_version": server.version if server else None,
            "provisional": horizon.since is None,
            "provisional_why": horizon.held if horizon.since is None else None,
            "mode": self._config.mode,
            "tables": {table.name: sorted(table.columns) for table in self._source.tables},
            "mapping": mapping_payload(describe_mapping(self._source.tables)),
            "tick_s": self._config.tick_s,
            "sweep_min_interval_s": self._config.sweep_min_interval_s,
            "resumed": sweeps is not None,
        }
        self._writer.append([self._writer.say(EventKind.RECORD_STARTED, started)], tier="start")

    def _note_pause(self, last_at: datetime | None, now: datetime) -> None:
        pause = timedelta(
            seconds=max(self._config.restart_gap_s, 2 * self._config.sweep_min_interval_s)
        )
        if last_at is None or now - last_at <= pause:
            return
        why = "the recorder was not running"
        self._writer.gaps.begin(
            Gap(what="recorder", why=why, since=last_at.astimezone(UTC), loses=LOST_STATES)
        )
        self._writer.gaps.end("recorder", until=now)

    def _schedule(self) -> BackgroundScheduler:
        # A tick that is still running when the next is due is our normal case of a slow source;
        # the scheduler would report each of them as a warning on stderr.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        now = datetime.now(UTC)
        scheduler.add_job(
            self._guarded(self._tick), "interval", seconds=self._config.tick_s, next_run_time=now
        )
        if self._sampled:
            scheduler.add_job(
                self._guarded(self._sampled.ask_all),
                "interval",
                seconds=self._config.sample_every_s,
                # Many recorders of one company would otherwise ask at the same moment.
                jitter=self._config.sample_every_s / 10,
                next_run_time=now,
            )
        scheduler.start()
        return scheduler

    def _wait_for_the_batch(self, scheduler: BackgroundScheduler) -> None:
        try:
            scheduler.shutdown(wait=True)
        except KeyboardInterrupt:
            # Somebody will not wait: a statement that still runs may take minutes.
            self._connection.cancel()
            raise

    def _guarded(self, task: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            if self._stop.is_set() or self._ended.is_set():
                return
            try:
                task()
            except BaseException as error:
                self._failure = error
                self._ended.set()

        return run

    def _tick(self) -> None:
        """One poll; a source that fails is asked again later and less often."""
        try:
            self._turn(time.monotonic())
        except (SourceError, JournalBusyError) as error:
            self._fail(error)

    def _turn(self, now_s: float) -> None:
        if now_s < self._retry_at_s or self._is_stopped_by_a_rewind(now_s):
            return
        if not self._copied and not self._copy():
            return
        if not self._polling.swept_once and not self._pace.sweep_due(now_s, urgent=True):
            # Nothing can be read before everything was, and the source has just cut that short.
            return
        comparing = self._comparison_due(now_s)
        full = comparing or self._must_sweep or self._pace.sweep_due(now_s)
        try:
            new, done = self._poll(full=full, comparing=comparing, stop=self._stop)
        except RewoundError as error:
            self._wait_for_word(Rewind(table=None, why=str(error)))
            return
        if done is None:
            return
        self._failures = 0
        self._count_workers(now_s)
        self._judge_idle(new, done)

    def _copy(self) -> bool:
        """Copy what there is, or the rest of it; False if it was told to stop midway."""
        server = self._source.server
        result = copy_first(
            self._connection,
            self._journal,
            self._source.tables,
            identity=server.identity if server else None,
            stop=self._stop,
            on_progress=self._note_copy,
        )
        if result is None:
            return False
        self._source.take_up_copy(result.xids, result.mark)
        self._copied = True
        self._polling.last_new_s = time.monotonic()
        return True

    def _note_copy(self, progress: CopyProgress) -> None:
        self._board.set(
            tier="copy",
            rows=self._board.now.rows + progress.all_rows - self._board.now.copied_rows,
            copied_rows=progress.all_rows,
            copy_rows=progress.all_expected,
        )

    def _poll(
        self, *, full: bool, comparing: bool, stop: threading.Event | None = None
    ) -> tuple[int, Done | None]:
        census = self._reconciler.request() if comparing else None
        new, done = self._polling.once(full=full, census=census, stop=stop)
        if isinstance(self._source, SlotSource):
            self._board.set(warning=self._source.warning)
        if done is not None and done.census is not None:
            try:
                new += self._conclude_comparison(done)
            except BaseException:
                # What was found and not written must be found again.
                self._reconciler.forget()
                raise
        return new, done

    def _count_workers(self, now_s: float) -> None:
        """Over the same connection as everything else, so between two polls."""
        if now_s < self._next_workers_s:
            return
        self._next_workers_s = now_s + self._config.sample_every_s
        with self._connection.snapshot() as snapshot:
            counted = sample_workers(snapshot, schema=self._config.schema)
        self._sampled.write(Source.PRODUCTION, [counted])

    def _comparison_due(self, now_s: float) -> bool:
        """Deletes and lost rows are looked for after a first copy, within the share of sweeps."""
        if not self._polling.swept_once or not self._pace.sweep_due(now_s, urgent=True):
            return False
        return self._reconciler.busy or now_s >= self._next_reconcile_s

    def _conclude_comparison(self, done: Done) -> int:
        """Journal what the comparison found; return how many rows that were new."""
        verdict = self._reconciler.take(done, self._source.tables)
        appended = self._writer.append(verdict.events, tier="reconcile")
        for table, rows in verdict.vanished.items():
            self._wait_for_word(vanished_rows(table, rows))
        if verdict.finished is not None:
            self._next_reconcile_s = time.monotonic() + self._config.reconcile_every_s
            said = {
                "complete_until": done.mark.at.isoformat(),
                "cost_ms": round(done.census.cost_ms if done.census else 0.0, 3),
                "tables": verdict.finished,
                "accepted": self._reconciler.accepting,
            }
            self._writer.append(
                [self._writer.say(EventKind.RECORD_RECONCILE, said)], tier="reconcile"
            )
            self._reconciler.accepting = False
        return len(verdict.events) - appended.known if appended and verdict.events else 0

    def _is_stopped_by_a_rewind(self, now_s: float) -> bool:
        if self._waiting and now_s >= self._next_word_s:
            self._next_word_s = now_s + _LOOK_FOR_WORD_S
            if not waiting_rewinds(self._journal):
                self._await_word(())
                self._start_over()
        return any(rewind.table is None for rewind in self._waiting)

    def _wait_for_word(self, rewind: Rewind) -> None:
        """Say loudly that the source went back, and read no more of it until a person answers."""
        self._writer.append(
            [self._writer.say(EventKind.RECORD_REWOUND, rewind_payload(rewind))], tier="rewound"
        )
        if rewind.table is None:
            self._writer.gaps.begin(
                Gap(
                    what="production",
                    why=rewind.why,
                    since=self._polling.good_at,
                    loses=LOST_STATES,
                )
            )
        self._await_word((*self._waiting, rewind))

    def _await_word(self, waiting: tuple[Rewind, ...]) -> None:
        self._waiting = waiting
        for rewind in waiting:
            if rewind.table is not None:
                self._source.halt(rewind.table, rewind.why)
        why = "; ".join(rewind.why for rewind in waiting) or None
        if why != self._board.now.rewound:
            self._board.set(rewound=why)

    def _start_over(self) -> None:
        """A person accepted that the source went back: read and compare everything anew."""
        self._source.start_over()
        self._reconciler.start_over()
        self._next_reconcile_s = time.monotonic()

    def _fail(self, error: SourceError | JournalBusyError) -> None:
        what = "production" if isinstance(error, SourceError) else "journal"
        self._writer.gaps.begin(
            Gap(what=what, why=str(error), since=self._polling.good_at, loses=LOST_STATES)
        )
        pause_s = self._config.tick_s * 2.0 ** min(self._failures, 10)
        self._failures += 1
        self._retry_at_s = time.monotonic() + min(self._config.backoff_max_s, pause_s)
        self._board.set(failing=tuple(gap.why for gap in self._writer.gaps.current))

    def _judge_idle(self, new: int, done: Done) -> None:
        self._must_sweep = False
        if self._until_idle_s is None or self._reconciler.busy:
            return
        if time.monotonic() - self._polling.last_new_s < self._until_idle_s:
            return
        if done.tier in SWEEPS and new == 0:
            self._ended.set()
        else:
            self._must_sweep = True

    def _finish(self) -> None:
        """A last sweep, so that the record is complete up to its end, and the word that it ends."""
        if self._failures == 0 and self._polling.swept_once and not self._waiting:
            self._polling.say_next_sweep()
            try:
                for _ in range(_LAST_LOOKS):
                    self._poll(full=True, comparing=True)
                    if not self._reconciler.busy:
                        break
            except RewoundError as error:
                self._wait_for_word(Rewind(table=None, why=str(error)))
            except (SourceError, JournalBusyError) as error:
                self._fail(error)
        self._sampled.ask_all()
        self._writer.gaps.end_all(until=utc_now())
        progress = self._board.now
        complete = self._failures == 0 and self._polling.swept_once and not self._waiting
        stopped = {
            "session": self._writer.session,
            "rows": progress.rows,
            "polls": progress.polls,
            "sweeps": progress.sweeps,
            "complete": complete,
            "so_far": so_far(progress),
        }
        appended = self._writer.append(
            [self._writer.say(EventKind.RECORD_STOPPED, stopped)], tier="stop"
        )
        if appended is not None:
            self._board.set(last_seq=appended.last_seq)
