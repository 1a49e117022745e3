"""Every pair is counted in every output: the sum stands where the agreement stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from harness.assess.criteria import load_criteria, shipped_rules_text
from harness.assessment import Assessment, PairCounts
from harness.cli.main import run
from harness.gates.shown import tally
from harness.journal.store import Journal
from harness.model import LIVE, EventDraft, Verdict
from harness.report.html import to_html
from harness.report.markdown import to_markdown
from harness.settings import load_settings
from harness.tui.widgets.cell import Cell
from tests.support.events import at, make_control, make_history, make_job
from tests.support.journals import assessed, criteria, make_journal, sound_job
from tests.support.reference_runs import compared, journal_of
from tests.support.reference_weeks import random_week
from tests.tui.support import FakeData, drive, make_app

JOB = "22222222-2222-4222-8222-222222222222"
YOUNG = "33333333-3333-4333-8333-333333333333"
HELD = "held-back.example"
RULE = f"""
[[rule]]
name = "held-back"
author = "Ada Quill"
reason = "closed for the week"
kind = "exclude"
field = "pair"
directory = "{HELD}"
"""
SUM = re.compile(r"(\S+): ([\d,]+) pairs? = (.+?)(?: \((.+)\))?$")


def _both(host: str, old: str, new: str, number: int) -> list[EventDraft]:
    where = {"job_id": JOB, "host": host}
    message = "AI predicted submission failed." if old == "failed" else None
    return [
        make_control(old, second=60, message=message, **where),
        make_history("submitting", number=number, second=6, **where),
        make_history(new, number=number + 1, second=14, **where),
    ]


def every_verdict() -> list[EventDraft]:
    """A week in which every verdict and every reason for an exclusion occurs."""
    return [
        *sound_job(),
        make_job(JOB),
        make_history("queue_claimed", number=1, job_id=JOB, host=None, second=2),
        *_both("agrees.example", "submitted", "submitted", 10),
        *_both("differs.example", "submitted", "failed", 20),
        *_both(HELD, "submitted", "failed", 30),
        make_control("submitted", job_id=JOB, host="silent.example", second=60),
        make_control("submitting", job_id=JOB, host="old-silent.example", second=60),
        make_history("submitted", number=40, job_id=JOB, host="old-silent.example", second=14),
        *_both("twice.example", "submitted", "submitted", 50),
        make_control("failed", job_id=JOB, host="twice.example", unit="row-2", second=61),
        make_job(YOUNG, created_at=at(4900).isoformat(), second=4900),
        make_control("submitted", job_id=YOUNG, host="young.example", second=4910),
    ]


@pytest.fixture
def week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.chdir(tmp_path)
    Path("shadow.toml").write_text('[compare]\nrules = "ours.toml"\n')
    Path("ours.toml").write_text(shipped_rules_text() + RULE)
    return make_journal(tmp_path, every_verdict(), name="shadow.duckdb")


def _assessed(week: Journal) -> Assessment:
    rules = load_criteria(load_settings(Path("shadow.toml"), {})).rules
    return assessed(week, rules=rules)


def _sums(text: str) -> list[tuple[str, int, dict[str, int], dict[str, int]]]:
    """Mode, pairs, verdicts and reasons of every sum that a text shows."""
    found = []
    for line in text.splitlines():
        shown = SUM.search(line.strip())
        if shown is None:
            continue
        mode, pairs, parts, reasons = shown.groups()
        found.append((mode, int(pairs.replace(",", "")), _numbers(parts, " \\+ "),
                      _numbers(reasons or "", ", ")))  # fmt: skip
    return found


def _numbers(text: str, between: str) -> dict[str, int]:
    parts = [part.partition(" ") for part in re.split(between, text) if part]
    return {words: int(number.replace(",", "")) for number, _, words in parts}


def _hold(sums: list[tuple[str, int, dict[str, int], dict[str, int]]]) -> None:
    assert [mode for mode, *_ in sums] == [LIVE, "demo"]
    for _, pairs, verdicts, reasons in sums:
        assert set(verdicts) == {verdict.value.replace("_", " ") for verdict in Verdict}
        assert sum(verdicts.values()) == pairs
        assert sum(reasons.values()) == verdicts["excluded"]
    _, pairs, verdicts, reasons = sums[0]
    assert all(verdicts.values())
    assert (pairs, verdicts["excluded"]) == (8, 2)
    assert "held-back" in reasons
    assert len(reasons) == 2


def test_json_counts_every_pair_and_every_reason(
    week: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["report", "--format", "json", "--out", "here"])
    capsys.readouterr()
    for counts in json.loads(Path("here/report.json").read_text())["pairs"]:
        assert sum(counts["verdicts"].values()) == counts["pairs"]
        assert sum(counts["excluded"].values()) == counts["verdicts"]["excluded"]
    assert counts["mode"] == "demo"


def test_page_and_markdown_count_every_pair(week: Journal) -> None:
    assessment = _assessed(week)
    page = re.sub(r"</?[a-z][^>]*>", "\n", to_html(assessment))
    _hold(_sums(page))
    _hold(_sums(to_markdown(assessment).replace("\\", "")))


@pytest.mark.parametrize(
    "command",
    [["diff"], ["diff", "--format", "csv", "--out", "d.csv"], ["diff", "--format", "md"],
     ["rules", "list"]],
)  # fmt: skip
def test_commands_count_every_pair_beside_their_data(
    week: Journal, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    run(command)
    _hold(_sums(capsys.readouterr().err))


@pytest.mark.parametrize("command", [["diff", "--json"], ["rules", "list", "--json"]])
def test_commands_for_scripts_count_every_pair(
    week: Journal, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    run(command)
    live, demo = json.loads(capsys.readouterr().out)["agreement"]["pairs"]
    assert (live["pairs"], demo["pairs"]) == (8, 1)
    assert sum(live["verdicts"].values()) == 8
    assert sum(live["excluded"].values()) == live["verdicts"]["excluded"] == 2


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_dashboard_counts_every_pair(week: Journal, size: tuple[int, int]) -> None:
    assessment = _assessed(week)
    (live, *_) = assessment.pairs

    async def scenario(pilot: Pilot[int]) -> None:
        shown = pilot.app.screen.query_one("AgreementPanel .pairs", Cell)
        assert shown.display
        assert shown.region.height >= 1
        assert str(shown.render()) == tally(live)

    drive(make_app(FakeData(assessment)), scenario, size=size)


@pytest.mark.parametrize("seed", range(8))
def test_no_pair_of_a_random_week_is_left_out_of_the_count(seed: int, tmp_path: Path) -> None:
    week = random_week(seed)
    empty = tmp_path / "empty.duckdb"
    Journal.create(empty)
    journal = journal_of(week, empty, tmp_path / "week.duckdb")
    made = compared(week, journal).pairs.group_by("mode").len().rows()
    counted = assessed(journal).pairs
    assert {one.mode: one.pairs for one in counted if one.pairs} == dict(made)
    for one in counted:
        _adds_up(one)


def _adds_up(counts: PairCounts) -> None:
    verdicts = dict(counts.verdicts)
    assert sum(verdicts.values()) == counts.pairs
    assert sum(number for _, number in counts.excluded) == verdicts[Verdict.EXCLUDED]


def test_the_shipped_rules_leave_nothing_out() -> None:
    assert not [rule for rule in criteria().rules.rule if rule.kind == "exclude"]
