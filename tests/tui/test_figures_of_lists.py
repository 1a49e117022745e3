"""Every figure of these screens is the value of the same name in the JSON report."""

from __future__ import annotations

import re

from textual.pilot import Pilot

from harness.report.json_report import to_dict
from harness.tui.widgets.navigation import SCREENS
from tests.support.assessments import make_assessment
from tests.tui.fake_ports import make_ports
from tests.tui.support import FakeData, drive, make_app, press, text_of

KEYS = {mode: f"{key}" for key, (mode, _) in enumerate(SCREENS, start=1)}


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return float(found[1].replace(",", ""))


def test_differences_causes_rules_and_replays_show_what_the_report_says() -> None:
    shown = make_assessment()
    report = to_dict(shown)

    async def scenario(pilot: Pilot[int]) -> None:
        text = text_of(pilot.app)
        everything = len(report["differences"])
        assert number(r"of ([\d,]+) differences", text) == everything
        for row in report["differences"]:
            assert row["directory"] in text
        await press(pilot, "c")
        lines = [line for line in text_of(pilot.app).splitlines() if "▾" in line]
        assert len(lines) == len(report["clusters"])
        for line, cluster in zip(lines, report["clusters"], strict=True):
            assert cluster["title"] in line
            assert number(r"  ([\d,]+) differences?, cost ", line) == cluster["size"]
            assert number(r", cost ([\d.]+) points", line) == round(100 * cluster["cost"], 2)
            assert line.rstrip().endswith(cluster["mode"])

        await press(pilot, KEYS["rules"])
        text = text_of(pilot.app)
        agreement = report["agreement"]
        assert number(r"by job ([\d.]+) %", text) == round(100 * agreement["by_job"]["value"], 1)
        assert number(r"without any rule ([\d.]+) %", text) == round(
            100 * agreement["without_rules"]["value"], 1
        )
        for rule in report["rules"]:
            text = text_of(pilot.app)
            [row] = [
                line for line in text.splitlines() if line.lstrip(" ▲").startswith(rule["name"])
            ]
            counted = [int(word.replace(",", "")) for word in row.split() if word[0].isdecimal()]
            assert counted[:3] == [rule["hidden"], rule["hidden_pairs"], rule["touched"]]
            assert number(r"hides ([\d,]+) difference", text) == rule["hidden"]
            assert number(r"differences? in ([\d,]+) pair", text) == rule["hidden_pairs"]
            assert number(r"touched ([\d,]+) value", text) == rule["touched"]
            await press(pilot, "down")

        await press(pilot, KEYS["replays"])
        text = text_of(pilot.app)
        (run,) = report["replays"]
        assert number(r"([\d,]+) replayed and", text) == run["done"]
        assert number(r"and ([\d,]+) excluded", text) == run["excluded"]
        assert number(r"of ([\d,]+) submissions", text) == run["selected"]
        assert number(r"([\d.,]+) a minute", text) == run["rate_per_min"]
        assert number(r"([\d,]+) disagreeing", text) == run["disagreeing"]

    app = make_app(FakeData(shown), ports=make_ports())
    drive(app, scenario, first=(KEYS["differences"],), size=(160, 60))
