"""Every number that stands on a screen is somewhere in the report of the same moment.

The other tests ask for each figure that they know of whether it is right. This one asks the other
way round, so that a figure which nobody thought of is found: what on the screen is no word of the
report, no moment and no number of it, and follows from none in one of the ways that `derived` says?
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from harness.journal.store import Journal
from harness.tui.widgets.navigation import SCREENS
from tests.support.recorded_weeks import recorded_week
from tests.tui.reading import read_number
from tests.tui.support import drive, press, settle, text_of
from tests.tui.test_figures import app_on, go_to, report_of

Report = Mapping[str, Any]
SIZE = (200, 120)
LEAST = {"overview": 50, "differences": 8, "jobs": 15, "gates": 10, "findings": 15, "replays": 8,
         "rules": 30, "health": 25}  # fmt: skip
"""Numbers that a screen of a whole week has at least: who reads none finds none wrong."""
_DRAWN = re.compile(r"[│╭╮╰╯─▁▔━┄●◆]")
_MOMENT = re.compile(r"\b\d\d [A-Z][a-z]{2} (?:\d{4} )?\d\d:\d\d(?::\d\d)?|\b\d\d:\d\d(?::\d\d)?\b")
_NUMBER = re.compile(
    r"(?<![\w.,:/-])\d[\d,]*(?:\.\d+)?(?: %|%| ms\b| s\b|m \d\ds|h \d\dm|d \d\dh)?(?![\w:/-])"
)
_PERCENT = re.compile(r"^([\d,]+(?:\.(\d+))?) ?%$")


def leaves(value: Any) -> Iterator[Any]:
    """Everything in a report that is no list and no object, and how many each of these holds."""
    if isinstance(value, Mapping | list):
        yield len(value)
        if isinstance(value, Mapping):
            yield from value
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(inner)
    else:
        yield value


def derived(report: Report) -> Iterator[float]:
    """What a screen works out of the report, and the report leaves to its reader."""
    for latency in report["latency"]:
        # By how much a percentile of the candidate's is above the control's, "+42%".
        for control, candidate in zip(latency["control"], latency["candidate"], strict=False):
            if control["value_s"] and candidate["value_s"] is not None:
                yield abs(candidate["value_s"] / control["value_s"] - 1)


def numbers_on(text: str, words: set[str]) -> Iterator[str]:
    """The numbers of a screen that are part of no word of the report and of no moment."""
    longest_first = sorted(words, key=len, reverse=True)
    for line in text.splitlines():
        left = " ".join(_DRAWN.sub(" ", line).split())
        for word in longest_first:
            left = left.replace(word, "~")
        yield from _NUMBER.findall(_MOMENT.sub("~", left))


def spans(number: str) -> tuple[float, float]:
    """The least and the largest value for which the number may stand."""
    if (percent := _PERCENT.match(number)) is None:
        return read_number(number)
    half = 0.5 * 10.0 ** -len(percent[2] or "") / 100 + 1e-9
    share = float(percent[1].replace(",", "")) / 100
    return share - half, share + half


def from_nowhere(text: str, report: Report, known: set[str]) -> tuple[list[str], int]:
    """The numbers of a screen that nothing explains, and how many it has in all.

    known: words of the journal that the report masks or leaves out.
    """
    found = list(leaves(report))
    words = {" ".join(one.split()) for one in found if isinstance(one, str)} | known
    words = {word for word in words if len(word) > 2 and any(map(str.isdigit, word))}
    values = [one for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    values += derived(report)
    shown = list(numbers_on(text, words))
    lost = []
    for number in shown:
        low, high = spans(number)
        if not any(low <= value <= high for value in values):
            lost.append(number)
    return lost, len(shown)


def words_of(journal: Journal, seq: int, mode: str) -> set[str]:
    """What a screen shows and a report does not: values of businesses, sizes of jobs' packages."""
    with journal.reader(seq) as reader:
        if mode == "jobs":
            sizes = reader.rows("SELECT DISTINCT package_size FROM jobs_now")
            return {f" {size} " for (size,) in sizes}
        sent = reader.rows("SELECT sent FROM submissions_now WHERE sent IS NOT NULL")
    return {text for (document,) in sent for text in re.findall(r"[^\"]+", document)}


@pytest.mark.parametrize("seed", range(2))
def test_no_number_on_a_screen_comes_from_nowhere(seed: int, tmp_path: Path) -> None:
    journal = recorded_week(tmp_path, seed)
    moments = [random.Random(seed).randint(1, journal.head().seq), journal.head().seq]
    seen: dict[str, int] = {}
    first = report_of(journal, 3)
    explained_by_first: set[str] = set()

    async def scenario(pilot: Pilot[int]) -> None:
        for seq in moments:
            await go_to(pilot, seq)
            report = report_of(journal, seq)
            for key, (mode, _) in enumerate(SCREENS, start=1):
                await press(pilot, f"{key}")
                await settle(pilot)
                text, known = text_of(pilot.app), words_of(journal, seq, mode)
                lost, seen[mode] = from_nowhere(text, report, known)
                assert not lost, (mode, seq, lost)
                if seq == moments[-1] and not from_nowhere(text, first, known)[0]:
                    explained_by_first.add(mode)

    drive(app_on(journal), scenario, size=SIZE)
    assert {mode: count for mode, count in seen.items() if count < LEAST[mode]} == {}
    # The report of another moment explains hardly any of these screens.
    assert len(explained_by_first) <= len(SCREENS) // 4
