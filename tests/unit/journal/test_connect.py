"""A journal file is made whole or not at all, and whatever is wrong with it is said in words."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from harness.errors import EnvironmentProblem, JournalError
from harness.journal import connect
from harness.journal.connect import opened
from harness.journal.store import Journal
from harness.journal.verify import verify
from harness.model import Batch, EventDraft

MAKE = (
    "import sys\nfrom pathlib import Path\nfrom harness.journal.store import Journal\n"
    "print('now', flush=True)\nJournal.create(Path(sys.argv[1]))\n"
)


@pytest.mark.parametrize("delay_s", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_process_killed_while_it_makes_a_journal_leaves_a_whole_one_or_none(
    tmp_path: Path, delay_s: float
) -> None:
    path = tmp_path / "week.duckdb"
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKE, str(path)], stdout=subprocess.PIPE, text=True
    )
    with maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "now\n"
        dies_at = time.monotonic() + delay_s
        while time.monotonic() < dies_at:
            pass
        maker.send_signal(signal.SIGKILL)
    Journal.create(path)
    assert verify(path).clean


def test_of_several_that_make_the_same_journal_one_wins_and_all_use_it(tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(Journal.create, [path] * 4))
    ids = set()
    for journal in made:
        with journal.reader() as reader:
            ids.add(reader.journal_id())
    assert len(ids) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    Journal.create(tmp_path / "week.duckdb")
    assert list(tmp_path.iterdir()) == [tmp_path / "week.duckdb"]


def test_a_journal_that_is_moved_away_just_as_it_is_opened_leaves_no_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Journal.create(tmp_path / "week.duckdb").path
    really = connect._connect

    def moved_first(*given: Any, **named: Any) -> Any:
        if path.exists():
            path.rename(tmp_path / "moved.duckdb")
        return really(*given, **named)

    monkeypatch.setattr(connect, "_connect", moved_first)
    with pytest.raises(JournalError, match="there is no journal"), opened(path, read_only=False):
        pass
    assert not path.exists()
    assert verify(tmp_path / "moved.duckdb").clean


def test_a_journal_that_was_moved_away_is_not_replaced_by_an_empty_file(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    journal.path.rename(tmp_path / "moved.duckdb")
    with pytest.raises(JournalError, match="there is no journal"):
        journal.append(Batch(events=()))
    assert list(tmp_path.iterdir()) == [tmp_path / "moved.duckdb"]


def test_an_event_bears_the_time_of_its_writing_not_of_its_waiting_for_the_lock(
    tmp_path: Path,
) -> None:
    """Else a reader as of a time would see events from after it."""
    start = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    held: list[bool] = []

    def clock() -> datetime:
        lock = connect._process_lock(tmp_path / "week.duckdb")
        free = ThreadPoolExecutor(1).submit(lock.acquire, False).result()
        held.append(not free)
        return start + timedelta(seconds=len(held))

    journal = Journal(Journal.create(tmp_path / "week.duckdb").path, clock=clock)
    draft = EventDraft(source="operator", kind="attest", key="a", occurred_at=start, payload={})
    journal.append(Batch(events=(draft,)))
    assert held == [True]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('Could not write file "x": No space left on device', "the disk is full"),
        ('Could not write file "x": File too large', "a limit of file size"),
        ('Could not write file "x": Disk quota exceeded', "disk quota"),
        ("Cannot open file: Permission denied", "permission denied"),
    ],
)
def test_what_the_machine_lacks_is_told_in_words(tmp_path: Path, said: str, words: str) -> None:
    journal = Journal.create(tmp_path / "week.duckdb")
    with (
        pytest.raises(EnvironmentProblem, match=words),
        opened(journal.path, read_only=False),
    ):
        raise duckdb.TransactionException(f"Failed to commit: {said}")
