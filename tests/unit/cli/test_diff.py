"""``shadow diff`` of a cluster, a job or one difference, in every format."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import polars as pl
import pytest

from harness.cli.main import run
from harness.journal.store import Journal
from tests.support.events import make_plan
from tests.support.journals import assessed, make_journal, sound_job

SOUND = "11111111-1111-4111-8111-111111111111"
ODD = "22222222-1111-4111-8111-111111111111"
ALIKE = "22223333-1111-4111-8111-111111111111"
RAW = ("555-0199", "555-0142", "5550199")


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Two sound jobs, and one of which the candidate typed another phone."""
    monkeypatch.chdir(tmp_path)
    typed = {"name": "Maple Joinery", "phone": "202-555-0199", "zip": "12207"}
    odd = [
        make_plan(typed, job_id=ODD) if event.kind == "job_results" else event
        for event in sound_job(ODD, second=100, run=None)
    ]
    events = [*sound_job(SOUND), *odd, *sound_job(ALIKE, second=200, run=None)]
    return make_journal(tmp_path, events, name="shadow.duckdb")


def call(capsysbinary: pytest.CaptureFixture[bytes], *words: str) -> tuple[int, bytes, str]:
    capsysbinary.readouterr()
    code = run(["diff", *words])
    out, err = capsysbinary.readouterr()
    return code, out, err.decode()


def targets(week: Journal) -> dict[str, str]:
    shown = assessed(week)
    return {"cluster": shown.clusters[0].id, "difference": shown.differences[0].id, "job": ODD[:6]}


@pytest.mark.parametrize("form", ["table", "json", "csv", "parquet", "md"])
@pytest.mark.parametrize("what", [None, "cluster", "difference", "job"])
def test_each_format_tells_of_the_difference_and_of_no_personal_value(
    week: Journal, capsysbinary: pytest.CaptureFixture[bytes], form: str, what: str | None
) -> None:
    words = [targets(week)[what]] if what else []
    code, out, err = call(capsysbinary, *words, "--format", form)
    assert code == 1
    assert "as of" in err
    text = str(pl.read_parquet(io.BytesIO(out)).rows()) if form == "parquet" else out.decode()
    assert "values.phone" in text
    for value in RAW:
        assert value not in text
    if form == "json":
        json.loads(text)
    if form == "csv":
        assert pl.read_csv(io.BytesIO(out)).height >= 1


def test_a_file_holds_what_stdout_would(
    week: Journal, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, out, _ = call(capsysbinary, "--format", "csv")
    code, nothing, _ = call(capsysbinary, "--format", "csv", "--out", "d.csv")
    assert (code, nothing) == (1, b"")
    assert Path("d.csv").read_bytes() == out


def test_a_job_shows_what_agrees_too_and_a_difference_only_itself(
    week: Journal, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, out, _ = call(capsysbinary, ODD, "--format", "csv")
    fields = pl.read_csv(io.BytesIO(out))
    assert {"outcome", "values.name", "values.phone"} <= set(fields["field"])
    assert fields.filter(pl.col("differs"))["field"].to_list() == ["values.phone"]
    _, out, _ = call(capsysbinary, targets(week)["difference"], "--format", "json")
    (pair,) = json.loads(out)["pairs"]
    assert pair["job_id"] == ODD
    code, out, err = call(capsysbinary, SOUND)
    assert code == 0
    assert "0 differing fields" in err


def test_what_changed_is_marked(week: Journal, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    _, out, _ = call(capsysbinary, targets(week)["cluster"], "--format", "md")
    assert re.search(r"\[-[^-]+-\]\{\+[^+]+\+\}", out.decode().replace("\\", ""))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nonsense"], "diff nonsense: no job, cluster or difference has that id"),
        (["2222"], "2 jobs begin so"),
        (["--format", "csv", "--json"], "contradict each other"),
        (["--format", "yaml"], "'yaml' is not one of"),
        (["--kind", "sloow"], "sloow"),
        (["--mode", "dmeo"], "dmeo"),
        (["--format", "csv", "--out", "no/where.csv"], "--out no/where.csv: cannot be written"),
    ],
)
@pytest.mark.usefixtures("week")
def test_a_mistake_is_one_line(
    capsysbinary: pytest.CaptureFixture[bytes], words: list[str], told: str
) -> None:
    code, out, err = call(capsysbinary, *words)
    assert (code, out) == (2, b"")
    assert told in err
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("week")
def test_parquet_is_not_for_a_terminal(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.diff_rows.on_terminal", lambda: True)
    code, _, err = call(capsysbinary, "--format", "parquet")
    assert code == 2
    assert "Add --out FILE" in err
