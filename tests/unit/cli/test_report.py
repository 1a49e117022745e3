"""``shadow report``: its formats, where they go, and what a wrong former report is told."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.cli.main import run
from harness.cli.report import report
from harness.journal.store import Journal
from harness.report.write import FORMATS
from tests.support.journals import make_journal, sound_job

FIRST = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-1111-4111-8111-111111111111"


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal of two sound jobs: nothing fails and nothing is settled."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("SHADOW_BROWSER", str(tmp_path / "no-browser"))
    events = [*sound_job(FIRST), *sound_job(SECOND, second=100, run=None)]
    return make_journal(tmp_path, events, name="shadow.duckdb")


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["report", *words])
    out, err = capsys.readouterr()
    return code, out, err


def end(week: Journal) -> str:
    with week.reader() as reader:
        return str(reader.as_of_seq)


def test_all_writes_every_file_and_says_that_no_pdf_could_be_printed(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "--format", "all", "--out", "here")
    assert code == 3
    assert out.splitlines() == [
        "here/report.html", "here/report.json", "here/report.md", "here/report.junit.xml",
        "here/report.slack.json", "decision: UNDECIDED",
    ]  # fmt: skip
    assert "report.pdf is left out: SHADOW_BROWSER = " in err
    assert len(list(Path("here").iterdir())) == 5
    assert json.loads(Path("here/report.slack.json").read_text())["blocks"]
    suites = ET.parse("here/report.junit.xml").getroot()
    assert suites.find("testsuite/testcase/failure") is not None


def test_a_pdf_that_was_asked_for_and_cannot_be_printed_is_an_error(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("pdf",), ("all", "--format", "pdf")):
        code, out, err = call(capsys, "--format", *words, "--out", "none")
        assert code == 2
        assert out == ""
        assert err.startswith("shadow: SHADOW_BROWSER = ")
        assert len(err.splitlines()) == 1
        assert not Path("none").exists()


@pytest.mark.parametrize(
    ("form", "start"), [("junit", "<?xml"), ("slack", '{\n  "text"'), ("github", "## ~ UNDECIDED")]
)
def test_stdout_has_one_format_and_nothing_else(
    week: Journal, capsys: pytest.CaptureFixture[str], form: str, start: str
) -> None:
    code, out, _ = call(capsys, "--format", form, "--stdout")
    assert code == 3
    assert out.startswith(start)
    assert "::warning" not in out
    assert "\ndecision: " not in out
    assert [path.name for path in Path().iterdir() if path.name == "report"] == []


def test_github_appends_to_the_steps_summary_and_annotates_on_stdout(
    week: Journal,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("said before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, out, _ = call(capsys, "--format", "github")
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith("::warning title=UNDECIDED::")
    assert lines[-1] == "decision: UNDECIDED"
    assert all(line.startswith("::") for line in lines[:-1])
    assert summary.read_text().startswith("said before\n## ~ UNDECIDED\n")
    assert not Path("report").exists()


def test_github_outside_of_a_runner_prints_the_summary(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = call(capsys, "--format", "github")
    assert out.startswith("## ~ UNDECIDED")
    assert "\n::warning title=UNDECIDED::" in out


def test_a_summary_that_cannot_be_written_is_one_line(
    week: Journal,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    code, _, err = call(capsys, "--format", "github")
    assert code == 2
    assert f"GITHUB_STEP_SUMMARY = {tmp_path}: cannot be written" in err
    assert len(err.splitlines()) == 1


def test_since_tells_what_changed_in_text_and_in_every_format(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    last = end(week)
    assert call(capsys, "--as-of", str(int(last) // 2), "--out", "old")[0] == 3
    code, out, err = call(
        capsys, "--as-of", last, "--out", "new", "--format", "json", "--format", "md",
        "--format", "html", "--since", "old/report.json",
    )  # fmt: skip
    assert code == 3
    assert out.splitlines()[-1] == "decision: UNDECIDED"
    assert "What changed: still ~ UNDECIDED since seq " in err
    since = json.loads(Path("new/report.json").read_text())["since"]
    assert since["before"]["seq"] == int(last) // 2
    assert since["after"]["seq"] == int(last)
    assert since["events"]["events"] == sum(since["events"]["by_kind"].values())
    assert since["events"]["events"] == int(last) - int(last) // 2
    assert f"What changed since seq {int(last) // 2}" in Path("new/report.html").read_text()
    assert "What changed: still" in Path("new/report.md").read_text()
    assert json.loads(Path("old/report.json").read_text())["since"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no such file"),
        ("not json", "is no JSON"),
        ("[1]", "is no report"),
        ("{}", "is no report"),
        ('{"schema_version": 99, "provenance": {}}', "has schema_version 99"),
        (b"\xff\xfe", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_a_former_report_that_is_none_is_refused_in_one_line(
    week: Journal, capsys: pytest.CaptureFixture[str], text: str | bytes | None, words: str
) -> None:
    former = Path("former.json")
    if text is not None:
        former.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = call(capsys, "--since", "former.json", "--stdout")
    assert code == 2
    assert out == ""
    assert err.startswith("shadow: --since former.json: ")
    assert words in err
    assert len(err.splitlines()) == 1


def test_a_report_of_another_journal_or_of_a_later_moment_is_refused(
    week: Journal, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    last = int(end(week))
    call(capsys, "--out", "mine", "--as-of", str(last), "--format", "json")
    other = make_journal(tmp_path, sound_job(FIRST), name="other.duckdb")
    code, _, err = call(capsys, "--journal", str(other.path), "--since", "mine/report.json")
    assert code == 2
    assert "is of journal " in err
    code, _, err = call(capsys, "--since", "mine/report.json", "--as-of", str(last - 1))
    assert code == 2
    assert f"speaks of seq {last:,}, later than {last - 1:,}" in err


def test_a_record_that_is_not_what_the_former_report_was_made_of_is_named(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    half = int(end(week)) // 2
    call(capsys, "--out", "old", "--as-of", str(half), "--format", "json")
    former = json.loads(Path("old/report.json").read_text())
    former["provenance"]["journal_hash"] = "f" * 64
    Path("old/report.json").write_text(json.dumps(former))
    code, out, err = call(capsys, "--since", "old/report.json", "--stdout")
    assert (code, out) == (2, "")
    assert f"the journal at seq {half} is not what this report was made of" in err
    assert len(err.splitlines()) == 1


def test_every_report_command_of_the_ci_page_is_one() -> None:
    text = (Path(__file__).parents[3] / "docs" / "ci.md").read_text(encoding="utf-8")
    lines = [line.strip().removeprefix("- ") for line in text.splitlines()]
    commands = [line for line in lines if line.startswith("shadow report ")]
    assert len(commands) >= 4
    for command in commands:
        words = shlex.split(command.partition(" || ")[0].replace("$since", "--since x.json"))
        context = report.make_context("report", words[2:])
        assert set(context.params["formats"]) <= {*FORMATS, "pdf", "github"}
