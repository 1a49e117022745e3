"""One source of truth: what a screen says is what the JSON report says, now and at any moment."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from harness.assess.build import assess
from harness.journal.store import Journal
from harness.report.json_report import to_dict
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from harness.tui.widgets.gate_list import GateList
from tests.support.events import at
from tests.support.journals import criteria
from tests.support.recorded_weeks import recorded_week, week_batches
from tests.tui.figures import REGISTRY, Report, at_path, figures_of
from tests.tui.reading import agrees
from tests.tui.support import NEVER_S, at_rest, drive, press, settle, text_of

MOMENTS = 50
IN_TURN = 5
"""Moments looked at on one screen before the next one is opened."""
SIZE, SMALL = (120, 60), (80, 60)


def app_on(journal: Journal) -> ShadowApp:
    data = DashboardData(journal.path, criteria(), clock=lambda: at(6500))
    return at_rest(ShadowApp(data, as_of=1, refresh_s=NEVER_S))


def report_of(journal: Journal, seq: int) -> Report:
    with journal.reader(seq) as reader:
        return to_dict(assess(reader, criteria()))


async def go_to(pilot: Pilot[int], seq: int) -> None:
    app = pilot.app
    assert isinstance(app, ShadowApp)
    app.go_to(seq)
    await settle(pilot)


async def look_at(pilot: Pilot[int], seq: int, key: str) -> None:
    """As `go_to` on the screen of a key, without blanking it meanwhile, which costs most of it."""
    app = pilot.app
    assert isinstance(app, ShadowApp)
    app.view = replace(app.view, as_of=seq)
    app.look(seq)
    await settle(pilot)
    if getattr(app.screen, "MODE", "") != next(m for m, r in REGISTRY.items() if r.key == key):
        await press(pilot, key)


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_of_a_random_week_is_that_of_the_report(seed: int, tmp_path: Path) -> None:
    journal = recorded_week(tmp_path, seed)
    chance = random.Random(seed)
    moments = [chance.randint(1, journal.head().seq) for _ in range(2)] + [journal.head().seq]

    async def scenario(pilot: Pilot[int]) -> None:
        for seq in moments:
            await go_to(pilot, seq)
            report = report_of(journal, seq)
            for name, registered in REGISTRY.items():
                await press(pilot, registered.key)
                if name == "gates":
                    gates = pilot.app.screen.query_one(GateList)
                    gates.highlighted = gates.get_option_index(report["gates"][0]["gate"])
                    await settle(pilot)
                shown = figures_of(pilot.app.screen, report)
                for one in shown:
                    value = at_path(report, one.path)
                    assert agrees(one.text, value), (name, seq, one, value)
                paths = {one.path for one in shown}
                wanted = [path for path in registered.least if at_path(report, path) is not None]
                assert set(wanted) <= paths, (name, seq, set(wanted) - paths)
        assert pilot.app.faults == {}  # type: ignore[attr-defined]

    drive(app_on(journal), scenario, size=SIZE)


def without_track(text: str) -> str:
    """All but where in the whole record the moment is, which grows behind it."""
    return re.sub(r"[━┄●◆]{8,}", "", text)


def test_a_moment_of_a_long_journal_looks_as_the_journal_did_when_it_ended_there(
    tmp_path: Path,
) -> None:
    now = [at(0)]
    journal = Journal.create(tmp_path / "week.duckdb", clock=lambda: now[0])
    batches = list(week_batches(5, batches=60))
    chosen = set(random.Random(11).sample(range(len(batches)), MOMENTS))
    keys = [one.key for one in REGISTRY.values()]
    shown: list[tuple[int, str, str]] = []

    async def while_it_grows(pilot: Pilot[int]) -> None:
        for number, (recorded_at, batch) in enumerate(batches):
            now[0] = recorded_at
            seq = journal.append(batch).last_seq
            if number in chosen:
                key = keys[len(shown) // IN_TURN % len(keys)]
                await look_at(pilot, seq, key)
                shown.append((seq, key, text_of(pilot.app)))

    async def afterwards(pilot: Pilot[int]) -> None:
        for seq, key, then in shown:
            await look_at(pilot, seq, key)
            assert without_track(text_of(pilot.app)) == without_track(then), (seq, key)

    drive(app_on(journal), while_it_grows, size=SMALL)
    assert len(shown) == MOMENTS
    drive(app_on(journal), afterwards, size=SMALL)


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("96.2 %", 0.962, True), ("96.2 %", 0.9631, False), ("3m 32s", 212.4, True),
        ("3m 32s", 213.0, False), ("4.2 s", 4.249, True), ("4.2 s", 4.3, False),
        ("1,204", 1204, True), ("1,204", 1205, False), ("not recorded", None, True),
        ("0", None, False), ("2h 05m", 7515.0, True), ("2h 05m", 7600.0, False),
        ("healthy", True, True), ("healthy", False, False),
        ("23 Nov 08:30:00", "2026-11-23T08:30:00.420000Z", True),
        ("23 Nov 08:30:01", "2026-11-23T08:30:00.420000Z", False),
    ],
)  # fmt: skip
def test_the_reading_itself_tells_right_from_wrong(text: str, value: object, right: bool) -> None:
    assert agrees(text, value) is right
