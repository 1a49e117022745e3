"""What differences, one difference, rules and replays look like at three sizes.

Look at every new picture before accepting it:
pytest tests/tui/test_snapshots_differences.py --snapshot-update
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from harness.tui.app import ShadowApp
from harness.tui.widgets.navigation import SCREENS
from tests.support.assessments import make_assessment, make_replay
from tests.tui.fake_ports import make_ports
from tests.tui.support import FakeData, make_app, press, settle

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (200, 60)], ids=["80x24", "120x40", "200x60"]
)
KEYS = {mode: f"{key}" for key, (mode, _) in enumerate(SCREENS, start=1)}


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def use(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return use


def opened() -> ShadowApp:
    """The invented week with a run that goes on beside the finished one."""
    going_on = make_replay("monday", finished_at=None, done=200, excluded=8, remaining_s=104.5)
    data = FakeData(make_assessment(replays=(going_on, make_replay())))
    return make_app(data, ports=make_ports())


@SIZES
def test_differences(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The table, narrowed by a filter and sorted."""
    keys = (KEYS["differences"], "slash", "-kind:captcha", "enter", "s", "s")
    assert snap_compare(opened(), terminal_size=size, run_before=after(*keys))


@SIZES
def test_causes(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Under their causes, the first one closed."""
    keys = (KEYS["differences"], "c", "home", "enter", "down")
    assert snap_compare(opened(), terminal_size=size, run_before=after(*keys))


@SIZES
def test_difference(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Values, rules step by step, sides, axis, evidence."""
    keys = (KEYS["differences"], "down", "enter")
    assert snap_compare(opened(), terminal_size=size, run_before=after(*keys))


def test_saved_views(snap_compare: Compare) -> None:
    """The card, with one view."""
    keys = (KEYS["differences"], "slash", "kind:timeout", "enter", "v", "slow sites", "enter", "v")
    assert snap_compare(opened(), terminal_size=(80, 24), run_before=after(*keys))
