"""What a person may type to go to a moment. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from harness.settings import parse_duration_s
from harness.tui.looked import Moment

HINT = (
    "A seq (1200), a time in UTC (2026-11-20 14:05, or 14:05 of the day shown), -2h or +15m from "
    "the moment shown, start, end, live, or gate: the next change of a gate."
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_LAST_SEQ = 2**62
"""A journal clamps what lies behind its end."""


@dataclass(frozen=True, slots=True)
class ToMoment:
    """Go to this moment; None is now."""

    moment: Moment | None


@dataclass(frozen=True, slots=True)
class ToGateChange:
    """Walk on until a gate changes."""

    forward: bool


Jump = ToMoment | ToGateChange

_WORDS: dict[str, Jump] = {
    "live": ToMoment(None),
    "now": ToMoment(None),
    "start": ToMoment(1),
    "end": ToMoment(_LAST_SEQ),
    "gate": ToGateChange(forward=True),
    "next gate": ToGateChange(forward=True),
    "next change of a gate": ToGateChange(forward=True),
    "previous gate": ToGateChange(forward=False),
    "-gate": ToGateChange(forward=False),
}


def parse_jump(text: str, *, shown: datetime | None) -> Jump | None:
    """Where `text` leads; None if it is no moment.

    shown: the moment on screen, which spans and bare times of day are counted from; None while
    nothing is shown, when these lead nowhere.
    """
    words = " ".join(text.casefold().removeprefix("@").split())
    if words in _WORDS:
        return _WORDS[words]
    number = words.replace(",", "")
    if number.isascii() and number.isdigit():
        return ToMoment(min(int(number), _LAST_SEQ))
    if words[:1] in ("-", "+"):
        return _span(words, shown)
    if match := _CLOCK.fullmatch(words):
        return _time_of_day(match, shown)
    return _time(words)


def _span(words: str, shown: datetime | None) -> Jump | None:
    if shown is None:
        return None
    try:
        span = timedelta(seconds=parse_duration_s(words[1:].replace(" ", "")))
        return ToMoment(shown - span if words[0] == "-" else shown + span)
    except (ValueError, OverflowError):
        return None


def _time_of_day(match: re.Match[str], shown: datetime | None) -> Jump | None:
    if shown is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        at = time(hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return ToMoment(datetime.combine(shown.astimezone(UTC).date(), at))


def _time(words: str) -> Jump | None:
    try:
        moment = datetime.fromisoformat(words.upper())
        return ToMoment(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
