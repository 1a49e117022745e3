"""What goes wrong around ``shadow record`` is one line with the mend, and exit code 2."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from psycopg.conninfo import make_conninfo

from harness.journal.store import Journal
from harness.journal.verify import verify
from tests.support.load import history_ids, recorded_history_ids
from tests.support.postgres import Cluster, Production, add_history, add_job, running_cluster
from tests.support.processes import Ended, Shadow, run_shadow, wait_for

PASSWORD = "hunter2"
CLOSED = f"postgresql://recorder:{PASSWORD}@127.0.0.1:1/app"
"""Nobody listens on port 1."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture
def production(cluster: Cluster) -> Iterator[Production]:
    with cluster.database() as database:
        with database.connect() as owner:
            add_history(owner, add_job(owner), "queue_claimed")
        yield database


def reason_of(ended: Ended) -> str:
    """The one line that says why it ended; it must be the only thing said."""
    assert ended.code == 2, ended
    assert ended.out == ""
    *before, reason = ended.err.splitlines()
    assert all(line.startswith("recording: ") for line in before), ended.err
    assert reason.startswith("shadow: ")
    assert PASSWORD not in ended.err
    return reason


def refuse(folder: Path, *options: str, dsn: str = CLOSED) -> str:
    return reason_of(run_shadow("record", *options, cwd=folder, environ={"SHADOW_DSN": dsn}))


def test_a_port_where_nobody_listens_is_named_with_the_mend_and_no_file_is_left(
    tmp_path: Path,
) -> None:
    reason = refuse(tmp_path)
    assert "recorder@127.0.0.1:1/app" in reason
    assert "Check that the server runs" in reason
    assert list(tmp_path.glob("*.duckdb*")) == []


@pytest.mark.parametrize(
    "dsn", [PASSWORD, f"host=db.example password='{PASSWORD}", f"postgresql://{PASSWORD}@[::1/app"]
)
def test_a_text_that_is_no_dsn_is_refused_without_being_quoted(tmp_path: Path, dsn: str) -> None:
    reason = refuse(tmp_path, dsn=dsn)
    assert "SHADOW_DSN is not a PostgreSQL DSN. Write it as postgresql://" in reason


def test_a_dsn_that_is_not_set_is_asked_for(tmp_path: Path) -> None:
    reason = reason_of(run_shadow("record", cwd=tmp_path))
    assert "SHADOW_DSN is not set. Export" in reason


def test_a_database_that_the_server_lacks_is_named(tmp_path: Path, production: Production) -> None:
    dsn = make_conninfo(production.recorder_dsn, dbname="nosuch", password=PASSWORD)
    reason = refuse(tmp_path, dsn=dsn)
    assert 'database "nosuch" does not exist' in reason
    assert "Check database and user in SHADOW_DSN" in reason


def test_a_table_that_is_missing_is_named(tmp_path: Path, production: Production) -> None:
    production.execute("DROP TABLE queue_history")
    reason = refuse(tmp_path, dsn=production.recorder_dsn)
    assert "public.queue_history: there is no such table. Point SHADOW_DSN at" in reason


def test_a_schema_without_the_tables_is_named(tmp_path: Path, production: Production) -> None:
    reason = refuse(tmp_path, "--schema", "elsewhere", dsn=production.recorder_dsn)
    assert "elsewhere.jobs: there is no such table" in reason


def test_a_text_file_is_no_journal_and_stays_as_it_is(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("buy flour\n" * 1000)
    reason = refuse(tmp_path, "--journal", "notes.txt")
    assert "notes.txt is not a readable journal" in reason
    assert "Give another --journal" in reason
    assert notes.read_text() == "buy flour\n" * 1000


def test_a_database_of_somebody_else_is_no_journal_and_stays_as_it_is(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "sales.duckdb")) as other:
        other.execute("CREATE TABLE sales AS SELECT 7 AS amount")
    reason = refuse(tmp_path, "--journal", "sales.duckdb")
    assert "sales.duckdb is a DuckDB file but not a journal. Give another --journal" in reason
    with duckdb.connect(str(tmp_path / "sales.duckdb")) as other:
        assert other.execute("SHOW TABLES").fetchall() == [("sales",)]


def test_a_journal_that_stays_locked_is_reported_after_the_stated_wait(tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    Journal.create(path)
    with duckdb.connect(str(path)):
        reason = refuse(tmp_path, "--journal", "week.duckdb", "--journal-wait", "0.5s")
    assert "week.duckdb: another process kept the journal locked for 0.5 s. Stop it" in reason


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    reason = refuse(tmp_path, "--journal", "nowhere/week.duckdb")
    assert "nowhere/week.duckdb: " in reason
    assert "No such file or directory" in reason
    assert "Choose a --journal in a folder that exists" in reason


def test_a_folder_that_cannot_hold_a_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    reason = refuse(tmp_path, "--journal", "file/week.duckdb")
    assert "file/week.duckdb: " in reason
    assert "Not a directory" in reason


def test_an_unknown_setting_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "shadow.toml").write_text('[record]\ntik = "1s"\n')
    reason = refuse(tmp_path)
    assert "shadow.toml: record.tik is not a setting. Did you mean record.tick?" in reason


@pytest.mark.parametrize(("option", "value"), [("--tick", "0s"), ("--for", "soon")])
def test_a_length_of_time_that_is_none_is_a_usage_error(
    tmp_path: Path, option: str, value: str
) -> None:
    ended = run_shadow("record", option, value, cwd=tmp_path, environ={"SHADOW_DSN": CLOSED})
    assert ended.code == 2
    assert option in ended.err
    assert value[:4].rstrip("s") in ended.err
    assert "Traceback" not in ended.err


def test_a_second_recorder_on_the_same_journal_is_refused_and_the_first_goes_on(
    tmp_path: Path, production: Production
) -> None:
    with recording(tmp_path, production) as first:
        reason = refuse(tmp_path, "--journal", "week.duckdb", dsn=production.recorder_dsn)
        assert f"week.duckdb: process {first.process.pid} already records into it" in reason
        with production.connect() as owner:
            row = add_history(owner, add_job(owner), "submitted")
        wait_for(lambda: row in recorded_ids(tmp_path), what="the first recorder going on")


def test_a_journal_of_another_database_is_refused_and_keeps_what_it_has(
    tmp_path: Path, production: Production, cluster: Cluster
) -> None:
    with recording(tmp_path, production):
        pass
    before = verify(tmp_path / "week.duckdb").hash
    with cluster.database() as other:
        reason = refuse(tmp_path, "--journal", "week.duckdb", dsn=other.dsn)
    assert "is not the database that this journal was recorded from" in reason
    assert verify(tmp_path / "week.duckdb").hash == before


def test_a_journal_that_is_moved_away_meanwhile_ends_the_recording_and_leaves_no_empty_file(
    tmp_path: Path, production: Production
) -> None:
    path = tmp_path / "week.duckdb"
    with recording(tmp_path, production) as recorder:
        path.rename(tmp_path / "moved.duckdb")
        with production.connect() as owner:
            add_history(owner, add_job(owner), "submitted")
        reason = reason_of(recorder.wait(30))
    assert "week.duckdb: there is no journal" in reason
    assert not path.exists()


def test_a_full_disk_is_told_in_words_and_what_was_recorded_is_kept(
    tmp_path: Path, production: Production
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    with small_disk(folder) as small, recording(folder, production) as recorder:
        if not small:
            limit = (folder / "week.duckdb").stat().st_size
            resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        before = history_ids(production)
        production.execute(
            "INSERT INTO queue_history (job_id, event, details)"
            " SELECT id, 'submitted', jsonb_build_object('noise', n || gen_random_uuid()::text)"
            " FROM jobs, generate_series(1, 60000) AS n"
        )
        reason = reason_of(recorder.wait(60))
        assert "the disk is full" in reason or "a limit of file size" in reason
        kept = verify(folder / "week.duckdb")
        assert kept.clean, kept.problems
        assert before <= recorded_history_ids(Journal.open(folder / "week.duckdb"))


@contextmanager
def recording(folder: Path, production: Production) -> Iterator[Shadow]:
    """A recorder that has finished its first copy of `production` into ``week.duckdb``."""
    recorder = Shadow(
        ["record", "--journal", "week.duckdb", "--tick", "0.1s"],
        cwd=folder,
        environ={"SHADOW_DSN": production.recorder_dsn},
    )
    try:
        # The file has its name once it is whole; then the first copy fills it.
        wait_for((folder / "week.duckdb").exists, what="a journal")
        wait_for(
            lambda: Journal(folder / "week.duckdb").watermark("production") is not None,
            what="the first copy",
        )
        yield recorder
    finally:
        recorder.kill_all()


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of its own with little space at `folder`; False where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def recorded_ids(folder: Path) -> set[str]:
    return set(recorded_history_ids(Journal.open(folder / "week.duckdb")))
