"""Who says GO: the peer follows the described rules, and our gate keeps its promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.deciding import (
    ALPHA,
    LOOKS,
    SYSTEMS,
    judge,
    judged_table,
    watch,
    watched_table,
)
from benchmarks.peers.kayenta import Label, classify
from harness.stats.simulation import allowed

ROOT = Path(__file__).parents[3]
RNG = np.random.default_rng(5)
NOISY = RNG.normal(100.0, 10.0, 60)


def test_the_peer_calls_a_clear_increase_high_and_a_clear_fall_low() -> None:
    assert classify(NOISY, NOISY[::-1] + 30.0) is Label.HIGH
    assert classify(NOISY, NOISY[::-1] - 30.0) is Label.LOW
    assert classify(NOISY, RNG.normal(100.0, 10.0, 60)) is Label.PASS


def test_the_peer_passes_equal_data_in_any_order_and_constants() -> None:
    assert classify(NOISY, np.sort(NOISY)) is Label.PASS
    assert classify(np.full(20, 3.0), np.full(25, 3.0)) is Label.PASS
    assert classify(np.full(20, 3.0), np.full(20, 4.0)) is Label.HIGH


def test_the_peer_has_no_data_or_passes_where_missing_values_are_replaced() -> None:
    nothing = np.full(30, np.nan)
    assert classify(NOISY, nothing) is Label.NODATA
    assert classify(nothing, nothing) is Label.NODATA
    assert classify(nothing, nothing, replace_nan=True) is Label.PASS
    assert classify(np.zeros(0), np.zeros(0), replace_nan=True) is Label.PASS


@pytest.mark.slow
def test_a_watched_gate_keeps_its_promise_where_the_others_break_it() -> None:
    told = watch(runs=300, jobs=1200)
    for row in told:
        if row.system.covered:
            assert row.ever["our gate"] <= allowed(ALPHA, 300)
        assert row.ever["raw rate"] > 0.5
        assert row.stands <= row.ever["our gate"]
    assert told[1].ever["Wilson, submissions"] > 0.5
    assert len(watched_table(told).splitlines()) == 2 + len(SYSTEMS)


@pytest.mark.slow
def test_our_gate_passes_no_candidate_that_a_pass_would_be_wrong_for() -> None:
    told = judge(runs=40)
    for row in told:
        for n in LOOKS:
            assert sum(row.ours[n].values()) == pytest.approx(1.0)
            if not row.good:
                assert row.ours[n]["pass"] <= allowed(ALPHA, 40)
        if row.good:
            assert row.ours[500]["pass"] > 0.4
    named = {row.title: row for row in told}
    failing = named["failed jobs, 0 or 1: 0.5 % → 3.0 %"]
    assert failing.kayenta[500][Label.PASS] > 0.9
    assert named["no data at all"].kayenta[50][Label.NODATA] == 1.0
    assert named["no data at all, missing values replaced"].kayenta[500][Label.PASS] == 1.0
    assert len(judged_table(told).splitlines()) == 2 + len(told)


def simulate(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "simulate-gates"), "--out", str(out), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_writes_the_same_tables_again_and_nothing_beside_them(tmp_path: Path) -> None:
    document = tmp_path / "statistics.md"
    marks = [
        line
        for line in (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8").splitlines()
        if "tools/simulate-gates:" in line
    ]
    assert len(marks) == 2
    document.write_text(
        f"before\n{marks[0]}\nan earlier table\n{marks[1]}\nafter\n", encoding="utf-8"
    )
    few = ("--weeks", "40", "--jobs", "120")
    assert simulate(document, *few).returncode == 0
    first = document.read_text(encoding="utf-8")
    assert first.startswith(f"before\n{marks[0]}\n40 weeks of 120 jobs per line")
    assert first.endswith(f"\n{marks[1]}\nafter\n")
    assert "an earlier table" not in first
    assert first.count("| the gate |") == 6
    assert simulate(document, *few).returncode == 0
    assert document.read_text(encoding="utf-8") == first


def test_the_command_refuses_a_document_without_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("nothing here\n", encoding="utf-8")
    done = simulate(document)
    assert done.returncode == 2
    assert "other.md lacks the line" in done.stderr
    assert document.read_text(encoding="utf-8") == "nothing here\n"
    assert simulate(document, "--jobs", "3").returncode == 2
    assert simulate(tmp_path / "none.md").returncode == 2
