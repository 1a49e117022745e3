"""What the queues answer, and what becomes of an answer that is none."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from harness.errors import SourceError
from harness.model import EventKind
from harness.record.samples.dead_letters import LONGEST_JSON, LONGEST_TEXT, MOST
from harness.record.samples.sampler import Observation
from harness.record.samples.sqs import QueueSource

JOBS = "https://sqs.example/1/jobs"
DEAD = "https://sqs.example/1/dead"


def denied(action: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": f"no {action}"}}, action)


class Queues:
    """Answers for SQS: attributes and messages by queue; an exception in their place is raised."""

    def __init__(
        self,
        attributes: dict[str, dict[str, str] | Exception],
        *,
        bodies: list[str] | Exception = [],  # noqa: B006
        give_back: Exception | None = None,
    ) -> None:
        self._attributes = attributes
        self._bodies = bodies
        self._give_back = give_back
        self.received = 0
        self.given_back: list[str] = []

    def get_queue_attributes(self, **asked: Any) -> dict[str, Any]:
        found = self._attributes[asked["QueueUrl"]]
        if isinstance(found, Exception):
            raise found
        return {"Attributes": found}

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        assert asked["QueueUrl"] == DEAD
        if isinstance(self._bodies, Exception):
            raise self._bodies
        start = self.received
        bodies = self._bodies[start : start + asked["MaxNumberOfMessages"]]
        self.received += len(bodies)
        return {
            "Messages": [
                {"MessageId": f"m{start + n}", "ReceiptHandle": f"r{start + n}", "Body": body}
                for n, body in enumerate(bodies)
            ]
        }

    def change_message_visibility_batch(self, **asked: Any) -> dict[str, Any]:
        if self._give_back is not None:
            raise self._give_back
        assert {entry["VisibilityTimeout"] for entry in asked["Entries"]} == {0}
        self.given_back += [entry["ReceiptHandle"] for entry in asked["Entries"]]
        return {"Failed": []}


class Watch:
    """Answers for CloudWatch: maxima, or an error."""

    def __init__(self, *points: float, error: Exception | None = None) -> None:
        self._points = points
        self._error = error
        self.asked = 0

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        self.asked += 1
        assert asked["Dimensions"] == [{"Name": "QueueName", "Value": "jobs"}]
        if self._error is not None:
            raise self._error
        return {"Datapoints": [{"Timestamp": n, "Maximum": p} for n, p in enumerate(self._points)]}


def source(
    queues: Queues, *, jobs: str | None = JOBS, dead: str | None = DEAD, watch: Any = None
) -> QueueSource:
    return QueueSource(
        queue_url=jobs, dlq_url=dead, region="us-east-1", client=cast(Any, queues), cloudwatch=watch
    )


def sampled(queues: Queues, **options: Any) -> dict[str, Any]:
    return dict(source(queues, **options).sample()[0].payload)


def letters(queues: Queues) -> list[Observation]:
    found = source(queues).sample()[1:]
    assert {one.kind for one in found} <= {EventKind.SQS_DEAD_LETTER}
    return list(found)


def holding(*bodies: str, **options: Any) -> Queues:
    """A DLQ with these messages beside an empty queue."""
    count = {"ApproximateNumberOfMessages": str(len(bodies))}
    return Queues(
        {JOBS: {"ApproximateNumberOfMessages": "0"}, DEAD: count}, bodies=list(bodies), **options
    )


def test_messages_are_counted_by_state() -> None:
    queues = Queues(
        {
            JOBS: {
                "ApproximateNumberOfMessages": "4",
                "ApproximateNumberOfMessagesNotVisible": "3",
                "ApproximateNumberOfMessagesDelayed": "2",
            },
            DEAD: {"ApproximateNumberOfMessages": "0"},
        }
    )
    assert sampled(queues) == {
        "queue_depth": 4,
        "in_flight": 3,
        "delayed": 2,
        "dlq_depth": 0,
        "dlq_in_flight": None,
        "queue_why": None,
        "dlq_why": None,
        "oldest_age_s": None,
        "oldest_age_why": "CloudWatch is not asked",
        "dlq_oldest_age_s": None,
        "dead_letters_read": 0,
        "dead_letters_why": None,
    }


def test_a_queue_that_is_not_set_is_unknown_and_not_empty() -> None:
    sample = sampled(Queues({DEAD: {"ApproximateNumberOfMessages": "0"}}), jobs=None)
    assert (sample["queue_depth"], sample["queue_why"]) == (None, None)
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
        source(Queues({JOBS: error, DEAD: error})).sample()
    message = str(caught.value)
    assert message.startswith(f"{JOBS}: ")
    assert "SQS_QUEUE_URL" in message
    assert "\n" not in message
    assert caught.value.__cause__ is error


def test_an_endpoint_that_is_no_address_is_a_failure_of_the_queue() -> None:
    lost = QueueSource(queue_url=JOBS, dlq_url=None, region="us-east-1", endpoint_url="nowhere")
    with pytest.raises(SourceError, match="nowhere"):
        lost.sample()


@pytest.mark.parametrize(("lost", "left"), [(JOBS, "dlq"), (DEAD, "queue")])
def test_one_queue_that_is_refused_costs_nothing_of_the_other(lost: str, left: str) -> None:
    attributes: dict[str, Any] = {url: {"ApproximateNumberOfMessages": "0"} for url in (JOBS, DEAD)}
    sample = sampled(Queues(attributes | {lost: denied("GetQueueAttributes")}))
    right = {"dlq": "queue", "queue": "dlq"}[left]
    assert (sample[f"{left}_depth"], sample[f"{left}_why"]) == (0, None)
    assert sample[f"{right}_depth"] is None
    assert "no GetQueueAttributes" in sample[f"{right}_why"]


def test_a_dead_letter_says_which_job_and_why() -> None:
    queues = holding('{"job_id": "j-1", "_dlq_reason": "exceeded_retry_limit_3"}', "poison")
    told, bare = letters(queues)
    assert (told.key, told.job_id) == ("sqs.dead_letter:dead:m0", "j-1")
    assert told.payload["reason"] == "exceeded_retry_limit_3"
    assert told.payload["body"]["job_id"] == "j-1"
    assert (bare.key, bare.job_id, bare.payload["body"]) == (
        "sqs.dead_letter:dead:m1", None, "poison",
    )  # fmt: skip
    assert queues.given_back == ["r0", "r1"]


@pytest.mark.parametrize(
    "body", ["NaN", '{"n": 1e999}', '"\\ud800"', "[" * 100_000, '{"k": "v"', "x" * 70_000]
)
def test_a_body_that_no_journal_can_hold_as_json_is_kept_as_text(body: str) -> None:
    (letter,) = letters(holding(body))
    assert letter.payload["body"] == body[:LONGEST_TEXT]
    assert letter.job_id is None


def test_json_of_any_length_that_a_job_needs_is_kept_whole() -> None:
    body = '{"metadata": "' + "x" * (LONGEST_JSON - 30) + '"}'
    (letter,) = letters(holding(body))
    assert len(letter.payload["body"]["metadata"]) == LONGEST_JSON - 30


def test_a_long_dead_letter_queue_is_read_in_parts() -> None:
    queues = holding(*["{}"] * (MOST + 30))
    assert len(letters(queues)) == MOST
    assert len(queues.given_back) == MOST


@pytest.mark.parametrize(
    ("attributes", "dead", "words"),
    [
        ({"RedrivePolicy": "{}"}, DEAD, "redrive policy"),
        ({}, JOBS, "not ours to read"),
    ],
)
def test_a_queue_whose_messages_reading_would_harm_is_not_read(
    attributes: dict[str, str], dead: str, words: str
) -> None:
    count = {"ApproximateNumberOfMessages": "3"}
    queues = Queues({JOBS: count, DEAD: count | attributes}, bodies=["{}"] * 3)
    sample, *found = source(queues, dead=dead).sample()
    assert words in sample.payload["dead_letters_why"]
    assert (found, queues.received) == ([], 0)


def test_without_leave_to_receive_the_depth_is_still_known() -> None:
    queues = holding("{}")
    queues._bodies = denied("ReceiveMessage")
    sample = sampled(queues)
    assert sample["dlq_depth"] == 1
    assert "no ReceiveMessage" in sample["dead_letters_why"]


def test_messages_that_cannot_be_given_back_are_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queues = holding("{}", "{}", give_back=denied("ChangeMessageVisibility"))
    it = source(queues)
    sample, *found = it.sample()
    assert len(found) == 2
    assert "no ChangeMessageVisibility" in sample.payload["dead_letters_why"]
    again, *more = it.sample()
    assert (more, queues.received) == ([], 2)
    assert again.payload["dead_letters_why"] == sample.payload["dead_letters_why"]
    monkeypatch.setattr(it, "_unreadable_until_s", 0.0)
    queues._give_back = None
    queues.received = 0
    after, *found = it.sample()
    assert (len(found), after.payload["dead_letters_why"]) == (2, None)


def test_the_age_of_the_oldest_message_is_the_newest_value_of_cloudwatch() -> None:
    watch = Watch(90.0, 150.0)
    it = source(holding(), watch=watch)
    assert it.sample()[0].payload["oldest_age_s"] == 150.0
    assert it.sample()[0].payload["oldest_age_s"] == 150.0
    # One value a minute, and every question is billed.
    assert watch.asked == 1


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (Watch(), "no value"),
        (Watch(error=denied("GetMetricStatistics")), "no GetMetricStatistics"),
        (Watch(error=EndpointConnectionError(endpoint_url="http://w.example")), "w.example"),
    ],
)
def test_an_age_that_nobody_tells_is_null_with_its_reason(watch: Watch, words: str) -> None:
    sample = sampled(holding(), watch=watch)
    assert sample["oldest_age_s"] is None
    assert words in sample["oldest_age_why"]
    assert sample["queue_depth"] == 0
