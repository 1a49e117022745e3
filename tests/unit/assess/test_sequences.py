"""From pairs and jobs to one value per job: order, worst case, fates and durations."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assess.sequences import (
    LEAKS,
    Durations,
    JobSequence,
    candidate_end_to_end,
    count_fates,
    job_sequence,
    spans,
    submission_spans,
    with_fate,
)
from harness.compare.comparison import compare
from harness.compare.rules import RuleSet, parse_rules
from harness.resources import package_text
from harness.stats.quantiles import DurationState
from tests.support.events import HOST, at
from tests.support.frames import Row, candidate, control, job, jobs_frame, submissions_frame

FINISHED, RUNNING, LOST = DurationState
SHIPPED = parse_rules(package_text("compare/default-rules.toml"), origin="shipped")
DEADLINE_S = 600.0
HOSTS = (HOST, "birch-index.test", "cedar-pages.example", "dogwood.test")


def _pairs(rows: list[Row], jobs: list[Row], until: datetime, rules: RuleSet) -> pl.DataFrame:
    return compare(
        submissions_frame(rows), jobs_frame(jobs), rules, as_of=until, deadline_s=DEADLINE_S
    ).pairs


def _sequence(
    rows: list[Row], jobs: list[Row], *, second: float = 100, rules: RuleSet = SHIPPED
) -> JobSequence:
    return job_sequence(_pairs(rows, jobs, at(second), rules), jobs_frame(jobs))


def _fated(rows: list[Row], jobs: list[Row], *, second: float = 5000) -> pl.DataFrame:
    until = at(second)
    return with_fate(
        jobs_frame(jobs),
        _pairs(rows, jobs, until, SHIPPED),
        until=until,
        deadline_s=DEADLINE_S,
        scale=1.0,
    )


def _fate(rows: list[Row], *, second: float = 5000, **columns: Any) -> str:
    quiet = {"claimed_at": None, "triggered_at": None, "flow_started_at": None}
    return str(_fated(rows, [job(**(quiet | columns))], second=second)["fate"][0])


def test_jobs_stand_in_the_order_of_the_control_whoever_finished_first() -> None:
    jobs = [
        job("late", created_at=at(50)),
        job("b", created_at=at(10)),
        job("a", created_at=at(10)),
    ]
    rows = [
        side
        for n, name in enumerate(["late", "b", "a"])
        for side in (control(job_id=name, finished_at=at(n)), candidate(job_id=name))
    ]
    ordered = sorted(jobs, key=lambda row: (row["created_at"], row["job_id"]))
    assert _sequence(rows, ordered).job_ids.to_list() == ["a", "b", "late"]
    assert _sequence(rows[::-1], ordered).created_at.to_list() == [at(10), at(10), at(50)]


def test_a_job_counts_the_share_of_its_submissions_that_agree() -> None:
    rows = [control(directory=host) for host in HOSTS]
    rows += [candidate("failed", directory=HOSTS[0])]
    rows += [candidate(directory=host) for host in HOSTS[1:]]
    found = _sequence(rows, [job()])
    assert found.sizes.tolist() == [4.0]
    assert found.agreement_low.tolist() == found.agreement_high.tolist() == [0.75]
    assert found.success_low.tolist() == found.success_high.tolist() == [0.75]
    assert (found.control_success, found.compared) == (1.0, 1)


def test_a_pending_submission_stands_with_its_worst_and_its_best_case() -> None:
    rows = [control(directory=host) for host in HOSTS] + [candidate(directory=HOSTS[0])]
    found = _sequence(rows, [job()])
    assert (found.agreement_low.tolist(), found.agreement_high.tolist()) == ([0.25], [1.0])
    assert (found.raw_low.tolist(), found.raw_high.tolist()) == ([0.25], [1.0])
    assert (found.success_low.tolist(), found.success_high.tolist()) == ([0.25], [1.0])


def test_a_job_of_which_nothing_is_settled_is_not_compared_yet() -> None:
    found = _sequence([control()], [job()])
    assert (found.compared, found.sizes.tolist()) == (0, [1.0])


def test_a_missing_candidate_disagrees_and_fails() -> None:
    found = _sequence([control()], [job()], second=5000)
    assert (found.agreement_high.tolist(), found.success_high.tolist()) == ([0.0], [0.0])


def test_the_candidates_success_is_known_before_the_control_has_finished() -> None:
    found = _sequence([control("in_flight"), candidate()], [job()])
    assert (found.agreement_low.tolist(), found.agreement_high.tolist()) == ([0.0], [1.0])
    assert (found.success_low.tolist(), found.success_high.tolist()) == ([1.0], [1.0])


def test_an_error_that_may_be_retried_has_not_failed_yet() -> None:
    error = candidate("failed", raw_status="error", attempts=1)
    found = _sequence([control(), error], [job()])
    assert (found.success_low.tolist(), found.success_high.tolist()) == ([0.0], [1.0])
    last = candidate("failed", raw_status="error", attempts=4)
    assert _sequence([control(), last], [job()]).success_high.tolist() == [0.0]


def test_a_candidate_silent_past_its_deadline_has_failed_whatever_the_control_does() -> None:
    begun = control("in_flight", started_at=at(4990))
    found = _sequence([begun], [job()], second=5000)
    assert (found.success_low.tolist(), found.success_high.tolist()) == ([0.0], [0.0])
    assert found.agreement_high.tolist() == [1.0]


def test_replays_and_jobs_without_submissions_stay_out_of_the_sequence() -> None:
    rows = [control(), candidate(), candidate("failed", mode="demo")]
    found = _sequence(rows, [job(), job("job-b")])
    assert (found.job_ids.to_list(), found.agreement_low.tolist()) == ([job()["job_id"]], [1.0])


def test_the_raw_figure_counts_without_rules() -> None:
    rows = [control(raw_status="approved"), candidate()]
    found = _sequence(rows, [job()])
    assert (found.agreement_low.tolist(), found.raw_high.tolist()) == ([1.0], [0.0])


@settings(max_examples=25, deadline=None)
@given(
    states=st.lists(
        st.tuples(
            st.sampled_from([None, "in_flight", "submitted", "failed"]),
            st.sampled_from(["in_flight", "submitted", "failed", "skipped"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    data=st.data(),
)
def test_worst_case_is_never_above_and_best_case_never_below_any_completion(
    states: list[tuple[str | None, str, bool]], data: st.DataObject
) -> None:
    now: list[Row] = []
    later: list[Row] = []
    for number, (old, new, retry) in enumerate(states):
        where = {"job_id": f"job-{number // 2}", "directory": HOSTS[number % 2]}
        raw = "error" if new == "failed" and retry else new
        now += [control(old, **where), candidate(new, raw_status=raw, **where)]
        done = (
            old
            if old in ("submitted", "failed")
            else data.draw(st.sampled_from(["submitted", "failed"]))
        )
        if new == "in_flight" or raw == "error":
            new = data.draw(st.sampled_from(["submitted", "failed"]))
        later += [control(done, **where), candidate(new, **where)]
    jobs = [job(f"job-{n}") for n in range(4)]
    early, late = _sequence(now, jobs), _sequence(later, jobs)
    for name in ("agreement", "success", "raw"):
        assert (getattr(early, f"{name}_low") <= getattr(late, f"{name}_low") + 1e-12).all()
        assert (getattr(early, f"{name}_high") >= getattr(late, f"{name}_high") - 1e-12).all()
        assert (getattr(late, f"{name}_low") == getattr(late, f"{name}_high")).all()


def test_the_sequence_does_not_depend_on_the_order_of_the_pairs() -> None:
    rows = [
        side
        for n in range(6)
        for side in (
            control(job_id=f"job-{n % 3}", directory=HOSTS[n % 2]),
            candidate(
                ["failed", "submitted"][n % 2], job_id=f"job-{n % 3}", directory=HOSTS[n % 2]
            ),
        )
    ]
    jobs = [job(f"job-{n}", created_at=at(n)) for n in range(3)]
    one = _sequence(rows, jobs)
    random.Random(5).shuffle(rows)
    other = _sequence(rows, jobs)
    assert one.job_ids.equals(other.job_ids)
    assert one.agreement_low.tolist() == other.agreement_low.tolist()


@pytest.mark.parametrize(
    ("columns", "fate"),
    [
        ({"candidate_finished_at": at(60)}, "processed"),
        ({}, "never_enqueued"),
        ({"claimed_at": at(2)}, "lost_after_claim"),
        ({"claimed_at": at(2), "triggered_at": at(3)}, "lost_after_trigger"),
        ({"claimed_at": at(2), "triggered_at": at(3), "flow_started_at": at(4)}, "never_finished"),
    ],
)
def test_a_lost_job_is_named_by_the_last_stage_it_reached(columns: Row, fate: str) -> None:
    assert _fate([control()], **columns) == fate
    assert _fate([control()], second=60, **columns) == (
        "processed" if fate == "processed" else "pending"
    )


def test_a_job_whose_submissions_still_move_is_pending() -> None:
    moving = [control(), candidate("in_flight", started_at=at(4800))]
    assert _fate(moving, flow_started_at=at(4)) == "pending"
    ended = [control(), candidate(finished_at=at(4900))]
    assert _fate(ended, flow_started_at=at(4)) == "pending"


def test_before_the_record_is_proved_complete_no_job_is_lost() -> None:
    assert _fate([], second=-(10**9)) == "pending"


def test_every_kind_of_leak_is_counted_even_where_it_did_not_happen() -> None:
    jobs = [job("a", candidate_finished_at=at(9)), job("b"), job("c", created_at=at(4900))]
    jobs[2] |= {"claimed_at": None, "triggered_at": None, "flow_started_at": None}
    fates = count_fates(_fated([], jobs))
    assert (fates.admitted, fates.processed, fates.pending) == (3, 1, 1)
    assert fates.losses == dict.fromkeys(LEAKS, 0) | {"never_finished": 1}


def test_no_jobs_have_no_fates() -> None:
    fates = count_fates(_fated([], []))
    assert (fates.admitted, fates.processed, fates.pending) == (0, 0, 0)
    assert set(fates.losses) == set(LEAKS)


def _end_to_end(jobs: list[Row], *, second: float = 5000, scale: float = 1.0) -> Durations:
    return candidate_end_to_end(_fated([], jobs, second=second), until=at(second), scale=scale)


def test_end_to_end_runs_from_created_to_the_candidates_end() -> None:
    found = _end_to_end([job(candidate_finished_at=at(90))])
    assert (found.seconds.tolist(), found.states.tolist()) == ([90.0], [FINISHED])


def test_a_running_job_counts_with_the_time_elapsed_so_far() -> None:
    found = _end_to_end([job(created_at=at(10))], second=110)
    assert (found.seconds.tolist(), found.states.tolist()) == ([100.0], [RUNNING])


def test_lost_jobs_and_jobs_that_failed_as_a_whole_never_end() -> None:
    failed = job("b", candidate_finished_at=at(90), candidate_status="failed")
    assert _end_to_end([job("a"), failed]).states.tolist() == [LOST, LOST]


def test_a_job_that_begins_after_the_complete_record_has_run_for_no_time() -> None:
    found = _end_to_end([job(created_at=at(200))], second=100)
    assert (found.seconds.tolist(), found.states.tolist(), found.skewed) == ([0.0], [RUNNING], 0)


def test_a_duration_below_zero_is_left_out_and_counted() -> None:
    jobs = [job("a", candidate_finished_at=at(-5)), job("b", candidate_finished_at=at(30))]
    found = _end_to_end(jobs)
    assert (found.seconds.tolist(), found.states.tolist(), found.skewed) == ([30.0], [FINISHED], 1)


def test_durations_count_scaled_seconds() -> None:
    assert _end_to_end([job(candidate_finished_at=at(9))], scale=200.0).seconds.tolist() == [1800.0]


def test_spans_begin_with_their_own_start_and_censor_what_has_no_end() -> None:
    jobs = _fated(
        [],
        [job("a", claimed_at=at(30)), job("b", claimed_at=None), job("c", claimed_at=at(40))],
        second=100,
    )
    wait = spans(
        jobs, start="created_at", end="claimed_at", until=at(100), scale=1.0, lost=pl.lit(False)
    )
    assert (wait.seconds.tolist(), wait.states.tolist()) == (
        [30.0, 100.0, 40.0],
        [FINISHED, RUNNING, FINISHED],
    )
    processing = spans(
        jobs, start="claimed_at", end="candidate_finished_at", until=at(100), scale=1.0,
        lost=pl.col("job_id") == "a",
    )  # fmt: skip
    assert (processing.seconds.tolist(), processing.states.tolist()) == (
        [0.0, 60.0],
        [LOST, RUNNING],
    )


def _directory_spans(rows: list[Row], side: str, *, scale: float = 1.0) -> Durations:
    return submission_spans(_pairs(rows, [job()], at(100), SHIPPED), side=side, scale=scale)


def test_a_directory_takes_what_its_side_measured() -> None:
    rows = [control(), candidate(duration_ms=7100.0)]
    assert _directory_spans(rows, "control").seconds.tolist() == [55.0]
    assert _directory_spans(rows, "candidate").seconds.tolist() == [7.1]


def test_a_directory_takes_no_more_or_less_beside_others() -> None:
    places = [f"{name}.test" for name in ("ash", "birch", "cedar")]
    rows = [
        row
        for place in places
        for row in (control(directory=place), candidate(directory=place, duration_ms=1100.0))
    ]
    assert _directory_spans(rows, "candidate").seconds.tolist() == [1.1, 1.1, 1.1]


def test_the_candidates_own_figure_is_not_scaled_and_a_measured_one_is() -> None:
    rows = [control(), candidate(duration_ms=7100.0)]
    assert _directory_spans(rows, "control", scale=10.0).seconds.tolist() == [550.0]
    assert _directory_spans(rows, "candidate", scale=10.0).seconds.tolist() == [7.1]


def test_unmeasured_and_unfinished_submissions_have_no_duration() -> None:
    rows = [control(started_at=None), candidate("in_flight")]
    assert _directory_spans(rows, "control").states.size == 0
    assert _directory_spans(rows, "candidate").states.size == 0


def test_a_submission_that_ends_before_it_begins_is_left_out_and_counted() -> None:
    late = at(60) + timedelta(seconds=1)
    found = _directory_spans([control(started_at=late), candidate()], "control")
    assert (found.states.tolist(), found.skewed) == ([], 1)
