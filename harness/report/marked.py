"""The moments that a person must know when reading a curve over time. Pure.

Ramp steps and deployments that were marked, rules when they came into force, gaps in the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from harness.assessment import Assessment, Mark
from harness.gates.wording import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One numbered moment or, with an end, one numbered span."""

    number: int
    at: datetime
    until: datetime | None
    """None for a moment."""
    text: str


def marked_events(assessment: Assessment) -> tuple[Marked, ...]:
    """Everything to be marked, numbered from 1 in the order of time."""
    found = sorted(
        [*_marks(assessment.marks), *_rules(assessment), *_gaps(assessment)],
        key=lambda one: (one[0], one[2]),
    )
    return tuple(
        Marked(number=number, at=at, until=until, text=text)
        for number, (at, until, text) in enumerate(found, start=1)
    )


def mark_words(mark: Mark) -> str:
    """``Ramp to 10 % (Ana Ruiz: first step)``."""
    match mark.what:
        case "ramp":
            what = f"Ramp to {mark.value.removesuffix('%').strip()} %"
        case "deployment":
            what = f"Deployment of {mark.value}"
        case "cutover":
            what = f"Cut-over: {mark.value}" if mark.value else "Cut-over"
        case _:
            what = mark.value or mark.what.capitalize()
    return f"{what} ({mark.by}{': ' + mark.note if mark.note else ''})"


_Found = tuple[datetime, datetime | None, str]


def _marks(marks: Iterable[Mark]) -> Iterable[_Found]:
    return ((mark.at, None, mark_words(mark)) for mark in marks)


def _rules(assessment: Assessment) -> Iterable[_Found]:
    """Rules that came into force at one moment are one event."""
    together: dict[datetime, list[str]] = {}
    for rule in assessment.rules:
        if rule.added_at is not None and rule.noted:
            together.setdefault(rule.added_at, []).append(f"{rule.name} ({rule.author})")
    for at, names in together.items():
        yield at, None, f"{'Rule' if len(names) == 1 else 'Rules'} in force: {listed(names)}"


def _gaps(assessment: Assessment) -> Iterable[_Found]:
    for span in assessment.recording.gap_spans:
        start = span.since or span.until
        if start is not None:
            state = "swept since" if span.closed else "not made good"
            yield start, span.until, f"Gap in the record of {span.what} ({state})"
