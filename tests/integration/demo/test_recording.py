"""The recorder of a rehearsal: what happens in the week is proved from its beginning on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.demo.postgres import EmbeddedPostgres
from harness.demo.recording import Recording
from harness.errors import EnvironmentProblem, ShadowError
from harness.journal.store import Journal
from harness.record.progress import RecorderConfig
from harness.record.recorder import Recorder


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with EmbeddedPostgres() as server:
        server.apply_schema()
        yield server.recorder_dsn


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "week.duckdb")


def recording(journal: Journal, dsn: str) -> Recording:
    config = RecorderConfig(dsn=dsn, tick_s=0.05, sweep_min_interval_s=0.1)
    return Recording(Recorder(config, journal), lambda progress: None)


def test_when_the_wait_is_over_the_record_is_proved_to_some_moment(
    journal: Journal, dsn: str
) -> None:
    one = recording(journal, dsn)
    one.start()
    one.wait_until_proved(threading.Event(), timeout_s=60.0)
    with journal.reader() as reader:
        mark = reader.watermark("production")
    one.end()
    assert mark is not None
    assert mark.complete_until is not None


def test_a_recorder_that_proves_nothing_in_time_is_said(journal: Journal, dsn: str) -> None:
    # Never started, it proves nothing.
    with pytest.raises(EnvironmentProblem, match=r"had proved nothing after 0\.1 s"):
        recording(journal, dsn).wait_until_proved(threading.Event(), timeout_s=0.1)


def test_a_rehearsal_that_is_stopped_waits_no_longer(journal: Journal, dsn: str) -> None:
    stop = threading.Event()
    stop.set()
    recording(journal, dsn).wait_until_proved(stop, timeout_s=60.0)


def test_what_ended_the_recorder_is_raised(journal: Journal) -> None:
    one = recording(journal, "postgresql://nobody@127.0.0.1:1/none")
    one.start()
    with pytest.raises(ShadowError, match=r"127\.0\.0\.1"):
        one.wait_until_proved(threading.Event(), timeout_s=60.0)
