"""What the queues answer, and what becomes of an answer that is none."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from harness.errors import SourceError
from harness.record.sqs import QueueSampler

JOBS = "https://sqs.example/1/jobs"
DEAD = "https://sqs.example/1/dead"


class Queues:
    """Answers for SQS: attributes by queue, or an error."""

    def __init__(self, attributes: dict[str, dict[str, str]], error: Exception | None = None):
        self._attributes = attributes
        self._error = error

    def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
        if self._error is not None:
            raise self._error
        return {"Attributes": self._attributes[asked["QueueUrl"]]}


def sampler(queues: Queues, *, jobs: str | None = JOBS, dead: str | None = DEAD) -> QueueSampler:
    return QueueSampler(queue_url=jobs, dlq_url=dead, region="us-east-1", client=cast(Any, queues))


def test_messages_are_counted_by_state() -> None:
    queues = Queues(
        {
            JOBS: {
                "ApproximateNumberOfMessages": "4",
                "ApproximateNumberOfMessagesNotVisible": "3",
                "ApproximateNumberOfMessagesDelayed": "2",
            },
            DEAD: {"ApproximateNumberOfMessages": "1"},
        }
    )
    assert sampler(queues).sample() == {
        "queue_depth": 4,
        "in_flight": 3,
        "delayed": 2,
        "dlq_depth": 1,
        "dlq_in_flight": None,
    }


def test_a_queue_that_is_not_set_is_unknown_and_not_empty() -> None:
    sample = sampler(Queues({DEAD: {"ApproximateNumberOfMessages": "0"}}), jobs=None).sample()
    assert sample["queue_depth"] is None
    assert sample["dlq_depth"] == 0


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "no such"}}, "Get"),
        NoCredentialsError(),
        ValueError("Invalid endpoint: no address"),
    ],
)
def test_every_failure_is_one_line_that_names_the_queue_and_the_mend(error: Exception) -> None:
    with pytest.raises(SourceError) as caught:
        sampler(Queues({}, error)).sample()
    message = str(caught.value)
    assert message.startswith(f"{JOBS}: ")
    assert "SQS_QUEUE_URL" in message
    assert "\n" not in message
    assert caught.value.__cause__ is error


def test_an_endpoint_that_is_no_address_is_a_failure_of_the_queue() -> None:
    lost = QueueSampler(queue_url=JOBS, dlq_url=None, region="us-east-1", endpoint_url="nowhere")
    with pytest.raises(SourceError, match="nowhere"):
        lost.sample()
