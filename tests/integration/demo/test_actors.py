"""The actors on a real PostgreSQL and a real SQS endpoint: the tables tell what the scripts say."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from threading import Event

import psycopg
import pytest

from harness.demo.actors.actor import ScaledClock, acting, wait_until_done
from harness.demo.actors.candidate import Candidate
from harness.demo.actors.control import Control
from harness.demo.actors.flow import History, flow_writes
from harness.demo.actors.shop import Shop
from harness.demo.catalogue import load_directories
from harness.demo.planted import load_planted
from harness.demo.postgres import EmbeddedPostgres
from harness.demo.script import Flow, Week
from harness.demo.sqs import LocalSqs, make_client
from harness.demo.week import make_week
from harness.errors import EnvironmentProblem

SPEED = 600.0
JOBS = 9
"""The ninth never gets a message; the second and fifth fail at the candidate."""


@pytest.fixture(scope="module")
def week() -> Week:
    return make_week(directories=load_directories(), planted=load_planted(), jobs=JOBS)


@pytest.fixture(scope="module")
def rehearsed(week: Week) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A database in which the week has been acted to its end."""
    with EmbeddedPostgres() as postgres, LocalSqs() as sqs:
        postgres.apply_schema()
        clock = ScaledClock(SPEED)
        dsn, queue_url = postgres.dsn, sqs.queue_url
        actors = (
            Shop(week.jobs, dsn=dsn, sqs=sqs.client, queue_url=queue_url, clock=clock),
            Control(week.jobs, dsn=dsn, clock=clock),
            Candidate(week.jobs, dsn=dsn, sqs=sqs.client, queue_url=queue_url, clock=clock),
        )
        with acting(actors):
            assert wait_until_done(actors, stop=Event(), timeout_s=60)
        left = sqs.client.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        assert set(left.values()) == {"0"}
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield connection


def test_the_old_poller_left_its_words_in_every_row(
    week: Week, rehearsed: psycopg.Connection[tuple[object, ...]]
) -> None:
    rows = rehearsed.execute(
        "SELECT id::text, status, result_message FROM directory_submissions"
    ).fetchall()
    expected = {
        (row.submission_id, row.control.status, row.control.message)
        for job in week.jobs
        for row in job.submissions
    }
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_no_job_of_the_old_poller_ends_well_because_the_table_refuses_its_word(
    week: Week, rehearsed: psycopg.Connection[tuple[object, ...]]
) -> None:
    found = dict(
        rehearsed.execute("SELECT id::text, status || ': ' || error_message FROM jobs").fetchall()
    )
    for job in week.jobs:
        failed = sum(row.control.status in ("failed", "rejected") for row in job.submissions)
        message = (
            f"Failed {failed} submission(s)"
            if failed
            else "No pending submissions available for processing"
        )
        assert found[job.job_id] == f"failed: {message}"


def test_the_new_stack_wrote_each_event_of_its_script_once(
    week: Week, rehearsed: psycopg.Connection[tuple[object, ...]]
) -> None:
    found = Counter(
        rehearsed.execute(
            "SELECT job_id::text, directory_name, event FROM queue_history"
        ).fetchall()
    )
    expected: Counter[tuple[object, ...]] = Counter()
    for job in week.jobs:
        if not job.enqueued:
            continue
        expected.update([(job.job_id, None, "queue_claimed"), (job.job_id, None, "flow_triggered")])
        if job.flow is Flow.COMPLETE:
            expected.update(
                (job.job_id, write.directory, write.event)
                for write in flow_writes(job)
                if isinstance(write, History)
            )
    assert found == expected
    assert not any(job == week.jobs[8].job_id for job, _, _ in found)


def test_the_details_of_a_claim_and_a_trigger_are_those_of_the_subscriber(
    rehearsed: psycopg.Connection[tuple[object, ...]],
) -> None:
    rows = rehearsed.execute(
        "SELECT event, details FROM queue_history"
        " WHERE event IN ('queue_claimed', 'flow_triggered')"
    ).fetchall()
    for event, details in rows:
        assert isinstance(details, dict)
        if event == "queue_claimed":
            assert set(details) == {"message_id", "receipt_handle_preview"}
            assert len(details["receipt_handle_preview"]) == 20
        else:
            assert set(details) == {"flow_run_id"}


def test_results_end_as_the_history_tells_and_carry_the_plan(
    rehearsed: psycopg.Connection[tuple[object, ...]],
) -> None:
    rows = rehearsed.execute(
        "SELECT r.status, r.listing_url, r.payload, "
        "  (SELECT h.event FROM queue_history h WHERE h.job_id = r.job_id"
        "     AND h.directory_name = r.directory_name AND h.event <> 'submitting'"
        "   ORDER BY h.created_at DESC LIMIT 1) FROM job_results r"
    ).fetchall()
    assert rows
    for status, listing_url, payload, last in rows:
        assert status == {"submitted": "submitted", "failed": "failed", "error": "failed"}[last]
        assert (listing_url is not None) == (status == "submitted")
        assert isinstance(payload, dict)
        actions = [step["action"] for step in payload["plan"]["plan"]]
        assert actions == ["goto", *["fill"] * 5, "click", "wait"]
        assert payload["business"]["categories"]
        assert "category" not in payload["business"]


def test_both_sides_sign_their_heartbeats(
    rehearsed: psycopg.Connection[tuple[object, ...]],
) -> None:
    (old,) = rehearsed.execute("SELECT worker_id, desired_state FROM worker_status").fetchall()
    assert old == ("old-poller-1", "running")
    (new,) = rehearsed.execute("SELECT queue_name FROM worker_heartbeats").fetchall()
    assert new == ("default",)


def test_the_queues_have_the_settings_of_production() -> None:
    with LocalSqs() as sqs:
        jobs = sqs.client.get_queue_attributes(QueueUrl=sqs.queue_url, AttributeNames=["All"])
        redrive = json.loads(jobs["Attributes"]["RedrivePolicy"])
        assert redrive["maxReceiveCount"] == 3
        assert redrive["deadLetterTargetArn"].endswith("directorybolt-dlq")
        assert jobs["Attributes"]["VisibilityTimeout"] == "300"
        sqs.client.send_message(QueueUrl=sqs.queue_url, MessageBody="{}")
        for _ in range(3):
            sqs.client.receive_message(
                QueueUrl=sqs.queue_url, VisibilityTimeout=0, WaitTimeSeconds=0
            )
        assert (
            sqs.client.receive_message(
                QueueUrl=sqs.queue_url, VisibilityTimeout=0, WaitTimeSeconds=0
            ).get("Messages", [])
            == []
        )
        dead = sqs.client.receive_message(QueueUrl=sqs.dlq_url, WaitTimeSeconds=0)
        assert len(dead["Messages"]) == 1


def test_a_busy_port_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"127.0.0.1:{port}.*Free the port"):
            LocalSqs(port).__enter__()


def test_an_endpoint_that_has_ended_answers_nobody() -> None:
    with LocalSqs() as sqs:
        url = sqs.endpoint_url
    client = make_client(url)
    with pytest.raises(Exception, match="Could not connect"):
        client.list_queues()
