"""``shadow triage``: what a named person says stands beside the cluster, and changes no figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run
from harness.errors import JournalBusyError
from harness.journal.store import Journal
from harness.model import Batch
from harness.report.html import to_html
from harness.report.markdown import to_markdown
from tests.support.events import make_plan
from tests.support.journals import assessed, make_journal, make_watermarks, sound_job

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
WHY = "the plan exchanges digits"


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A sound job, and one of which the candidate typed another phone."""
    monkeypatch.chdir(tmp_path)
    typed = {"name": "Maple Joinery", "phone": "202-555-0199", "zip": "12207"}
    events = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]
    return make_journal(tmp_path, [*sound_job(SOUND), *events], name="shadow.duckdb")


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def cluster(week: Journal) -> str:
    (only,) = assessed(week).clusters
    return only.id


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    code, out, _ = call(capsys, "triage", "--list", "--json", *words)
    assert code == 0
    said: list[dict[str, Any]] = json.loads(out)["triage"]
    return said


def say(capsys: pytest.CaptureFixture[str], target: str, label: str, reason: str = WHY) -> None:
    words = ("triage", target, "--label", label, "--reason", reason, "--by", "Ana Ruiz")
    assert call(capsys, *words)[0] == 0


def test_what_was_said_stands_in_every_output(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    target = cluster(week)
    say(capsys, target, "candidate-bug")
    (said,) = listed(capsys)
    assert (said["target"], said["label"], said["author"]) == (target, "candidate-bug", "Ana Ruiz")
    assert (said["reason"], said["gone"]) == (WHY, False)
    assert said["description"].startswith("Candidate sent another phone")
    shown = assessed(week)
    for text in (to_html(shown), to_markdown(shown).replace("\\", "")):
        assert "candidate-bug" in text
        assert WHY in text
    _, out, _ = call(capsys, "diff", "--format", "csv")
    header, row = (line.split(",") for line in out.splitlines())
    assert dict(zip(header, row, strict=True))["triage"] == "candidate-bug"
    _, out, _ = call(capsys, "diff", "--json")
    assert json.loads(out)["clusters"][0]["triage"]["reason"] == WHY


@pytest.mark.parametrize("label", ["accepted", "environment", "control-bug"])
def test_no_label_changes_a_verdict_a_figure_or_the_decision(
    week: Journal, capsys: pytest.CaptureFixture[str], label: str
) -> None:
    before = assessed(week)
    say(capsys, cluster(week), label)
    after = assessed(week)
    for part in ("decision", "reason", "phases", "agreement", "pairs", "findings", "coverage"):
        assert getattr(after, part) == getattr(before, part), part
    assert [d.id for d in after.differences] == [d.id for d in before.differences]


def test_the_newest_statement_counts_and_time_travel_shows_the_one_before(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    target = cluster(week)
    for label in ("environment", "candidate-bug"):
        say(capsys, target, label)
    seq = assessed(week).provenance.seq
    assert [said["label"] for said in listed(capsys)] == ["candidate-bug"]
    assert [s["label"] for s in listed(capsys, "--as-of", str(seq - 1))] == ["environment"]
    assert listed(capsys, "--as-of", str(seq - 2)) == []
    code, _, _ = call(capsys, "triage", target, "--clear", "--by", "Ben Ode")
    assert code == 0
    assert listed(capsys) == []
    assert [s["label"] for s in listed(capsys, "--as-of", str(seq))] == ["candidate-bug"]


def test_one_difference_can_be_triaged_apart_from_its_cluster(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    (difference,) = assessed(week).differences
    say(capsys, difference.id, "accepted")
    shown = assessed(week)
    assert shown.differences[0].triage is not None
    assert shown.clusters[0].triage is None


def test_what_is_gone_is_listed_as_gone_and_can_be_taken_back(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    target = cluster(week)
    say(capsys, target, "candidate-bug")
    right = {"name": "Maple Joinery", "phone": "202-555-0142", "zip": "12207"}
    mended = make_plan(right, job_id=ODD, version=9)
    week.append(Batch(events=(mended,), watermarks=make_watermarks(None)))
    (said,) = listed(capsys)
    assert said["gone"] is True
    assert "Triaged and gone" in to_html(assessed(week))
    code, _, err = call(capsys, "triage", target, "--label", "accepted", "--reason", "x")
    assert (code, "no cluster or difference has that id" in err) == (2, True)
    assert call(capsys, "triage", target, "--clear")[0] == 0
    assert listed(capsys) == []


def test_a_cluster_keeps_its_label_while_it_grows(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, cluster(week), "candidate-bug")
    typed = {"name": "Maple Joinery", "phone": "202-555-0177", "zip": "12207"}
    third = "33333333-1111-4111-8111-111111111111"
    more = [
        make_plan(typed, job_id=third) if event.kind == "job_results" else event
        for event in sound_job(third, second=200, run=None)
    ]
    week.append(Batch(events=tuple(more), watermarks=()))
    (only,) = assessed(week).clusters
    assert only.size == 2
    assert only.triage is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["12345678", "--label", "accepted", "--reason", "x"], "no cluster or difference has"),
        (["12345678", "--clear"], "nothing was said of it"),
        (["12345678", "--label", "mine", "--reason", "x"], "'mine' is not one of"),
        (["12345678", "--label", "accepted"], "needs a --reason"),
        (["12345678", "--label", "accepted", "--reason", " "], "needs a --reason"),
        (["12345678", "--label", "accepted", "--reason", "x", "--by", " "], "name a person"),
        (["12345678", "--label", "accepted", "--clear"], "either --label or --clear"),
        (["12345678"], "either --label or --clear"),
        ([], "Name a cluster or a difference"),
        (["--list", "--label", "accepted"], "--list stands alone"),
        (["12345678", "--clear", "--as-of", "3"], "go with --list"),
    ],
)
@pytest.mark.usefixtures("week")
def test_a_mistake_is_one_line_and_adds_nothing(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    before = Path("shadow.duckdb").read_bytes()
    code, out, err = call(capsys, "triage", *words)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert Path("shadow.duckdb").read_bytes() == before


def test_a_locked_journal_is_said_in_one_line(
    week: Journal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = cluster(week)

    def busy(self: Journal, batch: object) -> None:
        raise JournalBusyError("shadow.duckdb: another process kept the journal locked for 2 s.")

    monkeypatch.setattr(Journal, "append", busy)
    code, _, err = call(capsys, "triage", target, "--label", "accepted", "--reason", "x")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "locked" in err


def test_the_statement_is_an_event_with_its_author(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    say(capsys, cluster(week), "candidate-bug")
    with week.reader() as reader:
        rows = reader.rows("SELECT source, payload->>'$.by' FROM events_now WHERE kind = 'triage'")
    assert rows == [("operator", "Ana Ruiz")]
