"""The promise of the recorder: whatever was committed is in the journal, once."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from harness.journal.store import Journal
from harness.journal.verify import verify
from tests.support.load import Load, NaivePoller, assert_same, fill, history_ids
from tests.support.postgres import running_cluster
from tests.support.processes import Shadow, wait_for

HISTORY_ROWS = 200_000
LOAD_S = 16.0
AFTER_COPY_S = 8.0
TICK_S = 0.5


@pytest.mark.serial
def test_every_committed_row_is_in_the_journal_once_where_naive_polling_loses_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "week.duckdb"
    with running_cluster() as cluster, cluster.database() as production:
        fill(production, history_rows=HISTORY_ROWS)
        recorder = Shadow(
            ["record", "--journal", str(path), "--tick", f"{TICK_S}s", "--json"],
            cwd=tmp_path,
            # Sweeps often, so that the two tiers meet many times in this short week.
            environ={"SHADOW_DSN": production.recorder_dsn, "SHADOW_RECORD_SWEEP_EVERY": "3s"},
        )
        try:
            with NaivePoller(production, tick_s=TICK_S) as naive, Load(production) as load:
                ends_at = time.monotonic() + LOAD_S
                wait_for(
                    lambda: "complete until" in recorder.err, what="the first copy", timeout_s=240
                )
                ends_at = max(ends_at, time.monotonic() + AFTER_COPY_S)
                wait_for(lambda: time.monotonic() > ends_at, what="the load's end", timeout_s=60)
            recorder.process.send_signal(signal.SIGTERM)
            ended = recorder.wait(60)
        finally:
            recorder.kill_all()
        assert ended.code == 0, ended.err
        summary = json.loads(ended.out)
        rows = assert_same(production, Journal.open(path))
        naive_lost = len(history_ids(production).keys() - naive.seen)

    verification = verify(path)
    assert verification.clean, verification.problems
    assert naive_lost > 0
    fast = summary["polls"] - summary["sweeps"]
    fast_ms = summary["cost_ms"] - summary["sweeps_cost_ms"]
    with capsys.disabled():
        print(
            f"\nnothing lost: {load.committed} transactions committed and {load.rolled_back} "
            f"rolled back by 8 writers; {rows - HISTORY_ROWS} new rows of {rows}; lost 0; "
            f"naive polling lost {naive_lost} ({100 * naive_lost / (rows - HISTORY_ROWS):.0f} %); "
            f"{fast} ticks cost {fast_ms / fast:.1f} ms each, copy and {summary['sweeps'] - 1} "
            f"sweeps {summary['sweeps_cost_ms'] / 1000:.1f} s; {verification.events} events"
        )
