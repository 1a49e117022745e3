"""Takes jobs from the queue and submits each of their directories.

Stands for the stack as its company deployed it: message, events, rows and order are what is under
test. It is never told that it is replayed.
"""

import json
import os
import time
import urllib.request

import boto3

from listing_stack import tables
from listing_stack.runner import run_plan

RATE_LIMIT = {"starter": 1.5, "pro": 1.0, "enterprise": 0.5}
RATE_UNIT_MS = float(os.environ.get("RATE_UNIT_MS", "0")) or None


def main():
    queue = boto3.client("sqs")
    url = os.environ["SQS_QUEUE_URL"]
    with tables.connect() as connection:
        while True:
            answer = queue.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=5,
                WaitTimeSeconds=20,
                VisibilityTimeout=600,
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                handle(connection, message)
                # Deleted as soon as it is triggered in production; here once it is done.
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def handle(connection, message):
    body = json.loads(message["Body"])
    job_id = body["job_id"]
    assert message["MessageAttributes"]["job_id"]["StringValue"] == job_id
    priority = body["priority"] if body["priority"] in RATE_LIMIT else "starter"
    preview = message["ReceiptHandle"][:20]
    tables.record_history(
        connection,
        job_id,
        "queue_claimed",
        message_id=message["MessageId"],
        receipt_handle_preview=preview,
    )
    tables.record_history(
        connection,
        job_id,
        "flow_started",
        customer_id=body["customer_id"],
        package_size=body["package_size"],
        priority=priority,
    )
    tables.set_job_status(connection, job_id, "in_progress")
    tables.record_history(connection, job_id, "job_started")
    directories = tables.directories_of(connection, job_id)
    if not directories:
        tables.record_history(connection, job_id, "no_directories")
        tables.record_history(connection, job_id, "job_failed", reason="no_results")
        return
    words = [submit(connection, job_id, directory, priority) for directory in directories]
    counts = {word: words.count(word) for word in ("submitted", "failed", "skipped")}
    final = "failed" if counts["failed"] == len(words) else "completed"
    # The live CHECK knows no such word as 'completed'.
    tables.set_job_status(connection, job_id, "complete" if final == "completed" else "failed")
    told = {"total": len(words), **counts}
    tables.record_history(connection, job_id, "job_finalized", final_status=final, **told)
    tables.record_history(connection, job_id, "flow_completed", status="completed", **told)


def submit(connection, job_id, directory, priority):
    business = tables.business_of(connection, job_id)
    if business is None:
        tables.record_history(connection, job_id, "error_no_profile", directory=directory)
        return "failed"
    plan = get_plan(directory, business)
    idem = tables.idempotency_key(job_id, directory, plan["idempotency_factors"])
    payload = {"business": business, "plan": plan}
    if not tables.begin_result(connection, job_id, directory, idem, payload):
        tables.record_history(
            connection, job_id, "skipped_duplicate", directory=directory, idem=idem
        )
        return "skipped"
    tables.record_history(connection, job_id, "submitting", directory=directory, idem=idem)
    unit_ms = RATE_UNIT_MS or plan["constraints"]["rateLimitMs"]
    time.sleep(RATE_LIMIT[priority] * unit_ms / 1000)
    result = run_plan(job_id, directory, plan["plan"])
    tables.record_history(
        connection,
        job_id,
        result["status"],
        directory=directory,
        idem=idem,
        duration_ms=result["duration_ms"],
        screenshot_url=None,
    )
    return result["status"]


def get_plan(directory, business):
    told = {"directory": directory, "business": business, "hints": {"lastKnownFields": {}}}
    request = urllib.request.Request(
        f"{os.environ.get('CREWAI_URL', 'http://brain:8080')}/plan",
        data=json.dumps(told).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
