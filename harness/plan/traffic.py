"""How many jobs reach the shadow by when: jobs a day, and a ramp of percentages. Pure.

Counts are expected ones, spread evenly over each day; real traffic comes in bursts.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from harness.errors import SettingsError

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_H = 24.0
_STAGE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%?\s*(?::\s*(\d+(?:\.\d+)?)\s*([hd])\s*)?$")
_MOST_DAYS = 366
_ROUNDING = 1e-6
"""Sums of parts of a day may fall short of a whole job by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A percentage of the traffic, and from when until when, in hours from the start."""

    percent: float
    from_h: float
    to_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The traffic of a plan."""

    days: int
    jobs_per_day: tuple[float, ...]
    """All jobs of each day of the plan, shape (days,); of these a stage takes its percentage."""
    stages: tuple[Stage, ...]
    start: date | None = None

    def expected_until(self, hour: float, stage: int | None = None) -> float:
        """Expected jobs in the shadow by `hour`; those of one stage only if it is named."""
        chosen = self.stages if stage is None else (self.stages[stage],)
        return sum(
            one.percent / 100.0 * self._arrived(one.from_h, min(hour, one.to_h))
            for one in chosen
            if hour > one.from_h
        )

    def by_day(self, stage: int | None = None) -> tuple[int, ...]:
        """Whole jobs in the shadow by the end of each day; those of one stage if it is named."""
        return tuple(
            math.floor(self.expected_until(_DAY_H * (day + 1), stage) + _ROUNDING)
            for day in range(self.days)
        )

    def day_of(self, job: int, stage: int | None = None) -> int | None:
        """The day, from 0, in which so many jobs are reached; None if not within the plan."""
        return next((day for day, n in enumerate(self.by_day(stage)) if n >= job), None)

    def day_names(self) -> tuple[str, ...]:
        """``Mon 30 Nov``, or ``day 1`` where no start is given."""
        if self.start is None:
            return tuple(f"day {day + 1}" for day in range(self.days))
        dates = [self.start + timedelta(days=day) for day in range(self.days)]
        return tuple(f"{WEEKDAYS[d.weekday()]} {d.day} {_MONTHS[d.month - 1]}" for d in dates)

    def _arrived(self, from_h: float, to_h: float) -> float:
        """All jobs that come between two hours."""
        total = 0.0
        for day, jobs in enumerate(self.jobs_per_day):
            hours = min(to_h, _DAY_H * (day + 1)) - max(from_h, _DAY_H * day)
            total += jobs * max(0.0, hours) / _DAY_H
        return total


_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def make_schedule(*, jobs_per_day: str, traffic: str, days: int, start: date | None) -> Schedule:
    """A schedule from how its options are written.

    jobs_per_day: ``40``, or seven numbers from Monday to Sunday, which need a start.
    traffic: ``10,50,100`` (equal parts of the days) or ``10:24h,50:2d,100``.
    Raises SettingsError naming the option, the value and the mend.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise SettingsError(f"--days {days}: not a length. Give 1 to {_MOST_DAYS}.")
    return Schedule(
        days=days,
        jobs_per_day=_per_day(jobs_per_day, days, start),
        stages=_stages(traffic, days * _DAY_H),
        start=start,
    )


def _per_day(text: str, days: int, start: date | None) -> tuple[float, ...]:
    mend = "Give one number, or seven from Monday to Sunday, such as 60,60,60,60,60,10,5."
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 7) or not all(0 <= n < 1e7 for n in numbers) or not sum(numbers):
        raise SettingsError(f"--jobs-per-day {text}: not a number of jobs. {mend}")
    if len(numbers) == 1:
        return tuple(numbers * days)
    if start is None:
        raise SettingsError(
            f"--jobs-per-day {text}: seven numbers need a first day. Give --start, such as "
            "--start 2026-11-30."
        )
    return tuple(numbers[(start.weekday() + day) % 7] for day in range(days))


def _stages(text: str, end_h: float) -> tuple[Stage, ...]:
    option = f"--traffic {text}"
    parts = [_stage(option, part) for part in text.split(",")]
    percents = [percent for percent, _ in parts]
    if any(later <= earlier for earlier, later in pairwise(percents)):
        raise SettingsError(f"{option}: the percentages must rise. Order them, such as 10,50,100.")
    lengths = [hours for _, hours in parts]
    given = [hours for hours in lengths if hours is not None]
    if not given:
        lengths = [end_h / len(parts)] * len(parts)
    elif any(hours is None for hours in lengths[:-1]):
        raise SettingsError(
            f"{option}: some stages have a length and others none. Give one to each but the last, "
            "such as 10:24h,50:2d,100, or to none."
        )
    stages = []
    at = 0.0
    for (percent, _), hours in zip(parts, lengths, strict=True):
        if at >= end_h - _ROUNDING:
            raise SettingsError(
                f"{option}: {percent:g} % would begin after the {end_h / _DAY_H:g} days of the "
                "plan. Shorten a stage or give more --days."
            )
        until = end_h if hours is None else min(end_h, at + hours)
        stages.append(Stage(percent=percent, from_h=at, to_h=until))
        at = until
    # The last stage lasts to the end of the plan, whatever length it was given.
    last = stages[-1]
    return (*stages[:-1], Stage(percent=last.percent, from_h=last.from_h, to_h=end_h))


def _stage(option: str, part: str) -> tuple[float, float | None]:
    match = _STAGE.match(part)
    if match is None or not 0.0 < float(match[1]) <= 100.0:
        raise SettingsError(
            f"{option}: {part.strip() or 'nothing'!r} is no stage. Write a percentage above 0 and "
            "up to 100, and its length if you like, such as 10,50,100 or 10:24h,50:2d,100."
        )
    if match[2] is None:
        return float(match[1]), None
    hours = float(match[2]) * (_DAY_H if match[3] == "d" else 1.0)
    if hours <= 0.0:
        raise SettingsError(f"{option}: {part.strip()!r} lasts no time. Give it an hour or more.")
    return float(match[1]), hours
