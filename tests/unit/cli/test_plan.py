"""``shadow plan`` as a person or a script calls it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.assess.recorded_traffic import by_weekday
from harness.cli.main import run
from tests.support.events import at, make_control, make_job
from tests.support.journals import make_journal

HOSTS = ("maple-listings.example", "birch-index.example")
QUICK = ("--runs", "100")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["plan", *QUICK, *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_plan_is_read_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(
        capsys, "--jobs-per-day", "40", "--traffic", "10,50,100", "--start", "2026-11-30"
    )
    assert (code, err) == (0, "")
    assert out.startswith(
        "7 days, 40 jobs a day, 10 % for 56 h, 50 % for 56 h and 100 % for 56 h: 149 jobs"
    )
    assert "A GO is possible on Sun 6 Dec at the earliest, if not one job goes wrong." in out
    assert "  Cannot pass before job 82, even without one failure: Sat 5 Dec." in out
    assert "  If 2 % of jobs are lost: it shows by Sun 6 Dec with 95 %." in out


def test_json_has_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--jobs-per-day", "40", "--format", "json", "--loss", "0.01")
    assert code == 0
    data = json.loads(out)
    assert data["jobs_by_day"][-1] == 280
    by_gate = {gate["gate"]: gate for gate in data["gates"]}
    assert by_gate["dual-write.agreement"]["least_jobs"] == 82
    assert by_gate["shadow.zero_loss"]["counts"] == "losses"
    assert by_gate["shadow.zero_loss"]["chances"][0]["jobs_to_exclude"] == 418
    assert by_gate["shadow.complaints"]["counts"] == "nothing"


def test_a_chart_is_an_svg_that_says_everything_in_words_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.svg"
    options = ("--jobs-per-day", "40", "--start", "2026-11-30", "--format", "svg")
    code, out, _ = call(capsys, *options, "--out", str(file))
    assert (code, out) == (0, "")
    first = file.read_bytes()
    root = ET.fromstring(first)
    assert root.get("role") == "img"
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    assert "99 % passes" in texts
    assert "Sun 6 Dec" in " ".join(texts)
    (desc,) = [node for node in root.iter() if node.tag.endswith("desc")]
    assert "If truly 99 %" in (desc.text or "")
    call(capsys, *options, "--out", str(file))
    assert file.read_bytes() == first


def test_where_jobs_are_many_fewer_weeks_are_simulated_and_it_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for jobs, runs in ((10, 2000), (100, 1428), (1000, 400)):
        capsys.readouterr()
        assert run(["plan", "--jobs-per-day", str(jobs), "--if-true", "1", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["runs"] == runs


def test_many_days_are_drawn_without_figures_in_the_cells(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = call(capsys, "--jobs-per-day", "9", "--days", "30", "--format", "svg")
    assert code == 0
    texts = [node.text for node in ET.fromstring(out).iter() if node.tag.endswith("text")]
    assert "100 %" not in texts


def test_a_page_stands_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--jobs-per-day", "40", "--format", "html")
    assert code == 0
    assert out.startswith("<!doctype html>")
    assert "<svg" in out
    assert "<script" not in out
    assert "Not a matter of numbers" in out


def test_gates_of_a_file_are_the_ones_that_are_planned(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "gates.toml").write_text(
        'version = 1\n[[phase]]\nid = "p"\ntitle = "P"\n[[phase.gate]]\nid = "a"\n'
        'kind = "attestation"\nname = "calm"\ntitle = "Calm"\nowner = "x"\nwhen_red = "y"\n',
        encoding="utf-8",
    )
    code, out, _ = call(capsys, "--jobs-per-day", "40", "--gates", "gates.toml")
    assert code == 0
    assert "Calm (p.a): not a matter of numbers." in out
    assert "shadow.zero_loss" not in out
    code, _, err = call(capsys, "--jobs-per-day", "40", "--gates", "gates.toml", "--format", "svg")
    assert code == 2
    assert "nothing to draw" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--jobs-per-day is missing"),
        (("--jobs-per-day", "x"), "--jobs-per-day x"),
        (("--jobs-per-day", "9", "--traffic", "50,10"), "must rise"),
        (("--jobs-per-day", "9", "--submissions", "0"), "--submissions 0"),
        (("--jobs-per-day", "9", "--submissions", "5:0.5"), "--submissions 5:0.5"),
        (("--jobs-per-day", "9", "--submissions", "5:0.5,5:0.5"), "--submissions"),
        (("--jobs-per-day", "9", "--submissions", "1:2:3"), "--submissions 1:2:3"),
        (("--jobs-per-day", "9", "--submissions", "99999"), "more than 10,000 a job"),
        (("--jobs-per-day", "9", "--rho", "2"), "--rho"),
        (("--jobs-per-day", "9", "--gates", "none.toml"), "none.toml"),
        (("--jobs-per-day", "900000"), "would be simulated"),
        (("--jobs-per-day", "9", "--out", "no/such/folder"), "--out"),
        (("--journal", "none.duckdb"), "there is no journal"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str
) -> None:
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, "")
    assert named in err
    assert err.count("\n") == 1


def test_a_journal_gives_the_traffic_the_sizes_and_the_correlation(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """48 jobs in two days, of two submissions each; jobs agree or disagree as a whole."""
    events = []
    for number in range(48):
        job = f"{number:08d}-1111-4111-8111-111111111111"
        second = number * 3600.0
        events.append(make_job(job, second=second, created_at=at(second).isoformat()))
        events += [make_control(job_id=job, host=host, second=second) for host in HOSTS]
    end = at(2 * 86400)
    make_journal(tmp_path, events, complete_until=end, recorded_at=end)
    code, out, _ = call(capsys, "--journal", "week.duckdb", "--format", "json")
    assert code == 0
    data = json.loads(out)
    assert data["jobs_per_day"] == [24.0] * 7
    assert data["sizes"] == [{"submissions": 2, "share": 1.0}]
    _, out, _ = call(
        capsys, "--journal", "week.duckdb", "--format", "json", "--jobs-per-day", "3",
        "--submissions", "5", "--rho", "0.4",
    )  # fmt: skip
    data = json.loads(out)
    assert (data["jobs_per_day"][0], data["sizes"][0]["submissions"], data["rho"]) == (3, 5, 0.4)


def test_a_journal_without_jobs_is_no_basis(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make_journal(tmp_path)
    code, _, err = call(capsys, "--journal", "week.duckdb")
    assert code == 2
    assert "Give --jobs-per-day instead" in err


def test_jobs_by_weekday_are_counted_over_what_was_recorded_of_each() -> None:
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    # Two jobs each day but one on Sunday, recorded for eight and a half days from Monday noon.
    begin = monday + timedelta(hours=12)
    jobs = [monday + timedelta(days=day, hours=hour) for day in range(9) for hour in (13, 20)]
    kept = sorted([begin, *(job for job in jobs if not (job.weekday() == 6 and job.hour == 20))])
    counts = by_weekday(kept, until=monday + timedelta(days=9))
    assert counts == pytest.approx((5 / 1.5, 2, 2, 2, 2, 2, 1))
