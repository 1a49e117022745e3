"""What may be typed to go to a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tui.jump import Jump, ToGateChange, ToMoment, parse_jump
from tests.tui.support import aware

SHOWN = aware("2026-11-23T08:30:00")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" 1,200 ", ToMoment(1200)),
        ("2026-11-20T14:05", ToMoment(aware("2026-11-20T14:05"))),
        ("@ 2026-11-20 14:05", ToMoment(aware("2026-11-20T14:05"))),
        ("2026-11-20T14:05+02:00", ToMoment(aware("2026-11-20T12:05"))),
        ("2026-11-20", ToMoment(aware("2026-11-20T00:00"))),
        ("14:05", ToMoment(aware("2026-11-23T14:05"))),
        ("14:05:30", ToMoment(aware("2026-11-23T14:05:30"))),
        ("-2h", ToMoment(aware("2026-11-23T06:30"))),
        ("@ -2h", ToMoment(aware("2026-11-23T06:30"))),
        ("+15m", ToMoment(aware("2026-11-23T08:45"))),
        ("LIVE", ToMoment(None)),
        ("gate", ToGateChange(forward=True)),
        ("next change of a gate", ToGateChange(forward=True)),
        ("previous gate", ToGateChange(forward=False)),
        ("start", ToMoment(1)),
    ],
)
def test_a_wish_leads_where_it_says(text: str, wanted: Jump) -> None:
    assert parse_jump(text, shown=SHOWN) == wanted


@pytest.mark.parametrize(
    "text", ["yesterday", "", "²", "25:00", "-2 parsecs", "-", "+", "@", "-9e999h"]
)
def test_what_is_no_moment_leads_nowhere(text: str) -> None:
    assert parse_jump(text, shown=SHOWN) is None


@pytest.mark.parametrize("text", ["-2h", "+1m", "14:05"])
def test_what_counts_from_the_moment_shown_needs_one(text: str) -> None:
    assert parse_jump(text, shown=None) is None


@given(st.text(max_size=40))
def test_no_text_whatever_raises(text: str) -> None:
    parse_jump(text, shown=SHOWN)


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_a_span_and_its_opposite_meet(count: int, unit: str) -> None:
    back = parse_jump(f"-{count}{unit}", shown=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(10**5))
    if isinstance(back, ToMoment) and isinstance(back.moment, datetime):
        again = parse_jump(f"+{count}{unit}", shown=back.moment)
        assert again == ToMoment(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(10**5))
