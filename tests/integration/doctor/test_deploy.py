"""The unit and the container file say what the program understands, and can be built from."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest

from harness.cli.main import cli

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "docs" / "deploy"
UNIT = DEPLOY / "shadow-record.service"
CONTAINERFILE = DEPLOY / "Containerfile"


def _parse(arguments: list[str]) -> None:
    """Parse a command as the command line would, without running it."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments.pop(0))
        assert found is not None, arguments
        command = found
    command.make_context("shadow", arguments)


def test_the_unit_starts_a_command_that_exists() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.M)
    program, *arguments = shlex.split(line)
    assert program.endswith("/bin/shadow")
    _parse(arguments)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    own = str(Path(sys.executable).with_name("shadow"))
    unit.write_text(re.sub(r"/opt/\S+/bin/shadow", own, UNIT.read_text()))
    ended = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=120
    )
    complaints = [line for line in ended.stderr.splitlines() if UNIT.name in line]
    assert (ended.returncode, complaints) == (0, [])


def test_the_container_runs_commands_that_exist() -> None:
    text = CONTAINERFILE.read_text()
    (entry,) = re.findall(r'^ENTRYPOINT \["shadow"\]$', text, re.M)
    assert entry
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.M)
    _parse(shlex.split(command.strip("[]").replace(",", " ")))
    (health,) = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", text, re.M)
    program, *arguments = shlex.split(health.strip("[]").replace(",", " "))
    assert program == "shadow"
    _parse(arguments)


def test_what_the_container_copies_is_enough_to_build_from(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINERFILE.read_text(), re.M):
        *names, target = line.split()
        for name in names:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, source / target, ignore=ignored)
            else:
                shutil.copy(ROOT / name, source / target)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "harness/sql/postgres/doctor/session.sql" in names
    assert "harness/doctor/examine.py" in names
