"""The scripts of a rehearsal: big enough, invented, reproducible, and faithful when asked to be."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from harness.demo.catalogue import load_directories
from harness.demo.planted import PlantedEntry, load_planted
from harness.demo.script import Flow, JobScript, Result, Week
from harness.demo.week import make_week

HOST = "quillfinder.example"
ALL_SUBMITTED = {"submitted", "approved", "success"}


def shipped_week(*, jobs: int = 60, faithful: bool = False) -> Week:
    return make_week(
        directories=load_directories(), planted=load_planted(), jobs=jobs, faithful=faithful
    )


def candidate_submits(job: JobScript, number: int) -> bool:
    last = job.submissions[number].candidate[-1].result
    return last in (Result.SUBMITTED, Result.SKIPPED_DUPLICATE)


def test_there_are_enough_directories_and_all_of_them_are_invented() -> None:
    directories = load_directories()
    assert len(directories) >= 24
    assert len({d.host for d in directories}) == len(directories)
    assert len({d.archetype for d in directories}) == 9
    assert all(re.search(r"\.(example|test)$", d.host) for d in directories)


def test_a_week_has_sixty_jobs_of_two_to_twelve_directories() -> None:
    week = shipped_week()
    assert len(week.jobs) == 60
    sizes = [len({row.host for row in job.submissions}) for job in week.jobs]
    assert min(sizes) >= 2
    assert max(sizes) <= 12
    assert len({job.customer.customer_id for job in week.jobs}) == 60


def test_at_least_twelve_faults_of_at_least_eight_kinds_are_planted() -> None:
    planted = shipped_week().planted
    assert len(planted) >= 12
    assert len({fault.kind for fault in planted}) >= 8


def test_the_same_seed_gives_the_same_week() -> None:
    assert shipped_week() == shipped_week()


def test_a_short_week_is_the_beginning_of_a_long_one() -> None:
    assert shipped_week(jobs=12).jobs == shipped_week().jobs[:12]


def test_nobody_in_a_week_exists() -> None:
    for job in shipped_week().jobs:
        business = job.customer.business
        assert business.email.endswith(".example")
        assert business.website.endswith(".example")
        assert re.fullmatch(r"\+1\d{3}55501\d\d", business.phone)


def test_in_a_faithful_week_both_sides_reach_the_same_outcome_everywhere() -> None:
    week = shipped_week(faithful=True)
    assert week.planted == ()
    outcomes: Counter[bool] = Counter()
    for job in week.jobs:
        assert job.flow is Flow.COMPLETE
        for number, row in enumerate(job.submissions):
            control = row.control.status in ALL_SUBMITTED
            assert candidate_submits(job, number) == control, (job.ordinal, row.host)
            outcomes[control] += 1
    # Failures on both sides belong to a faithful week; they must not be all of it.
    assert outcomes[False] >= 5
    assert outcomes[True] > 10 * outcomes[False]


def test_a_planted_week_differs_from_a_faithful_one_only_where_something_is_planted() -> None:
    planted, faithful = shipped_week(), shipped_week(faithful=True)
    touched = {fault.job for fault in planted.planted}
    for one, other in zip(planted.jobs, faithful.jobs, strict=True):
        assert one.customer == other.customer
        if one.ordinal not in touched:
            assert [r.control.status for r in one.submissions] == [
                r.control.status for r in other.submissions
            ]


def test_innocent_variations_stand_around_the_planted_faults() -> None:
    week = shipped_week()
    urls = [row.directory_url for job in week.jobs for row in job.submissions]
    assert any("//www." in url for url in urls)
    assert any(url.endswith("/") for url in urls)
    assert any(url != url.lower() for url in urls)
    words = {row.control.status for job in week.jobs for row in job.submissions}
    assert {"submitted", "approved", "success", "failed"} <= words
    phones = {re.sub(r"\d", "9", row.listing["phone"]) for j in week.jobs for row in j.submissions}
    assert len(phones) >= 5
    orders = {tuple(row.listing) for job in week.jobs for row in job.submissions}
    assert len(orders) > 10


def test_planting_twice_at_one_place_is_refused_by_name() -> None:
    entry = next(e for e in load_planted() if e.directory)
    twice = [entry, entry.model_copy(update={"id": "again"})]
    with pytest.raises(ValueError, match="another entry is planted at the same place"):
        make_week(directories=load_directories(), planted=twice)


def test_a_wrong_value_that_is_right_after_all_is_refused() -> None:
    week = shipped_week(faithful=True)
    right = week.jobs[3].customer.business.phone
    entry = next(e for e in load_planted() if e.send)
    same = entry.model_copy(update={"send": {"phone": f"({right[2:5]}) {right[5:]}"}})
    with pytest.raises(ValueError, match="is what the business has"):
        make_week(directories=load_directories(), planted=[same])


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ({}, "nothing is planted"),
        ({"directory": HOST}, "nothing is planted"),
        ({"directory": HOST, "flow": "not_enqueued"}, "are of the whole job"),
        ({"paths": ("/a", "/b")}, "send and paths need a directory"),
        ({"candidate": ({"result": "error"},)}, "has an error text"),
        ({"candidate": (), "every_attempt": {"result": "failed"}}, "candidate or every_attempt"),
    ],
)
def test_a_plant_that_contradicts_itself_is_refused(plant: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PlantedEntry(id="nowhere", kind="slow", job=1, found_by="live", note="", **plant)
