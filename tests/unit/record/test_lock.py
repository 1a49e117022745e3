"""One recorder a journal, whatever becomes of the processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem, JournalBusyError
from harness.record.lock import recorder_lock

HOLD = (
    "import sys\nfrom pathlib import Path\nfrom harness.record.lock import recorder_lock\n"
    "with recorder_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


def test_another_process_keeps_us_off_until_it_is_killed(tmp_path: Path) -> None:
    journal = tmp_path / "week.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(journal)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(JournalBusyError, match=f"process {holder.pid} "),
            recorder_lock(journal),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        # Its file is still there, and no longer means anything.
        assert (tmp_path / "week.duckdb.recorder").exists()
        with recorder_lock(journal):
            pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_free_after_an_error_inside(tmp_path: Path) -> None:
    journal = tmp_path / "week.duckdb"
    with pytest.raises(ZeroDivisionError), recorder_lock(journal):
        _ = 1 / 0
    with recorder_lock(journal):
        pass


def test_a_folder_that_is_missing_is_named_with_the_journal(tmp_path: Path) -> None:
    journal = tmp_path / "nowhere" / "week.duckdb"
    refused = pytest.raises(EnvironmentProblem, match=r"nowhere/week\.duckdb: .*No such file")
    with refused, recorder_lock(journal):
        pass
