"""The shop: creates customers, jobs and their work lists at their time, and enqueues the jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from harness.demo.actors.actor import Actor, ScaledClock
from harness.demo.script import JobScript
from harness.resources import sql_queries
from replay.worker.stack.message import JobMessage
from replay.worker.stack.message import job_message as message_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Shop(Actor):
    """One transaction a job, then its message; a job may be scripted to get none."""

    def __init__(
        self,
        jobs: Sequence[JobScript],
        *,
        dsn: str,
        sqs: SQSClient,
        queue_url: str,
        clock: ScaledClock,
    ) -> None:
        super().__init__("shop")
        self.created = 0
        """Jobs created so far."""
        self._jobs = jobs
        self._dsn = dsn
        self._sqs = sqs
        self._queue_url = queue_url
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Create every job at its time."""
        with psycopg.connect(self._dsn) as connection:
            for job in self._jobs:
                if not self._clock.wait_until(job.created_offset_s, stop):
                    return
                with connection.transaction():
                    _create(connection, job)
                if job.enqueued:
                    self._enqueue(job)
                self.created += 1

    def _enqueue(self, job: JobScript) -> None:
        self._sqs.send_message(QueueUrl=self._queue_url, **job_message(job))


def job_message(job: JobScript, *, more: Mapping[str, Any] | None = None) -> JobMessage:
    """The message of a job, with `more` keys in its body."""
    return message_of(
        job_id=job.job_id,
        customer_id=job.customer.customer_id,
        package_size=job.package_size,
        priority=job.priority,
        more=more,
    )


def _create(connection: psycopg.Connection[Any], job: JobScript) -> None:
    queries = sql_queries("postgres/actors/shop.sql")
    customer, business = job.customer, job.customer.business
    connection.execute(
        queries["insert_customer"].encode(),
        {
            "id": customer.id,
            "customer_id": customer.customer_id,
            "business_name": business.name,
            "email": business.email,
            "phone": business.phone,
            "website": business.website,
            "address": business.address,
            "city": business.city,
            "state": business.state,
            "zip": business.zip,
            "description": business.description,
            "category": business.category,
            "package_type": job.package_type,
        },
    )
    connection.execute(
        queries["insert_job"].encode(),
        {
            "id": job.job_id,
            "customer_id": customer.customer_id,
            "package_size": job.package_size,
            "priority": job.priority,
            "package_type": job.package_type,
            "business_data": Jsonb(job.business_data),
        },
    )
    for row in job.submissions:
        connection.execute(
            queries["insert_submission"].encode(),
            {
                "id": row.submission_id,
                "job_id": job.job_id,
                "customer_id": customer.customer_id,
                "url": row.directory_url,
                "category": row.category,
                "listing_data": Jsonb(row.listing),
            },
        )
