"""What a stack is told of a job: its rows, and the message as the company's shop sends it. Pure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from replay.select import Replayable

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

SENDER = "render_backend"
_PACKAGE_SIZE, _PRIORITY = 50, 3
"""The schema's own defaults, where the record says nothing."""


class JobMessage(TypedDict):
    """What ``send_message`` of SQS takes."""

    MessageBody: str
    MessageAttributes: Mapping[str, MessageAttributeValueTypeDef]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackJob:
    """One submission as a job of its own: a customer, a job and one directory that is pending."""

    job_id: str
    customer_id: str
    row_id: str
    directory: str
    directory_url: str
    package_size: int
    priority: int
    business: Mapping[str, str]

    @classmethod
    def of(cls, submission: Replayable) -> StackJob:
        """Ids are new each time: the stack remembers what it has done by the job's."""
        order = submission.order
        job_id = uuid.uuid4()
        return cls(
            job_id=str(job_id),
            customer_id=f"DIR-20000101-{job_id.hex[:12].upper()}",
            row_id=str(uuid.uuid4()),
            directory=order.directory,
            directory_url=submission.directory_url or f"https://{order.directory}/",
            package_size=submission.package_size or _PACKAGE_SIZE,
            priority=submission.priority if submission.priority is not None else _PRIORITY,
            business=order.business,
        )


def job_message(
    *,
    job_id: str,
    customer_id: str,
    package_size: int,
    priority: int,
    more: Mapping[str, Any] | None = None,
) -> JobMessage:
    """The message of a job, with `more` keys in its body."""
    body = {
        "job_id": job_id,
        "customer_id": customer_id,
        "package_size": package_size,
        "priority": priority,
        "created_at": None,
        "source": SENDER,
        "metadata": {},
    }
    return {
        "MessageBody": json.dumps(body | dict(more or {})),
        "MessageAttributes": {
            "job_id": {"DataType": "String", "StringValue": job_id},
            "customer_id": {"DataType": "String", "StringValue": customer_id},
            "priority": {"DataType": "Number", "StringValue": str(priority)},
        },
    }
