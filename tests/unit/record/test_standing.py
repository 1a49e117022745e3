"""Going back: in the source's history, and on its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from harness.record.postgres.standing import ClockWatch, Standing
from harness.record.postgres.xids import CRASH_REUSE_XIDS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lsn", "xmax", "word"),
    [
        (500, 2_000_000, None),
        (501, 2_000_001, None),
        (499, 2_000_001, "its log stands at 0/1F3, and stood at 0/1F4"),
        (600, 2_000_000 - CRASH_REUSE_XIDS, None),
        (600, 2_000_000 - CRASH_REUSE_XIDS - 1, "its next transaction is 1934463"),
    ],
)
def test_a_lower_log_position_or_far_lower_transaction_number_is_another_history(
    lsn: int, xmax: int, word: str | None
) -> None:
    back = Standing(lsn=500, xmax=2_000_000).went_back(Standing(lsn=lsn, xmax=xmax))
    assert back is None if word is None else back is not None and word in back


def test_a_watermark_of_an_older_recorder_remembers_no_standing() -> None:
    assert Standing.from_position({"xid": 7}) is None
    assert Standing.from_position({"lsn": 5, "xmax": 7}) == Standing(lsn=5, xmax=7)


def test_a_clock_that_is_set_back_is_noticed_however_long_two_looks_are_apart() -> None:
    for apart_s in (0.5, 5.0, 60.0):
        watch = ClockWatch()
        assert watch.look(NOON, asked_s=0.0, answered_s=0.01) is None
        # Two seconds back is the margin of S: from there on rows would be passed over.
        back = NOON + timedelta(seconds=apart_s - 2.0)
        why = watch.look(back, asked_s=apart_s, answered_s=apart_s + 0.01)
        assert why is not None
        assert "set back" in why


def test_a_clock_that_goes_on_evenly_is_trusted_and_one_set_forward_too() -> None:
    watch = ClockWatch()
    assert watch.look(NOON, asked_s=0.0, answered_s=0.2) is None
    assert watch.look(NOON + timedelta(seconds=2), asked_s=2.1, answered_s=2.2) is None
    assert watch.look(NOON + timedelta(hours=1), asked_s=4.0, answered_s=4.2) is None


def test_an_answer_that_took_long_cannot_vouch_for_the_clock() -> None:
    watch = ClockWatch()
    assert watch.look(NOON, asked_s=0.0, answered_s=0.01) is None
    why = watch.look(NOON + timedelta(seconds=2), asked_s=2.0, answered_s=5.0)
    assert why is not None
    assert "too slowly" in why
