"""``shadow calibrate`` as a person or a script calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.assess.criteria import shipped_rules_text
from harness.cli.main import run
from tests.support.journals import make_journal, sound_job

BROAD = """
[[rule]]
name = "any-phone"
kind = "ignore"
field = "values.phone"
author = "Ada Quill"
reason = "too many of them"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a journal of two sound jobs."""
    monkeypatch.chdir(tmp_path)
    jobs = [f"{n}1111111-1111-4111-8111-111111111111" for n in range(2)]
    events = [
        event for place, job in enumerate(jobs) for event in sound_job(job, second=50 * place)
    ]
    make_journal(tmp_path, events, name="shadow.duckdb")
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["calibrate", "--mutations", "200", *words])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.usefixtures("folder")
def test_a_sharp_comparison_exits_with_0_and_tells_a_line_a_kind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys)
    assert code == 0
    header, *lines = [line.split("\t") for line in out.splitlines()]
    rows = {row["kind"]: row for row in (dict(zip(header, line, strict=True)) for line in lines)}
    assert rows["values.phone.digit"] | {"visible_rate": "", "fault": ""} == {
        "kind": "values.phone.digit", "effect": "changes", "planted": "4", "shown": "4",
        "score": "1.0000", "jobs": "2", "visible_rate": "", "fault": "",
    }  # fmt: skip
    assert rows["event.redelivered"]["shown"] == "0"
    *_, last = err.splitlines()
    assert last.endswith("caught: score 100 %, 99 % asked for")
    assert "0 false alarms" in err


def test_a_blinding_rule_is_told_in_plain_words_and_exits_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ours.toml").write_text(shipped_rules_text() + BROAD)
    (folder / "shadow.toml").write_text('[compare]\nrules = "ours.toml"\n')
    code, _, err = call(capsys, "--at-least", "0")
    assert code == 1
    assert "rule any-phone hides" in err
    assert "faults planted in values.phone (100 %): it blinds the comparison there" in err
    assert "blinding: any-phone. Narrow or remove what hides faults." in err
    assert "not seen: Rule any-phone (ignore) makes it agree." in err
    assert "kinds would not be seen so surely even in every job: " in err
    assert "555" not in err


def test_json_is_all_of_stdout_and_the_same_as_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "--json", "--out", "c.json", "--rate", "0.5", "--seed", "3")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["schema_version"], told["sharp"], told["score"]) == (1, True, 1.0)
    assert told["planted"] >= 200
    assert told["rates"] == [{"rate": 0.5, "jobs": 2, "hit": 1, "shown": 1}]
    assert told["provenance"]["seed"] == 3
    assert (folder / "c.json").read_text() == out


def test_too_low_a_score_exits_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shipped_rules_text().partition('[[rule]]\nname = "directory-time"')[0]
    (folder / "ours.toml").write_text(text)
    (folder / "shadow.toml").write_text('[compare]\nrules = "ours.toml"\n')
    assert call(capsys, "--at-least", "1")[0] == 1
    code, _, err = call(capsys, "--at-least", "0.9")
    assert code == 0
    assert "No rule sets a ceiling" in err


@pytest.mark.usefixtures("folder")
def test_before_anything_has_ended_there_is_no_evidence_and_exit_code_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys, "--as-of", "3")
    assert (code, out) == (3, "")
    assert err.startswith("no evidence: ")
    code, out, _ = call(capsys, "--as-of", "0", "--json")
    assert (code, json.loads(out)["sharp"], json.loads(out)["score"]) == (3, None, None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--mutations", "0"), "0 is not in the range"),
        (("--rate", "0"), "0.0 is not in the range"),
        (("--at-least", "2"), "2.0 is not in the range"),
        (("--journal", "no.duckdb"), "no.duckdb: there is no journal"),
        (("--out", "none/c.json"), "--out none/c.json: cannot be written"),
    ],
)
def test_bad_input_is_told_in_one_line(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("shadow: ")
    assert told in line
