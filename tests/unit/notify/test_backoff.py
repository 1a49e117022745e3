"""How long another attempt waits."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.notify.backoff import LONGEST_S, pauses, retry_after_s

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


@settings(deadline=None)
@given(st.integers(1, 20), st.randoms(use_true_random=False))
def test_pauses_double_up_to_a_bound_and_chance_takes_at_most_half(
    attempts: int, rng: random.Random
) -> None:
    waits = list(pauses(attempts, rng))
    assert len(waits) == attempts - 1
    for number, wait_s in enumerate(waits):
        most_s = min(2.0**number, LONGEST_S)
        assert 0.5 * most_s <= wait_s <= most_s


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert list(pauses(5, random.Random(1))) != list(pauses(5, random.Random(2)))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("Mon, 23 Nov 2026 08:30:20 GMT", 20.0),
     ("Mon, 23 Nov 2026 08:00:00 GMT", 0.0), ("999999999999", 86400.0),
     ("Mon, 23 Nov 2099 08:00:00 GMT", 86400.0), (None, None), ("", None), ("soon", None),
     ("-5", None), ("1.5", None), ("²", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_anything_else_is_none(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, NOW) == seconds
