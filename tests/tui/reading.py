"""Reads figures back from the words on a screen. Pure; shares no code with what writes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

ABSENT = ("not recorded", "–", "no evidence", "never", "no ", "none", "nothing")
"""What stands for no value begins with one of these."""
YES = ("healthy", "complete", "yes")
NO = ("▲ not healthy", "▲ not complete", "no")
_ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
_NUMBER = r"(-?[\d,]+(?:\.\d+)?)"
_FORMS: tuple[tuple[str, Callable[..., tuple[float, float]]], ...] = (
    # The number as it stands, and how far the value itself may be from it.
    (rf"^{_NUMBER} %", lambda n: (_of(n) / 100 - 0.00051, _of(n) / 100 + 0.00051)),
    (rf"^{_NUMBER} ms$", lambda n: _about(n)),
    (rf"^{_NUMBER} s$", lambda n: _about(n)),
    (r"^(\d+)m (\d\d)s$", lambda m, s: (60 * int(m) + int(s) - 0.5, 60 * int(m) + int(s) + 0.5)),
    (r"^(\d+)h (\d\d)m$", lambda h, m: _from(3600 * int(h) + 60 * int(m), 60)),
    (r"^(\d+)d (\d\d)h$", lambda d, h: _from(86400 * int(d) + 3600 * int(h), 3600)),
    (rf"^{_NUMBER}(?: [a-z]|$)", lambda n: _about(n)),
)


def agrees(text: str, value: Any) -> bool:
    """Whether words on a screen say what stands in the JSON report."""
    if value is None:
        return text.startswith(ABSENT)
    if isinstance(value, bool):
        return text in (YES if value else NO)
    if isinstance(value, int | float):
        low, high = read_number(text)
        return low <= value <= high
    if isinstance(value, dict):
        return _interval_agrees(text, value)
    if isinstance(value, list):
        return bool(text) == bool(value)
    if _ISO.match(value):
        return read_time(text, year=int(value[:4])) == datetime.fromisoformat(value).replace(
            microsecond=0
        )
    words = " ".join(value.split())
    return text == words or text.startswith(f"{words}; ") or words.startswith(text.rstrip("…"))


def read_number(text: str) -> tuple[float, float]:
    """The least and the largest number for which `text` may stand."""
    for form, span in _FORMS:
        if found := re.match(form, text):
            return span(*found.groups())
    raise AssertionError(f"{text!r} is no number")


def read_time(text: str, *, year: int) -> datetime:
    """A moment to the second; where no year stands, `year`."""
    for form in ("%d %b %Y %H:%M:%S UTC", "%Y %d %b %H:%M:%S"):
        try:
            words = f"{year} {text}" if form.startswith("%Y") else text
            return datetime.strptime(words, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise AssertionError(f"{text!r} is no moment")


def _interval_agrees(text: str, value: dict[str, Any]) -> bool:
    low, _, rest = text.partition(" to ")
    high = re.match(r"^.*? %|^no upper bound|^[\d.,e+]+", rest)
    assert high is not None, text
    ends = [value["low"], value["high"]]
    shown = [low, high[0]]
    near = all(
        end is None or _near(end, *read_number(words))
        for end, words in zip(ends, shown, strict=True)
        if words != "no upper bound"
    )
    return near and value["method"] in text


def _near(value: float, low: float, high: float) -> bool:
    # Ends of intervals are rounded outward, by up to a whole digit, or to four figures.
    slack = 0.0006 if value <= 1.0 else abs(value) * 1e-3
    return low - slack <= value <= high + slack


def _of(number: str) -> float:
    return float(number.replace(",", ""))


def _about(number: str) -> tuple[float, float]:
    digits = len(number.partition(".")[2])
    half = 0.5 * 10.0**-digits if digits else 0.0
    return _of(number) - half - 1e-9, _of(number) + half + 1e-9


def _from(least: float, size: float) -> tuple[float, float]:
    return least - 0.5, least + size + 0.5
