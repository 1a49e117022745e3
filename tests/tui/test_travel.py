"""Time travel on the screen: the bar, steps, changes of gates, playing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from harness.model import GateStatus
from harness.tui import gate_changes
from harness.tui.app import ShadowApp
from harness.tui.gate_changes import find_gate_change
from harness.tui.looked import Moment, Snapshot, Span
from harness.tui.widgets.time_bar import TimeBar
from tests.support.assessments import AS_OF, MONDAY
from tests.tui.support import FakeData, drive, make_app, press, settle, text_of, until

TALL = (120, 40)


class Recorded(FakeData):
    """Twenty batches of ten events; one gate fails in batches 6 and 7 only."""

    def load(self, as_of: Moment | None) -> Snapshot:
        found = super().load(200 if as_of is None else as_of)
        assessment = found.assessment
        assert assessment is not None
        seq = min(assessment.provenance.seq, 200)
        status = GateStatus.FAIL if 51 <= seq <= 70 else GateStatus.UNDECIDED
        first = assessment.phases[0]
        gates = tuple(
            replace(gate, status=status) if gate.gate == "dual-write.agreement" else gate
            for gate in first.gates
        )
        return replace(
            found,
            assessment=replace(
                assessment,
                phases=(replace(first, gates=gates), *assessment.phases[1:]),
                provenance=replace(assessment.provenance, seq=seq),
            ),
            span=Span(first_at=MONDAY, last_at=AS_OF, last_seq=200),
        )

    def step(self, seq: int, *, forward: bool) -> int | None:
        there = (seq // 10 + 1) * 10 if forward else (seq - 1) // 10 * 10
        return there if 10 <= there <= 200 else None


def shadow(pilot: Pilot[int]) -> ShadowApp:
    assert isinstance(pilot.app, ShadowApp)
    return pilot.app


def bar_of(pilot: Pilot[int]) -> str:
    """What the bar paints, whatever lies over it."""
    bar = pilot.app.screen.query_one(TimeBar)
    assert bar.display
    return bar.render().plain


def test_the_bar_says_live_or_as_of_when_on_every_screen() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        for key in ("1", "2", "3", "4"):
            await press(pilot, key)
            assert "● LIVE seq 200" in bar_of(pilot)
        await press(pilot, "[")
        for key in ("1", "2", "3", "4"):
            await press(pilot, key)
            bar = bar_of(pilot)
            assert "◀ AS OF 21 Nov 08:30:00, seq 190 — not now" in bar
            assert "LIVE" not in bar

    drive(make_app(Recorded()), scenario, size=TALL)


def test_at_the_least_size_the_past_has_its_bar_and_costs_no_line() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        assert not pilot.app.screen.query_one(TimeBar).display
        assert "● LIVE" in text_of(pilot.app)
        above = pilot.app.screen.query_one("#body").region.height
        await press(pilot, "[")
        assert "not now" in bar_of(pilot)
        assert "◀ PAST seq 190" in text_of(pilot.app)
        assert pilot.app.screen.query_one("#body").region.height == above - 1

    drive(make_app(Recorded()), scenario, size=(80, 24))


def test_braces_step_by_one_event_within_a_batch() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "{", "{")
        assert shadow(pilot).view.as_of == 198
        await press(pilot, "}")
        assert shadow(pilot).view.as_of == 199
        await press(pilot, "}", "}")
        assert shadow(pilot).view.as_of == 200
        assert "Nothing was recorded after" in text_of(pilot.app)

    drive(make_app(Recorded()), scenario, size=TALL)


def test_a_gate_that_flips_and_flips_back_is_found_both_times() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, ")")
        assert "~ Undecided → ✕ Fail" in text_of(pilot.app)
        assert shadow(pilot).view.as_of == 60
        await press(pilot, ")")
        assert shadow(pilot).view.as_of == 80
        await press(pilot, ")")
        assert shadow(pilot).view.as_of == 80
        assert "No gate changes after this moment." in text_of(pilot.app)
        await press(pilot, "(")
        assert shadow(pilot).view.as_of == 70
        assert shadow(pilot).view.travel.changes == {60, 80, 70}

    drive(make_app(Recorded(), as_of=10), scenario, size=TALL)


def test_the_jump_to_a_gate_and_to_live_are_words() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "@", "gate", "enter")
        assert shadow(pilot).view.as_of == 60
        await press(pilot, "@", "live", "enter")
        assert shadow(pilot).view.as_of is None

    drive(make_app(Recorded(), as_of=10), scenario, size=TALL)


def test_escape_ends_a_search_and_nothing_else() -> None:
    release, asked = threading.Event(), threading.Event()

    class Slow(Recorded):
        def step(self, seq: int, *, forward: bool) -> int | None:
            asked.set()
            assert release.wait(60)
            return super().step(seq, forward=forward)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "enter")
        screen = pilot.app.screen
        await pilot.press(")")
        await until(pilot, asked.is_set)
        await pilot.pause()
        assert "Looking for a change of a gate" in text_of(pilot.app)
        assert "Esc stops" in text_of(pilot.app)
        await pilot.press("escape")
        release.set()
        await settle(pilot)
        assert pilot.app.screen is screen
        assert shadow(pilot).view.as_of == 10
        assert "Looking for" not in text_of(pilot.app)

    drive(make_app(Slow(), as_of=10), scenario, size=TALL)


def test_a_search_ends_at_its_bound_and_says_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_changes, "MOST_BATCHES", 3)

    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, ")")
        assert shadow(pilot).view.as_of == 40
        assert "No gate changed in the 3 moments up to here" in text_of(pilot.app)
        await press(pilot, ")")
        assert shadow(pilot).view.as_of == 60

    drive(make_app(Recorded(), as_of=10), scenario, size=TALL)


def test_a_walk_ends_when_its_time_is_over() -> None:
    times = iter([0.0, 1.0, 2.0, 500.0])
    start = Recorded().load(10).assessment
    assert start is not None
    walk = find_gate_change(
        Recorded(), start, forward=True,
        stopped=lambda: False, tell=lambda *_: None, clock=lambda: next(times),
    )  # fmt: skip
    assert (walk.seq, walk.changes, walk.looked, walk.ended) == (30, (), 2, False)


def test_space_plays_on_to_the_end_and_stops_there(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Moment | None] = []

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        shown = app._show

        def note(view: object) -> None:
            shown(view)  # type: ignore[arg-type]
            assert app.view.assessment is not None, "playing must not flicker"
            seen.append(app.view.as_of)

        monkeypatch.setattr(app, "_show", note)
        app.travel(speed=1000.0)
        await pilot.press("space")
        await until(pilot, lambda: app.view.as_of == 200 and not app.view.travel.playing)
        await settle(pilot)
        assert "Nothing was recorded after" in text_of(app)

    drive(make_app(Recorded(), as_of=150), scenario, size=TALL)
    assert list(dict.fromkeys(seen)) == [150, 160, 170, 180, 190, 200]


def test_while_a_slow_next_picture_is_made_nobody_looks_at_the_old_moment() -> None:
    asked: list[int] = []

    class Slow(Recorded):
        def load(self, as_of: Moment | None) -> Snapshot:
            assert isinstance(as_of, int)
            asked.append(as_of)
            if as_of not in self.loaded:
                time.sleep(0.2)
            return super().load(as_of)

    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        app.travel(speed=20.0)
        await pilot.press("space")
        await until(pilot, lambda: app.view.as_of == 200 and not app.view.travel.playing)

    drive(make_app(Slow(), as_of=170, refresh_s=0.05), scenario, size=TALL)
    assert asked == sorted(asked)


def test_any_other_move_stops_playing_and_live_has_nothing_to_play() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        app = shadow(pilot)
        await press(pilot, " ")
        assert "This is live" in text_of(app)
        await press(pilot, "[", ">", ">", "<")
        assert app.view.travel.speed == 2.0
        app.travel(speed=0.5)
        await press(pilot, " ")
        assert app.view.travel.playing
        assert "▶ PLAYING ×0.5" in bar_of(pilot)
        await press(pilot, "{")
        assert not app.view.travel.playing

    drive(make_app(Recorded()), scenario, size=TALL)


def test_a_click_on_the_track_goes_there() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        bar = pilot.app.screen.query_one(TimeBar)
        start, width = bar._track
        await pilot.click(TimeBar, offset=(start + 1 + width // 2, 0))
        await settle(pilot)
        at = shadow(pilot).view.as_of
        assert isinstance(at, int)
        assert 80 <= at <= 120
        await pilot.click(TimeBar, offset=(bar._track[0] + bar._track[1], 0))
        await settle(pilot)
        assert shadow(pilot).view.as_of is None

    drive(make_app(Recorded()), scenario, size=TALL)


def test_an_empty_week_has_a_bar_too() -> None:
    async def scenario(pilot: Pilot[int]) -> None:
        await press(pilot, "[", "{", "(", ")", " ", "@", "escape")
        assert shadow(pilot).faults == {}

    data = FakeData()
    data.now, data.trouble = None, "week.duckdb: the journal is empty."
    drive(make_app(data), scenario, size=TALL)
