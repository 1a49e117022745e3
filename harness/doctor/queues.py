"""Examines the candidate's queues by their attributes. Receives no message."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from harness.doctor.check import Findings, Subject
from harness.doctor.plan import Plan

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_ATTRIBUTES: list[QueueAttributeNameType] = [
    "QueueArn",
    "RedrivePolicy",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
]
_GATES = "until then the gates on backlog and dead letters stay open"


def examine_queues(plan: Plan) -> Findings:
    """Ask both queues for their attributes."""
    found = Findings(Subject.QUEUES)
    settings = plan.settings.queue
    if not settings.url and not settings.dlq_url:
        found.not_asked(
            "jobs queue",
            f"SQS_QUEUE_URL is not set; {_GATES}",
            "Name it; put the right one.",
            shell=["export SQS_QUEUE_URL=https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE"],
        )
        return found
    try:
        client = _client(plan)
    except (BotoCoreError, ValueError) as error:
        found.missing("jobs queue", _words(error), "Correct queue.endpoint_url or the region.",
                      shell=["unset AWS_ENDPOINT_URL"])  # fmt: skip
        return found
    try:
        jobs = _judge_queue(client, "jobs queue", "SQS_QUEUE_URL", settings.url, found)
        dead = _judge_queue(client, "dead letters", "SQS_DLQ_URL", settings.dlq_url, found)
        if jobs is not None:
            _judge_redrive(client, jobs, dead, found)
    finally:
        client.close()
    return found


def _client(plan: Plan) -> SQSClient:
    settings = plan.settings.queue
    return boto3.Session().client(
        "sqs",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 1}),
    )


def _judge_queue(
    client: SQSClient, name: str, variable: str, url: str | None, found: Findings
) -> Mapping[str, Any] | None:
    """Return the queue's attributes; None if it is not set or does not answer."""
    if not url:
        found.not_asked(name, f"{variable} is not set; {_GATES}")
        return None
    try:
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=_ATTRIBUTES)
    except (BotoCoreError, ClientError, ValueError) as error:
        mend, shell = _mend(client, variable, url, error)
        found.missing(name, f"{url}: {_words(error)}", mend, shell=shell)
        return None
    attributes: dict[str, Any] = dict(answer.get("Attributes", {}).items())
    found.ok(
        name,
        f"{url}: {attributes.get('ApproximateNumberOfMessages')} waiting, "
        f"{attributes.get('ApproximateNumberOfMessagesNotVisible')} in flight",
    )
    return attributes


def _mend(client: SQSClient, variable: str, url: str, error: Exception) -> tuple[str, list[str]]:
    if isinstance(error, NoCredentialsError):
        return "There are no credentials. Put them in, or name a profile with AWS_PROFILE.", [
            "export AWS_ACCESS_KEY_ID=KEY",
            "read -rs AWS_SECRET_ACCESS_KEY && export AWS_SECRET_ACCESS_KEY",
        ]
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if "NonExistent" in code or "QueueDoesNotExist" in code:
        near = _nearest(client, url)
        if near:
            return "The nearest that there is:", [f"export {variable}={shlex.quote(near)}"]
        return "Correct it; the region may be another one.", [
            f"export {variable}=https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE"
        ]
    if "AccessDenied" in code:
        return "Let this user do sqs:GetQueueAttributes on that queue (IAM).", []
    if "SignatureDoesNotMatch" in code or "InvalidClientTokenId" in code:
        return "The credentials are wrong; sign in again.", ["aws sts get-caller-identity"]
    return "Check the URL, the region and whether AWS_ENDPOINT_URL is meant.", [
        "unset AWS_ENDPOINT_URL"
    ]


def _nearest(client: SQSClient, url: str) -> str | None:
    try:
        urls = client.list_queues(MaxResults=100).get("QueueUrls", [])
    except (BotoCoreError, ClientError):
        return None
    close = difflib.get_close_matches(url, urls, n=1, cutoff=0.0)
    return close[0] if close else None


def _judge_redrive(
    client: SQSClient, jobs: Mapping[str, Any], dead: Mapping[str, Any] | None, found: Findings
) -> None:
    """Whether messages that fail end in the very queue that we watch."""
    policy = json.loads(jobs.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", ""))
    if not target:
        found.look(
            "redrive",
            "the jobs queue names no dead-letter queue: a message that fails is tried for ever, "
            "and the gate on dead letters sees none",
            "Give it a redrive policy (maxReceiveCount 3 is usual).",
        )
    elif dead is not None and dead.get("QueueArn") != target:
        found.look(
            "redrive",
            f"messages that fail go to {target}, not to the queue in SQS_DLQ_URL",
            "Watch that one.",
            shell=_export_target(client, target),
        )
    elif dead is None:
        found.look(
            "redrive",
            f"messages that fail go to {target}, which is not watched",
            "Watch it.",
            shell=_export_target(client, target),
        )
    else:
        found.ok("redrive", f"after {policy.get('maxReceiveCount')} tries a message goes there")


def _export_target(client: SQSClient, arn: str) -> list[str]:
    *_, account, name = arn.split(":")
    try:
        url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    except (BotoCoreError, ClientError):
        return []
    return [f"export SQS_DLQ_URL={shlex.quote(url)}"]


def _words(error: Exception) -> str:
    if isinstance(error, ClientError):
        return " ".join(str(error.response["Error"].get("Message", error)).split()).rstrip(".")
    return " ".join(str(error).split()).rstrip(".")
