"""The new stack: a subscriber on the real queue, and flow runs that write what it writes.

It touches neither ``jobs`` nor ``directory_submissions``: in a shadow the old poller owns them.
"""

from __future__ import annotations

import heapq
import itertools
import json
import uuid
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from harness.demo.actors.actor import Actor, ScaledClock
from harness.demo.actors.flow import History, SubmittingRow, Write, flow_writes
from harness.demo.script import Flow, JobScript
from harness.resources import sql_queries

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_MESSAGES = 5
VISIBILITY_TIMEOUT_S = 600
WAIT_S = 1
"""Real seconds of long polling; production waits 20, a rehearsal must end sooner."""
HEARTBEAT_S = 20.0
LEAST_HEARTBEAT_S = 1.0
"""Real seconds: compressed time must not turn heartbeats into the main load."""
_GLANCE_S = 0.02
"""Real seconds after which the flows' thread looks for new flows."""


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
        self._expected = sum(job.enqueued for job in jobs)
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
                for message in self._receive():
                    self._handle(connection, message)
                if self.error is not None:
                    break
        flows.join()

    def _receive(self) -> list[MessageTypeDef]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=MAX_MESSAGES,
            WaitTimeSeconds=WAIT_S,
            VisibilityTimeout=VISIBILITY_TIMEOUT_S,
        )
        return answer.get("Messages", [])

    def _handle(self, connection: psycopg.Connection[Any], message: MessageTypeDef) -> None:
        """Claim, trigger, delete: the message is gone before the flow has begun."""
        receipt = message["ReceiptHandle"]
        job = self._jobs[json.loads(message["Body"])["job_id"]]
        claimed = {"message_id": message["MessageId"], "receipt_handle_preview": receipt[:20]}
        self._history(connection, job.job_id, "queue_claimed", claimed)
        run_id = str(uuid.uuid4())
        self._history(connection, job.job_id, "flow_triggered", {"flow_run_id": run_id})
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt)
        if job.flow is Flow.STOPS_AFTER_TRIGGER:
            self._flow_ended()
            return
        started_s = self._clock.now_s()
        writes = flow_writes(job)
        with self._heap_lock:
            for write in writes:
                entry = (started_s + write.at_s, next(self._order), job.job_id, write)
                heapq.heappush(self._heap, (*entry, write is writes[-1]))

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
                self._write(connection, job_id, write)
                if last:
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

    def _write(self, connection: psycopg.Connection[Any], job_id: str, write: Write) -> None:
        match write:
            case History():
                self._history(connection, job_id, write.event, write.details, write.directory)
            case SubmittingRow():
                connection.execute(
                    self._queries["insert_result"].encode(),
                    {
                        "job_id": job_id,
                        "directory": write.directory,
                        "idem": write.idem,
                        "payload": Jsonb(write.payload),
                    },
                )

    def _history(
        self,
        connection: psycopg.Connection[Any],
        job_id: str,
        event: str,
        details: Any,
        directory: str | None = None,
    ) -> None:
        connection.execute(
            self._queries["insert_history"].encode(),
            {
                "job_id": job_id,
                "directory": directory,
                "event": event,
                "details": Jsonb(dict(details)),
            },
        )

    def _beat(self, connection: psycopg.Connection[Any], job_id: str | None) -> None:
        status = "running" if job_id else "idle"
        params = {"worker": self._worker, "status": status, "job_id": job_id}
        connection.execute(self._queries["beat"].encode(), params)
