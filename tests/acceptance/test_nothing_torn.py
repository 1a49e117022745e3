"""A recorder that is killed leaves a journal that is whole, and goes on where it was."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.record.writer import PRODUCTION
from tests.support.load import Load, assert_same, fill
from tests.support.postgres import Production, running_cluster
from tests.support.processes import Shadow, run_shadow, wait_for

KILLS = 20
KILLS_IN_THE_COPY = 5
HISTORY_ROWS = 200_000
TRANSACTIONS_AGO = 70_000
"""Further back than a restarted recorder goes in case the server had crashed, as in production;
else every restart would be a first copy again."""
LONGEST_S = 1.5
"""After it has begun."""


def start_recorder(production: Production, path: Path, *options: str) -> Shadow:
    return Shadow(
        ["record", "--journal", str(path), "--tick", "0.1s", *options],
        cwd=path.parent,
        environ={"SHADOW_DSN": production.recorder_dsn, "SHADOW_RECORD_SWEEP_EVERY": "0.3s"},
    )


def holds_the_lock(recorder: Shadow, path: Path) -> bool:
    """True once it has read the journal's end and is about to write."""
    lock = path.with_name(path.name + ".recorder")
    return lock.exists() and lock.read_text().strip() == str(recorder.process.pid)


def has_copied(recorder: Shadow, path: Path) -> bool:
    """True once the journal knows how far production is recorded, from this recorder or another."""
    assert recorder.process.poll() is None, recorder.err
    return path.exists() and Journal.open(path).watermark(PRODUCTION) is not None


@pytest.mark.serial
def test_a_recorder_killed_twenty_times_leaves_a_whole_journal_and_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(20261120)
    path = tmp_path / "week.duckdb"
    heads: list[int] = []
    with running_cluster() as cluster, cluster.database() as production:
        fill(production, history_rows=HISTORY_ROWS, transactions_ago=TRANSACTIONS_AGO)
        with Load(production, seed=2) as load:
            for kill in range(1, KILLS + 1):
                recorder = start_recorder(production, path)
                try:
                    wait_for(
                        lambda recorder=recorder: holds_the_lock(recorder, path),
                        what="the recorder's start",
                    )
                    if kill > KILLS_IN_THE_COPY:
                        wait_for(
                            lambda recorder=recorder: has_copied(recorder, path),
                            what="the end of the first copy",
                            timeout_s=120,
                        )
                    dies_at = time.monotonic() + rng.random() * LONGEST_S
                    wait_for(lambda dies_at=dies_at: time.monotonic() >= dies_at, what="the moment")
                finally:
                    recorder.kill_all()
                assert recorder.process.returncode == -signal.SIGKILL, recorder.err
                verification = verify(path)
                assert verification.clean, verification.problems
                heads.append(verification.events)
        last = start_recorder(production, path, "--until-idle", "1s", "--json").wait(90)
        assert last.code == 0, last.err
        rows = assert_same(production, Journal.open(path))

    checked = run_shadow("journal", "verify", "--journal", str(path), cwd=tmp_path)
    assert checked.code == 0, checked.out
    assert heads == sorted(heads)
    with capsys.disabled():
        print(
            f"\nnothing torn: {KILLS} kills, of which {len(set(heads))} met a different end of the "
            f"journal; {load.committed} transactions; {rows} rows, each once; "
            f"{json.loads(last.out)['rows']} rows were left for the last recorder"
        )
