"""Keeps the developer's terminal out of the tests."""

from __future__ import annotations

import os
import sys

import pytest

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
