"""Nothing gets out of a stack's slot but to the queue and the database of its own run."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import psycopg
import pytest

import replay.worker.stack.names as names
from harness.cli.main import run
from harness.errors import ReplayError
from harness.settings import StackSettings
from replay.seal.isolation import find_isolation
from replay.worker.choose import make_replay_worker
from replay.worker.stack.addresses import read_database, read_endpoint
from replay.worker.stack.database import StackDatabase, check_database, drop_left_over
from replay.worker.stack.queues import StackQueues, delete_left_over
from tests.support.replays import accepted, make_journal, payloads_of, submissions_of
from tests.support.stacks import STACK_FOLDER, Servers

ALLOWED = find_isolation()
HOSTILE = """
import os, socket, sys, urllib.request
sys.path.insert(0, FOLDER)
import boto3, psycopg
from listing_stack import consumer, tables

def tried(way, *words, **named):
    try:
        way(*words, **named)
        return True
    except Exception:
        return False

def connect(address):
    socket.create_connection(address, timeout=2).close()

def at_the_socket():
    psycopg.connect(f"host={SOCKET} dbname=stack user=stack connect_timeout=2").close()

def submit(connection, job_id, directory, priority):
    sqs, url = consumer.boto3.client("sqs"), os.environ["SQS_QUEUE_URL"]
    base, database = url.rpartition("/")[0], os.environ["DATABASE_URL"]
    done = {
        "outside": tried(connect, OUTSIDE),
        "queue server": tried(connect, SERVER),
        "metadata": tried(urllib.request.urlopen, "http://169.254.169.254/latest", timeout=2),
        "site": tried(urllib.request.urlopen, "https://real-site.example/submit", timeout=5),
        "other queue": tried(sqs.send_message, QueueUrl=f"{base}/" + OTHER, MessageBody="hello"),
        "list": tried(sqs.list_queues),
        "empty": tried(sqs.purge_queue, QueueUrl=url),
        "bucket": tried(boto3.client("s3").list_buckets),
        "database": tried(psycopg.connect, database.rpartition("/")[0] + "/postgres"),
        "socket": tried(at_the_socket),
        "program": tried(connection.execute, "COPY jobs TO PROGRAM 'cat >/dev/null'"),
        "own queue": tried(sqs.get_queue_attributes, QueueUrl=url),
        "own database": tried(psycopg.connect, database),
    }
    words = ",".join(way for way, came in done.items() if came)
    tables.record_history(connection, job_id, "error", directory=directory, error=words)
    return "failed"

consumer.submit = submit
consumer.main()
"""


@pytest.mark.skipif(bool(ALLOWED.reason), reason=f"not all layers here: {ALLOWED.reason}")
def test_a_stack_reaches_its_own_queue_and_database_and_nothing_else(
    servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    outside = socket.create_server(("127.0.0.2", 0))
    outside.settimeout(0.1)
    port_outside = outside.getsockname()[1]
    server = servers.sqs.endpoint_url.removeprefix("http://").split(":")
    other = servers.sqs.queue_url.rpartition("/")[2]
    head = (
        f"FOLDER, OTHER, SOCKET = {str(STACK_FOLDER)!r}, {other!r}, {socket_of(servers)!r}\n"
        f"OUTSIDE, SERVER = {outside.getsockname()!r}, ({server[0]!r}, {int(server[1])})\n"
    )
    (tmp_path / "hostile.py").write_text(head + HOSTILE, encoding="utf-8")
    journal = make_journal(tmp_path, *accepted(1))
    monkeypatch.setenv("SHADOW_STACK_DSN", servers.dsn)
    monkeypatch.setenv("SHADOW_STACK_ENDPOINT_URL", servers.sqs.endpoint_url)
    code = run(
        ["replay", "--journal", str(journal.path), "--run", "r", "--evidence", "0",
         "--worker", f"sqs:{sys.executable} hostile.py", "--worker-path", str(tmp_path)]
    )  # fmt: skip
    assert code == 4, capsys.readouterr()
    with outside, pytest.raises(TimeoutError):
        outside.accept()
    (one,) = submissions_of(journal, "r").values()
    assert one["claimed"]["error_text"] == "own queue,own database"
    attributes = servers.sqs.client.get_queue_attributes(
        QueueUrl=servers.sqs.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"
    escapes = {
        (one["kind"], one["url"].rpartition("@")[2])
        for one in payloads_of(journal, "replay.escape")
    }
    queue = next(url for kind, url in escapes if "PurgeQueue" in url).rpartition("/")[2]
    port = next(url for _, url in escapes if url.endswith("/postgres")).partition("/")[0]
    assert escapes == {
        ("tcp", f"tcp://127.0.0.2:{port_outside}"),
        ("tcp", f"tcp://127.0.0.1:{server[1]}"),
        ("proxy", "http://169.254.169.254/latest"),
        ("proxy", "real-site.example:443"),
        ("aws", f"aws://sqs/SendMessage/{other}"),
        ("aws", "aws://sqs/ListQueues/"),
        ("aws", f"aws://sqs/PurgeQueue/{queue}"),
        ("aws", "aws://s3.us-east-1/"),
        ("tcp", f"{port}/postgres"),
        ("unix socket", f"unix:{socket_of(servers)}/.s.PGSQL.5432"),
    }
    assert queue.startswith(names.PREFIX)
    assert servers.queues() == set()


def socket_of(servers: Servers) -> str:
    return read_database(servers.dsn).host


@pytest.mark.parametrize(
    ("environ", "endpoint", "line"),
    [
        ({}, None, "SHADOW_STACK_DSN is not set"),
        ({"SHADOW_STACK_DSN": "host=db.example dbname=app"}, None, "is not on this machine"),
        ({"SHADOW_STACK_DSN": "DSN", "SHADOW_DSN": "DSN"}, None, "which is production by"),
        ({"SHADOW_STACK_DSN": "DSN", "DATABASE_URL": "DSN"}, None, "which is production by"),
        ({"SHADOW_STACK_DSN": "DSN"}, None, "stack.endpoint_url is not set"),
        (
            {"SHADOW_STACK_DSN": "DSN"},
            "https://sqs.us-east-1.amazonaws.com",
            "no http:// address of this machine",
        ),
    ],
)
def test_whatever_is_not_of_this_run_alone_is_refused_in_one_line(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], environ: dict[str, str], endpoint: str | None, line: str,
) -> None:  # fmt: skip
    journal = make_journal(tmp_path, *accepted(1))
    head = journal.head()
    for name in ("SHADOW_STACK_DSN", "SHADOW_DSN", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, servers.dsn if value == "DSN" else value)
    if endpoint is not None:
        monkeypatch.setenv("SHADOW_STACK_ENDPOINT_URL", endpoint)
    assert run(["replay", "--journal", str(journal.path), "--worker", "sqs:sleep 60"]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert line in told[0]
    assert journal.head() == head


def test_a_stack_that_runs_elsewhere_is_refused(servers: Servers) -> None:
    with pytest.raises(ReplayError, match="A stack that runs elsewhere cannot be sealed"):
        servers.worker("sqs:")


def test_the_stack_cannot_be_led_elsewhere_by_its_variables(servers: Servers) -> None:
    settings = StackSettings(
        endpoint_url=servers.sqs.endpoint_url, env={"DATABASE_URL": "postgresql://db.example"}
    )
    with pytest.raises(ReplayError, match=r"stack\.env names DATABASE_URL"):
        make_replay_worker("sqs:true", settings, environ={"SHADOW_STACK_DSN": servers.dsn})


def test_a_database_that_is_not_safe_to_copy_is_refused(servers: Servers) -> None:
    """A superuser's session runs programs beside the server; a database with jobs is somebody's."""
    checked = read_database(servers.dsn)
    check_database(checked)
    with pytest.raises(ReplayError, match="the role postgres may run programs"):
        check_database(read_database(servers.admin_dsn))
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
        admin.execute("ALTER ROLE stack NOCREATEDB")
        with pytest.raises(ReplayError, match="ALTER ROLE stack CREATEDB"):
            check_database(checked)
        admin.execute("ALTER ROLE stack CREATEDB")
    with psycopg.connect(servers.dsn, autocommit=True) as owner:
        owner.execute("INSERT INTO customers (customer_id, business_name, email) VALUES (1, 1, 1)")
        owner.execute("INSERT INTO jobs (customer_id) VALUES (1)")
        with pytest.raises(ReplayError, match="stack holds 1 jobs or more"):
            check_database(checked)
        owner.execute("TRUNCATE customers CASCADE")
        owner.execute("ALTER TABLE queue_history RENAME COLUMN event TO status_to")
        with pytest.raises(ReplayError, match=r"lacks queue_history\.event"):
            check_database(checked)
        owner.execute("ALTER TABLE queue_history RENAME COLUMN status_to TO event")


def test_what_a_killed_run_left_goes_with_the_next_start(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that a run which still goes on has."""
    address, endpoint = read_database(servers.dsn), read_endpoint(servers.sqs.endpoint_url)

    def made() -> tuple[StackDatabase, StackQueues]:
        database, queues = StackDatabase(address), StackQueues(endpoint)
        database.create()
        queues.create()
        return database, queues

    mine = made()
    with monkeypatch.context() as patch:
        patch.setattr(names, "started", lambda process: "1")
        left = made()
    databases, queues = servers.databases(), servers.queues()
    drop_left_over(address)
    delete_left_over(endpoint)
    assert databases - servers.databases() == {left[0].name}
    gone = {url.rpartition("/")[2] for url in queues - servers.queues()}
    assert gone == {path.rpartition("/")[2] for path in left[1].paths}
    mine[0].drop()
    mine[1].delete()
    assert servers.queues() == set()
