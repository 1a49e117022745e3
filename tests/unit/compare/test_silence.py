"""Silence counts only while it could have been broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from harness.compare.silence import BlindPeriod, silent_for_s

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)


def at(minute: float) -> datetime:
    return NINE + timedelta(minutes=minute)


def silent_min(last: float, *, until: float, blind: list[BlindPeriod]) -> float:
    frame = pl.DataFrame({"last": [at(last)]})
    expression = silent_for_s(pl.col("last"), until=at(until), time_scale=1.0, blind=blind)
    return float(frame.select(expression).item()) / 60


@pytest.mark.parametrize(
    ("blind", "minutes"),
    [
        ([], 60.0),
        # Over before the last sign: it hid nothing that came after.
        ([(None, at(-5))], 60.0),
        ([(at(-30), at(-5))], 60.0),
        # The whole week.
        ([(None, None)], 0.0),
        # From before the last sign to after it, and then the migration came.
        ([(None, at(30))], 0.0),
        # Begins after the last sign: the silence up to there was really heard.
        ([(at(40), None)], 40.0),
        ([(at(40), at(50))], 40.0),
        # The first one counts.
        ([(at(20), at(25)), (at(40), None)], 20.0),
        # Begins after what the record covers.
        ([(at(90), None)], 60.0),
    ],
)
def test_silence_counts_up_to_the_first_time_in_which_nothing_could_be_heard(
    blind: list[BlindPeriod], minutes: float
) -> None:
    assert silent_min(0, until=60, blind=blind) == pytest.approx(minutes)
