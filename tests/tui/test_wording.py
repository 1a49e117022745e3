"""Words, signs and bars: what must read without colour and must never harm a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tui import wording
from harness.tui.widgets.band_plot import MOST_POINTS, thin
from harness.tui.widgets.interval_bar import BOTH, INTERVAL, THRESHOLD, TRACK, VALUE, Bar, draw_bar
from tests.support.assessments import make_series


@given(st.text())
def test_recorded_text_never_carries_a_control_character(text: str) -> None:
    assert all(char.isprintable() for char in wording.plain(text))
    assert all(char.isprintable() for char in wording.value_text(text))


def test_white_space_in_a_compared_value_is_made_visible() -> None:
    assert wording.value_text(" Juniper") == "“ Juniper”"
    assert wording.value_text("") == "“”"
    assert wording.value_text(None) == "–"
    assert wording.value_text("Juniper & Pine") == "Juniper & Pine"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"), (float("inf"), "–"), (0.04, "0.0 s"), (59.9, "59.9 s"), (59.97, "1m 00s"),
        (212, "3m 32s"), (3599.7, "1h 00m"), (7500, "2h 05m"), (273600, "3d 04h"),
    ],
)  # fmt: skip
def test_durations_are_short_and_never_say_60(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words
    assert len(words) <= 7


def test_production_carries_no_rehearsal_warning() -> None:
    assert wording.rehearsal(1.0) is None
    assert "REHEARSAL at 200 times" in str(wording.rehearsal(200.0))


def bar(value: float | None = 0.96, threshold: float = 0.9) -> Bar:
    return Bar(low=0.85, high=0.99, value=value, threshold=threshold, start=0.8, end=1.0)


def test_a_bar_shows_interval_value_and_threshold() -> None:
    assert draw_bar(bar(), 21) == "·····━━━━━┃━━━━━●━━━·"


def test_value_on_the_threshold_hides_neither() -> None:
    drawn = draw_bar(bar(value=0.9), 21)
    assert BOTH in drawn
    assert VALUE not in drawn
    assert THRESHOLD not in drawn


def test_a_bar_without_value_still_shows_the_threshold() -> None:
    assert VALUE not in draw_bar(bar(value=None), 21)
    assert THRESHOLD in draw_bar(bar(value=None), 21)


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 40)
)  # fmt: skip
def test_a_bar_fills_its_width_whatever_the_numbers(
    low: float, high: float, value: float, threshold: float, width: int
) -> None:
    low, high = min(low, high), max(low, high)
    one = Bar(low=low, high=high, value=value, threshold=threshold, start=0.8, end=1.0)
    drawn = draw_bar(one, width)
    assert len(drawn) == width
    assert set(drawn) <= {TRACK, INTERVAL, VALUE, THRESHOLD, BOTH}
    if width:
        assert THRESHOLD in drawn or BOTH in drawn


def test_a_long_series_is_thinned_and_keeps_its_ends() -> None:
    series = make_series(5000)
    thinned = thin(series)
    assert len(thinned) == MOST_POINTS
    assert (thinned[0], thinned[-1]) == (series[0], series[-1])
    assert thin(series[:7]) == list(series[:7])
