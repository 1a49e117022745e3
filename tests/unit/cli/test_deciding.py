"""``shadow mark``, ``waive``, ``attest`` and ``gates``: what people say reaches the decision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run
from tests.support.journals import make_journal, sound_job

PREFECT = "dual-write.prefect_errors"


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journal of one sound job."""
    monkeypatch.chdir(tmp_path)
    make_journal(tmp_path, sound_job(), name="shadow.duckdb")
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def report(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    _, out, _ = call(capsys, "report", "--format", "json", "--stdout", *words)
    told: dict[str, Any] = json.loads(out)
    return told


def gate(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in told["gates"] if one["gate"] == name)
    return found


def test_a_waiver_holds_until_it_is_taken_back(
    week: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--by", "Ana Ruiz", "--until", "7d", "--reason", "no Prefect here")
    code, out, _ = call(capsys, "waive", PREFECT, *words)
    assert code == 0
    assert out.startswith(f"{PREFECT}: waived until ")
    told = report(capsys)
    assert gate(told, PREFECT)["status"] == "waived"
    assert gate(told, PREFECT)["judged"] == "open"
    assert told["waivers"][0]["by"] == "Ana Ruiz"
    code, out, _ = call(capsys, "waive", PREFECT, "--by", "Ana Ruiz", "--take-back")
    assert (code, out) == (0, f"{PREFECT}: counts again, by Ana Ruiz\n")
    assert gate(report(capsys), PREFECT)["status"] == "open"


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("dual-write.prefect",), "did you mean dual-write.prefect_errors"),
        ((PREFECT, "--reason", "x"), "--until is missing"),
        ((PREFECT, "--until", "7d"), "--reason is missing"),
        ((PREFECT, "--until", "2001-01-01", "--reason", "x"), "is over already"),
        ((PREFECT, "--until", "7d", "--take-back"), "Leave one of them out"),
        (("shadow.zero_loss", "--until", "7d", "--reason", "x"), "this gate cannot be waived"),
    ],
)
def test_a_waiver_that_cannot_be_is_refused_in_a_line(
    week: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], mend: str
) -> None:
    code, out, err = call(capsys, "waive", *words, "--by", "Ana Ruiz")
    assert (code, out) == (2, "")
    assert mend in err
    assert "Traceback" not in err


def test_marks_say_what_happens(week: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, shown in (
        (("ramp", "50 %"), "ramp 50 % by Ana Ruiz"),
        (("deployment", "2.4.1"), "deployment 2.4.1 by Ana Ruiz"),
        (("cutover",), "cutover by Ana Ruiz"),
        (("note", "a directory moved its form"), "note a directory moved its form by Ana Ruiz"),
    ):
        code, out, _ = call(capsys, "mark", *words, "--by", "Ana Ruiz")
        assert (code, out) == (0, f"{shown}\n")
    told = report(capsys, "--phase", "cutover")
    assert [one["what"] for one in told["marks"]] == ["ramp", "deployment", "cutover", "note"]
    assert told["provenance"]["candidate_version"] == "2.4.1"
    assert [one["phase"] for one in told["phases"] if one["decides"]] == ["cutover"]


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("ramp",), "Give the percent of traffic"),
        (("ramp", "150"), "is no percentage"),
        (("ramp", "half"), "is no percentage"),
        (("deployment",), "Give the version"),
        (("cutover", "now"), "cutover has no value"),
        (("rollback",), "is not one of"),
    ],
)
def test_a_mark_without_sense_is_refused(
    week: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], mend: str
) -> None:
    code, out, err = call(capsys, "mark", *words, "--by", "Ana Ruiz")
    assert (code, out) == (2, "")
    assert mend in err


def test_a_drill_is_attested_with_what_it_took(
    week: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, "mark", "cutover", "--by", "Ana Ruiz")
    said = ("attest", "rollback_ready", "--by", "Ana Ruiz", "--until", "7d")
    call(capsys, *said)
    assert gate(report(capsys), "cutover.rollback")["status"] == "open"
    call(capsys, *said, "--took", "400s")
    assert gate(report(capsys), "cutover.rollback")["status"] == "fail"
    call(capsys, *said, "--took", "200s")
    told = report(capsys)
    assert gate(told, "cutover.rollback")["value_text"] == "200 s"
    assert gate(told, "cutover.rollback")["status"] == "pass"


def test_gates_are_listed_shown_checked_and_noted(
    week: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "gates", "list", "--preset", "strict")
    assert code == 0
    assert "dual-write.agreement\tdecides\tagreement at least 98 %\tsubmissions\t" in out
    assert "presets: runbook, full-traffic, strict" in err
    code, out, _ = call(capsys, "gates", "show", "runbook")
    (week / "ours.toml").write_text(out, encoding="utf-8")
    code, out, _ = call(capsys, "gates", "check", "ours.toml")
    assert code == 0
    assert "4 phases, 21 gates" in out
    (week / "ours.toml").write_text(out, encoding="utf-8")
    code, _, err = call(capsys, "gates", "check", "ours.toml")
    assert (code, len(err.splitlines())) == (2, 1)
    assert call(capsys, "gates", "note")[1].endswith(": noted\n")
    assert call(capsys, "gates", "note")[1].endswith(": noted already\n")


def test_an_unknown_phase_is_refused(week: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "report", "--phase", "shadw", "--stdout")
    assert code == 2
    assert "Use one of: dual-write, shadow, cutover, cleanup." in err


def test_a_kept_calibration_stands_in_the_report(
    week: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(capsys)["calibration"] is None
    call(capsys, "calibrate", "--keep")
    told = report(capsys)["calibration"]
    assert told["planted"] > 0
    assert told["stale"] is None
