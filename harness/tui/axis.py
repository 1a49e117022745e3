"""Events of both sides on one axis of time, as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.assessment import EventView
from harness.tui.wording import clock, duration

CONTROL, CANDIDATE, JOB = "old", "new", "job"
_LANES = {
    "directory_submissions": CONTROL,
    "queue_history": CANDIDATE,
    "job_results": CANDIDATE,
    "jobs": JOB,
}
_HEAD = 5
"""Cells before the axis, for the name of a lane."""
_LEAST = 20


@dataclass(frozen=True, slots=True)
class Axis:
    """Four lines of equal meaning from left to right."""

    control: str
    axis: str
    """A tick at either end and in the middle; a ``◆`` where the job itself changed."""
    candidate: str
    times: str


def lane_of(event: EventView) -> str:
    """Whose event it is: of the old or the new side, or of the job as a whole."""
    if event.source.startswith("replay:"):
        return CANDIDATE
    return _LANES.get(event.kind, JOB)


def draw_axis(events: Sequence[EventView], width: int) -> Axis | None:
    """The events between the first and the last one, in `width` cells; None without any.

    A ``●`` is one event, a digit so many in one cell, ``+`` ten or more.
    """
    if not events or width < _HEAD + _LEAST:
        return None
    room = width - _HEAD
    first, last = min(e.occurred_at for e in events), max(e.occurred_at for e in events)
    counts = {lane: [0] * room for lane in (CONTROL, CANDIDATE, JOB)}
    for event in events:
        counts[lane_of(event)][_place(event.occurred_at, first, last, room)] += 1
    line = ["─"] * room
    line[0], line[room // 2], line[-1] = "├", "┼", "┤"
    for at, count in enumerate(counts[JOB]):
        if count:
            line[at] = "◆"
    return Axis(
        control=_lane(CONTROL, counts[CONTROL]),
        axis=" " * _HEAD + "".join(line),
        candidate=_lane(CANDIDATE, counts[CANDIDATE]),
        times=_times(first, (last - first).total_seconds(), room),
    )


def _place(at: datetime, first: datetime, last: datetime, room: int) -> int:
    span = (last - first).total_seconds()
    return round((at - first).total_seconds() / span * (room - 1)) if span else 0


def _lane(name: str, counts: Sequence[int]) -> str:
    marks = "".join(" " if not n else "●" if n == 1 else f"{n}" if n < 10 else "+" for n in counts)
    return (name.ljust(_HEAD) + marks).rstrip()


def _times(first: datetime, span_s: float, room: int) -> str:
    begin, middle, end = clock(first), f"+{duration(span_s / 2)}", f"+{duration(span_s)}"
    line = begin
    at = room // 2
    if at >= len(begin) + 2 and at + len(middle) < room - len(end) - 1:
        line = line.ljust(at) + middle
    return " " * _HEAD + line.ljust(room - len(end)) + end
