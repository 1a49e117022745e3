"""What must change nothing, what must change one thing, and what must be mirrored."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from harness.model import EventDraft
from tests.support.journals import make_journal
from tests.support.reference_runs import Results, compared, journal_of, results_of
from tests.support.reference_weeks import Week, random_week, reordered

TIME_COLUMNS = ("created_at", "started_at", "completed_at", "updated_at")

Change = Callable[[Week, random.Random], Week]


def in_another_order(week: Week, chance: random.Random) -> Week:
    return replace(week, batches=(tuple(reordered(week.events, chance)),))


def in_other_batches(week: Week, chance: random.Random) -> Week:
    events = week.events
    cuts = sorted(chance.randint(0, len(events)) for _ in range(3))
    bounds = zip([0, *cuts], [*cuts, len(events)], strict=True)
    return replace(week, batches=tuple(tuple(events[low:high]) for low, high in bounds))


def delivered_again(week: Week, chance: random.Random) -> Week:
    events = week.events
    doubled = [*events, *chance.sample(events, len(events))]
    again = tuple(chance.sample(events, chance.randint(1, len(events))))
    return replace(week, batches=(tuple(doubled), again))


def at_another_time(week: Week, chance: random.Random) -> Week:
    by = timedelta(microseconds=chance.randint(-(10**14), 10**14))
    batches = tuple(tuple(_shifted(event, by) for event in batch) for batch in week.batches)
    return replace(week, batches=batches, until=week.until + by)


def _shifted(event: EventDraft, by: timedelta) -> EventDraft:
    def moved(name: str, value: Any) -> Any:
        is_time = name in TIME_COLUMNS and value is not None
        return (datetime.fromisoformat(value) + by).isoformat() if is_time else value

    payload = {name: moved(name, value) for name, value in event.payload.items()}
    return replace(event, occurred_at=event.occurred_at + by, payload=payload)


# A seed cannot be shrunk to anything simpler.
@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [in_another_order, in_other_batches, delivered_again, at_another_time]
)
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 2**32))
def test_how_a_week_was_recorded_changes_no_verdict(change: Change, seed: int) -> None:
    week = random_week(seed)
    assert _results(change(week, random.Random(seed))) == _results(week)


def _results(week: Week) -> Results:
    with tempfile.TemporaryDirectory() as folder:
        empty = make_journal(Path(folder), name="empty.duckdb").path
        return results_of(compared(week, journal_of(week, empty, Path(folder) / "week.duckdb")))
