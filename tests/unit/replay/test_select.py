"""Which submissions are replayed, with what plan and in what world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import ReplayError
from harness.journal.store import Journal
from harness.model import Batch, EventDraft, PlanStep
from replay.sandbox.conditions import (
    ENVIRONMENT_UNKNOWN,
    PLAN_MISSING,
    PLAN_UNPLAYABLE,
    Condition,
)
from replay.select import Excluded, Replayable, Selected, read_plan, select_submissions
from tests.support.events import HOST, JOB, at, make_control, make_history, make_job, make_plan
from tests.support.replays import BUSINESS, REFUSED, every_condition, make_journal, make_steps

OTHER = "22222222-2222-4222-8222-222222222222"


def select(journal: Journal, **options: Any) -> tuple[Selected, ...]:
    with journal.reader() as reader:
        return select_submissions(reader, **options)


def only(folder: Path, *events: EventDraft) -> Selected:
    (found,) = select(make_journal(folder, *events))
    return found


def replayable(found: Selected) -> Replayable:
    assert isinstance(found, Replayable)
    return found


def customer(**columns: Any) -> EventDraft:
    row = {"id": "c-1", "customer_id": f"DIR-{JOB[:4]}", "business_name": "Of the customer"}
    return EventDraft(
        source="production", kind="customers", key="customers:1",
        occurred_at=at(0), payload=row | columns,
    )  # fmt: skip


def test_each_condition_is_read_from_the_record(tmp_path: Path) -> None:
    found = {one.key[1]: one for one in select(make_journal(tmp_path, *every_condition()))}
    conditions = {host: one.condition for host, one in found.items() if isinstance(one, Replayable)}
    assert conditions == {
        "accepted.example": Condition.ACCEPTED,
        "refused.example": Condition.REFUSED,
        "misleading.example": Condition.REFUSED_MISLEADING,
        "captcha.example": Condition.CAPTCHA,
        "slow.example": Condition.SLOW,
    }
    assert found["unknown.example"] == Excluded(
        job_id=JOB, directory="unknown.example", reason=ENVIRONMENT_UNKNOWN
    )


def test_the_control_s_own_words_tell_which_wall_it_met(tmp_path: Path) -> None:
    rows = [
        make_control("failed", host="a.example", message="Playwright error: server answered 403"),
        make_control("failed", host="b.example", message="Playwright error: login required"),
    ]
    found = {one.key[1]: one for one in select(make_journal(tmp_path, *rows))}
    assert replayable(found["a.example"]).condition is Condition.FORBIDDEN
    assert replayable(found["b.example"]).condition is Condition.LOGIN


def test_a_recorded_plan_is_used_as_it_is(tmp_path: Path) -> None:
    steps = [
        {"action": "goto", "url": f"https://{HOST.upper()}/add"},
        {"action": "fill", "selector": "#n", "value": 'ü "x"\n', "extra": 1},
        {"action": "wait", "seconds": 2},
        {"action": "dance"},
    ]
    found = replayable(only(tmp_path, make_control(), make_steps(HOST, {}, steps=steps)))
    assert found.order.plan_source == "recorded"
    assert found.order.plan == (
        PlanStep(action="goto", url=f"https://{HOST.upper()}/add"),
        PlanStep(action="fill", selector="#n", value='ü "x"\n'),
        PlanStep(action="wait", seconds=2.0),
        PlanStep(action="dance"),
    )


def test_the_brain_s_whole_answer_holds_the_plan(tmp_path: Path) -> None:
    draft = make_plan({"name": "A"})
    payload = draft.payload["payload"]
    payload["plan"] = {"plan": payload["plan"], "constraints": {"rateLimitMs": 1500}}
    found = replayable(only(tmp_path, make_control(), draft))
    assert [step.action for step in found.order.plan] == ["goto", "fill"]


def test_the_newest_plan_counts_and_its_host_may_be_written_otherwise(tmp_path: Path) -> None:
    newest = make_plan({"name": "new"}, host=f"WWW.{HOST.capitalize()}", version=2)
    found = replayable(only(tmp_path, make_control(), make_plan({"name": "old"}), newest))
    assert found.order.directory == HOST
    assert found.order.plan[1].value == "new"


def test_without_a_plan_the_brain_s_fixed_steps_are_made(tmp_path: Path) -> None:
    found = replayable(only(tmp_path, make_control()))
    assert found.order.plan_source == "synthesised"
    assert [step.action for step in found.order.plan] == ["goto", *["fill"] * 5, "click", "wait"]
    assert found.order.plan[0].url == f"https://{HOST}/submit"
    typed = {step.selector: step.value for step in found.order.plan if step.action == "fill"}
    assert typed["input[name='name']"] == BUSINESS["business_name"]
    assert typed["textarea[name='description']"] == BUSINESS["description"]


def test_the_customer_s_record_comes_before_the_job_s(tmp_path: Path) -> None:
    found = replayable(only(tmp_path, make_control(), customer(phone="1", city=None)))
    assert found.order.business == {"name": "Of the customer", "phone": "1"}


def test_the_control_s_own_row_serves_where_nothing_else_does(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j.duckdb")
    row = make_control(business={"business_name": "Of the row", "email": "a@b.example"})
    journal.append(Batch(events=(make_job(), row)))
    (found,) = select(journal)
    assert replayable(found).order.business["name"] == "Of the row"


def test_neither_plan_nor_business_is_an_exclusion(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "j.duckdb")
    journal.append(Batch(events=(make_job(), make_control())))
    assert select(journal) == (Excluded(job_id=JOB, directory=HOST, reason=PLAN_MISSING),)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        ["goto"],
        [{"url": "https://x.example"}],
        [{"action": "goto", "url": 5}],
        [{"action": "wait", "seconds": "soon"}],
        [{"action": "fill", "selector": "input:nth-child(2)", "value": "a"}],
    ],
)
def test_a_plan_that_cannot_be_played_is_an_exclusion(tmp_path: Path, steps: list[Any]) -> None:
    found = only(tmp_path, make_control(), make_steps(HOST, {}, steps=steps))
    assert found == Excluded(job_id=JOB, directory=HOST, reason=PLAN_UNPLAYABLE)


def test_rows_of_one_host_are_one_submission(tmp_path: Path) -> None:
    rows = [make_control(unit=f"row-{n}", url=f"https://{HOST}/{n}") for n in range(3)]
    assert replayable(only(tmp_path, *rows)).condition is Condition.ACCEPTED
    (tmp_path / "b").mkdir()
    refused = make_control("failed", unit="row-9", message=REFUSED)
    assert only(tmp_path / "b", *rows, refused) == Excluded(
        job_id=JOB, directory=HOST, reason=ENVIRONMENT_UNKNOWN
    )


def test_a_word_of_no_vocabulary_and_a_row_without_address_tell_nothing(tmp_path: Path) -> None:
    rows = [make_control("archived"), make_control(host="x.example", url="https://", unit="u")]
    found = select(make_journal(tmp_path, *rows))
    assert {one.reason for one in found if isinstance(one, Excluded)} == {ENVIRONMENT_UNKNOWN}
    assert len(found) == 2


def test_a_candidate_that_never_spoke_changes_nothing(tmp_path: Path) -> None:
    """Its plan alone makes a row of the candidate without a word."""
    refused = make_control("failed", message=REFUSED)
    found = replayable(only(tmp_path, refused, make_plan({"name": "A"})))
    assert found.condition is Condition.REFUSED


def two_jobs(folder: Path) -> Journal:
    later = make_job(OTHER, business_data=BUSINESS, created_at=at(-50).isoformat())
    rows = [make_control(job_id=job, host=f"{n}.example") for job in (JOB, OTHER) for n in "ab"]
    return make_journal(folder, later, *rows)


def test_the_order_is_that_of_the_control_s_jobs(tmp_path: Path) -> None:
    keys = [one.key for one in select(two_jobs(tmp_path))]
    assert keys == [(job, f"{n}.example") for job in (OTHER, JOB) for n in "ab"]


def test_a_seed_shuffles_the_same_way_each_time_and_a_limit_cuts(tmp_path: Path) -> None:
    journal = two_jobs(tmp_path)
    keys = [one.key for one in select(journal)]
    shuffled = {seed: [one.key for one in select(journal, seed=seed)] for seed in range(8)}
    assert all(sorted(found) == sorted(keys) for found in shuffled.values())
    assert len({tuple(found) for found in shuffled.values()}) > 3
    assert [one.key for one in select(journal, seed=3, limit=2)] == shuffled[3][:2]
    assert [one.key for one in select(journal, limit=3)] == keys[:3]


def test_only_the_jobs_that_were_asked_for(tmp_path: Path) -> None:
    journal = two_jobs(tmp_path)
    assert {one.key[0] for one in select(journal, jobs=[OTHER])} == {OTHER}
    with pytest.raises(ReplayError, match="jobs = nobody"):
        select(journal, jobs=[OTHER, "nobody"])


def test_a_record_without_submissions_is_an_error_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="shadow record"):
        select(make_journal(tmp_path))


def test_it_sees_nothing_that_came_later(tmp_path: Path) -> None:
    journal = make_journal(tmp_path, make_control("submitting"))
    before = journal.head().seq
    journal.append(Batch(events=(make_control(version=2), make_history("submitted", number=1))))
    with journal.reader(before) as reader:
        assert isinstance(select_submissions(reader)[0], Excluded)
    assert isinstance(select(journal)[0], Replayable)


def test_a_plan_that_is_no_list_is_not_read() -> None:
    assert read_plan('"goto"') is None
    assert read_plan('{"plan": "goto"}') is None
    assert read_plan('{"steps": []}') is None
