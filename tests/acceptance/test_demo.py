"""The rehearsal as a person runs it: found is what was planted, and nothing stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.demo.faults import load_faults
from harness.journal.verify import verify
from tests.support.processes import Shadow, run_shadow, wait_for

pytestmark = pytest.mark.serial

SHORT = ("--jobs", "24", "--speed", "250")


def report_of(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("rehearsal-*/report.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_planted_week_is_a_no_go_with_every_fault_found_and_no_false_alarm(
    tmp_path: Path,
) -> None:
    demo = Shadow(["demo", *SHORT, "--keep", "kept"], cwd=tmp_path)
    ended = demo.wait(240)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[-3].startswith("report: kept/rehearsal-")
    assert (tmp_path / lines[-3].removeprefix("report: ")).is_file()
    assert lines[-2:] == ["decision: NO-GO", "planted: 12 found: 12 false alarms: 0"]
    report = report_of(tmp_path / "kept")
    assert report["decision"] == "NO-GO"
    assert report["coverage"]["replayed"] > 100
    assert report["recording"]["gaps"] == []
    # The first three clusters tell most of what is lost, and why.
    first = [c for c in report["clusters"] if c["mode"] == "live"][:3]
    assert sum(cluster["cost_share"] for cluster in first) >= 0.7
    titles = " ".join(cluster["title"] for cluster in first)
    assert "never claimed from the queue" in titles
    assert "triggered and never started" in titles
    (journal,) = (tmp_path / "kept").glob("rehearsal-*/shadow.duckdb")
    assert verify(journal).clean
    assert demo.left_behind() == []
    # The folder's settings read the journal as the rehearsal did: the report can be made again.
    config = journal.with_name("shadow.toml")
    again = run_shadow("report", "--config", str(config), "--out", "again", cwd=tmp_path)
    assert again.code == 1
    for name in ("report.json", "report.html"):
        assert (tmp_path / "again" / name).read_bytes() == journal.with_name(name).read_bytes()


def test_every_known_fault_is_named_at_its_place_when_all_are_staged_at_once(
    tmp_path: Path,
) -> None:
    ended = run_shadow(
        "demo", "--fault", "all", "--no-browser", "--speed", "120", "--keep", "kept", "--json",
        cwd=tmp_path, timeout_s=240,
    )  # fmt: skip
    assert ended.code == 0, ended.out + ended.err
    told = json.loads(ended.out)
    assert (told["planted"], told["found"], told["false_alarms"]) == (24, 24, [])
    report = report_of(tmp_path / "kept")
    # All but the one that only a replay can show.
    wanted = {fault.finding for fault in load_faults() if fault.found_by == "live"} - {None}
    assert wanted <= {finding["id"] for finding in report["findings"]}


def test_two_faults_drawn_at_random_are_both_named(tmp_path: Path) -> None:
    # By a replay, and what ends the record, are staged elsewhere: here the week stays short.
    short = [f for f in load_faults() if f.staged and f.found_by == "live" and not f.spoils]
    first, second = Random().sample(short, 2)
    ended = run_shadow(
        "demo", "--fault", f"{first.id},{second.id}", "--no-browser", "--speed", "120",
        "--keep", "kept", "--json", cwd=tmp_path, timeout_s=240,
    )  # fmt: skip
    assert ended.code == 0, f"{first.id},{second.id}: {ended.out}{ended.err}"
    assert json.loads(ended.out)["planted"] == first.jobs + second.jobs


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fault", "B99"], "'B99' is no fault; all or any of B01"),
        (["--fault", "B20"], "B20 cannot be staged"),
        (["--fault", "B09", "--faithful"], "--faithful plants nothing"),
        (["--fault", "B05,B09", "--jobs", "4"], "--jobs 4: these faults need 7 jobs or more"),
    ],
)
def test_a_fault_that_cannot_be_staged_so_is_refused_in_one_line(
    tmp_path: Path, options: list[str], words: str
) -> None:
    ended = run_shadow("demo", *options, "--no-browser", cwd=tmp_path)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_faithful_week_has_no_difference_and_is_no_no_go(tmp_path: Path) -> None:
    ended = run_shadow(
        "demo", "--faithful", "--jobs", "10", "--speed", "250", "--keep", "kept", "--json",
        cwd=tmp_path, timeout_s=180,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["decision"] == "UNDECIDED"
    assert (told["planted"], told["found"], told["false_alarms"]) == (0, 0, [])
    report = report_of(tmp_path / "kept")
    assert report["differences"] == []
    assert report["coverage"]["replayed"] > 40
    assert [f for f in report["findings"] if f["severity"] != "info"] == []


def test_a_week_without_a_browser_says_loudly_what_is_missing(tmp_path: Path) -> None:
    ended = run_shadow(
        "demo", "--no-browser", "--jobs", "3", "--speed", "400", "--keep", "kept", cwd=tmp_path,
        timeout_s=120, environ={"PATH": "/nowhere", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "--no-browser: nothing is replayed." in ended.err
    assert "Nothing was replayed" in " ".join(report_of(tmp_path / "kept")["missing_parts"])


@pytest.mark.parametrize("moment", ["rows recorded", "submissions, 0 tried to leave"])
def test_ctrl_c_leaves_no_process_and_a_valid_journal(tmp_path: Path, moment: str) -> None:
    demo = Shadow(
        ["demo", "--jobs", "14", "--speed", "200", "--faithful", "--keep", "kept"], cwd=tmp_path
    )
    try:
        wait_for(
            lambda: moment in demo.err or demo.process.poll() is not None,
            what=f"{moment!r} on stderr",
            timeout_s=90,
        )
        demo.interrupt()
        ended = demo.wait(30)
        assert ended.code == 130
        assert "Traceback" not in ended.err
        assert "The journal so far is valid" in ended.err
        wait_for(lambda: demo.left_behind() == [], what="the end of every process", timeout_s=5)
    finally:
        demo.kill_all()
    (journal,) = (tmp_path / "kept").glob("rehearsal-*/shadow.duckdb")
    assert verify(journal).clean


def test_without_a_chromium_one_line_says_what_to_install(tmp_path: Path) -> None:
    ended = run_shadow(
        "demo", "--jobs", "2", cwd=tmp_path, environ={"PATH": "/nowhere", "HOME": str(tmp_path)}
    )
    assert ended.code == 2
    assert ended.err.startswith("shadow: No Chromium on PATH")
    assert "chromium-headless-shell" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run_shadow("demo", "--keep", "file/below", cwd=tmp_path)
    assert ended.code == 2
    assert "file/below" in ended.err
    assert "--keep" in ended.err
    assert len(ended.err.splitlines()) == 1
