"""A page of jobs and one job in full say of each what the whole comparison says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.assess.job_search import JobSearch, parse_search
from harness.assess.jobs import job_detail, job_page
from harness.assessment import JobDetail, JobPage, JobRow
from harness.compare.beside import job_statuses
from harness.journal.store import Journal
from harness.model import LIVE, Verdict
from tests.support.events import HOST, JOB
from tests.support.journals import assessed, criteria, make_journal, sound_job
from tests.support.recorded_weeks import recorded_week
from tests.support.reference_runs import DEADLINE_S, compared, journal_of
from tests.support.reference_weeks import random_week

OTHER = "2222aaaa-2222-4222-8222-222222222222"


def page_of(
    journal: Journal, text: str = "", *, offset: int = 0, limit: int = 100, seq: int | None = None
) -> JobPage:
    with journal.reader(seq) as reader:
        return job_page(reader, criteria(), parse_search(text), offset=offset, limit=limit)


def detail_of(journal: Journal, job_id: str, seq: int | None = None) -> JobDetail | None:
    with journal.reader(seq) as reader:
        return job_detail(reader, criteria(), job_id)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """Two jobs; the second, later one has another directory too."""
    hosts = (HOST, "birch-index.test")
    events = [*sound_job(), *sound_job(OTHER, second=600, hosts=hosts)]
    return make_journal(tmp_path_factory.mktemp("two"), events)


@pytest.mark.parametrize("seed", range(6))
def test_pages_add_up_to_the_whole_comparison(seed: int, tmp_path: Path) -> None:
    week = random_week(seed)
    Journal.create(tmp_path / "empty.duckdb")
    journal = journal_of(week, tmp_path / "empty.duckdb", tmp_path / "week.duckdb")
    whole = compared(week, journal)
    rows: list[JobRow] = []
    with journal.reader() as reader:
        chosen = criteria(deadline_s=DEADLINE_S, time_scale=week.scale)
        total = job_page(reader, chosen, JobSearch(), offset=0, limit=1).jobs
        for offset in range(0, total, 2):
            rows += job_page(reader, chosen, JobSearch(), offset=offset, limit=2).rows
    assert len({row.job_id for row in rows}) == len(rows) == total
    pairs = whole.pairs.filter(whole.pairs["mode"] == LIVE)
    assert sum((Counter(dict(row.verdicts)) for row in rows), Counter()) == Counter(
        map(Verdict, pairs["verdict"].to_list())
    )
    statuses = job_statuses(whole.pairs)
    wanted = {
        job: (old, new) for mode, job, old, new in statuses.iter_rows() if mode == LIVE
    }  # fmt: skip
    shown = {row.job_id: (row.control_status, row.candidate_status) for row in rows}
    assert {job: status for job, status in shown.items() if status != (None, None)} == wanted


def test_the_newest_job_comes_first_and_pages_do_not_overlap(two: Journal) -> None:
    assert [row.job_id for row in page_of(two).rows] == [OTHER, JOB]
    first, second = page_of(two, limit=1), page_of(two, offset=1, limit=1)
    assert [row.job_id for row in (*first.rows, *second.rows)] == [OTHER, JOB]
    beyond = page_of(two, offset=2, limit=1)
    assert (beyond.rows, beyond.found, beyond.jobs) == ((), 2, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {JOB, OTHER}), ("AAAA", {OTHER}), ("birch", {OTHER}), ("birch maple", {OTHER}),
        ("2222 maple", {OTHER}), ("directory:birch", {OTHER}), ("directory:2222", set()),
        ("package:50", {JOB, OTHER}), ("package:51", set()), ("priority:3 1111", {JOB}),
        ("old:completed", {JOB, OTHER}), ("new:failed", set()), ("old:", {JOB, OTHER}),
        ("nobody", set()), ("%", set()), ("birch birch", {OTHER}),
    ],
)  # fmt: skip
def test_a_search_is_answered_by_the_journal(two: Journal, text: str, found: set[str]) -> None:
    page = page_of(two, text)
    assert {row.job_id for row in page.rows} == found
    assert (page.found, page.jobs) == (len(found), 2)


def test_what_is_no_number_is_said_and_never_asked(two: Journal) -> None:
    assert parse_search("package:many").wrong == "package:many is no number; write package:50"
    with pytest.raises(ValueError, match="is no number"):
        page_of(two, "package:many")


@given(st.text(max_size=40))
def test_any_text_is_a_search(text: str) -> None:
    found = parse_search(text)
    assert found.wrong or all(word == word.casefold() for word in found.words)


def test_a_job_in_full_as_of_a_moment(two: Journal) -> None:
    whole = detail_of(two, OTHER)
    assert whole is not None
    live = [one for one in whole.submissions if one.mode == LIVE]
    assert [(one.directory, one.verdict) for one in live] == [
        ("birch-index.test", Verdict.AGREE), (HOST, Verdict.AGREE),
    ]  # fmt: skip
    assert [one.mode for one in whole.submissions][2:] == ["demo", "demo"]
    assert (live[0].control_s, live[0].candidate_s) == (54.0, 7.1)
    assert whole.row == page_of(two).rows[0]
    assert {event.lane for event in whole.events} == {"control", "candidate", "job", "replay"}
    assert [event.occurred_at for event in whole.events] == sorted(
        event.occurred_at for event in whole.events
    )
    assert detail_of(two, "nobody") is None
    first = min(event.seq for event in whole.events)
    assert detail_of(two, OTHER, first - 1) is None
    then = detail_of(two, OTHER, first)
    assert then is not None
    assert [event.seq for event in then.events] == [first]


def test_too_many_events_are_cut_and_counted(two: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = detail_of(two, JOB)
    monkeypatch.setattr("harness.assess.jobs.MOST_EVENTS", 3)
    cut = detail_of(two, JOB)
    assert whole is not None
    assert cut is not None
    assert len(cut.events) == 3
    assert cut.events_before == len(whole.events) - 3
    assert min(event.seq for event in cut.events) > min(event.seq for event in whole.events)


def test_the_sum_of_all_rows_is_that_of_the_report(tmp_path: Path) -> None:
    journal = recorded_week(tmp_path, 3)
    assessment = assessed(journal)
    rows = page_of(journal).rows
    (live, *_) = assessment.pairs
    for verdict, number in live.verdicts:
        assert sum(row.count(verdict) for row in rows) == number
    assert page_of(journal).jobs == assessment.coverage.jobs
