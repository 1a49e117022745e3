"""What Rules, a rule on trial, Replays and Findings look like, at the three sizes.

Look at every new picture before accepting it: pytest … --snapshot-update
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from harness.assessment import Assessment
from tests.support.assessments import AS_OF, make_assessment, make_replay, make_rules
from tests.tui.support import FakeData, make_app, press, settle
from tests.tui.test_actions import FakeOperations

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (200, 60)], ids=["80x24", "120x40", "200x60"]
)


def make_week() -> Assessment:
    """One rule hides more than it may, one run goes on."""
    first, *rest = make_rules()
    wide = replace(
        first, hidden_pairs=31, expects_at_most=20, added_at=AS_OF - timedelta(days=2)
    )  # fmt: skip
    going = make_replay("monday", started_at=AS_OF, finished_at=None, done=100,
                        rate_per_min=12.0, remaining_s=1800.0)  # fmt: skip
    return make_assessment(rules=(wide, *rest), replays=(going, make_replay()))


def shown(
    compare: Compare, size: tuple[int, int], mode: str, *keys: str, code: int | None = None
) -> bool:
    data = FakeData(make_week())
    operations = FakeOperations(data)
    operations.child.code = code

    async def use(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.app.run_action(f"show_screen('{mode}')")
        await settle(pilot)
        await press(pilot, *keys)
        pilot.app.clear_notifications()
        await settle(pilot)

    before: Callable[[Pilot[Any]], Awaitable[None]] = use
    return compare(make_app(data, operations=operations), terminal_size=size, run_before=before)


@SIZES
def test_rules(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The table, and the rule under the cursor, which hides too much."""
    assert shown(snap_compare, size, "rules")


@SIZES
def test_a_rule_weighed(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Agreement with and without it, its faults and causes."""
    assert shown(snap_compare, size, "rules", "enter")


@SIZES
def test_a_rule_to_be_tried(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The form."""
    assert shown(snap_compare, size, "rules", "t")


@SIZES
def test_replays(snap_compare: Compare, size: tuple[int, int]) -> None:
    """A run that failed at its start, one under way, one finished."""
    assert shown(snap_compare, size, "replays", "n", "ctrl+s", code=2)


def test_a_replay_to_be_started(snap_compare: Compare) -> None:
    """The form."""
    assert shown(snap_compare, (80, 24), "replays", "n")


def test_findings_on_a_wide_screen(snap_compare: Compare) -> None:
    """The list and the worst finding in full."""
    assert shown(snap_compare, (200, 60), "findings")
