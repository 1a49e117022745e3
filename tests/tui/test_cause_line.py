"""What to look at next stands on the overview at every size, and is what its key shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from harness.model import LIVE
from harness.tui.screens.differences import DifferencesScreen
from harness.tui.widgets.cause_line import CauseLine
from harness.tui.widgets.clusters import ClusterList
from tests.support.assessments import make_assessment
from tests.tui.support import FakeData, drive, make_app, until

WEEK = make_assessment()
REPLAYED = next(cluster for cluster in WEEK.clusters if cluster.mode != LIVE)
SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
def test_the_costliest_cause_is_in_sight(size: tuple[int, int]) -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        line = pilot.app.screen.query_one(CauseLine)
        whole = pilot.app.screen.region
        causes = pilot.app.screen.query_one(ClusterList)
        assert whole.contains_region(line.region if line.display else causes.region)
        if line.display:
            assert "m Control finished, candidate stayed silent" in str(line.render())

    drive(make_app(), scenario, size=size)


def test_a_replay_that_costs_more_is_named_after_production_as_the_key_has_it() -> None:
    worse = replace(REPLAYED, cost=10 * max(cluster.cost for cluster in WEEK.clusters))
    week = replace(WEEK, clusters=(worse, *(c for c in WEEK.clusters if c is not REPLAYED)))
    first = WEEK.clusters[0]

    async def scenario(pilot: Pilot[int]) -> None:
        line = str(pilot.app.screen.query_one(CauseLine).render())
        share = f"{100.0 * first.cost_share:.0f} % of the lost agreement"
        assert f"cause 1 of {len(week.clusters)}: {share}  m {first.title}" in line
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, DifferencesScreen))
        assert pilot.app.screen.query_one(Input).value == f"cluster:{first.id}"

    drive(make_app(FakeData(week)), scenario)


def test_where_all_agrees_there_is_nothing_to_look_at() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert "No difference." in str(pilot.app.screen.query_one(CauseLine).render())

    drive(make_app(FakeData(replace(WEEK, clusters=()))), scenario)
