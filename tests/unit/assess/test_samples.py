"""How far samples cover the record, and what they saw."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assess.gaps import RecordedGap, recorded_gaps
from harness.assess.samples import (
    RecordSpan,
    _sampling,
    dead_letters_seen,
    dlq_sampling,
    prefect_errors,
    prefect_sampling,
    record_span,
)
from harness.gates.inputs import SAMPLES_APART_S, Sampling
from harness.journal.reader import Reader
from harness.model import EventDraft, Source
from tests.support.events import at, make_history
from tests.support.journals import make_journal
from tests.support.samples import (
    make_dead_letter,
    make_flow_run,
    make_gap,
    make_prefect_sample,
    make_queue_sample,
    make_start,
)

HOUR = 3600.0


@contextmanager
def reading(
    folder: Path, events: Sequence[EventDraft], *, until: float = HOUR, since: float | None = None
) -> Iterator[tuple[Reader, RecordSpan]]:
    name = f"{uuid.uuid4().hex}.duckdb"
    with make_journal(folder, events, complete_until=at(until), name=name).reader() as reader:
        week = None if since is None else at(since)
        yield reader, record_span(reader, complete_until=at(until), since=week)


def queue(folder: Path, events: Sequence[EventDraft], **options: float) -> Sampling:
    with reading(folder, [make_start(), *events], **options) as (reader, span):
        return dlq_sampling(reader, span, recorded_gaps(reader))


def prefect(folder: Path, events: Sequence[EventDraft], **options: float) -> Sampling:
    with reading(folder, [make_start(), *events], **options) as (reader, span):
        return prefect_sampling(reader, span, recorded_gaps(reader))


def test_samples_all_along_cover_the_record(tmp_path: Path) -> None:
    found = queue(tmp_path, [make_queue_sample(n) for n in range(0, 3601, 300)])
    assert found == Sampling(samples=13, share=1.0, behind_s=0.0)


def test_one_sample_covers_nothing(tmp_path: Path) -> None:
    found = queue(tmp_path, [make_queue_sample(1800)])
    assert (found.samples, found.share, found.behind_s) == (1, 0.0, 1800.0)


def test_never_asked_is_the_default(tmp_path: Path) -> None:
    assert queue(tmp_path, []) == Sampling()


@pytest.mark.parametrize(
    ("apart", "share"), [(SAMPLES_APART_S, 660 / 3600), (SAMPLES_APART_S + 1, 60 / 3600)]
)
def test_samples_far_apart_say_nothing_of_the_time_between(
    tmp_path: Path, apart: float, share: float
) -> None:
    found = queue(tmp_path, [make_queue_sample(60), make_queue_sample(60 + apart)])
    assert found.share == pytest.approx(share)


def test_a_gap_is_not_covered_by_the_samples_around_it(tmp_path: Path) -> None:
    samples = [make_queue_sample(n) for n in range(0, 3601, 300)]
    gaps = [
        make_gap("shadow queue", first=1000, last=1180),
        make_gap("shadow queue", first=1090, last=1360),
        make_gap("prefect", first=2000, last=2300),
        make_gap("production", first=2000, last=2300),
    ]
    assert queue(tmp_path, [*samples, *gaps]).share == pytest.approx(0.9)


def test_only_samples_that_counted_the_dead_letters_count(tmp_path: Path) -> None:
    samples = [make_queue_sample(n, dlq_depth=None if n else 0) for n in range(0, 3601, 300)]
    assert queue(tmp_path, samples).samples == 1


def test_only_the_recorded_time_of_the_week_must_be_covered(tmp_path: Path) -> None:
    samples = [make_queue_sample(n) for n in range(1800, 3601, 300)]
    assert queue(tmp_path, samples).share == pytest.approx(0.5)
    with reading(tmp_path, [make_start(), *samples], since=1800) as (reader, span):
        assert dlq_sampling(reader, span, ()).share == 1.0


def test_without_a_recorder_there_is_no_record_to_cover(tmp_path: Path) -> None:
    with reading(tmp_path, [make_queue_sample(0), make_queue_sample(60)]) as (reader, span):
        assert dlq_sampling(reader, span, ()) == Sampling(samples=2)


MOMENTS = st.lists(st.integers(0, 7200), max_size=12).map(sorted)


@settings(max_examples=200, deadline=None)
@given(times=MOMENTS, gaps=st.lists(st.tuples(st.integers(0, 7200), st.integers(0, 900))))
def test_the_share_is_that_of_seconds_counted_one_by_one(
    times: list[int], gaps: list[tuple[int, int]]
) -> None:
    start, end = 600, 6600
    recorded = [
        RecordedGap(what="prefect", words="", since=at(first), until=at(first + long), closed=False)
        for first, long in gaps
    ]
    found = _sampling(
        [at(second) for second in times],
        RecordSpan(start=at(start), end=at(end)),
        recorded,
        source=Source.PREFECT,
    )
    seen = set()
    for one, after in pairwise([start, *times] if len(times) > 1 else times):
        if after - one <= SAMPLES_APART_S:
            seen |= set(range(max(one, start), min(after, end)))
    for first, long in gaps:
        seen -= set(range(first, first + long))
    assert found.share == pytest.approx(len(seen) / (end - start))


def test_the_worst_sample_counts_and_what_was_read(tmp_path: Path) -> None:
    samples = [make_queue_sample(0), make_queue_sample(30, dlq_depth=1, dlq_in_flight=2)]
    letters = [make_dead_letter(n) for n in range(5)]
    with reading(tmp_path, [*samples, make_queue_sample(60)]) as (reader, span):
        assert dead_letters_seen(reader, span) == 3
    with reading(tmp_path, [*samples, *letters, *letters]) as (reader, span):
        # One after the other was taken away, so that no sample ever saw them together.
        assert dead_letters_seen(reader, span) == 5


def test_dead_letters_that_nobody_counted_are_unknown(tmp_path: Path) -> None:
    with reading(tmp_path, [make_queue_sample(1, dlq_depth=None)]) as (reader, span):
        assert dead_letters_seen(reader, span) is None


def test_what_lay_in_the_queue_before_the_week_is_not_counted(tmp_path: Path) -> None:
    events = [make_start(), make_queue_sample(10, dlq_depth=4), make_queue_sample(30)]
    with reading(tmp_path, events, since=20) as (reader, span):
        assert dead_letters_seen(reader, span) == 0


NONE = {"failed": 0, "crashed": 0, "late": 0, "no_deployment": 0}
ERRORS: dict[str, tuple[list[EventDraft], dict[str, int]]] = {
    "nothing": ([], {}),
    "a failed run that was tried again": (
        [make_flow_run("FAILED"), make_flow_run("COMPLETED", second=40)], {"failed": 1},
    ),
    "two runs, one of them twice": (
        [make_flow_run("FAILED"), make_flow_run("FAILED", run="run-2"),
         make_flow_run("CRASHED", run="run-2")], {"failed": 2, "crashed": 1},
    ),
    "a run that began late": ([make_flow_run("RUNNING", late_s=61.0)], {"late": 1}),
    "a run that waits": (
        [make_prefect_sample(n, late_runs=[{"flow_run_id": "run-1"}]) for n in (30, 60)],
        {"late": 1},
    ),
    "no deployment for a while": ([make_prefect_sample(30, deployments=0)], {"no_deployment": 1}),
    "another deployment": ([make_prefect_sample(30, exists=False)], {"no_deployment": 1}),
    "cancelled": ([make_flow_run("CANCELLED")], {}),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(ERRORS))
def test_errors_in_prefect_are_counted_by_kind(tmp_path: Path, case: str) -> None:
    events, counts = ERRORS[case]
    with reading(tmp_path, [make_start(), make_prefect_sample(0), *events]) as (reader, span):
        assert prefect_errors(reader, span) == NONE | counts


def test_a_prefect_that_was_never_asked_has_no_number_of_errors(tmp_path: Path) -> None:
    with reading(tmp_path, [make_start()]) as (reader, span):
        assert prefect_errors(reader, span) is None


def test_errors_before_the_week_are_not_counted(tmp_path: Path) -> None:
    events = [make_start(), make_prefect_sample(10, deployments=0), make_prefect_sample(30),
              make_flow_run("FAILED", second=15)]  # fmt: skip
    with reading(tmp_path, events, since=20) as (reader, span):
        assert prefect_errors(reader, span) == NONE


def test_a_prefect_that_was_asked_all_along_leaves_nothing_out(tmp_path: Path) -> None:
    found = prefect(tmp_path, [make_prefect_sample(n) for n in range(0, 3601, 600)])
    assert found == Sampling(samples=7, share=1.0)


Change = Callable[[float], EventDraft]


def _from(second: float) -> Change:
    return lambda n: make_prefect_sample(n, covers_from=at(second).isoformat())


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (_from(3100), "flow runs that ended between 20 November 09:50:00 and 20 November 09:51:40"),
        (lambda n: make_prefect_sample(n, open_complete=False), "have not ended"),
        (lambda n: make_prefect_sample(n, histories_waiting=2), "earlier states of 2 flow runs"),
    ],
)
def test_what_the_samples_left_out_is_said(tmp_path: Path, last: Change, words: str) -> None:
    samples = [make_prefect_sample(n) for n in range(0, 3001, 600)]
    (unseen,) = prefect(tmp_path, [*samples, last(3600)]).unseen
    assert words in unseen


def test_an_outage_that_the_next_sample_reaches_behind_leaves_nothing_out(tmp_path: Path) -> None:
    samples = [make_prefect_sample(n) for n in (0, 600, 3600)]
    found = prefect(tmp_path, [*samples, make_gap("prefect", first=630, last=3600)])
    assert found.unseen == ()
    assert found.share == pytest.approx(1 / 6)


def test_a_first_sample_that_begins_after_the_record_leaves_its_beginning_out(
    tmp_path: Path,
) -> None:
    (unseen,) = prefect(
        tmp_path, [_from(60)(600), make_prefect_sample(900, covers_from=None)]
    ).unseen
    assert "20 November 09:00:00 and 20 November 09:01:00" in unseen


def test_a_run_that_the_candidate_triggered_and_prefect_never_showed_is_missed(
    tmp_path: Path,
) -> None:
    triggered = [
        make_history("flow_triggered", number=n, host=None, second=n, flow_run_id=f"run-{n}")
        for n in (1, 2, 3570)
    ]
    events = [*triggered, make_flow_run(run="run-1"), make_prefect_sample(0),
              make_prefect_sample(3600)]  # fmt: skip
    # The last one was triggered so shortly before the sample that it may not have been asked for.
    assert prefect(tmp_path, events).unseen == ("1 flow run that the candidate triggered",)
