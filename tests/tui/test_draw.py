"""The picture of the dashboard: the same each time, and it asks no network for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from harness.journal.store import Journal
from harness.model import Batch
from tests.support.events import make_control, make_history, make_job

TOOL = Path(__file__).parents[2] / "tools" / "draw-dashboard"
NO_BROWSER = {"SHADOW_BROWSER": "/nowhere/chromium"}


def draw(journal: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOL), "--journal", str(journal), "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **NO_BROWSER},
    )


def test_the_drawing_is_reproducible_and_names_no_host(tmp_path: Path) -> None:
    path = tmp_path / "week.duckdb"
    batch = Batch(events=(make_job(), make_control(), make_history("failed", number=1)))
    Journal.create(path).append(batch)
    ended = draw(path, tmp_path / "one.svg")
    assert ended.returncode == 0, ended.stderr
    assert "No PNG" in ended.stderr
    svg = (tmp_path / "one.svg").read_text()
    assert "UNDECIDED" in svg
    assert "0.0&#160;s&#160;ago" in svg
    assert set(re.findall(r"https?://[^\"' )]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "font-face" not in svg
    draw(path, tmp_path / "two.svg")
    assert (tmp_path / "two.svg").read_text() == svg


def test_a_missing_journal_is_one_line(tmp_path: Path) -> None:
    ended = draw(tmp_path / "none.duckdb", tmp_path / "one.svg")
    assert ended.returncode == 2
    assert ended.stderr.startswith("draw-dashboard: ")
    assert ended.stderr.count("\n") == 1
