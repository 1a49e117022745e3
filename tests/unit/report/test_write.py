"""Writing reports: whole files or none, and one line for what a person can mend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EnvironmentProblem
from harness.report.html import to_html
from harness.report.write import FORMATS, _words, write_report
from tests.support.assessments import make_assessment


def test_each_format_becomes_one_file_in_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    paths = write_report(make_assessment(), folder, tuple(FORMATS))
    assert {name: path.name for name, path in paths.items()} == {
        "html": "report.html", "json": "report.json", "md": "report.md",
        "junit": "report.junit.xml", "slack": "report.slack.json",
    }  # fmt: skip
    assert paths["html"].read_text(encoding="utf-8") == to_html(make_assessment())
    assert sorted(p.name for p in folder.iterdir()) == [
        "report.html", "report.json", "report.junit.xml", "report.md", "report.slack.json",
    ]  # fmt: skip


def test_writing_twice_leaves_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(make_assessment(), tmp_path)["html"].read_bytes()
    assert write_report(make_assessment(), tmp_path)["html"].read_bytes() == first


def test_a_folder_that_is_a_file_is_named_in_one_line(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("x")
    with pytest.raises(EnvironmentProblem) as caught:
        write_report(make_assessment(), taken)
    assert str(taken) in str(caught.value)
    assert "name a folder" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_that_nothing_may_be_written_to_is_named_in_one_line() -> None:
    with pytest.raises(EnvironmentProblem, match=r"/proc/.*cannot be written \(.+\); name a"):
        write_report(make_assessment(), Path("/proc/shadow"))


def test_a_full_disk_leaves_the_former_report_and_no_half_file(tmp_path: Path) -> None:
    """A limit on file size makes every longer write fail, as a full disk does."""
    former = tmp_path / "report.html"
    former.write_text("former report")
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from harness.report.write import write_report;"
        "from harness.errors import EnvironmentProblem;"
        "from tests.support.assessments import make_assessment;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_report(make_assessment(), Path(sys.argv[1]))\n"
        "except EnvironmentProblem as e: print(e)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "report.html cannot be written" in done.stdout
    assert "free some space" in done.stdout
    assert former.read_text() == "former report"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_no_space_left_is_told_with_its_mend() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        full.write_text("x")
    assert _words(full, caught.value) == (
        "report: /dev/full cannot be written (No space left on device); free some space or name "
        "a folder on another disk"
    )


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="docx is not a report format; known: html, json, md, "):
        write_report(make_assessment(), tmp_path, ("html", "docx"))
    assert list(tmp_path.iterdir()) == []
