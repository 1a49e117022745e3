"""``shadow ramp`` on journals of which only a percentage of the jobs reached the candidate."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run
from tests.support.events import START
from tests.support.journals import make_journal
from tests.support.ramps import APART_S, SALT, ramp_journal, selected

FAST = ("--runs", "100")


def call(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["ramp", "--journal", str(folder / "week.duckdb"), *FAST, *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def told(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, Any]:
    code, out, err = call(capsys, folder, *arguments, "--json")
    assert err == ""
    data: dict[str, Any] = json.loads(out)
    assert code == {"go on": 0, "wait": 3, "go back": 1}[data["advice"]]
    return data


def begin(number: int) -> str:
    """The moment from which on job `number` and those after it are created."""
    return (START + timedelta(seconds=number * APART_S - 1)).isoformat()


def test_jobs_that_were_left_out_are_not_lost(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(50, 100)])
    inside = sum(selected(number, 50) for number in range(100))
    data = told(capsys, tmp_path, "--traffic", "50", "--salt", SALT)
    assert data["advice"] == "go on"
    assert data["jobs"] == {
        "in_shadow": inside, "lost": 0, "failed": 0, "ended_in_stage": inside,
        "unsampled": 100 - inside, "strays": 0,
    }  # fmt: skip
    assert data["warnings"] == []
    gates = {gate["gate"]: gate for gate in data["gates"]}
    assert gates["shadow.zero_loss"]["status"] == "pass"
    assert gates["dual-write.agreement"]["n"] == inside


def test_with_the_salt_a_selected_job_that_never_came_is_lost_and_sends_the_ramp_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gone = next(number for number in range(100) if selected(number, 50))
    ramp_journal(tmp_path, [(50, 100)], lost=[gone])
    data = told(capsys, tmp_path, "--traffic", "50", "--salt", SALT)
    assert data["advice"] == "go back"
    assert data["jobs"]["lost"] == 1
    assert [step["percent"] for step in data["steps"]] == [50]
    # Without the salt nobody can tell, and the output says so.
    blind = told(capsys, tmp_path, "--traffic", "50")
    assert blind["jobs"]["lost"] == 0
    assert any("Without --salt nobody can tell" in warning for warning in blind["warnings"])


def test_at_100_percent_a_job_that_never_came_is_lost_without_any_salt(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(100, 60)], lost=[7])
    data = told(capsys, tmp_path, "--traffic", "100")
    assert (data["advice"], data["jobs"]["lost"]) == ("go back", 1)
    assert data["stages"][0]["share"] is None


def test_jobs_in_the_shadow_that_the_hash_leaves_out_are_named_and_not_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = [number for number in range(100) if not selected(number, 50)][:3]
    ramp_journal(tmp_path, [(50, 100)], strays=out)
    data = told(capsys, tmp_path, "--traffic", "50", "--salt", SALT)
    assert data["jobs"]["strays"] == 3
    assert data["jobs"]["in_shadow"] == sum(selected(number, 50) for number in range(100))
    assert any("3 jobs went through the new system although" in w for w in data["warnings"])


def test_a_share_that_is_not_the_declared_one_is_a_warning(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(10, 80)], all_in=True)
    data = told(capsys, tmp_path, "--traffic", "10")
    assert data["stages"][0]["share"]["outside"] is True
    assert any("not the declared share" in warning for warning in data["warnings"])


def test_latency_starts_anew_with_a_stage_and_agreement_goes_on(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(50, 120), (100, 20)])
    data = told(capsys, tmp_path, "--traffic", f"50,100@{begin(120)}", "--salt", SALT)
    inside = sum(selected(number, 50) for number in range(120))
    gates = {gate["gate"]: gate for gate in data["gates"]}
    assert gates["dual-write.agreement"]["n"] == inside + 20
    assert gates["shadow.p95_latency"]["n"] == 20
    assert [stage["jobs"] for stage in data["stages"]] == [120, 20]
    assert data["advice"] == "wait"
    assert "20 jobs of this stage have an outcome; 30 must." in [
        reason["text"] for reason in data["reasons"]
    ]


def test_waiting_is_said_in_hours_of_this_stages_traffic(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(10, 100)])
    data = told(capsys, tmp_path, "--traffic", "10", "--salt", SALT)
    inside = sum(selected(number, 10) for number in range(100))
    assert inside < 30
    (reason,) = data["reasons"]
    # The record ends an hour after the last job.
    rate = 100 / (100 * APART_S / 3600 + 1)
    assert data["jobs_per_hour"] == pytest.approx(rate, abs=1e-6)
    assert reason["hours"] == pytest.approx((30 - inside) / (0.1 * rate), abs=1e-4)
    assert data["steps"][0]["hours"] == pytest.approx(reason["hours"])
    assert [step["percent"] for step in data["steps"]] == [10, 50, 100]


def test_harm_of_a_stage_is_its_traffic_times_the_share_that_is_harmed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(50, 100)])
    data = told(capsys, tmp_path, "--traffic", "50", "--salt", SALT, "--next", "75,100")
    high = data["harmed"]["high"]
    assert data["harmed"]["value"] == 0.0
    for step in data["steps"]:
        rate = data["jobs_per_hour"] * step["percent"] / 100
        assert step["harm"]["per_hour_high"] == pytest.approx(rate * high, abs=1e-5)
        assert step["harm"]["chance_high"] == pytest.approx(
            1 - (1 - high) ** step["jobs"], abs=1e-4
        )


def test_what_is_tolerated_keeps_the_ramp_waiting_until_the_worst_case_is_below_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(50, 100)])
    options = ("--traffic", "50", "--salt", SALT, "--next", "100")
    free = told(capsys, tmp_path, *options)
    worst = free["harmed"]["high"] * free["jobs_per_hour"] * 24
    assert told(capsys, tmp_path, *options, "--tolerate", f"{worst * 1.01}")["advice"] == "go on"
    held = told(capsys, tmp_path, *options, "--tolerate", f"{worst / 2}")
    assert held["advice"] == "wait"
    (reason,) = held["reasons"]
    assert "may be harmed" in reason["text"]
    # Half the bound needs about as many clean jobs again.
    again = reason["hours"] * held["jobs_per_hour"] * 0.5
    assert again == pytest.approx(held["jobs"]["in_shadow"], rel=0.1)


def test_text_says_what_to_do_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ramp_journal(tmp_path, [(50, 100)])
    code, out, _ = call(capsys, tmp_path, "--traffic", "50", "--salt", SALT)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Go on from 50 to 100 %."
    assert "At 100 % for about" in out
    assert "P95 end-to-end latency (anew)" in out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "--traffic"),
        (("--traffic", "0"), "'0' is no percentage"),
        (("--traffic", "10,50"), "50 says not since when"),
        (("--traffic", "10,50@never"), "'never' is no time"),
        (("--traffic", "10@2026-11-25,50@2026-11-24"), "the times must rise"),
        (("--traffic", "50", "--next", "40"), "must rise from the present 50 %"),
        (("--traffic", "50", "--next", "x"), "'x' is no percentage"),
        (("--traffic", "50", "--tolerate", "0"), "--tolerate"),
        (("--traffic", "50@2031-01-01"), "no job is proved recorded"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    ramp_journal(tmp_path, [(50, 4)])
    code, out, err = call(capsys, tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert named in err
    assert err.count("\n") == 1


def test_a_journal_without_jobs_gives_no_advice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make_journal(tmp_path)
    code, _, err = call(capsys, tmp_path, "--traffic", "10")
    assert code == 2
    assert "no job is proved recorded" in err


def test_declared_kinds_of_site_are_among_what_the_sample_is_compared_by(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ramp_journal(tmp_path, [(50, 100)])
    rules = tmp_path / "rules.toml"
    config = tmp_path / "shadow.toml"
    config.write_text(f'compare.rules = "{rules}"\n')

    def features() -> set[str]:
        data = told(capsys, tmp_path, "--traffic", "50", "--salt", SALT, "--config", str(config))
        return {mix["feature"] for mix in data["stages"][0]["mixes"]}

    rules.write_text("version = 1\n")
    assert "kind of site" not in features()
    rules.write_text('version = 1\n[archetype]\nodd = "*.nowhere"\nplain = "*"\n')
    assert "kind of site" in features()
