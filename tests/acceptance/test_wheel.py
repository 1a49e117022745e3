"""The wheel holds everything: it is built, installed and run away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUERY = """
import sys, pathlib, tempfile
import harness, replay
from harness.assess.criteria import load_criteria
from harness.journal.detectors import catalogue
from harness.journal.findings import detect
from harness.journal.store import Journal
from harness.resources import resource
from harness.settings import Settings
assert "target" in pathlib.Path(harness.__file__).parts, harness.__file__
assert resource("fixtures/directories.toml").is_file()
load_criteria(Settings())
with tempfile.TemporaryDirectory() as folder:
    journal = Journal.create(pathlib.Path(folder) / "week.duckdb")
    with journal.reader() as reader:
        detect(reader, until=reader.as_of_time, deadline_s=1.0, time_scale=1.0)
print(len(catalogue()))
"""


def _run(*arguments: str, cwd: Path, target: Path | None = None) -> str:
    # -P keeps the working folder out of the path, and an empty PYTHONPATH the checkout.
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(target or ""), "HOME": str(cwd)}
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def target(wheel: Path) -> Path:
    folder = wheel.parent / "target"
    install = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    _run("-m", "pip", *install, "--target", str(folder), str(wheel), cwd=wheel.parent)
    return folder


def test_the_wheel_holds_every_sql_and_fixture_file_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("sql", "fixtures"):
        files = {p.relative_to(ROOT) for p in (ROOT / folder).rglob("*.*") if p.is_file()}
        assert {f"harness/{file.as_posix()}" for file in files} <= names
    for data in ("compare/default-rules.toml", "gates/presets/runbook.toml",
                 "report/templates/report.html.j2", "report/templates/report.css"):  # fmt: skip
        assert f"harness/{data}" in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_installed_wheel_runs_its_sql_away_from_the_checkout(target: Path) -> None:
    found = int(_run("-c", QUERY, cwd=target.parent, target=target))
    assert found == len(list((ROOT / "sql" / "findings").glob("*.sql")))


def test_the_installed_wheel_has_the_shadow_command(target: Path) -> None:
    script = target / "bin" / "shadow"
    assert "harness.cli" in script.read_text(encoding="utf-8")
    help_text = _run(str(script), "--help", cwd=target.parent, target=target)
    assert "Exit codes: 0 fine or GO" in help_text
