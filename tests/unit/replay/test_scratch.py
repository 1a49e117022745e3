"""A run's temporary files: gone with it, and those of a killed run with the next one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from replay.scratch import clear_leftovers, scratch_folder


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("TMPDIR", raising=False)


def test_it_is_the_folder_of_children_and_gone_after(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        assert os.environ["TMPDIR"] == str(folder)
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "profile").mkdir()
        # It is in use: nobody else takes it for a leftover.
        assert clear_leftovers() == 0
    assert "TMPDIR" not in os.environ
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_ended_and_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f"shadow-replay-{gone.pid}-1-x"
    dead.mkdir()
    browser = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", f"--user-data-dir={dead}/p"]
    )
    other = tmp_path / "shadow-replay-of-somebody"
    other.mkdir()
    assert clear_leftovers() == 1
    # Reaped by the one that ended it, so that only its end shows here.
    assert browser.poll() is not None
    assert list(tmp_path.iterdir()) == [other]


def test_a_number_given_to_another_process_is_not_taken_for_the_run(tmp_path: Path) -> None:
    (tmp_path / f"shadow-replay-{psutil.Process().pid}-1-x").mkdir()
    assert clear_leftovers() == 1
