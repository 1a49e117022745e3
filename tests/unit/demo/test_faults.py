"""The catalogue of faults: complete, named by findings that exist, and placed beside each other."""

from __future__ import annotations

from itertools import combinations

import pytest

from harness.demo.actors.flow import PutBack, StartOverwritten, flow_writes
from harness.demo.catalogue import load_directories
from harness.demo.faults import Fault, choose, jobs_needed, load_faults, place
from harness.demo.script import Flow
from harness.demo.week import make_week
from harness.journal.detectors import catalogue

STAGED = tuple(fault for fault in load_faults() if fault.staged)


def test_every_known_fault_is_staged_or_says_why_not() -> None:
    faults = load_faults()
    assert [fault.id for fault in faults] == [f"B{number:02}" for number in range(1, 25)]
    assert len(STAGED) >= 18
    for fault in faults:
        assert fault.title
        assert fault.seen.endswith(".")


def test_every_staged_fault_is_named_by_a_finding_of_the_catalogue() -> None:
    assert {fault.finding for fault in STAGED} <= {detector.id for detector in catalogue()}


def test_all_faults_at_once_have_places_of_their_own() -> None:
    jobs = jobs_needed(STAGED)
    entries = place(STAGED, jobs=jobs)
    assert len({entry.job for entry in entries}) == len(entries) == jobs - 3
    week = make_week(directories=load_directories(), planted=entries, jobs=jobs)
    assert week.jobs[0].flow is Flow.COMPLETE


@pytest.mark.parametrize("pair", combinations(STAGED, 2), ids=lambda p: "+".join(f.id for f in p))
def test_any_two_faults_make_a_week(pair: tuple[Fault, Fault]) -> None:
    jobs = jobs_needed(pair)
    week = make_week(
        directories=load_directories(), planted=place(pair, jobs=jobs), jobs=jobs
    )  # fmt: skip
    assert {planted.kind for planted in week.planted} == {fault.finding for fault in pair}
    # What ends the record of the history comes last, and late enough for every silence before it.
    spoiled = [job.flow is Flow.UNRECORDABLE for job in week.jobs]
    assert spoiled == sorted(spoiled)
    # The shop takes the jobs as they come, so none may be due before the one in front of it.
    offsets = [job.created_offset_s for job in week.jobs]
    assert offsets == sorted(offsets)


def test_a_week_is_the_same_but_for_the_jobs_with_a_fault() -> None:
    faults = choose(["B09", "b12"])
    jobs = jobs_needed(faults)
    staged = make_week(directories=load_directories(), planted=place(faults, jobs=jobs), jobs=jobs)
    faithful = make_week(directories=load_directories(), jobs=jobs)
    changed = [
        a.ordinal for a, b in zip(staged.jobs, faithful.jobs, strict=True) if a != b
    ]  # fmt: skip
    assert changed == [2, 3]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["B99"], "'B99' is no fault; all or any of B01"),
        ([""], "'' is no fault"),
        (["B20"], "B20 cannot be staged: The delete fails"),
    ],
)
def test_a_fault_that_cannot_be_staged_is_refused_by_name(names: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        choose(names)


def test_all_is_every_staged_fault_once() -> None:
    assert choose(["all", "B09"]) == STAGED


def test_what_waits_for_the_old_poller_is_the_last_that_a_flow_does() -> None:
    faults = choose(["B08", "B18"])
    jobs = jobs_needed(faults)
    week = make_week(directories=load_directories(), planted=place(faults, jobs=jobs), jobs=jobs)
    last = [type(flow_writes(job)[-1]) for job in week.jobs]
    assert last.count(PutBack) == last.count(StartOverwritten) == 1
    (again,) = [job for job in week.jobs if job.flow is Flow.RUN_AGAIN]
    assert not any(isinstance(write, PutBack) for write in flow_writes(again, again=True))
