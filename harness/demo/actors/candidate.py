"""The new stack: a subscriber on the real queue, and flow runs that write what it writes.

It touches neither ``jobs`` nor ``directory_submissions``, which the old poller owns in a shadow,
but where a script says so.
"""

from __future__ import annotations

import heapq
import itertools
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from harness.demo.actors.actor import Actor, ScaledClock
from harness.demo.actors.flow import (
    History,
    PutBack,
    ResultEnd,
    ResultRow,
    StartOverwritten,
    Write,
    flow_writes,
)
from harness.demo.actors.shop import job_message
from harness.demo.script import Flow, JobScript
from harness.errors import EnvironmentProblem
from harness.resources import sql_queries

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_MESSAGES = 5
MAX_RECEIVES = 3
"""The queue gives a message to its dead-letter queue after so many."""
VISIBILITY_TIMEOUT_S = 600
WAIT_S = 1
"""Real seconds of long polling; production waits 20, a rehearsal must end sooner."""
HEARTBEAT_S = 20.0
LEAST_HEARTBEAT_S = 1.0
"""Real seconds: compressed time must not turn heartbeats into the main load."""
_GLANCE_S = 0.02
"""Real seconds after which the flows' thread looks for new flows."""
_AGAIN_S = 15.0
"""Scaled seconds after which a write that has to wait for the old poller is tried again."""


class Candidate(Actor):
    """One thread receives messages, one carries out all flow runs in the order of their time."""

    def __init__(
        self,
        jobs: Sequence[JobScript],
        *,
        dsn: str,
        sqs: SQSClient,
        queue_url: str,
        clock: ScaledClock,
    ) -> None:
        super().__init__("new stack")
        self.finished = 0
        """Flow runs that wrote all they had to."""
        self._jobs = {job.job_id: job for job in jobs}
        # A job that is put back runs twice.
        self._expected = sum(job.enqueued + (job.flow is Flow.RUN_AGAIN) for job in jobs)
        self._unrecordable = sum(job.flow is Flow.UNRECORDABLE for job in jobs)
        self._held: list[MessageTypeDef] = []
        self._put_back: set[str] = set()
        self._rolled_back = False
        self._dsn = dsn
        self._sqs = sqs
        self._queue_url = queue_url
        self._clock = clock
        self._worker = str(uuid.uuid4())
        self._queries = sql_queries("postgres/actors/candidate.sql")
        self._heap: list[tuple[float, int, str, Write, bool]] = []
        self._heap_lock = Lock()
        self._order = itertools.count()

    def run(self, stop: Event) -> None:
        """Receive and act until told to stop; `done` once every scripted flow has ended."""
        flows = Thread(target=self._guarded_flows, args=(stop,), name="flows", daemon=True)
        flows.start()
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not stop.is_set():
                for message in (*self._receive(), *self._release()):
                    self._handle(connection, message)
                if self.error is not None:
                    break
        flows.join()

    def _receive(self) -> list[MessageTypeDef]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=MAX_MESSAGES,
            WaitTimeSeconds=WAIT_S,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
            VisibilityTimeout=VISIBILITY_TIMEOUT_S,
        )
        return answer.get("Messages", [])

    def _release(self) -> list[MessageTypeDef]:
        """The messages that wait for every other flow, once there is none."""
        held, self._held = (self._held, []) if self._others_ended else ([], self._held)
        return held

    @property
    def _others_ended(self) -> bool:
        return self.finished >= self._expected - self._unrecordable

    def _handle(self, connection: psycopg.Connection[Any], message: MessageTypeDef) -> None:
        """Claim, trigger, delete: the message is gone before the flow has begun."""
        receipt = message["ReceiptHandle"]
        job = self._jobs[json.loads(message["Body"])["job_id"]]
        if job.flow is Flow.UNRECORDABLE and not self._rolled_back:
            if not self._others_ended:
                self._held.append(message)
                return
            self._execute(connection, "roll_migration_back")
            self._rolled_back = True
        claimed = {"message_id": message["MessageId"], "receipt_handle_preview": receipt[:20]}
        self._history(connection, job, "queue_claimed", claimed)
        if job.flow is Flow.UNTRIGGERABLE:
            self._give_back(message)
            return
        run_id = str(uuid.uuid4())
        self._history(connection, job, "flow_triggered", {"flow_run_id": run_id})
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt)
        if not job.flow.tries_directories and job.flow is not Flow.NOTHING_TRIED:
            self._flow_ended()
            return
        if job.flow is Flow.AFTER_RESTART:
            self._beat(connection, None)
            self._worker = str(uuid.uuid4())
        started_s = self._clock.now_s()
        writes = flow_writes(job, again=job.job_id in self._put_back)
        with self._heap_lock:
            for write in writes:
                entry = (started_s + write.at_s, next(self._order), job.job_id, write)
                heapq.heappush(self._heap, (*entry, write is writes[-1]))

    def _give_back(self, message: MessageTypeDef) -> None:
        """The trigger failed: the message comes again, until the queue gives it up.

        Production waits for the visibility timeout in between.
        """
        self._sqs.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
        if int(message["Attributes"]["ApproximateReceiveCount"]) >= MAX_RECEIVES:
            self._flow_ended()

    def _guarded_flows(self, stop: Event) -> None:
        try:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                self._run_flows(connection, stop)
        except Exception as error:
            if not stop.is_set():
                self.error = error
                self.done.set()

    def _run_flows(self, connection: psycopg.Connection[Any], stop: Event) -> None:
        next_beat_s = 0.0
        if not self._expected:
            self.done.set()
        while not stop.is_set():
            now_s = self._clock.now_s()
            due = self._pop(now_s)
            for _, _, job_id, write, last in due:
                if not self._write(connection, self._jobs[job_id], write):
                    self._later(now_s + _AGAIN_S, job_id, write, last=last)
                elif last:
                    self._flow_ended()
            if now_s >= next_beat_s:
                self._beat(connection, due[-1][2] if due else None)
                next_beat_s = now_s + max(HEARTBEAT_S, LEAST_HEARTBEAT_S * self._clock.scale)
            with self._heap_lock:
                wake_s = self._heap[0][0] if self._heap else next_beat_s
            # A new flow may begin before anything that is planned now.
            self._clock.wait_until(min(wake_s, now_s + _GLANCE_S * self._clock.scale), stop)

    def _pop(self, now_s: float) -> list[tuple[float, int, str, Write, bool]]:
        with self._heap_lock:
            due = []
            while self._heap and self._heap[0][0] <= now_s:
                due.append(heapq.heappop(self._heap))
            return due

    def _flow_ended(self) -> None:
        self.finished += 1
        if self.finished >= self._expected:
            self.done.set()

    def _later(self, at_s: float, job_id: str, write: Write, *, last: bool) -> None:
        with self._heap_lock:
            heapq.heappush(self._heap, (at_s, next(self._order), job_id, write, last))

    def _write(self, connection: psycopg.Connection[Any], job: JobScript, write: Write) -> bool:
        """Carry a write out; False if its time has not come yet."""
        match write:
            case History():
                self._history(connection, job, write.event, write.details, write.directory)
            case ResultRow():
                self._execute(
                    connection, "insert_result", job_id=job.job_id, directory=write.directory,
                    idem=write.idem, payload=Jsonb(write.payload), status=write.status,
                )  # fmt: skip
            case ResultEnd():
                self._execute(
                    connection, "end_result", idem=write.idem, status=write.status,
                    screenshot_url=write.screenshot_url, listing_url=write.listing_url,
                    error_message=write.error_message,
                )  # fmt: skip
            case StartOverwritten():
                return self._execute(connection, "overwrite_start", job_id=job.job_id) > 0
            case PutBack():
                return self._put_job_back(connection, job)
        return True

    def _put_job_back(self, connection: psycopg.Connection[Any], job: JobScript) -> bool:
        """What the stale-job monitor does; its row in the old shape of the history is refused."""
        if not self._execute(connection, "put_back", job_id=job.job_id):
            query = self._queries["select_job_status"].encode()
            found = connection.execute(query, {"job_id": job.job_id}).fetchone()
            if found == ("failed",):
                raise EnvironmentProblem(
                    f"rehearsal: job {job.ordinal} ended before it could be put back. "
                    "Give it more time with a lower --speed."
                )
            return False
        self._put_back.add(job.job_id)
        again = {"retry_attempt": 1, "requeued_by": "stale_job_monitor"}
        self._sqs.send_message(QueueUrl=self._queue_url, **job_message(job, more=again))
        return True

    def _history(
        self,
        connection: psycopg.Connection[Any],
        job: JobScript,
        event: str,
        details: Any,
        directory: str | None = None,
    ) -> None:
        """Write a row of history, but for a job of which nothing can be written."""
        if job.flow is Flow.UNWRITABLE:
            return
        with suppress(*((psycopg.errors.UndefinedColumn,) if self._rolled_back else ())):
            self._execute(
                connection, "insert_history", job_id=job.job_id, directory=directory, event=event,
                details=Jsonb(dict(details)),
            )  # fmt: skip

    def _execute(self, connection: psycopg.Connection[Any], query: str, **params: Any) -> int:
        """Run a named statement; return how many rows it touched."""
        return connection.execute(self._queries[query].encode(), params).rowcount

    def _beat(self, connection: psycopg.Connection[Any], job_id: str | None) -> None:
        status = "running" if job_id else "idle"
        params = {"worker": self._worker, "status": status, "job_id": job_id}
        connection.execute(self._queries["beat"].encode(), params)
