"""What is done to production and to the recorder, one fault after the other. Knows no outcome."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from harness.demo.postgres import RECORDER_ROLE
from tests.soak.disk import Disk
from tests.soak.supervised import Supervised
from tests.support.postgres import Production
from tests.support.processes import wait_for
from tests.support.servers import LocalPostgres

_PAUSE_S = (2.0, 7.0)
_PATIENCE_S = 60.0
_BURN = "DO $$ BEGIN FOR n IN 1..70000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
_HOLD = """
import sys, time
from pathlib import Path
from harness.journal.connect import opened
with opened(Path(sys.argv[1]), read_only=False):
    time.sleep(float(sys.argv[2]))
"""
_ALL = ("jobs", "queue_history", "directory_submissions", "job_results", "worker_status")
_OUR_BACKENDS = "application_name = 'shadow-recorder' AND datname = current_database()"

Fault = Callable[[], None]


class Chaos:
    """Picks a fault every few seconds for as long as the ``with`` block runs."""

    def __init__(
        self,
        production: Production,
        server: LocalPostgres,
        recorder: Supervised,
        disk: Disk,
        *,
        seed: int,
    ) -> None:
        self.done: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self._production = production
        self._server = server
        self._recorder = recorder
        self._disk = disk
        self._rng = random.Random(f"chaos {seed}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos")
        self._number = 0
        # A kill costs the recorder its memory, so it is rare enough for a life to show growth.
        self._weights: dict[str, tuple[int, Fault]] = {
            "recorder's session ended": (6, self._end_session),
            "recorder's statement cancelled": (6, self._cancel),
            "recorder killed (SIGKILL)": (2, self._recorder.kill),
            "server restarted (fast)": (3, lambda: self._restart("fast")),
            "server crashed (immediate)": (3, lambda: self._restart("immediate")),
            "a server process killed (SIGKILL)": (2, self._kill_backend),
            "SELECT on a table taken away": (5, self._revoke),
            "pg_read_all_stats taken away": (4, self._hide),
            "table locked longer than the lock timeout": (5, self._lock_table),
            "transaction left open": (5, self._leave_open),
            "transaction left prepared": (5, self._leave_prepared),
            "VACUUM FREEZE": (6, lambda: self._maintain("VACUUM FREEZE {}")),
            "VACUUM FULL": (4, lambda: self._maintain("VACUUM FULL {}")),
            "70,000 transaction numbers used up": (3, lambda: self._maintain(_BURN)),
            "column added": (4, lambda: self._maintain("ALTER TABLE {} ADD scratch_{} text")),
            "column added, table written anew": (3, self._rewrite),
            "column dropped": (3, self._drop_column),
            "table dropped and made again": (2, self._make_again),
            "journal held by another process": (5, self._hold_journal),
            "disk of the journal full": (2, self._fill_disk),
            "second recorder on the same journal": (3, self._second_recorder),
        }

    def __enter__(self) -> Chaos:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        names = tuple(self._weights)
        weights = [weight for weight, _ in self._weights.values()]
        try:
            while not self._stop.wait(self._rng.uniform(*_PAUSE_S)):
                (name,) = self._rng.choices(names, weights)
                _, fault = self._weights[name]
                # A fault that finds the server busy or its object gone is none.
                with suppress(psycopg.Error):
                    fault()
                    self.done[name] += 1
        except BaseException as error:
            self.failure = error

    # On the recorder's connection.

    def _end_session(self) -> None:
        self._execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OUR_BACKENDS}"
        )

    def _cancel(self) -> None:
        """Catch it at a statement, as the statement timeout would."""
        with self._session() as session:
            deadline_s = time.monotonic() + 5
            asked = (
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                f" WHERE {_OUR_BACKENDS} AND state = 'active'"
            )
            while not session.execute(asked).fetchall() and time.monotonic() < deadline_s:
                pass

    # On the server.

    def _restart(self, mode: str) -> None:
        self._server.stop(mode)
        self._stop.wait(self._rng.uniform(0, 3))
        self._server.start()

    def _kill_backend(self) -> None:
        """The server recovers from it as from a crash, without being started again."""
        with suppress(psycopg.Error), self._session() as session:
            os.kill(session.info.backend_pid, signal.SIGKILL)
        wait_for(self._answers, what="the server's recovery", timeout_s=_PATIENCE_S)

    # On rights and tables.

    def _revoke(self) -> None:
        table = self._rng.choice(_ALL)
        self._execute(f"REVOKE SELECT ON {table} FROM {RECORDER_ROLE}")
        try:
            self._stop.wait(self._rng.uniform(1, 4))
        finally:
            self._certainly(f"GRANT SELECT ON {table} TO {RECORDER_ROLE}")

    def _hide(self) -> None:
        self._execute(f"REVOKE pg_read_all_stats FROM {RECORDER_ROLE}")
        try:
            self._stop.wait(self._rng.uniform(1, 6))
        finally:
            self._certainly(f"GRANT pg_read_all_stats TO {RECORDER_ROLE}")

    def _lock_table(self) -> None:
        with self._session(autocommit=False) as session:
            session.execute(
                f"LOCK TABLE {self._rng.choice(_ALL)} IN ACCESS EXCLUSIVE MODE".encode()
            )
            self._stop.wait(self._rng.uniform(3.5, 5))

    def _leave_open(self) -> None:
        with self._session(autocommit=False) as session:
            _add_row(session)
            self._stop.wait(self._rng.uniform(3, 12))
            session.commit()

    def _leave_prepared(self) -> None:
        self._number += 1
        name = f"soak-{self._number}"
        with self._session(autocommit=False) as session:
            _add_row(session)
            session.execute(f"PREPARE TRANSACTION '{name}'".encode())
        self._stop.wait(self._rng.uniform(2, 10))
        self._certainly(f"COMMIT PREPARED '{name}'")

    def _maintain(self, statement: str) -> None:
        self._number += 1
        table = self._rng.choice(_ALL)
        self._execute(statement if statement == _BURN else statement.format(table, self._number))

    def _rewrite(self) -> None:
        self._number += 1
        change = f"ADD scratch_{self._number} uuid DEFAULT gen_random_uuid()"
        self._execute(f"ALTER TABLE {self._rng.choice(_ALL)} {change}")

    def _drop_column(self) -> None:
        with self._session() as session:
            found = session.execute(
                "SELECT attrelid::regclass::text, attname FROM pg_attribute"
                " WHERE attname LIKE 'scratch%' AND NOT attisdropped ORDER BY 1, 2"
            ).fetchall()
            if found:
                table, column = self._rng.choice(found)
                session.execute(f"ALTER TABLE {table} DROP COLUMN {column}".encode())

    def _make_again(self) -> None:
        """As a migration would; the rights come with the default privileges."""
        self._execute("DROP TABLE worker_status")
        self._stop.wait(self._rng.uniform(0, 3))
        self._certainly(
            "CREATE TABLE worker_status (worker_id text PRIMARY KEY, last_heartbeat timestamptz,"
            " status text, desired_state text DEFAULT 'running');"
            f" GRANT SELECT ON worker_status TO {RECORDER_ROLE}"
        )

    # On the journal.

    def _hold_journal(self) -> None:
        seconds = f"{self._rng.uniform(2, 6)}"
        command = [sys.executable, "-c", _HOLD, str(self._recorder.journal), seconds]
        subprocess.run(command, check=True)

    def _fill_disk(self) -> None:
        with self._disk.full():
            deadline_s = time.monotonic() + 15
            while self._recorder.is_running and time.monotonic() < deadline_s:
                time.sleep(0.05)

    def _second_recorder(self) -> None:
        if self._recorder.is_running:
            ended = self._recorder.run("--for", "1s")
            # The first may have died of another fault at this very moment.
            assert ended.code in (0, 2), ended.err

    # What they need for it.

    @contextmanager
    def _session(self, *, autocommit: bool = True) -> Any:
        with self._production.connect(autocommit=autocommit) as session:
            session.execute("SET lock_timeout = '10s'")
            yield session

    def _execute(self, statement: str) -> None:
        with self._session() as session:
            session.execute(statement.encode())

    def _certainly(self, statement: str) -> None:
        """Take a fault back, even if a writer is in the way for a while."""

        def works() -> bool:
            try:
                self._execute(statement)
            except psycopg.Error:
                return False
            return True

        wait_for(works, what=statement, timeout_s=_PATIENCE_S)

    def _answers(self) -> bool:
        try:
            self._production.connect().close()
        except psycopg.Error:
            return False
        return True


def _add_row(session: psycopg.Connection[Any]) -> None:
    session.execute("SET synchronous_commit = on")
    session.execute(
        "INSERT INTO queue_history (job_id, event) SELECT id, 'late' FROM jobs ORDER BY id LIMIT 1"
    )
