"""Samples the candidate's queues: depth, in flight, dead letters. Reads no message."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import SourceError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_ATTRIBUTES: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class QueueSampler:
    """Asks for the attributes of the jobs queue and its DLQ."""

    def __init__(
        self,
        *,
        queue_url: str | None,
        dlq_url: str | None,
        region: str,
        endpoint_url: str | None = None,
        client: SQSClient | None = None,
    ) -> None:
        self._queue_url = queue_url
        self._dlq_url = dlq_url
        self._region = region
        self._endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        self._client = client
        self._owned = client is None

    @property
    def place(self) -> str:
        """Where it asks."""
        return self._queue_url or self._dlq_url or "no queue"

    def sample(self) -> dict[str, int | None]:
        """Return messages by state, None for a queue that is not set.

        Raises SourceError with one line.
        """
        try:
            jobs = self._counts(self._queue_url)
            dead = self._counts(self._dlq_url)
        except (BotoCoreError, ClientError, ValueError) as error:
            # boto3 answers an endpoint that is no URL with a plain ValueError.
            words = " ".join(str(error).split()).rstrip(".")
            raise SourceError(
                f"{self.place}: {words}. Check SQS_QUEUE_URL, the region, AWS_ENDPOINT_URL and the "
                "credentials."
            ) from error
        return {
            "queue_depth": jobs[0],
            "in_flight": jobs[1],
            "delayed": jobs[2],
            "dlq_depth": dead[0],
            "dlq_in_flight": dead[1],
        }

    def close(self) -> None:
        """Close the connections of a client of our own."""
        if self._owned and self._client is not None:
            self._client.close()

    def _counts(self, url: str | None) -> tuple[int | None, ...]:
        if url is None:
            return (None,) * len(_ATTRIBUTES)
        answer = self._connected().get_queue_attributes(QueueUrl=url, AttributeNames=_ATTRIBUTES)
        found = answer.get("Attributes", {})
        return tuple(int(found[name]) if name in found else None for name in _ATTRIBUTES)

    def _connected(self) -> SQSClient:
        if self._client is None:
            self._client = boto3.client(
                "sqs",
                region_name=self._region,
                endpoint_url=self._endpoint_url,
                config=Config(
                    connect_timeout=3,
                    read_timeout=5,
                    retries={"max_attempts": 2, "mode": "standard"},
                ),
            )
        return self._client
