"""The queues of a real endpoint: counted, read, and left as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from mypy_boto3_cloudwatch import CloudWatchClient

from harness.demo.sqs import ACCESS_KEY, JOBS_QUEUE, REGION, SECRET_KEY, LocalSqs
from harness.record.samples.sqs import QueueSource


@pytest.fixture
def sqs() -> Iterator[LocalSqs]:
    with LocalSqs() as running:
        yield running


@pytest.fixture
def cloudwatch(sqs: LocalSqs) -> Iterator[CloudWatchClient]:
    client: CloudWatchClient = boto3.client(
        "cloudwatch",
        endpoint_url=sqs.endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    yield client
    client.close()


def source(sqs: LocalSqs, cloudwatch: CloudWatchClient | None = None) -> QueueSource:
    return QueueSource(
        queue_url=sqs.queue_url,
        dlq_url=sqs.dlq_url,
        region=REGION,
        client=sqs.client,
        cloudwatch=cloudwatch,
    )


def give_up(sqs: LocalSqs, body: str) -> None:
    sqs.client.send_message(QueueUrl=sqs.dlq_url, MessageBody=body)


def test_dead_letters_are_read_and_stay_there_for_everybody(sqs: LocalSqs) -> None:
    bodies = [json.dumps({"job_id": f"j-{n}", "_dlq_reason": "poison"}) for n in range(13)]
    for body in bodies:
        give_up(sqs, body)
    it = source(sqs)
    before = datetime.now(UTC)
    sample, *letters = it.sample()
    assert sample.payload["dlq_depth"] == 13
    assert sample.payload["dead_letters_read"] == 13
    assert 0 <= sample.payload["dlq_oldest_age_s"] < 600
    assert sorted(str(letter.job_id) for letter in letters) == sorted(f"j-{n}" for n in range(13))
    assert {letter.payload["reason"] for letter in letters} == {"poison"}
    assert all(datetime.fromisoformat(one.payload["sent_at"]) <= before for one in letters)
    # Everything is visible at once, to us and to others, and each has its key for good.
    again = {letter.key for letter in it.sample()[1:]}
    assert again == {letter.key for letter in letters}
    others = [
        message["Body"]
        for _ in range(2)
        for message in sqs.client.receive_message(QueueUrl=sqs.dlq_url, MaxNumberOfMessages=10)[
            "Messages"
        ]
    ]
    assert sorted(others) == sorted(bodies)


def test_the_messages_of_the_jobs_queue_are_never_received(sqs: LocalSqs) -> None:
    sqs.client.send_message(QueueUrl=sqs.queue_url, MessageBody="{}")
    sample, *letters = source(sqs).sample()
    assert (sample.payload["queue_depth"], letters) == (1, [])
    (message,) = sqs.client.receive_message(
        QueueUrl=sqs.queue_url, MessageSystemAttributeNames=["ApproximateReceiveCount"]
    )["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_message_that_the_queue_itself_gave_up_is_found(sqs: LocalSqs) -> None:
    sqs.client.send_message(QueueUrl=sqs.queue_url, MessageBody='{"job_id": "j-9"}')
    for _ in range(4):
        sqs.client.receive_message(QueueUrl=sqs.queue_url, VisibilityTimeout=0, WaitTimeSeconds=0)
    (letter,) = source(sqs).sample()[1:]
    assert letter.job_id == "j-9"
    # The queue's three receives, and the one of ours.
    assert letter.payload["receive_count"] == 4


def test_a_dead_letter_queue_with_a_redrive_policy_is_left_alone(sqs: LocalSqs) -> None:
    give_up(sqs, "{}")
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:123456789012:{JOBS_QUEUE}"}
    sqs.client.set_queue_attributes(
        QueueUrl=sqs.dlq_url,
        Attributes={"RedrivePolicy": json.dumps(policy | {"maxReceiveCount": 1})},
    )
    for _ in range(3):
        sample, *letters = source(sqs).sample()
        assert (sample.payload["dlq_depth"], letters) == (1, [])
        assert "redrive policy" in sample.payload["dead_letters_why"]


def test_cloudwatch_of_the_same_endpoint_tells_the_age(
    sqs: LocalSqs, cloudwatch: CloudWatchClient
) -> None:
    assert source(sqs, cloudwatch).sample()[0].payload["oldest_age_s"] is None
    cloudwatch.put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": JOBS_QUEUE}],
                "Value": 42.0,
            }
        ],
    )
    payload = source(sqs, cloudwatch).sample()[0].payload
    assert (payload["oldest_age_s"], payload["oldest_age_why"]) == (42.0, None)
