"""The ramp so far: which percentage held since when. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from harness.errors import SettingsError

RAMP = (10.0, 50.0, 100.0)
"""The runbook's steps."""
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredStage:
    """A percentage of the jobs and the moment from which on it held."""

    percent: float
    since: datetime = BEGINNING
    """Aware. The first stage may begin with the record."""


def parse_stages(text: str) -> tuple[DeclaredStage, ...]:
    """``10`` or ``10,50@2026-11-25T08:00,100@2026-11-27``; UTC where no zone is given.

    Raises SettingsError naming the value and the mend.
    """
    option = f"--traffic {text}"
    stages = [_stage(option, part.strip(), first=i == 0) for i, part in enumerate(text.split(","))]
    if any(later.since <= earlier.since for earlier, later in pairwise(stages)):
        raise SettingsError(f"{option}: the times must rise. Order the stages by time.")
    return tuple(stages)


def parse_next(text: str, *, present: float) -> tuple[float, ...]:
    """``50,100``: the percentages to come; SettingsError unless they rise above the present one."""
    percents = [_percent(f"--next {text}", part.strip()) for part in text.split(",")]
    if any(later <= earlier for earlier, later in pairwise([present, *percents])):
        raise SettingsError(
            f"--next {text}: the percentages must rise from the present {present:g} %."
        )
    return tuple(percents)


def steps_after(present: float) -> tuple[float, ...]:
    """The runbook's percentages above the present one."""
    return tuple(percent for percent in RAMP if percent > present)


def stage_of(created_at: datetime, stages: Sequence[DeclaredStage]) -> int | None:
    """Index of the stage in which a job was created; None before the first."""
    at = bisect_right([stage.since for stage in stages], created_at) - 1
    return at if at >= 0 else None


def _stage(option: str, part: str, *, first: bool) -> DeclaredStage:
    percent, _, time = part.partition("@")
    value = _percent(option, percent.strip())
    if not time:
        if not first:
            raise SettingsError(
                f"{option}: {part} says not since when. Add the time, such as "
                f"{part}@2026-11-25T08:00."
            )
        return DeclaredStage(percent=value)
    try:
        since = datetime.fromisoformat(time.strip())
    except ValueError:
        raise SettingsError(
            f"{option}: {time.strip()!r} is no time. Write it as 2026-11-25T08:00."
        ) from None
    return DeclaredStage(percent=value, since=since if since.tzinfo else since.replace(tzinfo=UTC))


def _percent(option: str, text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 100.0:
        raise SettingsError(
            f"{option}: {text or 'nothing'!r} is no percentage. Give a number above 0 and up to "
            "100."
        )
    return value
