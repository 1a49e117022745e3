"""What a stack is told, what its hatches let through, and what its tables say; no server."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from urllib.parse import urlencode

import pytest

from harness.errors import ReplayError
from harness.model import Order, Outcome, PlanStep
from replay.sandbox.conditions import Condition
from replay.select import Replayable
from replay.worker.stack.addresses import read_database, read_endpoint
from replay.worker.stack.database_hatch import read_startup
from replay.worker.stack.http import Request, read_request
from replay.worker.stack.message import StackJob, job_message
from replay.worker.stack.plan_hatch import plan_answer
from replay.worker.stack.queue_hatch import Asked, asked_of
from replay.worker.stack.told import TableReader

ORDER = Order(
    job_id="job",
    directory="maple.example",
    plan=(PlanStep(action="goto", url="https://maple.example/submit"),),
    business={"name": "Ahorn"},
)
JOB = "11111111-1111-4111-8111-111111111111"


def test_the_message_is_the_companys() -> None:
    told = job_message(job_id="j", customer_id="DIR-1", package_size=300, priority=2)
    assert json.loads(told["MessageBody"]) == {
        "job_id": "j", "customer_id": "DIR-1", "package_size": 300, "priority": 2,
        "created_at": None, "source": "render_backend", "metadata": {},
    }  # fmt: skip
    assert told["MessageAttributes"] == {
        "job_id": {"DataType": "String", "StringValue": "j"},
        "customer_id": {"DataType": "String", "StringValue": "DIR-1"},
        "priority": {"DataType": "Number", "StringValue": "2"},
    }


def test_a_submission_is_a_job_of_its_own_each_time() -> None:
    """The stack skips what it has done, so a second look must not be the same job."""
    submission = Replayable(
        order=ORDER,
        condition=Condition.ACCEPTED,
        directory_url="https://www.maple.example/add/",
        package_size=300,
        priority=1,
    )
    first, second = StackJob.of(submission), StackJob.of(submission)
    assert first.job_id != second.job_id
    assert first.customer_id != second.customer_id
    assert (first.directory_url, first.package_size, first.priority) == (
        "https://www.maple.example/add/", 300, 1,
    )  # fmt: skip


def test_the_plan_is_told_in_the_services_words() -> None:
    assert plan_answer(ORDER, "www.maple.example") == {
        "plan": [
            {"action": "goto", "url": "https://maple.example/submit", "selector": None,
             "value": None, "until": None, "seconds": None}
        ],
        "constraints": {"rateLimitMs": 1500, "captcha": "possible"},
        "idempotency_factors": {"name": "Ahorn", "dir": "www.maple.example"},
    }  # fmt: skip


def asked(
    *, call: str | None = None, path: str = "/", told: object = None, query: bool = False
) -> Asked | None:
    body = urlencode(told or {}) if query else json.dumps(told or {})  # type: ignore[arg-type]
    headers = {"x-amz-target": call} if call else {}
    return asked_of(Request(method="POST", target=path, headers=headers, body=body.encode()))


def test_both_protocols_of_sqs_are_read() -> None:
    url = "http://127.0.0.1:9/1/jobs"
    expected = Asked("SendMessage", "jobs")
    assert asked(call="AmazonSQS.SendMessage", told={"QueueUrl": url}) == expected
    assert asked(query=True, told={"Action": "SendMessage", "QueueUrl": url}) == expected
    assert asked(query=True, path="/1/jobs", told={"Action": "SendMessage"}) == expected
    assert asked(query=True, path="/1/jobs?Action=SendMessage") == expected
    assert asked(call="AmazonSQS.GetQueueUrl", told={"QueueName": "jobs"}) == Asked(
        "GetQueueUrl", "jobs"
    )


def test_what_names_two_queues_or_two_calls_names_none() -> None:
    """A server may take either of them."""
    url, other = "http://127.0.0.1:9/1/jobs", "http://127.0.0.1:9/1/other"
    two = asked(query=True, path="/1/other", told={"Action": "SendMessage", "QueueUrl": url})
    assert two == Asked("SendMessage", "")
    assert asked(call="AmazonSQS.SendMessage", path="/1/other", told={"QueueUrl": url}) == two
    assert asked(
        call="AmazonSQS.SendMessage", told={"QueueUrl": url, "QueueName": "other"}
    ) == Asked("SendMessage", "")
    calls = asked(query=True, path="/1/jobs?Action=PurgeQueue", told={"Action": "SendMessage"})
    assert calls == Asked("", "jobs")
    mixed = f"/?QueueUrl={other}&Action=PurgeQueue"
    assert asked(call="AmazonSQS.SendMessage", path=mixed, told={"QueueUrl": url}) == Asked("", "")
    assert asked(call="DynamoDB_20120810.ListTables") is None
    assert asked(call="AmazonSQS.SendMessage", told=["QueueUrl"]) is None
    assert asked(path="/") is None


def request_of(head: str, body: bytes = b"") -> Request | None:
    async def read() -> Request | None:
        reader = asyncio.StreamReader()
        reader.feed_data(head.encode() + b"\r\n\r\n" + body)
        reader.feed_eof()
        return await read_request(reader)

    return asyncio.run(read())


def test_a_request_is_passed_on_as_it_was_read() -> None:
    found = request_of("POST /1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 2", b"hi and more")
    assert found is not None
    assert found.to_bytes() == (
        b"POST /1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"
    )


@pytest.mark.parametrize(
    "head",
    [
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\r\nContent-Length: -1",
        "POST / HTTP/1.1\r\nX: a\nX-Amz-Target: AmazonSQS.PurgeQueue",
        "POST",
    ],
)
def test_a_request_that_two_servers_may_read_in_two_ways_is_none(head: str) -> None:
    assert request_of(head) is None


def test_the_first_packet_of_a_session_is_read() -> None:
    words = b"user\0stack\0options\0\0database\0copy\0\0"
    assert read_startup(struct.pack("!HH", 3, 0) + words) == {
        "user": "stack", "options": "", "database": "copy",
    }  # fmt: skip
    assert read_startup(struct.pack("!HH", 3, 2) + b"user\0stack") == {"user": "stack"}
    assert read_startup(struct.pack("!HH", 2, 0) + words) is None
    assert read_startup(b"") is None


@pytest.mark.parametrize(
    ("dsn", "production", "line"),
    [
        ("host=db.example dbname=stack", None, "db.example:5432 is not on this machine"),
        ("host=127.0.0.1,db.example dbname=stack", None, "is not on this machine"),
        ("host=127.0.0.1 hostaddr=192.0.2.1 dbname=stack", None, "names a hostaddr"),
        ("service=production", None, "names a service"),
        ("dbname=stack", None, "names no host"),
        ("host=/tmp", None, "names no database"),
        ("postgres//x", None, "is no DSN"),
        ("host=127.0.0.1 dbname=app", "postgresql://localhost/app", "is production by"),
        ("host=/run/pg dbname=app", "postgresql://[::1]/app", "is production by"),
        ("host=localhost dbname=app user=x", "user=app", "is production by"),
    ],
)
def test_what_may_be_production_is_no_stacks_database(
    dsn: str, production: str | None, line: str
) -> None:
    with pytest.raises(ReplayError, match=line):
        read_database(dsn, production=(None, production))


def test_another_database_than_productions_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    production = ("postgresql://localhost/app", "host=db.example dbname=stack")
    found = read_database("postgresql://me:p%40ss@127.0.0.1:6543/stack", production=production)
    assert (found.host, found.port, found.name, found.user) == ("127.0.0.1", 6543, "stack", "me")
    assert found.password == "p@ss"
    assert found.socket is None
    assert read_database("host=/tmp dbname=stack").socket == "/tmp/.s.PGSQL.5432"
    # libpq takes what a DSN leaves open from here.
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    assert "hostaddr=''" in found.dsn()


@pytest.mark.parametrize(
    "url",
    ["https://sqs.us-east-1.amazonaws.com", "http://192.0.2.7:5000", "127.0.0.1:5000",
     "https://127.0.0.1:5000", "http://127.0.0.1:port"],
)  # fmt: skip
def test_a_queue_that_is_not_on_this_machine_is_refused(url: str) -> None:
    with pytest.raises(ReplayError, match=r"stack\.endpoint_url = "):
        read_endpoint(url)


def row(event: str, directory: str | None = "www.Maple.example", **details: object) -> str:
    made = {"event": event, "directory_name": directory, "details": details}
    return json.dumps(made | {"created_at": "2026-11-20T09:00:00+00:00", "id": len(str(made))})


def test_rows_are_read_by_the_mapping_of_production(tmp_path: Path) -> None:
    tables, history = TableReader(tmp_path / "told.duckdb"), list[str]()

    def told(*rows: str) -> tuple[str | None, bool, str | None]:
        history.extend(rows)
        found = tables.read(JOB, "maple.example", history=history, results=[])
        claim = found.claim(elapsed_ms=7)
        return claim and claim.status, found.ended, found.words

    assert told() == (None, False, "no word of its job")
    taken = (None, False, "its job was taken, nothing was begun")
    assert told(row("queue_claimed", None)) == taken
    assert told(row("submitting")) == (None, False, "begun and not ended")
    assert told(row("error", error="brain is away"))[:2] == (Outcome.FAILED, False)
    assert told(row("submitting", again=1))[:2] == (None, False), "tried again"
    assert told(row("submitted", duration_ms=12.5))[:2] == (Outcome.SUBMITTED, False)
    assert told(row("job_finalized", None, final_status="completed"))[:2] == (
        Outcome.SUBMITTED, True,
    )  # fmt: skip
    claim = tables.read(JOB, "maple.example", history=history, results=[]).claim(elapsed_ms=7)
    assert claim is not None
    assert (claim.duration_ms, claim.error_text) == (12.5, None)
    other = tables.read("other", "maple.example", history=[], results=[])
    assert other.claim(elapsed_ms=7) is None
