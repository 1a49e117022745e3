"""The queues of one stack under test: fresh ones with production's settings, and gone with it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import ReplayError
from replay.worker.stack.addresses import QueueEndpoint
from replay.worker.stack.message import JobMessage
from replay.worker.stack.names import PREFIX, is_left_over, new_name

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_NOBODYS = "sandbox"
_DEAD = "-dlq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many messages nobody has deleted."""

    jobs: int
    """In the jobs queue: they wait there, or somebody has them and has not deleted them."""
    dead: int
    """In the dead-letter queue."""


class StackQueues:
    """A jobs queue and its dead-letter queue, from `create` until `delete`."""

    def __init__(self, endpoint: QueueEndpoint) -> None:
        self._endpoint = endpoint
        self._jobs = self._dead = ""
        with _told_as_ours(endpoint):
            self._client = _client(endpoint)

    def create(self) -> None:
        """Make both."""
        name = new_name()
        with _told_as_ours(self._endpoint):
            self._dead = self._client.create_queue(
                QueueName=f"{name}{_DEAD}", Attributes={"MessageRetentionPeriod": "1209600"}
            )["QueueUrl"]
            arn = self._client.get_queue_attributes(
                QueueUrl=self._dead, AttributeNames=["QueueArn"]
            )["Attributes"]["QueueArn"]
            # As the company's script makes its own.
            self._jobs = self._client.create_queue(
                QueueName=name,
                Attributes={
                    "VisibilityTimeout": "300",
                    "MessageRetentionPeriod": "345600",
                    "ReceiveMessageWaitTimeSeconds": "20",
                    "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}),
                },
            )["QueueUrl"]

    @property
    def paths(self) -> tuple[str, str]:
        """Paths of the jobs queue and of the dead-letter queue below the endpoint."""
        return urlsplit(self._jobs).path, urlsplit(self._dead).path

    def send(self, message: JobMessage) -> None:
        """Put a job's message into the jobs queue."""
        with _told_as_ours(self._endpoint):
            self._client.send_message(QueueUrl=self._jobs, **message)

    def standing(self) -> Standing:
        """How many messages are in both queues."""
        with _told_as_ours(self._endpoint):
            jobs, dead = (
                self._client.get_queue_attributes(
                    QueueUrl=url,
                    AttributeNames=[
                        "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                    ],
                )["Attributes"]
                for url in (self._jobs, self._dead)
            )  # fmt: skip
        return Standing(
            jobs=sum(int(count) for count in jobs.values()),
            dead=sum(int(count) for count in dead.values()),
        )

    def delete(self) -> None:
        """Delete both, with what is in them."""
        with _told_as_ours(self._endpoint):
            for url in filter(None, (self._jobs, self._dead)):
                self._client.delete_queue(QueueUrl=url)
        self._client.close()


def delete_left_over(endpoint: QueueEndpoint) -> None:
    """Delete the queues that killed runs left behind; ReplayError if the endpoint is no SQS."""
    with _told_as_ours(endpoint), contextlib.closing(_client(endpoint)) as client:
        for url in client.list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", []):
            if is_left_over(urlsplit(url).path.rpartition("/")[2]):
                client.delete_queue(QueueUrl=url)


def _client(endpoint: QueueEndpoint) -> SQSClient:
    """Given all that boto3 would take from the environment, credentials and proxies first."""
    return boto3.client(
        "sqs",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id=_NOBODYS,
        aws_secret_access_key=_NOBODYS,
        aws_session_token=_NOBODYS,
        config=Config(
            proxies={},
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 2, "mode": "standard"},
        ),
    )


@contextlib.contextmanager
def _told_as_ours(endpoint: QueueEndpoint) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        line = " ".join(str(error).split())
        raise ReplayError(
            f"stack.endpoint_url = {endpoint.url}: {line} Start an SQS there, such as "
            f"moto_server -p {endpoint.port}."
        ) from error
