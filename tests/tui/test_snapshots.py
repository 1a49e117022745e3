"""What the dashboard looks like, at the least size and at the usual one.

Look at every new picture before accepting it: pytest tests/tui/test_snapshots.py --snapshot-update
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.assessments import make_empty_assessment
from tests.tui.support import FakeData, FakeTask, make_app, press, settle

SMALL, USUAL = (80, 24), (120, 40)
Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x40"])


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def use(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return use


@SIZES
def test_overview(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Decision, gates, agreement, latency, recording, clusters, findings."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after())


@SIZES
def test_differences(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The table, narrowed by a filter."""
    assert snap_compare(
        make_app(), terminal_size=size, run_before=after("2", "slash", "-kind:captcha", "enter")
    )


@SIZES
def test_difference(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Both sides of one difference, with its timeline."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after("2", "down", "enter"))


def test_replays(snap_compare: Compare) -> None:
    """A finished run."""
    assert snap_compare(make_app(), terminal_size=SMALL, run_before=after("3"))


@SIZES
def test_findings(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The list and the worst finding in full."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after("4"))


def test_the_past(snap_compare: Compare) -> None:
    """A chosen moment: banner, tint and no word of live."""
    assert snap_compare(make_app(as_of=1200), terminal_size=USUAL, run_before=after())


def test_a_task_above_trouble(snap_compare: Compare) -> None:
    """A rehearsal is running and the journal is locked."""
    data = FakeData()
    data.trouble = "week.duckdb: another process kept the journal locked for 2 s."
    app = make_app(data, task=FakeTask())
    assert snap_compare(app, terminal_size=SMALL, run_before=after())


def test_nothing_recorded(snap_compare: Compare) -> None:
    """An empty week: everything open, nothing green."""
    app = make_app(FakeData(make_empty_assessment()))
    assert snap_compare(app, terminal_size=USUAL, run_before=after())


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: every state still reads by its sign and word."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(make_app(), terminal_size=USUAL, run_before=after())


def test_help(snap_compare: Compare) -> None:
    """Help of the overview."""
    assert snap_compare(make_app(), terminal_size=SMALL, run_before=after("question_mark"))
