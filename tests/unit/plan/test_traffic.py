"""How options become a schedule, and how many jobs it brings by when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from harness.errors import SettingsError
from harness.plan.traffic import Schedule, make_schedule

MONDAY = date(2026, 11, 30)


def schedule(**changes: Any) -> Schedule:
    values: dict[str, Any] = {"jobs_per_day": "40", "traffic": "100", "days": 7, "start": None}
    return make_schedule(**(values | changes))


def test_all_traffic_is_the_jobs_of_every_day() -> None:
    assert schedule().by_day() == (40, 80, 120, 160, 200, 240, 280)
    assert schedule(days=2).day_names() == ("day 1", "day 2")


def test_stages_without_lengths_share_the_days_equally() -> None:
    plan = schedule(traffic="10,50,100")
    assert [(s.percent, s.from_h, s.to_h) for s in plan.stages] == [
        (10, 0, 56), (50, 56, 112), (100, 112, 168),
    ]  # fmt: skip
    assert plan.by_day() == (4, 8, 22, 42, 69, 109, 149)
    assert [plan.by_day(stage)[-1] for stage in range(3)] == [9, 46, 93]
    # Jobs of a stage are those of the whole week, shared out.
    hours = [plan.expected_until(168, stage) for stage in range(3)]
    assert sum(hours) == pytest.approx(plan.expected_until(168))


def test_stages_last_as_long_as_they_are_given_and_the_last_to_the_end() -> None:
    plan = schedule(traffic="10:24h,50:2d,100:1h")
    assert [(s.from_h, s.to_h) for s in plan.stages] == [(0, 24), (24, 72), (72, 168)]
    assert plan.by_day() == (4, 24, 44, 84, 124, 164, 204)


def test_weekdays_follow_the_first_day() -> None:
    plan = schedule(jobs_per_day="10,20,30,40,50,1,0", start=date(2026, 12, 5), days=3)
    assert plan.jobs_per_day == (1, 0, 10)
    assert plan.day_names() == ("Sat 5 Dec", "Sun 6 Dec", "Mon 7 Dec")
    assert plan.by_day() == (1, 1, 11)


def test_a_job_is_reached_on_a_day_or_not_at_all() -> None:
    plan = schedule(traffic="10,50,100", start=MONDAY)
    assert plan.day_of(4) == 0
    assert plan.day_of(5) == 1
    assert plan.day_of(149) == 6
    assert plan.day_of(150) is None
    assert plan.day_of(82, stage=2) == 6
    assert plan.day_of(82, stage=1) is None


@pytest.mark.parametrize("day", [1, 3, 7])
def test_sums_of_parts_of_a_job_lose_none_to_rounding(day: int) -> None:
    # 24 hours of 100/3 % of 30 jobs are 10 jobs, whatever the floating point says.
    plan = schedule(jobs_per_day="30", traffic=f"{100 / 3}", days=day)
    assert plan.by_day()[-1] == 10 * day


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"jobs_per_day": "many"}, "--jobs-per-day many"),
        ({"jobs_per_day": "-1"}, "--jobs-per-day -1"),
        ({"jobs_per_day": "nan"}, "--jobs-per-day nan"),
        ({"jobs_per_day": "0"}, "--jobs-per-day 0"),
        ({"jobs_per_day": "1,2,3"}, "seven from Monday to Sunday"),
        ({"jobs_per_day": "1,2,3,4,5,6,7"}, "Give --start"),
        ({"days": 0}, "--days 0"),
        ({"days": 400}, "--days 400"),
        ({"traffic": "100,50"}, "must rise"),
        ({"traffic": "0,50"}, "'0' is no stage"),
        ({"traffic": "10,120"}, "'120' is no stage"),
        ({"traffic": "ten"}, "'ten' is no stage"),
        ({"traffic": "10,"}, "'nothing' is no stage"),
        ({"traffic": "10:0h,100"}, "lasts no time"),
        ({"traffic": "10:1h,50,100"}, "some stages have a length"),
        ({"traffic": "10:7d,100"}, "100 % would begin after the 7 days"),
    ],
)
def test_what_cannot_be_a_schedule_is_one_line_with_a_mend(
    changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        schedule(**changes)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
