"""What was kept is shown at once, as the past, and the journal has the last word."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from textual.pilot import Pilot

from harness.errors import EnvironmentProblem
from harness.tui.app import ShadowApp
from harness.tui.kept.packing import Seen
from harness.tui.kept.spacing import WORTH_S
from harness.tui.looked import Moment, Snapshot, Span
from tests.support.assessments import AS_OF, MONDAY, make_assessment
from tests.tui.support import NEVER_S, FakeData, Scenario, text_of, until

HELD_S = 30.0
"""After so long whoever is held gives up, and the test has failed."""
SPAN = Span(first_at=MONDAY, last_at=AS_OF, last_seq=4236)


def seen_at(seq: int) -> Seen:
    made = make_assessment()
    at = AS_OF - timedelta(seconds=4000 - seq)
    return Seen(
        assessment=replace(made, provenance=replace(made.provenance, seq=seq, as_of=at)), span=SPAN
    )


class Kept:
    """Looks at some moments, however far from what is asked for."""

    def __init__(self, *seqs: int, newest: int | None = None) -> None:
        self.seqs_kept = seqs
        self.last = newest
        self.gaps: list[int] = []

    def newest(self) -> Seen | None:
        return None if self.last is None else seen_at(self.last)

    def before(self, moment: Moment, *, last_seq: int | None) -> Seen | None:
        found = [seq for seq in self.seqs_kept if isinstance(moment, int) and seq <= moment]
        return seen_at(max(found)) if found else None

    def inside(self, first_seq: int, last_seq: int) -> int | None:
        return next((seq for seq in self.seqs_kept if first_seq <= seq <= last_seq), None)

    def seqs(self) -> list[int]:
        return sorted(self.seqs_kept)

    def at(self, seq: int) -> Seen | None:
        return seen_at(seq)

    def wanted(self, last_seq: int) -> int | None:
        return self.gaps[0] if self.gaps else None


class Slow(FakeData):
    """Answers when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()
        self.held: Callable[[Moment | None], bool] = lambda as_of: as_of is None
        self.took_s = 0.0
        self.last_at = AS_OF
        self.kept: Kept | None = None
        self.prepared: list[int] = []
        self.stopped = 0
        self.ended = threading.Event()
        self.in_hand: list[Moment | None] = []

    def drop(self) -> None:
        if self.in_hand:
            self.may.set()

    def load(self, as_of: Moment | None) -> Snapshot:
        if self.held(as_of):
            self.in_hand.append(as_of)
            assert self.may.wait(HELD_S)
            self.in_hand.remove(as_of)
        span = replace(SPAN, last_at=self.last_at)
        return replace(super().load(as_of), span=span, took_s=self.took_s)

    def prepare(self, seq: int) -> bool:
        self.prepared.append(seq)
        if self.kept:
            self.kept.gaps.remove(seq)
            return True
        assert self.ended.wait(HELD_S)
        raise EnvironmentProblem("The process that reads the journal ended.")

    def stop_preparing(self) -> None:
        self.stopped += 1
        self.ended.set()


def opened(data: FakeData, kept: Kept | None = None, refresh_s: float = NEVER_S) -> ShadowApp:
    return ShadowApp(data, refresh_s=refresh_s, kept=kept or Kept(newest=4000))


def play(app: ShadowApp, scenario: Scenario) -> None:
    """As `drive`, without waiting for the first look."""

    async def main() -> None:
        async with app.run_test(size=(120, 45)) as pilot:
            await scenario(pilot)

    asyncio.run(main())


def test_it_opens_with_the_past_and_turns_to_now() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        banner = "THE PAST, NOT NOW: what was seen last"
        await until(pilot, lambda: banner in text_of(pilot.app))
        shown = text_of(pilot.app)
        assert "SEEN LAST 23 Nov 08:30:00, seq 4,000" in shown
        assert "LIVE" not in shown
        # Asking for now asks nothing twice.
        await pilot.press("l")
        assert "SEEN LAST" in text_of(pilot.app)
        data.may.set()
        await until(pilot, lambda: "LIVE seq 4,236" in text_of(pilot.app))
        await pilot.pause()
        assert "NOT NOW" not in text_of(pilot.app)
        assert data.loaded == [None]

    play(opened(data), scenario)


def test_trouble_leaves_it_in_the_past_and_is_told() -> None:
    data = FakeData()
    kept, data.now, data.trouble = data.now, None, "week.duckdb: another process has locked it."

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "has locked it" in text_of(pilot.app))
        assert "THE PAST, NOT NOW" in text_of(pilot.app)
        data.now, data.trouble = kept, None
        assert isinstance(pilot.app, ShadowApp)
        pilot.app.look(None)
        await until(pilot, lambda: "LIVE seq 4,236" in text_of(pilot.app))

    play(opened(data), scenario)


def test_whoever_travels_meanwhile_is_left_where_they_are() -> None:
    data = Slow()
    data.steps[4000, False] = 3990

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "SEEN LAST" in text_of(pilot.app))
        await pilot.press("[")
        await until(pilot, lambda: "seq 3,990" in text_of(pilot.app))
        data.may.set()
        await pilot.pause(0.3)
        assert "seq 3,990 — not now" in text_of(pilot.app)

    play(opened(data), scenario)


def test_whoever_searches_meanwhile_stays_until_the_search_has_ended() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "SEEN LAST" in text_of(pilot.app))
        await pilot.press("right_parenthesis")
        await until(pilot, lambda: "seq 4,000 — not now" in text_of(pilot.app))
        data.may.set()
        await pilot.pause(0.3)
        assert isinstance(pilot.app, ShadowApp)
        assert pilot.app.view.travel.searching is None
        assert "LIVE" not in text_of(pilot.app)

    play(opened(data), scenario)


def test_the_screens_load_nothing_that_reads_or_counts() -> None:
    """A second of start-up is what those libraries cost; the data's own processes have them."""
    code = (
        "import sys, harness.cli.watch, harness.cli.operations, harness.cli.dashboard_ports;"
        "import harness.tui.app, harness.tui.beside, harness.tui.kept.looks;"
        "print([m for m in ('polars', 'numpy', 'duckdb', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_moment_of_a_seen_one_is_its_own() -> None:
    """Not the clock's: an age on the screen would else grow younger than the evidence."""
    app = opened(FakeData())
    assert app.view.snapshot is not None
    assert app.view.snapshot.taken_at == make_assessment().provenance.as_of
    assert app.view.snapshot.taken_at < datetime.now(UTC)


def shows(app: ShadowApp, words: str) -> bool:
    return words in text_of(app)


async def jump(pilot: Pilot[int], seq: int) -> ShadowApp:
    """Go from now to a moment that something stands in for, until that is shown."""
    app = await now_shown(pilot)
    app.go_to(seq)
    await until(pilot, lambda: "SEEN BEFORE" in text_of(app))
    return app


async def now_shown(pilot: Pilot[int]) -> ShadowApp:
    await until(pilot, lambda: "LIVE seq 4,236" in text_of(pilot.app))
    assert isinstance(pilot.app, ShadowApp)
    return pilot.app


def test_a_jump_shows_what_is_kept_under_its_own_moment_and_then_the_moment_itself() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 3500

    async def scenario(pilot: Pilot[int]) -> None:
        app = await jump(pilot, 3500)
        shown = text_of(app)
        assert "seq 3,400" in shown
        assert "THE PAST, NOT NOW" in shown
        assert "seq 3,500 is being read" in shown
        assert app.view.as_of == 3400, "what is asked of a screen is asked as of what it shows"
        # On the way there already.
        app.go_to(3500)
        assert "SEEN BEFORE" in text_of(app)
        data.may.set()
        await until(pilot, lambda: "seq 3,500 — not now" in text_of(app))
        assert app.view.bridge is None
        assert data.loaded == [None, 3500]

    play(opened(data, Kept(3400)), scenario)


def test_the_very_moment_is_shown_at_once_and_read_all_the_same() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 3400

    async def scenario(pilot: Pilot[int]) -> None:
        app = await now_shown(pilot)
        app.go_to(3400)
        await until(
            pilot, lambda: "as it was seen before. The journal is being read" in text_of(app)
        )
        data.may.set()
        await until(pilot, lambda: "seq 3,400 — not now" in text_of(app))
        assert data.loaded == [None, 3400]

    play(opened(data, Kept(3400)), scenario)


def test_nothing_near_is_nothing_shown() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 300

    async def scenario(pilot: Pilot[int]) -> None:
        app = await now_shown(pilot)
        app.go_to(300)
        await pilot.pause(0.2)
        assert app.view.assessment is None
        data.may.set()
        await until(pilot, lambda: "seq 300 — not now" in text_of(app))

    play(opened(data, Kept(3400)), scenario)


def test_what_is_passed_by_is_not_read() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        data.may.set()
        app = await now_shown(pilot)
        app.SETTLED_S = 60.0  # type: ignore[misc]
        for seq in (3500, 3600):
            app.go_to(seq)
            await until(pilot, lambda: app.view.bridge is not None)
        app.SETTLED_S = 0.0  # type: ignore[misc]
        app.go_to(3700)
        await until(pilot, lambda: "seq 3,700 — not now" in text_of(app))
        assert data.loaded == [None, 3700]

    play(opened(data, Kept(3400)), scenario)


def test_whoever_goes_on_does_not_wait_for_what_they_left() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 3500

    async def scenario(pilot: Pilot[int]) -> None:
        app = await now_shown(pilot)
        app.SETTLED_S = 0.0  # type: ignore[misc]
        app.go_to(3500)
        await until(pilot, lambda: data.loaded == [None] and data.in_hand == [3500])
        app.go_to(3700)
        await until(pilot, lambda: "seq 3,700 — not now" in text_of(app))
        assert data.may.is_set(), "it was dropped"

    play(opened(data, Kept(3400)), scenario)


def test_trouble_on_the_way_leaves_what_is_kept_and_is_told() -> None:
    data = Slow()
    data.may.set()

    async def scenario(pilot: Pilot[int]) -> None:
        app = await now_shown(pilot)
        data.now, data.trouble = None, "week.duckdb: another process has locked it."
        app.go_to(3500)
        await until(pilot, lambda: "has locked it" in text_of(app))
        assert app.view.as_of == 3400
        assert app.view.bridge is not None
        data.now, data.trouble = make_assessment(), None
        app.look(3500)
        await until(pilot, lambda: "seq 3,500 — not now" in text_of(app))

    play(opened(data, Kept(3400)), scenario)


def test_whoever_steps_from_what_is_kept_goes_on_from_there() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 3500
    data.steps[3400, False] = 3390

    async def scenario(pilot: Pilot[int]) -> None:
        app = await jump(pilot, 3500)
        await pilot.press("[")
        data.may.set()
        await until(pilot, lambda: "seq 3,390 — not now" in text_of(app))
        await pilot.pause(0.3)
        assert app.view.as_of == 3390, "what was asked for before does not come in between"

    play(opened(data, Kept(3400)), scenario)


def test_whoever_stays_at_what_is_kept_has_it_read() -> None:
    data = Slow()
    data.held = lambda as_of: as_of == 3500

    async def scenario(pilot: Pilot[int]) -> None:
        app = await jump(pilot, 3500)
        # There is nothing before it to step to.
        await pilot.press("[")
        data.may.set()
        await until(pilot, lambda: 3400 in data.loaded)
        await until(pilot, lambda: "seq 3,400 — not now" in text_of(app))

    play(opened(data, Kept(3400)), scenario)


def test_back_to_now_shows_what_was_seen_last() -> None:
    data = Slow()

    async def scenario(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, ShadowApp)
        data.may.set()
        await now_shown(pilot)
        app.go_to(300)
        await until(pilot, lambda: "seq 300 — not now" in text_of(app))
        data.may.clear()
        await pilot.press("l")
        await until(pilot, lambda: "SEEN LAST" in text_of(app))
        assert "LIVE" not in text_of(app)
        data.may.set()
        await now_shown(pilot)

    play(opened(data), scenario)


def test_a_click_on_the_track_prefers_a_moment_that_is_kept() -> None:
    data = Slow()
    data.may.set()

    async def scenario(pilot: Pilot[int]) -> None:
        app = await now_shown(pilot)
        bar = app.screen.query_one("TimeBar")
        for share, kept in ((0.5, True), (0.25, False)):
            start, width = bar._track  # type: ignore[attr-defined]
            place = round(share * width)
            cell = (width - 1) / SPAN.last_seq
            middle = round(place / cell)
            near = middle + round(0.4 / cell)
            kept_looks.seqs_kept = (near,) if kept else ()
            await pilot.click(bar, offset=(start + place + bar.styles.padding.left, 0))
            told = f"seq {near if kept else middle:,} — not now"
            await until(pilot, partial(shows, app, told))

    kept_looks = Kept(newest=4000)
    play(opened(data, kept_looks), scenario)


@pytest.mark.parametrize("quiet_s", [3600.0, 1.0])
def test_gaps_are_filled_while_nobody_records(quiet_s: float) -> None:
    data, kept = Slow(), Kept(newest=4000)
    data.took_s, data.kept = WORTH_S, kept
    kept.gaps = [2000, 1000]

    async def scenario(pilot: Pilot[int]) -> None:
        data.last_at = data.load(1).taken_at - timedelta(seconds=quiet_s)
        data.may.set()
        await now_shown(pilot)
        if quiet_s > ShadowApp.QUIET_S:
            await until(pilot, lambda: data.prepared == [2000, 1000])
            await until(pilot, lambda: data.stopped > 0)
        else:
            await pilot.pause(0.3)
            assert data.prepared == []

    play(opened(data, kept), scenario)


def test_a_journal_that_is_read_in_no_time_has_nothing_kept_ahead() -> None:
    data, kept = Slow(), Kept(newest=4000)
    data.took_s, data.kept, data.last_at = WORTH_S / 2, kept, MONDAY
    kept.gaps = [2000]

    async def scenario(pilot: Pilot[int]) -> None:
        data.may.set()
        await now_shown(pilot)
        await pilot.pause(0.3)
        assert data.prepared == []

    play(opened(data, kept), scenario)


def test_whoever_jumps_does_not_wait_for_a_look_ahead() -> None:
    data, kept = Slow(), Kept(newest=4000)
    data.took_s, data.last_at = WORTH_S, MONDAY
    kept.gaps = [2000]

    async def scenario(pilot: Pilot[int]) -> None:
        data.may.set()
        app = await now_shown(pilot)
        await until(pilot, lambda: data.prepared == [2000])
        app.go_to(3500)
        await until(pilot, lambda: "seq 3,500 — not now" in text_of(app))
        assert data.ended.is_set()
        # It begins anew when that has been read.
        await until(pilot, lambda: len(data.prepared) > 1)
        assert not app.faults

    play(opened(data, kept, refresh_s=0.1), scenario)


@pytest.mark.parametrize("how", ["says so", "ends"])
def test_looks_ahead_that_fail_are_not_tried_again(how: str) -> None:
    data, kept = Slow(), Kept(newest=4000)
    data.took_s, data.last_at = WORTH_S, MONDAY
    kept.gaps = [2000]
    if how == "says so":
        data.prepare = lambda seq: bool(data.prepared.append(seq))  # type: ignore[method-assign,func-returns-value]

    async def scenario(pilot: Pilot[int]) -> None:
        data.may.set()
        data.ended.set()
        app = await now_shown(pilot)
        await until(pilot, lambda: data.prepared == [2000])
        looked = len(data.loaded)
        await until(pilot, lambda: len(data.loaded) > looked + 3)
        assert data.prepared == [2000]
        assert not app.faults

    play(opened(data, kept, refresh_s=0.05), scenario)


def test_leaving_does_not_wait_for_what_is_being_read() -> None:
    data = Slow()
    data.close = data.may.set  # type: ignore[method-assign]

    async def scenario(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "SEEN LAST" in text_of(pilot.app))
        await pilot.press("q")

    began = time.monotonic()
    play(opened(data), scenario)
    assert data.may.is_set()
    assert time.monotonic() - began < HELD_S
