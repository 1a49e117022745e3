"""Reads the messages of a dead-letter queue and gives every one of them back. Deletes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.model import EventKind
from harness.record.samples.sampler import Observation

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MOST = 50
"""Messages read in one sample at most; SQS gives others of a longer queue the next time."""
LONGEST_JSON = 65_536
LONGEST_TEXT = 2_000
"""Characters kept of a body that is no JSON, or too long a one."""
HELD_S = 20
"""How long a message stays hidden if we die between reading it and giving it back."""
_A_CALL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """What one reading found."""

    letters: tuple[Observation, ...] = ()
    oldest_sent_at: datetime | None = None
    why: str | None = None
    """Why nothing or not everything was read; None if all went well."""
    held: bool = False
    """True if messages could not be given back before their time."""


def read_dead_letters(client: SQSClient, url: str, *, visible: int) -> DeadLetters:
    """Read up to `MOST` messages and make them visible again; visible: how many are said to be.

    Each is hidden from others while the rest is read, or SQS would give it to us again; never for
    longer than `HELD_S`. A reading counts as a receive, so the caller makes sure that the queue has
    no redrive policy of its own, which would move a message that was received too often.
    """
    held: dict[str, MessageTypeDef] = {}
    why: str | None = None
    try:
        for _ in range(MOST // _A_CALL):
            found = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_A_CALL,
                VisibilityTimeout=HELD_S,
                # Without waiting SQS asks only some of its servers.
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["job_id"],
            ).get("Messages", [])
            held.update((message["MessageId"], message) for message in found)
            if not found or len(held) >= visible:
                break
    except (BotoCoreError, ClientError) as error:
        why = f"the messages cannot be received: {one_line(error)}"
    finally:
        refused = _give_back(client, url, list(held.values()))
    if refused is not None:
        why = f"the messages cannot be made visible again: {refused}"
    sent = [at for message in held.values() if (at := _moment(message, "SentTimestamp"))]
    return DeadLetters(
        letters=tuple(_observed(url, message) for message in held.values()),
        oldest_sent_at=min(sent, default=None),
        why=why,
        held=refused is not None,
    )


def one_line(error: Exception) -> str:
    """The words of an AWS error on one line, without a full stop."""
    return " ".join(str(error).split()).rstrip(".")


def queue_name(url: str) -> str:
    """The last part of a queue's address."""
    return url.rstrip("/").rpartition("/")[2]


def _give_back(client: SQSClient, url: str, held: Sequence[MessageTypeDef]) -> str | None:
    """Make every message visible; return why one could not be, None if all were."""
    why: str | None = None
    for start in range(0, len(held), _A_CALL):
        try:
            answer = client.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {
                        "Id": str(number),
                        "ReceiptHandle": message["ReceiptHandle"],
                        "VisibilityTimeout": 0,
                    }
                    for number, message in enumerate(held[start : start + _A_CALL])
                ],
            )
        except (BotoCoreError, ClientError) as error:
            why = why or one_line(error)
            continue
        for failure in answer.get("Failed", []):
            why = why or failure.get("Message") or failure["Code"]
    return why


def _observed(url: str, message: MessageTypeDef) -> Observation:
    body = _body(message.get("Body", ""))
    told: Mapping[str, Any] = body if isinstance(body, dict) else {}
    attributes = message.get("Attributes", {})
    received = attributes.get("ApproximateReceiveCount", "")
    job_id = _job_id(told, message)
    return Observation(
        kind=EventKind.SQS_DEAD_LETTER,
        key=f"{EventKind.SQS_DEAD_LETTER}:{queue_name(url)}:{message['MessageId']}",
        job_id=job_id,
        payload={
            "message_id": message["MessageId"],
            "body": body,
            "job_id": job_id,
            "reason": _reason(told, attributes),
            "receive_count": int(received) if received.isdigit() else None,
            "sent_at": _text(_moment(message, "SentTimestamp")),
            "first_received": _text(_moment(message, "ApproximateFirstReceiveTimestamp")),
        },
    )


def _body(text: str) -> Any:
    if len(text) <= LONGEST_JSON:
        try:
            body = json.loads(text)
            # Python reads NaN, 1e999 and half a surrogate pair, which no journal can hold.
            json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            return text[:LONGEST_TEXT]
        return body
    return text[:LONGEST_TEXT]


def _job_id(told: Mapping[str, Any], message: MessageTypeDef) -> str | None:
    attribute = message.get("MessageAttributes", {}).get("job_id")
    found = told.get("job_id") or (attribute and attribute.get("StringValue"))
    return str(found) if found else None


def _reason(told: Mapping[str, Any], attributes: Mapping[Any, str]) -> str | None:
    """The subscriber's word; SQS itself says only where a message came from."""
    if told.get("_dlq_reason"):
        return str(told["_dlq_reason"])
    if attributes.get("DeadLetterQueueSourceArn"):
        return "moved by the redrive policy of the queue"
    return None


def _moment(message: MessageTypeDef, name: str) -> datetime | None:
    """A system attribute in milliseconds since 1970."""
    attributes: Mapping[Any, str] = message.get("Attributes", {})
    text = attributes.get(name, "")
    if not text.isdigit():
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(text))


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
