"""What the doctor says of journal, queues, Prefect, browser and clock."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from harness.demo.sqs import LocalSqs
from harness.doctor.check import Status
from harness.doctor.examine import examine
from harness.doctor.plan import Plan
from harness.journal.store import Journal
from harness.record.lock import recorder_lock
from harness.record.progress import RecorderConfig
from harness.record.recorder import Recorder
from harness.settings import Settings
from tests.integration.doctor.pasting import diagnose, environ_after, the, words_of
from tests.support.postgres import Cluster, Production, add_job
from tests.support.prefect import running_prefect

KEY = "pnu_0123456789abcdef"


def test_a_folder_that_is_missing_is_made_by_pasting(tmp_path: Path) -> None:
    folder = tmp_path / "no such" / "folder"
    check = the(diagnose(None, folder=folder), "folder")
    assert check.status is Status.FAIL
    environ_after({}, check.shell)
    assert the(diagnose(None, folder=folder), "folder").status is Status.OK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert the(diagnose(None, folder=tmp_path), "folder").status is Status.FAIL


def test_a_file_that_is_no_journal_is_named_and_another_can_be_chosen(tmp_path: Path) -> None:
    (tmp_path / "week.duckdb").write_text("a shopping list")
    check = the(diagnose(None, folder=tmp_path), "file")
    assert (check.status, "not a readable journal" in check.found) == (Status.FAIL, True)
    assert environ_after({}, check.shell)["SHADOW_JOURNAL"] == "another.duckdb"


def test_a_journal_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    Journal.create(path)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE meta SET schema_version = 999")
    check = the(diagnose(None, folder=tmp_path), "file")
    assert (check.status, "version 999" in check.found) == (Status.FAIL, True)


def test_a_journal_says_what_it_holds_and_which_database_it_belongs_to(
    cluster: Cluster, production: Production, tmp_path: Path
) -> None:
    with production.connect() as connection:
        add_job(connection)
    journal = Journal.create(tmp_path / "week.duckdb")
    config = RecorderConfig(dsn=production.recorder_dsn, tick_s=0.1)
    Recorder(config, journal).run(until_idle_s=0.2, for_s=60.0)
    own = the(diagnose(production.recorder_dsn, folder=tmp_path), "file")
    assert own.status is Status.OK
    assert f"{journal.head().seq} events" in own.found
    assert "complete until" in own.found
    assert "records into it" not in own.found
    with recorder_lock(journal.path):
        busy = the(diagnose(production.recorder_dsn, folder=tmp_path), "file")
    assert busy.found.endswith(f"process {os.getpid()} records into it now")
    with cluster.database() as another:
        other = the(diagnose(another.dsn, folder=tmp_path), "file")
    assert (other.status, "another database" in other.found) == (Status.FAIL, True)


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSqs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rehearsal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "A-Secret-Of-The-Test")
    with LocalSqs() as endpoint:
        yield endpoint


def _queue(sqs: LocalSqs, url: str | None, dlq_url: str | None) -> dict[str, dict[str, object]]:
    return {"queue": {"url": url, "dlq_url": dlq_url, "endpoint_url": sqs.endpoint_url}}


def test_queues_that_answer_are_counted_and_no_message_is_received(
    sqs: LocalSqs, tmp_path: Path
) -> None:
    sqs.client.send_message(QueueUrl=sqs.queue_url, MessageBody="{}")
    diagnosis = diagnose(None, folder=tmp_path, **_queue(sqs, sqs.queue_url, sqs.dlq_url))
    assert "1 waiting, 0 in flight" in the(diagnosis, "jobs queue").found
    names = ("jobs queue", "dead letters", "redrive")
    assert {the(diagnosis, name).status for name in names} == {Status.OK}
    assert "A-Secret" not in words_of(diagnosis.checks)


def test_a_queue_that_does_not_exist_is_replaced_by_the_nearest(
    sqs: LocalSqs, tmp_path: Path
) -> None:
    wrong = _queue(sqs, f"{sqs.queue_url}-typo", sqs.dlq_url)
    check = the(diagnose(None, folder=tmp_path, **wrong), "jobs queue")
    assert check.status is Status.FAIL
    url = environ_after({}, check.shell)["SQS_QUEUE_URL"]
    right = diagnose(None, folder=tmp_path, **_queue(sqs, url, sqs.dlq_url))
    assert the(right, "jobs queue").status is Status.OK


@pytest.mark.parametrize("watched", [None, "the jobs queue itself"])
def test_dead_letters_that_nobody_watches_are_found(
    sqs: LocalSqs, tmp_path: Path, watched: str | None
) -> None:
    told = _queue(sqs, sqs.queue_url, sqs.queue_url if watched else None)
    check = the(diagnose(None, folder=tmp_path, **told), "redrive")
    assert check.status is Status.WARN
    assert environ_after({}, check.shell)["SQS_DLQ_URL"] == sqs.dlq_url


def test_missing_credentials_are_asked_for(
    sqs: LocalSqs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    told = _queue(sqs, sqs.queue_url, None)
    check = the(diagnose(None, folder=tmp_path, **told), "jobs queue")
    assert "no credentials" in check.mend
    got = environ_after({}, check.shell, typed="word\n", KEY="id")
    assert (got["AWS_ACCESS_KEY_ID"], got["AWS_SECRET_ACCESS_KEY"]) == ("id", "word")


@contextmanager
def _prefect(*, deployed: bool = True) -> Iterator[str]:
    """What Prefect's own server answers to the three questions asked; it needs a key."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/api/health": True, "/api/admin/version": "3.4.0"}
            if deployed:
                known["/api/deployments/name/process_job/production"] = {"paused": False}
            code = 200 if self.path in known else 404
            if self.headers["Authorization"] != f"Bearer {KEY}":
                code = 401
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(known.get(self.path)).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_prefect_is_asked_with_the_key_which_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _prefect() as url:
        told = {"prefect": {"api_url": f"{url}/api"}}
        check = the(diagnose(None, folder=tmp_path, **told), "api")
        assert (check.status, "HTTP 401" in check.found) == (Status.FAIL, True)
        key = environ_after({}, check.shell, typed=f"{KEY}\n")["PREFECT_API_KEY"]
        monkeypatch.setenv("PREFECT_API_KEY", key)
        diagnosis = diagnose(None, folder=tmp_path, **told)
        assert [the(diagnosis, name).status for name in ("api", "deployment")] == [Status.OK] * 2
        assert KEY not in words_of(diagnosis.checks)
        check = the(diagnose(None, folder=tmp_path, prefect={"api_url": url}), "api")
        assert check.status is Status.FAIL
        assert environ_after({}, check.shell)["PREFECT_API_URL"] == f"{url}/api"


@pytest.mark.slow
def test_a_real_prefect_is_well_and_knows_its_deployment(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("prefect", reason="Prefect is not installed: pip install -e '.[dev]'")
    with running_prefect(tmp_path_factory.mktemp("prefect")) as server:
        told = {"prefect": {"api_url": server.url}}
        before = diagnose(None, folder=tmp_path, **told)
        assert the(before, "api").status is Status.OK
        assert the(before, "deployment").status is Status.WARN
        with server.deployment("process_job"):
            after = the(diagnose(None, folder=tmp_path, **told), "deployment")
    assert after.status is Status.OK


def test_a_deployment_that_prefect_does_not_know_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", KEY)
    with _prefect(deployed=False) as url:
        diagnosis = diagnose(None, folder=tmp_path, prefect={"api_url": f"{url}/api"})
    check = the(diagnosis, "deployment")
    assert (check.status, "process_job/production" in check.found) == (Status.WARN, True)


def test_a_prefect_that_does_not_answer_is_told_without_the_credentials_of_its_address(
    tmp_path: Path,
) -> None:
    told = {"prefect": {"api_url": "http://somebody:Hidden-Word@127.0.0.1:9/api"}}
    diagnosis = diagnose(None, folder=tmp_path, **told)
    assert the(diagnosis, "api").status is Status.FAIL
    assert "Hidden-Word" not in words_of(diagnosis.checks)


def test_the_browser_is_started_once_and_one_that_is_none_is_told(tmp_path: Path) -> None:
    plan = Plan(settings=Settings(journal=tmp_path / "j"), dsn=None, variable="DATABASE_URL")
    diagnosis = examine(plan)
    assert the(diagnosis, "browser").status is Status.OK
    assert the(diagnosis, "browser").found.endswith(" starts")
    false = diagnose(None, folder=tmp_path, replay={"browser": "/bin/true"})
    check = the(false, "browser")
    assert (check.status, "does not start" in check.found) == (Status.WARN, True)
    assert "6 layers" in the(false, "seal").found


def test_the_clocks_of_one_machine_do_not_differ(production: Production, tmp_path: Path) -> None:
    check = the(diagnose(production.recorder_dsn, folder=tmp_path), "difference")
    assert check.status is Status.OK
