"""The recorder itself in slot mode."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.journal.store import Journal
from harness.record.progress import RecorderConfig
from harness.record.recorder import Recorder
from tests.integration.record.slot.kit import Decoding, gaps, set_status, statuses
from tests.support.postgres import Production, add_job, add_submission
from tests.support.processes import wait_for
from tests.support.slots import slots


def test_the_recorder_itself_misses_no_version_over_a_pause(
    decoding: Decoding, production: Production, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "week.duckdb")
    config = RecorderConfig(
        dsn=production.recorder_dsn,
        mode="slot",
        slot=production.name,
        slot_plugin=decoding.plugin,  # type: ignore[arg-type]
        tick_s=0.1,
        sweep_min_interval_s=0.5,
        sweep_max_share=1.0,
    )
    written = [str(number) for number in range(12)]
    with production.connect() as session:
        row = add_submission(session, add_job(session), "https://a.example/add", "first")
        with recording(config, journal):
            wait_for(lambda: slots(production) != [], what="the slot's beginning")
            for status in written[:6]:
                set_status(session, row, status)
            wait_for(lambda: statuses(journal)[-1:] == ["5"], what="the last change")
        set_status(session, row, "between")
        with recording(config, journal):
            for status in written[6:]:
                set_status(session, row, status)
            wait_for(lambda: statuses(journal)[-1:] == ["11"], what="the last change")
    # What it was before the slot began, only the first copy can tell.
    assert [status for status in statuses(journal) if status != "first"] == [
        *written[:6],
        "between",
        *written[6:],
    ]
    assert gaps(journal) == []
    assert slots(production) == [production.name]


@contextmanager
def recording(config: RecorderConfig, journal: Journal) -> Iterator[None]:
    """A recorder at work for as long as the block."""
    stop = threading.Event()
    thread = threading.Thread(target=Recorder(config, journal).run, kwargs={"stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
