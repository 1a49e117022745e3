"""When submissions may begin, how many at once, and what is made of a busy machine."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ReplayError
from replay.machine import Watch
from replay.pace import Pace, Sample, next_limit
from replay.schedule import Schedule
from tests.support.events import at

CALM = Sample(cpu=0.3, lag_s=0.0, memory=0.5)
FULL = Sample(cpu=1.0, lag_s=0.0, memory=0.5)
LATE = Sample(cpu=0.9, lag_s=0.4, memory=0.5)


@pytest.mark.parametrize(
    ("text", "told", "due_s"),
    [("asap", "asap", 0.0), ("recorded", "recorded", 30.0), ("x10", "x10", 3.0),
     ("× 0.5", "x0.5", 60.0), ("X1", "recorded", 30.0)],
)  # fmt: skip
def test_a_schedule_divides_the_recorded_distances(text: str, told: str, due_s: float) -> None:
    schedule = Schedule.parse(text)
    assert str(schedule) == told
    assert Schedule.parse(told) == schedule
    assert schedule.due_s(at(40), at(10)) == due_s
    assert schedule.due_s(at(10), at(40)) == 0.0
    assert schedule.due_s(None, at(10)) == schedule.due_s(at(10), None) == 0.0


@pytest.mark.parametrize("text", ["", "fast", "x", "x0", "x-1", "10x", "xinf"])
def test_what_is_no_schedule_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ReplayError, match=r"schedule = .* is none\. Give asap, recorded, or"):
        Schedule.parse(text)


def test_more_at_once_only_while_cores_are_idle_and_work_waits() -> None:
    assert next_limit(4, CALM, floor=2, bound=16, wanted=True) == 5
    assert next_limit(4, CALM, floor=2, bound=16, wanted=False) == 4
    assert next_limit(16, CALM, floor=2, bound=16, wanted=True) == 16
    assert next_limit(4, FULL, floor=2, bound=16, wanted=True) == 3
    assert next_limit(2, FULL, floor=2, bound=16, wanted=True) == 2
    assert next_limit(8, LATE, floor=2, bound=16, wanted=True) == 6
    short = Sample(cpu=0.3, lag_s=0.0, memory=0.02)
    assert next_limit(1, short, floor=2, bound=16, wanted=True) == 1


@given(
    limit=st.integers(1, 32), floor=st.integers(1, 8), bound=st.integers(1, 32),
    sample=st.builds(Sample, cpu=st.floats(0, 1), lag_s=st.floats(0, 5), memory=st.floats(0, 1)),
    wanted=st.booleans(),
)  # fmt: skip
def test_never_none_at_once_and_never_beyond_the_bound(
    limit: int, floor: int, bound: int, sample: Sample, wanted: bool
) -> None:
    limit = min(limit, bound)
    assert 1 <= next_limit(limit, sample, floor=floor, bound=bound, wanted=wanted) <= bound


def test_slots_follow_the_machine() -> None:
    async def go() -> tuple[int, int, int]:
        pace = Pace(start=1, floor=1, bound=3, adapts=True)
        release = asyncio.Event()

        async def one() -> None:
            async with pace.slot():
                await release.wait()

        tasks = [asyncio.create_task(one()) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = pace.most
        for _ in range(4):
            await pace.adapt(CALM)
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        second = pace.most
        release.set()
        await asyncio.gather(*tasks)
        return first, second, pace.limit

    assert asyncio.run(go()) == (1, 3, 3)


def test_a_given_number_stays_whatever_the_machine_does() -> None:
    async def go() -> int:
        pace = Pace(start=5, floor=2, bound=5, adapts=False)
        await pace.adapt(LATE)
        return pace.limit

    assert asyncio.run(go()) == 5


@pytest.mark.parametrize(
    ("sample", "starved"),
    [(CALM, False), (FULL, False), (Sample(cpu=1, lag_s=1.5, memory=0.5), True),
     (Sample(cpu=1, lag_s=0, memory=0.5, steal=0.4), True),
     (Sample(cpu=1, lag_s=0, memory=0.5, load=10), True)],
)  # fmt: skip
def test_a_machine_is_starved_when_it_comes_late_or_others_take_it(
    sample: Sample, starved: bool
) -> None:
    assert sample.starved is starved


def test_a_blocked_event_loop_is_remembered_as_starved() -> None:
    async def go() -> tuple[bool, bool]:
        watch = Watch()
        began = time.monotonic()
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(0.05)
        time.sleep(1.3)
        await asyncio.sleep(0.3)
        task.cancel()
        return watch.starved_since(began), watch.starved_since(time.monotonic() + 1)

    assert asyncio.run(go()) == (True, False)
