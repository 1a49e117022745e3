"""Every figure of the lists and of what opens from them is that of the JSON report."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from harness.report.json_report import to_dict
from harness.tui.app import ShadowApp
from harness.tui.screens.difference import DifferenceScreen
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.screens.findings import FindingsScreen
from harness.tui.screens.gate import GateScreen
from harness.tui.screens.rules import RulesScreen
from tests.support.assessments import make_assessment
from tests.support.recorded_weeks import recorded_week
from tests.tui.fake_ports import make_ports
from tests.tui.support import FakeData, drive, key_of, make_app, press, settle, text_of
from tests.tui.test_figures import app_on, report_of

Report = Mapping[str, Any]
SIZE = (200, 160)
"""So tall that no list of a random week goes on below."""
OPENED = 2
"""Rules looked at in full; the table has the figures of all."""


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, (pattern, text)
    return float(found[1].replace(",", ""))


def words_of(pilot: Pilot[int]) -> str:
    """What stands on the screen, without frames, blanks collapsed."""
    return " ".join(re.sub(r"[│╭╮╰╯─▁▔]", " ", text_of(pilot.app)).split())


async def check_differences(pilot: Pilot[int], report: Report) -> None:
    """Their number, and size and cost of each cause."""
    await press(pilot, key_of("differences"))
    screen = pilot.app.screen
    assert isinstance(screen, DifferencesScreen)
    await settle(pilot)
    differences, clusters = report["differences"], report["clusters"]
    text = text_of(pilot.app)
    if not differences:
        assert "No difference" in text or number(r"of ([\d,]+) differences", text) == 0
        return
    assert number(r"of ([\d,]+) differences", text) == len(differences)
    grouped = "▾" in text
    if not grouped:
        await press(pilot, "c")
    text = text_of(pilot.app)
    lines = [line for line in text.splitlines() if "▾" in line]
    assert len(lines) == len(clusters)
    for line, cluster in zip(lines, clusters, strict=True):
        mode = "" if cluster["mode"] == "live" else f"{cluster['mode']}: "
        assert f"▾ {mode}{cluster['title']}" in line
        assert number(r"  ([\d,]+) differences?, cost ", line) == cluster["size"]
        assert number(r", cost ([\d.]+) points", line) == round(100 * cluster["cost"], 2)


async def check_difference(pilot: Pilot[int], report: Report, place: int) -> None:
    """One in full: where, and both values."""
    if not report["differences"]:
        return
    row = report["differences"][place % len(report["differences"])]
    shown = pilot.app
    assert isinstance(shown, ShadowApp)
    assert shown.view.assessment is not None
    among = shown.view.assessment.differences
    one = next(one for one in among if one.id == row["id"])
    await shown.open_difference(one, among)
    await settle(pilot)
    assert isinstance(shown.screen, DifferenceScreen)
    words = words_of(pilot)
    for name in ("directory", "job_id", "mode"):
        assert row[name] in words, (name, row)
    for name in ("control_value", "candidate_value"):
        if row[name] is not None:
            # A report masks what is personal; the dashboard shows it to whoever has the journal.
            shape = re.escape(" ".join(row[name].split())).replace("•", ".").replace("◆", ".")
            assert re.search(shape, words), (name, row)
    await press(pilot, "escape")


async def check_rules(pilot: Pilot[int], report: Report) -> None:
    """What each hides."""
    await press(pilot, key_of("rules"))
    screen = pilot.app.screen
    assert isinstance(screen, RulesScreen)
    text = text_of(pilot.app)
    agreement = report["agreement"]
    for pattern, value in (
        (r"by job ([\d.]+) %", agreement["by_job"]["value"]),
        (r"without any rule ([\d.]+) %", agreement["without_rules"]["value"]),
    ):
        if value is not None:
            assert number(pattern, text) == round(100 * value, 1)
    for number_of, rule in enumerate(report["rules"]):
        [row] = [line for line in text.splitlines() if line.lstrip(" ▲").startswith(rule["name"])]
        counted = [int(word.replace(",", "")) for word in row.split() if word[0].isdecimal()]
        assert counted[:3] == [rule["hidden"], rule["hidden_pairs"], rule["touched"]]
        if number_of < OPENED:
            await press(pilot, "down" if number_of else "up")
            said = text_of(pilot.app)
            assert number(r"hides ([\d,]+) difference", said) == rule["hidden"]
            assert number(r"differences? in ([\d,]+) pair", said) == rule["hidden_pairs"]
            assert number(r"touched ([\d,]+) value", said) == rule["touched"]
    await press(pilot, *("up" for _ in range(OPENED)))


async def check_findings(pilot: Pilot[int], report: Report) -> None:
    """Each with its words and what it rests on."""
    await press(pilot, key_of("findings"))
    assert isinstance(pilot.app.screen, FindingsScreen)
    if not report["findings"]:
        assert "No finding" in text_of(pilot.app)
        return
    await press(pilot, "home")
    for finding in report["findings"]:
        words = words_of(pilot)
        assert finding["title"] in words
        for one in finding["evidence"][:3]:
            for name in ("job_id", "directory"):
                if one.get(name):
                    assert one[name] in words, (finding["id"], one)
        await press(pilot, "down")


async def check_replays(pilot: Pilot[int], report: Report) -> None:
    """How far each run is."""
    await press(pilot, key_of("replays"))
    words = words_of(pilot)
    for run in report["replays"]:
        assert run["run"] in words
        assert f"{run['done']:,} replayed and {run['excluded']:,} excluded" in words
        assert f"of {run['selected']:,} submission" in words
        if run["rate_per_min"] is not None:
            assert f"{run['rate_per_min']:,.1f} a minute" in words
        assert f"{run['disagreeing']:,} disagreeing" in words


async def check_gate(pilot: Pilot[int], report: Report, place: int) -> None:
    """One in full, as Overview opens it."""
    shown = pilot.app
    assert isinstance(shown, ShadowApp)
    assert shown.view.assessment is not None
    row = report["gates"][place % len(report["gates"])]
    gates = [gate for phase in shown.view.assessment.phases for gate in phase.gates]
    await press(pilot, key_of("overview"))
    await shown.push_screen(
        GateScreen(shown.view.assessment, next(g for g in gates if g.gate == row["gate"]))
    )
    await settle(pilot)
    words = words_of(pilot)
    for name in ("title", "value_text", "threshold_text", "evidence_text", "reason", "owner"):
        if row[name]:
            assert " ".join(row[name].split()) in words, (name, row[name], words)
    await press(pilot, "escape")


def test_an_invented_week_with_everything_in_it() -> None:
    shown = make_assessment()
    report = to_dict(shown)

    async def scenario(pilot: Pilot[int]) -> None:
        await check_differences(pilot, report)
        for place in range(len(report["differences"])):
            await check_difference(pilot, report, place)
        await check_rules(pilot, report)
        await check_findings(pilot, report)
        await check_replays(pilot, report)
        for place in range(0, len(report["gates"]), 3):
            await check_gate(pilot, report, place)

    drive(make_app(FakeData(shown), ports=make_ports()), scenario, size=SIZE)


@pytest.mark.parametrize("seed", range(2))
def test_a_random_week_at_random_moments(seed: int, tmp_path: Path) -> None:
    journal = recorded_week(tmp_path, seed)
    chance = random.Random(seed)
    last = journal.head().seq
    moments = [last] if seed else [chance.randint(last // 3, last)]

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        for seq in moments:
            app.go_to(seq)
            await settle(pilot)
            report = report_of(journal, seq)
            await check_differences(pilot, report)
            for _ in range(3):
                await check_difference(pilot, report, chance.randrange(1000))
            await check_rules(pilot, report)
            await check_findings(pilot, report)
            await check_replays(pilot, report)
            await check_gate(pilot, report, chance.randrange(1000))
        assert app.faults == {}

    drive(app_on(journal), scenario, size=SIZE)
