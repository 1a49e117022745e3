"""Every screen on a journal that a rehearsal has recorded: no fault, and the report's figures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.pilot import Pilot

from harness.assess.build import assess
from harness.assess.criteria import Criteria, load_criteria
from harness.journal.store import Journal
from harness.report.json_report import to_dict
from harness.settings import load_settings
from harness.tui.app import ShadowApp
from harness.tui.data import DashboardData
from harness.tui.screens.job import JobScreen
from harness.tui.widgets.job_matrix import JobMatrix
from harness.tui.widgets.job_table import JobTable
from harness.tui.widgets.navigation import SCREENS
from tests.tui.figures import REGISTRY, at_path, figures_of
from tests.tui.reading import agrees
from tests.tui.support import NEVER_S, drive, press, text_of

pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def week(rehearsed: Path) -> tuple[Journal, Criteria]:
    """The journal of the rehearsal, and what it is judged by."""
    settings = load_settings(rehearsed / "shadow.toml", os.environ)
    return Journal.open(rehearsed / "shadow.duckdb"), load_criteria(settings)


def app_on(week: tuple[Journal, Criteria]) -> ShadowApp:
    journal, criteria = week
    newest = journal.head().recorded_at
    assert newest is not None
    data = DashboardData(journal.path, criteria, clock=lambda: newest)
    return ShadowApp(data, refresh_s=NEVER_S)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
def test_every_screen_stands_and_says_what_the_report_says(
    week: tuple[Journal, Criteria], size: tuple[int, int]
) -> None:
    journal, criteria = week
    with journal.reader() as reader:
        report = to_dict(assess(reader, criteria))

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        for key, (mode, _) in enumerate(SCREENS, start=1):
            await press(pilot, str(key))
            assert "REHEARSAL" in text_of(app)
            assert app.faults == {}, mode
            if mode in REGISTRY:
                for one in figures_of(app.screen, report):
                    assert agrees(one.text, at_path(report, one.path)), (mode, one)

    drive(app_on(week), scenario, size=size)


def test_a_job_of_the_rehearsal_opens_in_full(week: tuple[Journal, Criteria]) -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, REGISTRY["jobs"].key)
        jobs = pilot.app.screen.query_one(JobTable)
        assert jobs.row_count == 16
        chosen = jobs.chosen
        assert chosen is not None
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, JobScreen)
        live = sum(number for _, number in chosen.verdicts)
        assert pilot.app.screen.query_one(JobMatrix).row_count == live
        assert "flow_started" in text_of(pilot.app)

    drive(app_on(week), scenario, size=(120, 60))
