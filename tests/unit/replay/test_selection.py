"""Which submissions the words of a selection leave, and that they can be told again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ReplayError
from harness.journal.reader import Reader
from harness.journal.store import Journal
from harness.model import Batch
from replay.selection import Pair, Selection, select_keys
from tests.support.events import at, make_control, make_job
from tests.support.journals import make_journal as journal_of

JOBS = [f"{n:08d}-2222-4222-8222-222222222222" for n in range(12)]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Twelve jobs, a minute apart, of two directories: one submitted, one failed or unfinished."""
    events = []
    for number, job_id in enumerate(JOBS):
        begun = at(60 * number)
        events.append(make_job(job_id, created_at=begun.isoformat()))
        events.append(make_control(job_id=job_id, host="good.example"))
        word = "failed" if number % 2 else "pending"
        events.append(make_control(word, job_id=job_id, host="bad.example"))
    with journal_of(tmp_path_factory.mktemp("selection"), events).reader() as reader:
        yield reader


def pairs(record: Reader, **words: Any) -> list[Pair]:
    keys = select_keys(record, Selection(**words))
    return [key.pair for key in keys.chunk(0, len(keys))]


def test_without_words_all_are_selected_in_the_order_of_the_jobs(record: Reader) -> None:
    everything = pairs(record)
    assert everything == [(job, host) for job in JOBS for host in ("bad.example", "good.example")]


def test_outcomes_are_the_controls_and_missing_means_that_it_has_none(record: Reader) -> None:
    failed = [(job, "bad.example") for job in JOBS[1::2]]
    unfinished = [(job, "bad.example") for job in JOBS[::2]]
    assert pairs(record, outcomes=("failed",)) == failed
    assert pairs(record, outcomes=("missing",)) == unfinished
    assert pairs(record, outcomes=("in_flight", "failed")) == sorted(failed + unfinished)
    with pytest.raises(ReplayError, match=r"outcomes = skipped: no recorded submission .* is so"):
        pairs(record, outcomes=("skipped",))
    with pytest.raises(ReplayError, match=r"outcome = good is no outcome\. Give one of submitted"):
        pairs(record, outcomes=("good",))


def test_times_are_half_open_and_in_the_right_order(record: Reader) -> None:
    everything = pairs(record)
    keys = select_keys(record, Selection()).chunk(0, 99)
    middle = keys[10].began_at
    assert middle is not None
    early, late = pairs(record, until=middle), pairs(record, since=middle)
    assert sorted(early + late) == everything
    assert keys[10].pair in late
    with pytest.raises(ReplayError, match=r"until = .* is not after since"):
        pairs(record, since=middle, until=middle - timedelta(seconds=1))


def test_pairs_and_jobs_are_taken_by_name(record: Reader) -> None:
    wanted = ((JOBS[3], "good.example"), (JOBS[5], "bad.example"))
    assert pairs(record, pairs=wanted) == list(wanted)
    assert pairs(record, pairs=wanted, jobs=(JOBS[5],)) == [wanted[1]]
    with pytest.raises(ReplayError, match=r"jobs = nobody: the journal holds no submission"):
        pairs(record, jobs=("nobody",))


@settings(deadline=None, max_examples=50)
@given(small=st.integers(1, 12), more=st.integers(0, 12), seed=st.none() | st.integers(0, 50))
def test_a_larger_sample_holds_the_smaller_one(
    record: Reader, small: int, more: int, seed: int | None
) -> None:
    few = {job for job, _ in pairs(record, sample=small, seed=seed)}
    many = {job for job, _ in pairs(record, sample=small + more, seed=seed)}
    assert len(few) == small
    assert few <= many


def test_each_job_is_as_likely_to_be_in_a_sample(record: Reader) -> None:
    drawn = dict.fromkeys(JOBS, 0)
    for seed in range(80):
        for job in {job for job, _ in pairs(record, sample=3, seed=seed)}:
            drawn[job] += 1
    # 20 expected each, standard deviation 4.
    assert all(5 < times < 35 for times in drawn.values()), drawn


def test_a_limit_comes_after_the_shuffle(record: Reader) -> None:
    everything = pairs(record, seed=5)
    assert sorted(everything) == pairs(record)
    assert everything != pairs(record)
    assert pairs(record, seed=5, limit=7) == everything[:7]


def test_an_empty_journal_says_what_to_do(tmp_path: Path) -> None:
    empty = Journal.create(tmp_path / "empty.duckdb")
    empty.append(Batch(events=(make_job(JOBS[0]),)))
    with pytest.raises(ReplayError, match="Record production first"), empty.reader() as reader:
        pairs(reader)


@given(
    st.builds(
        Selection,
        jobs=st.lists(st.text(min_size=1)).map(tuple),
        since=st.none() | st.just(at(3)),
        outcomes=st.lists(st.sampled_from(["failed", "missing"])).map(tuple),
        pairs=st.none() | st.lists(st.tuples(st.text(), st.text())).map(tuple),
        sample=st.none() | st.integers(1),
        limit=st.none() | st.integers(1),
        seed=st.none() | st.integers(),
    )
)
def test_what_an_event_holds_is_what_was_asked(selection: Selection) -> None:
    assert Selection.of_payload(selection.to_payload()) == selection
    assert selection.conflict_with(selection) is None
    assert Selection().conflict_with(selection) is None


def test_an_older_event_lacks_the_newer_words() -> None:
    older = {"run": "r", "jobs": ["a"], "limit": 3, "seed": None}
    assert Selection.of_payload(older) == Selection(jobs=("a",), limit=3)
