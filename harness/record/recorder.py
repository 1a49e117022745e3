"""Runs the recorder: when to poll, what to do with the answer, how to fail and how to stop.

Signals are the caller's; everything that touches a row is in ``postgres``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from harness.errors import JournalBusyError, SourceError
from harness.journal.store import Journal, utc_now
from harness.model import EventDraft, EventKind, Source, Watermark
from harness.record.chunk import Chunk, Done
from harness.record.connection import SourceConnection
from harness.record.gaps import Gap
from harness.record.horizon import read_horizon
from harness.record.lock import recorder_lock
from harness.record.marks import fast_position, make_watermark, sweep_payload
from harness.record.pace import Pace
from harness.record.postgres import PostgresSource
from harness.record.progress import RecorderConfig, RecorderProgress
from harness.record.sqs import QueueSampler
from harness.record.writer import PRODUCTION, PRODUCTION_FAST, PRODUCTION_SCHEMA, RecordWriter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["Recorder", "RecorderConfig", "RecorderProgress"]

_WAIT_S = 0.05
_LOST_STATES = "states between two versions of a row that changes in place"
_LOST_SAMPLES = "samples of the queues"


class Recorder:
    """Copies production into one journal until it is told to stop."""

    def __init__(
        self, config: RecorderConfig, journal: Journal, *, sqs_client: SQSClient | None = None
    ) -> None:
        self._config = config
        self._journal = journal
        self._connection = SourceConnection(config.dsn)
        self._pace = Pace(
            tick_s=config.tick_s,
            min_interval_s=config.sweep_min_interval_s,
            max_share=config.sweep_max_share,
        )
        self._source = PostgresSource(
            self._connection,
            pace=self._pace,
            schema=config.schema,
            chunk_rows=config.chunk_rows,
        )
        self._sampler = QueueSampler(
            queue_url=config.queue_url,
            dlq_url=config.dlq_url,
            region=config.aws_region,
            endpoint_url=config.endpoint_url,
            client=sqs_client,
        )
        self._writer = RecordWriter(journal)
        self._progress = RecorderProgress()
        self._progress_lock = threading.Lock()
        self._on_progress: Callable[[RecorderProgress], None] = _ignore
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._until_idle_s: float | None = None
        self._must_sweep = False
        self._swept_once = False
        self._failures = 0
        self._retry_at_s = 0.0
        self._last_new_s = 0.0
        self._last_sweep_event_s = float("-inf")
        self._good_at = utc_now()

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
        self._on_progress = on_progress or _ignore
        self._until_idle_s = until_idle_s
        with recorder_lock(self._journal.path):
            try:
                self._start()
                deadline_s = time.monotonic() + for_s if for_s is not None else float("inf")
                scheduler = self._schedule()
                try:
                    while time.monotonic() < deadline_s and not self._ended.is_set():
                        if self._stop.wait(_WAIT_S):
                            break
                finally:
                    self._stop.set()
                    self._wait_for_the_batch(scheduler)
                if self._failure is not None:
                    raise self._failure
                self._finish()
            finally:
                self._connection.close()
                self._sampler.close()
        return self._progress

    def _start(self) -> None:
        exists = self._journal.path.exists()
        sweeps, schema, last_at = self._writer.remembered() if exists else (None, None, None)
        self._source.open(sweeps.position if sweeps else None, schema.position if schema else None)
        if not exists:
            Journal.create(self._journal.path, busy_timeout_s=self._journal.busy_timeout_s)
        horizon = read_horizon(self._connection, previous=None)
        self._last_new_s = time.monotonic()
        self._good_at = utc_now()
        pause = timedelta(
            seconds=max(self._config.restart_gap_s, 2 * self._config.sweep_min_interval_s)
        )
        if last_at is not None and self._good_at - last_at > pause:
            why = "the recorder was not running"
            self._writer.gaps.begin(
                Gap(what="recorder", why=why, since=last_at.astimezone(UTC), loses=_LOST_STATES)
            )
            self._writer.gaps.end("recorder", until=self._good_at)
        server = self._source.server
        started = {
            "session": self._writer.session,
            "place": self._connection.place,
            "server_version": server.version if server else None,
            "provisional": horizon.since is None,
            "provisional_why": horizon.held if horizon.since is None else None,
            "tables": {table.name: sorted(table.columns) for table in self._source.tables},
            "tick_s": self._config.tick_s,
            "sweep_min_interval_s": self._config.sweep_min_interval_s,
            "resumed": sweeps is not None,
        }
        self._writer.append([self._writer.say(EventKind.RECORD_STARTED, started)], tier="start")

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
        if self._config.queue_url or self._config.dlq_url:
            scheduler.add_job(
                self._guarded(self._sample),
                "interval",
                seconds=self._config.sample_every_s,
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
        now_s = time.monotonic()
        if now_s < self._retry_at_s:
            return
        if not self._swept_once and not self._pace.sweep_due(now_s, urgent=True):
            # Nothing can be read before the first copy, and the source has just cut that short.
            return
        full = self._must_sweep or self._pace.sweep_due(now_s)
        try:
            new, done = self._poll(full=full)
        except (SourceError, JournalBusyError) as error:
            self._fail(error)
            return
        if done is None:
            return
        self._failures = 0
        self._judge_idle(new, done)

    def _poll(self, *, full: bool, may_stop: bool = True) -> tuple[int, Done | None]:
        """Copy what is new; return how many rows were, and None if it was told to stop midway."""
        new = 0
        with closing(self._source.poll(full=full)) as chunks:
            for chunk in chunks:
                new += self._write(chunk, new)
                if chunk.done is not None:
                    # Going on tells the source that its last chunk is in the journal.
                    done = chunk.done
                    next(chunks, None)
                    return new, done
                if may_stop and self._stop.is_set():
                    return new, None
        return new, None

    def _write(self, chunk: Chunk, new_before: int) -> int:
        events = list(chunk.events)
        own: list[EventDraft] = []
        marks: list[Watermark] = []
        done = chunk.done
        now = utc_now()
        if done is not None:
            self._writer.gaps.end("production", until=now)
            own, marks = self._conclude(done, anything=bool(events) or new_before > 0)
        appended = self._writer.append(events + own, tier=chunk.tier, watermarks=marks)
        if done is not None:
            # Only now: a journal that is still locked has not got what this poll found.
            self._writer.gaps.end("journal", until=utc_now())
            self._good_at = now
        new = 0
        if appended is not None:
            new = len(events) - appended.known
        if new:
            self._last_new_s = time.monotonic()
        if any(event.kind == EventKind.RECORD_SWEEP for event in own):
            self._last_sweep_event_s = time.monotonic()
        self._report(chunk, new, appended.last_seq if appended else None)
        return new

    def _conclude(self, done: Done, *, anything: bool) -> tuple[list[EventDraft], list[Watermark]]:
        """What a finished poll adds to its last batch: its watermarks, drift, the sweep's event.

        An idle poll adds nothing, or the journal would grow by two writes a second for a week; but
        every so often it says that there was nothing, so that the record's own time moves on.
        """
        own = [
            self._writer.say(EventKind.SCHEMA_DRIFT, change, at=done.mark.at)
            for change in done.drift
        ]
        marks: list[Watermark] = []
        if not self._swept_once or done.drift:
            marks.append(make_watermark(PRODUCTION_SCHEMA, done.shape, done))
        if done.tier == "fast":
            if anything and done.since is not None:
                marks.append(make_watermark(PRODUCTION_FAST, fast_position(done), done))
            return own, marks
        due_s = self._last_sweep_event_s + self._config.sweep_event_every_s
        event_due = time.monotonic() >= due_s
        if anything or event_due or not self._swept_once:
            marks.append(make_watermark(PRODUCTION, self._source.position(done), done))
            if done.since is not None:
                marks.append(make_watermark(PRODUCTION_FAST, fast_position(done), done))
        if event_due:
            own.append(self._writer.say(EventKind.RECORD_SWEEP, sweep_payload(done)))
        return own, marks

    def _report(self, chunk: Chunk, new: int, last_seq: int | None) -> None:
        done = chunk.done
        with self._progress_lock:
            progress = replace(
                self._progress,
                tier=chunk.tier,
                rows=self._progress.rows + new,
                last_seq=last_seq or self._progress.last_seq,
                failing=tuple(gap.why for gap in self._writer.gaps.current),
            )
            if done is not None:
                full = done.tier != "fast"
                progress = replace(
                    progress,
                    complete_until=done.mark.at if done.complete else progress.complete_until,
                    sweeps=progress.sweeps + full,
                    polls=progress.polls + 1,
                    cost_ms=done.cost_ms,
                    cost_total_ms=progress.cost_total_ms + done.cost_ms,
                    sweeps_cost_ms=progress.sweeps_cost_ms + full * done.cost_ms,
                    provisional=done.held if done.since is None else None,
                )
                self._swept_once = self._swept_once or full
            self._progress = progress
        self._on_progress(progress)

    def _fail(self, error: SourceError | JournalBusyError) -> None:
        what = "production" if isinstance(error, SourceError) else "journal"
        self._writer.gaps.begin(
            Gap(what=what, why=str(error), since=self._good_at, loses=_LOST_STATES)
        )
        pause_s = self._config.tick_s * 2.0 ** min(self._failures, 10)
        self._failures += 1
        self._retry_at_s = time.monotonic() + min(self._config.backoff_max_s, pause_s)
        with self._progress_lock:
            failing = tuple(gap.why for gap in self._writer.gaps.current)
            self._progress = progress = replace(self._progress, failing=failing)
        self._on_progress(progress)

    def _judge_idle(self, new: int, done: Done) -> None:
        self._must_sweep = False
        if self._until_idle_s is None:
            return
        if time.monotonic() - self._last_new_s < self._until_idle_s:
            return
        if done.tier != "fast" and new == 0:
            self._ended.set()
        else:
            self._must_sweep = True

    def _sample(self) -> None:
        try:
            counts: dict[str, Any] = dict(self._sampler.sample())
        except SourceError as error:
            self._writer.gaps.begin(
                Gap(
                    what=Source.SHADOW_QUEUE.value,
                    why=str(error),
                    since=utc_now(),
                    loses=_LOST_SAMPLES,
                )
            )
            return
        self._writer.gaps.end(Source.SHADOW_QUEUE.value, until=utc_now())
        event = self._writer.say(EventKind.SQS_SAMPLE, counts, source=Source.SHADOW_QUEUE)
        try:
            self._writer.append([event], tier="sample")
        except JournalBusyError:
            # The next sample says the same; production's rows are worth waiting for the lock.
            return
        with self._progress_lock:
            self._progress = replace(
                self._progress,
                queue_depth=counts["queue_depth"],
                dlq_depth=counts["dlq_depth"],
            )

    def _finish(self) -> None:
        """A last sweep, so that the record is complete up to its end, and the word that it ends."""
        if self._failures == 0 and self._swept_once:
            self._last_sweep_event_s = float("-inf")
            try:
                self._poll(full=True, may_stop=False)
            except (SourceError, JournalBusyError) as error:
                self._fail(error)
        self._writer.gaps.end_all(until=utc_now())
        stopped = {
            "session": self._writer.session,
            "rows": self._progress.rows,
            "polls": self._progress.polls,
            "sweeps": self._progress.sweeps,
            "complete": self._failures == 0 and self._swept_once,
        }
        appended = self._writer.append(
            [self._writer.say(EventKind.RECORD_STOPPED, stopped)], tier="stop"
        )
        if appended is not None:
            self._progress = replace(self._progress, last_seq=appended.last_seq)


def _ignore(_: RecorderProgress) -> None:
    return None
