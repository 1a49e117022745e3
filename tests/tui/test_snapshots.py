"""What the dashboard looks like, at the least size and at the usual one.

Look at every new picture before accepting it: pytest tests/tui/test_snapshots.py --snapshot-update
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.assessments import make_empty_assessment
from tests.tui.support import FakeData, FakeTask, key_of, make_app, press, settle

SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 60)
Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x40"])
ALL_SIZES = pytest.mark.parametrize(
    "size", [SMALL, USUAL, LARGE], ids=["80x24", "120x40", "200x60"]
)


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def use(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return use


@ALL_SIZES
def test_overview(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Decision, gates, agreement, latency, operations, clusters, findings, plots."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after())


@ALL_SIZES
def test_jobs(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The first page of all jobs."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after(key_of("jobs"), "down"))


@ALL_SIZES
def test_job(snap_compare: Compare, size: tuple[int, int]) -> None:
    """One job: matrix and timelines."""
    assert snap_compare(
        make_app(), terminal_size=size, run_before=after(key_of("jobs"), "down", "enter")
    )


@ALL_SIZES
def test_gates(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The list and an undecided gate in full."""
    assert snap_compare(
        make_app(), terminal_size=size, run_before=after(key_of("gates"), "down", "down")
    )


@ALL_SIZES
def test_gate(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The same gate above the overview."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after("down", "down", "enter"))


@ALL_SIZES
def test_health(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The recorder's own, checked."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after(key_of("health"), "v"))


@SIZES
def test_findings(snap_compare: Compare, size: tuple[int, int]) -> None:
    """The list and the worst finding in full."""
    assert snap_compare(make_app(), terminal_size=size, run_before=after(key_of("findings")))


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
