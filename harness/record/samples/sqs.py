"""Samples the candidate's queues: depth, in flight, age, dead letters. Reads no job's message."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import SourceError
from harness.model import EventKind, Source
from harness.record.samples.dead_letters import DeadLetters, one_line, queue_name, read_dead_letters
from harness.record.samples.sampler import Observation

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_ATTRIBUTES: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
_LIMITS = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 2, "mode": "standard"})
_AGE_EVERY_S = 60.0
"""CloudWatch has one value a minute, and each question is billed."""
_AGE_RETRY_S = 600.0
_UNREAD_S = 600.0
"""Messages that could not be given back are hidden for a while; this long nobody reads them again,
or they would be hidden for most of the time."""
_MEND = "Check SQS_QUEUE_URL, SQS_DLQ_URL, the region, AWS_ENDPOINT_URL and the credentials."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """Attributes of one queue, or why there are none."""

    attributes: Mapping[QueueAttributeNameType, str]
    error: Exception | None = None

    def count(self, name: QueueAttributeNameType) -> int | None:
        text = self.attributes.get(name)
        return int(text) if text is not None else None

    @property
    def why(self) -> str | None:
        return one_line(self.error) if self.error else None


class QueueSource:
    """Asks for the attributes of both queues, reads the DLQ, asks CloudWatch for the age.

    What one call is refused is said in the sample and costs nothing else.
    """

    source = Source.SHADOW_QUEUE
    loses = "samples of the queues, and dead letters that were taken away before the next sample"

    def __init__(
        self,
        *,
        queue_url: str | None,
        dlq_url: str | None,
        region: str,
        endpoint_url: str | None = None,
        client: SQSClient | None = None,
        cloudwatch: CloudWatchClient | None = None,
    ) -> None:
        """Clients of one's own may be given; without one for CloudWatch there is then no age."""
        self._queue_url = queue_url
        self._dlq_url = dlq_url
        self._region = region
        self._endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        self._owned = client is None
        self._client = client
        self._cloudwatch = cloudwatch
        self._age: tuple[float | None, str | None] = (None, None)
        self._age_due_s = float("-inf")
        self._unreadable: str | None = None
        self._unreadable_until_s = float("-inf")

    @property
    def place(self) -> str:
        """Where it asks."""
        return self._queue_url or self._dlq_url or "no queue"

    def sample(self) -> Sequence[Observation]:
        """One `sqs.sample`, and one `sqs.dead_letter` for each message in the DLQ.

        Numbers are None where a queue is not set or did not answer, and `…_why` says which.
        Raises SourceError of one line if no queue answers.
        """
        jobs, dead = self._ask(self._queue_url), self._ask(self._dlq_url)
        errors = [answer.error for answer in (jobs, dead) if answer and answer.error]
        if errors and not any(answer and answer.attributes for answer in (jobs, dead)):
            raise SourceError(f"{self.place}: {one_line(errors[0])}. {_MEND}") from errors[0]
        letters = self._read(dead)
        age_s, age_why = self._oldest_age() if jobs else (None, "no queue is set")
        return (
            Observation(
                kind=EventKind.SQS_SAMPLE,
                payload={
                    **_counts(jobs, depth="queue_depth", flying="in_flight", delayed="delayed"),
                    **_counts(dead, depth="dlq_depth", flying="dlq_in_flight"),
                    "queue_why": jobs.why if jobs else None,
                    "dlq_why": dead.why if dead else None,
                    "oldest_age_s": age_s,
                    "oldest_age_why": age_why,
                    "dlq_oldest_age_s": _age_s(letters.oldest_sent_at),
                    "dead_letters_read": len(letters.letters),
                    "dead_letters_why": letters.why,
                },
            ),
            *letters.letters,
        )

    def close(self) -> None:
        """Close the connections of clients of our own."""
        if self._owned:
            for client in (self._client, self._cloudwatch):
                if client is not None:
                    client.close()

    def _ask(self, url: str | None) -> _Answer | None:
        if url is None:
            return None
        try:
            answer = self._sqs().get_queue_attributes(
                QueueUrl=url, AttributeNames=[*_ATTRIBUTES, "RedrivePolicy"]
            )
        except (BotoCoreError, ClientError, ValueError) as error:
            # boto3 answers an endpoint that is no URL with a plain ValueError.
            return _Answer(attributes={}, error=error)
        return _Answer(attributes=answer.get("Attributes", {}))

    def _read(self, dead: _Answer | None) -> DeadLetters:
        if dead is None or self._dlq_url is None or not dead.attributes:
            return DeadLetters()
        if self._dlq_url == self._queue_url:
            return DeadLetters(why="the DLQ is the jobs queue, whose messages are not ours to read")
        if dead.attributes.get("RedrivePolicy"):
            why = "the DLQ has a redrive policy: a message that is read too often would be moved"
            return DeadLetters(why=why)
        visible = dead.count("ApproximateNumberOfMessages")
        if time.monotonic() < self._unreadable_until_s:
            return DeadLetters(why=self._unreadable)
        if not visible:
            return DeadLetters()
        letters = read_dead_letters(self._sqs(), self._dlq_url, visible=visible)
        if letters.held:
            self._unreadable = letters.why
            self._unreadable_until_s = time.monotonic() + _UNREAD_S
        return letters

    def _oldest_age(self) -> tuple[float | None, str | None]:
        """Seconds and None, or None and the reason; the last answer while none is due."""
        if time.monotonic() >= self._age_due_s:
            self._age = self._ask_age()
            pause_s = _AGE_EVERY_S if self._age[1] is None else _AGE_RETRY_S
            self._age_due_s = time.monotonic() + pause_s
        return self._age

    def _ask_age(self) -> tuple[float | None, str | None]:
        if not self._owned and self._cloudwatch is None:
            return None, "CloudWatch is not asked"
        now = datetime.now(UTC)
        try:
            points = self._watch().get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": queue_name(self._queue_url or "")}],
                StartTime=now - timedelta(minutes=10),
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Maximum"],
            )["Datapoints"]
        except (BotoCoreError, ClientError, ValueError) as error:
            return None, f"CloudWatch: {one_line(error)}"
        if not points:
            return None, "CloudWatch has no value of the last ten minutes"
        return float(max(points, key=lambda point: point["Timestamp"])["Maximum"]), None

    def _sqs(self) -> SQSClient:
        if self._client is None:
            self._client = boto3.client(
                "sqs", region_name=self._region, endpoint_url=self._endpoint_url, config=_LIMITS
            )
        return self._client

    def _watch(self) -> CloudWatchClient:
        if self._cloudwatch is None:
            # One address that is not Amazon's serves all of its services, or has only the queues.
            self._cloudwatch = boto3.client(
                "cloudwatch",
                region_name=self._region,
                endpoint_url=self._endpoint_url,
                config=_LIMITS,
            )
        return self._cloudwatch


def _counts(
    answer: _Answer | None, *, depth: str, flying: str, delayed: str | None = None
) -> dict[str, Any]:
    names = zip((depth, flying, delayed), _ATTRIBUTES, strict=True)
    return {name: answer.count(of) if answer else None for name, of in names if name}


def _age_s(since: datetime | None) -> float | None:
    return max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else None
