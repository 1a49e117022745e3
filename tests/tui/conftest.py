"""Keeps the developer's terminal out of the tests; a short rehearsal for all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.processes import run_shadow

SNAPSHOT_PYTHON = (3, 11)


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SHADOW_", "TEXTUAL_")) and name != "TEXTUAL_SNAPSHOT_TEMPDIR":
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "COLUMNS", "LINES", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True, scope="session")
def _snapshots_come_from_one_python(request: pytest.FixtureRequest) -> None:
    updating = request.config.getoption("update_snapshots", default=False)
    if updating and sys.version_info[:2] != SNAPSHOT_PYTHON:
        pytest.exit("Update snapshots with Python 3.11 only, so that a diff shows our change.", 2)


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short planted week that the demo has recorded, without a browser.

    Nobody may change it. Only tests marked as serial may ask for it.
    """
    folder = tmp_path_factory.mktemp("rehearsal")
    ended = run_shadow(
        "demo", "--jobs", "16", "--speed", "300", "--no-browser", "--keep", "kept",
        cwd=folder, timeout_s=240,
    )  # fmt: skip
    (found,) = (folder / "kept").glob("rehearsal-*")
    assert "report: " in ended.out, ended.err
    return found
