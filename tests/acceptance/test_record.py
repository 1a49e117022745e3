"""``shadow record`` as a person or a script runs it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.demo.sqs import ACCESS_KEY, SECRET_KEY, LocalSqs
from harness.journal.store import Journal
from harness.journal.verify import verify
from tests.support.load import assert_same, fill
from tests.support.postgres import Cluster, Production, running_cluster
from tests.support.processes import SHADOW, Shadow, run_shadow, wait_for


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def production(cluster: Cluster) -> Iterator[Production]:
    with cluster.database() as database:
        fill(database, history_rows=200, jobs=4)
        yield database


def watermark_of(path: Path) -> bool:
    return path.exists() and Journal(path).watermark("production") is not None


def test_until_idle_copies_everything_and_prints_one_object(
    tmp_path: Path, production: Production
) -> None:
    for rows in (200 + 4 * 7, 0):
        ended = run_shadow(
            "record", "--until-idle", "0.2s", "--tick", "0.1s", "--json",
            cwd=tmp_path, environ={"DATABASE_URL": production.recorder_dsn},
        )  # fmt: skip
        assert ended.code == 0, ended.err
        summary = json.loads(ended.out)
        assert summary["rows"] == rows
        assert summary["journal"] == "shadow.duckdb"
        assert summary["failing"] == []
    journal = Journal.open(tmp_path / "shadow.duckdb")
    assert summary["last_seq"] == journal.head().seq
    assert assert_same(production, journal) == 200


def test_for_a_while_means_that_long_and_the_last_line_says_how_far_it_came(
    tmp_path: Path, production: Production
) -> None:
    ended = run_shadow(
        "record", "--journal", "week.duckdb", "--for", "1.5s", "--tick", "0.1s",
        cwd=tmp_path, environ={"SHADOW_DSN": production.recorder_dsn},
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (line,) = ended.out.splitlines()
    assert line.startswith("week.duckdb: 228 rows recorded, seq ")
    assert "complete until 20" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_batch_and_leaves_code_0(
    tmp_path: Path, production: Production, number: signal.Signals
) -> None:
    path = tmp_path / "week.duckdb"
    recorder = Shadow(
        ["record", "--journal", str(path)],
        cwd=tmp_path,
        environ={"SHADOW_DSN": production.recorder_dsn},
    )
    try:
        wait_for(lambda: watermark_of(path), what="the first copy")
        production.execute("UPDATE jobs SET status = 'in_progress'")
        recorder.process.send_signal(number)
        ended = recorder.wait(30)
    finally:
        recorder.kill_all()
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) == 1
    assert "Stopping: finishing the batch" in ended.err
    assert assert_same(production, Journal.open(path)) == 200
    assert verify(path).clean
    assert sorted(tmp_path.glob("*.recorder")) == []


def test_a_terminal_shows_a_live_line(tmp_path: Path, production: Production) -> None:
    ours, theirs = pty.openpty()
    environ = {**os.environ, "SHADOW_DSN": production.recorder_dsn, "TERM": "xterm"}
    recorder = subprocess.Popen(
        [str(SHADOW), "record", "--for", "2s", "--tick", "0.1s"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    # A terminal whose other end is gone answers with an error instead of an end.
    with suppress(OSError):
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    out, _ = recorder.communicate(timeout=30)
    assert recorder.returncode == 0, shown
    assert b"228 rows; complete until" in shown
    assert out.startswith("shadow.duckdb: 228 rows recorded")


def test_the_queues_of_the_runbook_are_sampled(tmp_path: Path, production: Production) -> None:
    with LocalSqs() as sqs:
        sqs.client.send_message(QueueUrl=sqs.dlq_url, MessageBody="poison")
        ended = run_shadow(
            "record", "--until-idle", "1s", "--tick", "0.1s", "--json",
            cwd=tmp_path,
            environ={
                "SHADOW_DSN": production.recorder_dsn,
                "SQS_QUEUE_URL": sqs.queue_url,
                "SQS_DLQ_URL": sqs.dlq_url,
                "AWS_ENDPOINT_URL": sqs.endpoint_url,
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            },
        )  # fmt: skip
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    assert (summary["queue_depth"], summary["dlq_depth"]) == (0, 1)


def test_a_failure_in_the_middle_is_told_at_once(
    tmp_path: Path, production: Production, cluster: Cluster
) -> None:
    path = tmp_path / "week.duckdb"
    recorder = Shadow(
        ["record", "--journal", str(path), "--tick", "0.1s"],
        cwd=tmp_path,
        environ={"SHADOW_DSN": production.recorder_dsn},
    )
    try:
        wait_for(lambda: watermark_of(path), what="the first copy")
        cluster.stop()
        try:
            wait_for(lambda: "FAILING: " in recorder.err, what="word of the outage")
        finally:
            cluster.start()
        recorder.interrupt()
        assert recorder.wait(30).code == 0
    finally:
        recorder.kill_all()
