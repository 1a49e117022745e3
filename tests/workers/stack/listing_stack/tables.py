"""What the stack reads and writes of its database."""

import hashlib
import json
import os

import psycopg
from psycopg.types.json import Jsonb


def connect():
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def record_history(connection, job_id, event, *, directory=None, **details):
    connection.execute(
        "INSERT INTO queue_history (job_id, directory_name, event, details)"
        " VALUES (%s, %s, %s, %s)",
        [job_id, directory, event, Jsonb(details)],
    )


def set_job_status(connection, job_id, status, error=None):
    column = "started_at" if status == "in_progress" else "completed_at"
    connection.execute(
        f"UPDATE jobs SET status = %s, {column} = now(), error_message = %s WHERE id = %s",
        [status, error, job_id],
    )


def directories_of(connection, job_id):
    rows = connection.execute(
        "SELECT directory_url FROM directory_submissions"
        " WHERE submission_queue_id = %s AND status = 'pending' ORDER BY created_at",
        [job_id],
    )
    hosts = [url.partition("//")[2].partition("/")[0] for (url,) in rows]
    return [host.removeprefix("www.") for host in hosts]


def business_of(connection, job_id):
    row = connection.execute(
        "SELECT to_jsonb(customers) FROM customers JOIN jobs USING (customer_id)"
        " WHERE jobs.id = %s",
        [job_id],
    ).fetchone()
    if row is None or not row[0]["business_name"]:
        return None
    customer = row[0]
    names = ("email", "phone", "website", "address", "city", "state", "zip", "description")
    categories = [customer["category"]] if customer["category"] else []
    told = {name: customer[name] for name in names}
    return {"name": customer["business_name"], **told, "categories": categories}


def idempotency_key(job_id, directory, factors):
    text = json.dumps(factors, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{job_id}:{directory}:{text}".encode()).hexdigest()


def begin_result(connection, job_id, directory, idem, payload):
    """True if the key is new. A later attempt finds its key and changes nothing."""
    return connection.execute(
        "INSERT INTO job_results (job_id, directory_name, status, idempotency_key, payload)"
        " VALUES (%s, %s, 'submitting', %s, %s) ON CONFLICT DO NOTHING",
        [job_id, directory, idem, Jsonb(payload)],
    ).rowcount
