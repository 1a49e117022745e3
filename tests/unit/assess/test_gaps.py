"""Which gaps still cost evidence, and which a later sweep has made good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.assess.gaps import open_gaps, recorded_gaps
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, EventKind
from tests.support.events import at
from tests.support.journals import make_journal, make_watermarks
from tests.support.samples import make_gap


def _closed(folder: Path, *gaps: EventDraft, complete_until: float | None = 5000) -> list[bool]:
    until = None if complete_until is None else at(complete_until)
    with make_journal(folder, gaps, complete_until=until).reader() as reader:
        return [gap.closed for gap in recorded_gaps(reader)]


@pytest.mark.parametrize("what", ["production", "production:jobs", "journal", "recorder", "slot"])
def test_a_sweep_after_a_gap_closes_it(tmp_path: Path, what: str) -> None:
    assert _closed(tmp_path, make_gap(what, first=10, last=20)) == [True]


@pytest.mark.parametrize("what", ["", "queue_history", "a new source", "production, in part"])
def test_a_gap_of_which_no_sweep_can_make_anything_good_stays(tmp_path: Path, what: str) -> None:
    assert _closed(tmp_path, make_gap(what, first=10, last=20)) == [False]


@pytest.mark.parametrize("complete_until", [None, 19.9])
def test_without_a_sweep_after_it_a_gap_stays(tmp_path: Path, complete_until: float | None) -> None:
    gap = make_gap(first=10, last=20)
    assert _closed(tmp_path, gap, complete_until=complete_until) == [False]


@pytest.mark.parametrize("until", ["9:05", None, "2026-11-20T09:00:20"])
def test_a_gap_that_cannot_be_placed_stays(tmp_path: Path, until: str | None) -> None:
    assert _closed(tmp_path, make_gap(first=10, last=20, until=until)) == [False]


def test_a_sweep_before_the_gap_does_not_close_it_whatever_its_clock_says(tmp_path: Path) -> None:
    # The source's clock is an hour ahead, so its sweep claims a moment after the gap.
    journal = make_journal(tmp_path, [make_gap("prefect", first=1, last=2)])
    journal.append(Batch(events=(make_gap(first=10, last=20),)))
    with journal.reader() as reader:
        assert [gap.closed for gap in recorded_gaps(reader)] == [False, False]
    swept = make_gap("shadow queue", first=30, last=31)
    Journal(journal.path).append(Batch(events=(swept,), watermarks=make_watermarks(at(5001))))
    with journal.reader() as reader:
        assert [gap.closed for gap in recorded_gaps(reader)] == [False, True, False]
    with journal.reader(as_of=2) as reader:
        assert [gap.closed for gap in recorded_gaps(reader)] == [False, False]


def _open(folder: Path, events: Sequence[EventDraft], *, since: float | None = None) -> list[str]:
    with make_journal(folder, events).reader() as reader:
        moment = None if since is None else at(since)
        return [gap.what for gap in open_gaps(recorded_gaps(reader), since=moment)]


def test_gaps_of_samples_are_no_gaps_in_the_record_of_production(tmp_path: Path) -> None:
    gaps = [make_gap(what, first=10, last=20) for what in ("prefect", "shadow queue", "unheard of")]
    assert _open(tmp_path, gaps) == ["unheard of"]


def test_a_gap_that_was_over_when_the_week_began_costs_it_nothing(tmp_path: Path) -> None:
    gaps = [make_gap("unheard of", first=10, last=20)]
    assert _open(tmp_path, gaps, since=20) == []
    with make_journal(tmp_path, gaps, name="two.duckdb").reader() as reader:
        assert len(open_gaps(recorded_gaps(reader), since=at(19))) == 1


def test_a_source_that_went_back_in_time_is_a_gap_until_a_person_accepts_it(
    tmp_path: Path,
) -> None:
    def own(kind: EventKind, second: float, **payload: str) -> EventDraft:
        return EventDraft(
            source="recorder", kind=kind, key=f"{kind}:{second}", occurred_at=at(second),
            payload=payload,
        )  # fmt: skip

    rewound = own(EventKind.RECORD_REWOUND, 50, why="an older snapshot answers")
    journal = make_journal(tmp_path, [rewound])
    with journal.reader() as reader:
        (gap,) = open_gaps(recorded_gaps(reader), since=None)
    assert gap.words == "production went back in time, an older snapshot answers"
    journal.append(Batch(events=(own(EventKind.RECORD_ACKNOWLEDGED, 60, by="Ana Ruiz"),)))
    with journal.reader() as reader:
        assert recorded_gaps(reader) == ()
    with journal.reader(as_of=1) as reader:
        assert len(recorded_gaps(reader)) == 1
