"""Which rows make a pair, and when a silent side counts as missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.compare.pairing import MAX_ATTEMPTS, pair_submissions
from harness.compare.sent import with_sent
from harness.resources import sql_queries
from tests.support.events import HOST, JOB, START, at
from tests.support.frames import (
    JOBS,
    SUBMISSIONS,
    Row,
    candidate,
    control,
    job,
    jobs_frame,
    observed,
    submissions_frame,
)
from tests.support.journals import make_journal, sound_job

DEADLINE_S = 600.0
BIRCH = "birch-index.test"
NOW = at(100)


def _pairs(
    *rows: Row, jobs: tuple[Row, ...] = (job(),), as_of: datetime = NOW, scale: float = 1.0
) -> list[Row]:
    frame, sent = pair_submissions(
        submissions_frame(rows),
        jobs_frame(jobs),
        as_of=as_of,
        deadline_s=DEADLINE_S,
        time_scale=scale,
    )
    return with_sent(frame, sent).to_dicts()


def _state(*rows: Row, **moment: Any) -> str:
    (pair,) = _pairs(*rows, **moment)
    return str(pair["state"])


def test_frames_of_the_factory_have_the_shape_of_the_views(tmp_path: Path) -> None:
    queries = sql_queries("views/select_submissions.sql")
    with make_journal(tmp_path, sound_job()).reader() as reader:
        assert dict(reader.frame(queries["select_submissions"]).schema) == SUBMISSIONS
        assert dict(reader.frame(queries["select_jobs"]).schema) == JOBS


def test_both_sides_of_one_host_make_one_pair() -> None:
    (pair,) = _pairs(control(), candidate("failed"))
    assert (pair["mode"], pair["job_id"], pair["directory"]) == ("live", JOB, HOST)
    assert (pair["control_outcome"], pair["candidate_outcome"]) == ("submitted", "failed")
    assert pair["state"] == "settled"


def test_other_jobs_and_hosts_never_pair() -> None:
    pairs = _pairs(
        control(), candidate(directory=BIRCH), candidate(job_id="job-b"),
        jobs=(job(), job("job-b")),
    )  # fmt: skip
    assert [(p["control_outcome"], p["candidate_outcome"]) for p in pairs] == [
        (None, "submitted"), ("submitted", None), (None, "submitted"),
    ]  # fmt: skip


def test_a_replay_pairs_with_the_production_control_and_makes_no_pair_without_one() -> None:
    alone = candidate(mode="demo", directory=BIRCH)
    pairs = _pairs(control(), candidate(mode="demo"), observed("failed"), alone)
    replayed = [pair for pair in pairs if pair["mode"] == "demo"]
    assert [(p["directory"], p["control_outcome"], p["observed_outcome"]) for p in replayed] == [
        (HOST, "submitted", "failed")
    ]


def test_several_control_rows_of_one_host_are_one_pair_and_counted() -> None:
    (pair,) = _pairs(control(unit="row-1"), control(unit="row-2"), candidate())
    assert pair["control_rows"] == 2


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        (("submitted", "submitted"), "settled"),
        (("submitted", "failed"), "excluded"),
        (("submitted", "in_flight"), "in_flight"),
        (("failed", "unknown"), "in_flight"),
        (("submitted", "failed", "in_flight"), "excluded"),
    ],
)
def test_rows_of_one_host_contradict_each_other_only_once_they_have_ended(
    outcomes: tuple[str, ...], state: str, order: int
) -> None:
    rows = [control(word, unit=f"row-{n}") for n, word in enumerate(outcomes[::order])]
    assert _state(*rows, candidate()) == state


def test_a_control_row_without_an_address_keeps_its_pair() -> None:
    (pair,) = _pairs(control("failed", directory=None), as_of=at(5000))
    assert (pair["directory"], pair["state"]) == ("", "missing_candidate")


@pytest.mark.parametrize(
    ("second", "state"),
    [(4 + DEADLINE_S, "in_flight"), (4 + DEADLINE_S + 0.001, "missing_candidate")],
)
def test_a_silent_candidate_is_missing_only_after_the_deadline(second: float, state: str) -> None:
    assert _state(control(), as_of=at(second)) == state


def test_every_sign_of_life_starts_the_deadline_anew() -> None:
    late = at(5000)
    assert _state(control(), as_of=late) == "missing_candidate"
    for sign in ("claimed_at", "triggered_at", "flow_started_at"):
        alive = job(**{sign: at(4900)})
        assert _state(control(), jobs=(alive,), as_of=late) == "in_flight"
    assert _state(control(), candidate("in_flight", started_at=at(4900)), as_of=late) == "in_flight"


def test_a_rehearsed_second_counts_as_many_as_the_scale_says() -> None:
    assert _state(control(), as_of=at(100)) == "in_flight"
    assert _state(control(), as_of=at(100), scale=10.0) == "missing_candidate"


@pytest.mark.parametrize(
    ("columns", "job_columns", "second", "state"),
    [
        ({"attempts": 1}, {}, 100, "in_flight"),
        ({"attempts": MAX_ATTEMPTS}, {}, 100, "settled"),
        ({"attempts": 1}, {"candidate_finished_at": at(90)}, 100, "settled"),
        ({"attempts": 1}, {}, 15 + DEADLINE_S + 1, "settled"),
        ({"attempts": 1, "mode": "demo"}, {}, 100, "settled"),
        ({"attempts": 1, "raw_status": "failed"}, {}, 100, "settled"),
    ],
)
def test_an_error_is_in_flight_while_it_may_be_retried(
    columns: Row, job_columns: Row, second: float, state: str
) -> None:
    error = candidate("failed", **({"raw_status": "error"} | columns))
    pairs = _pairs(control(), error, jobs=(job(**job_columns),), as_of=at(second))
    found = {pair["mode"]: pair for pair in pairs}
    pair = found[error["mode"]]
    assert pair["state"] == state
    assert pair["candidate_pending"] == (state == "in_flight")


def test_a_control_that_never_began_waits_in_its_backlog() -> None:
    waiting = control("in_flight", raw_status="pending", started_at=None)
    assert _state(waiting, candidate(), as_of=at(9000)) == "in_flight"


def test_a_control_that_began_and_stayed_silent_is_missing_after_the_deadline() -> None:
    begun = control("in_flight")
    assert _state(begun, candidate(), as_of=at(5 + DEADLINE_S)) == "in_flight"
    assert _state(begun, candidate(), as_of=at(5 + DEADLINE_S + 1)) == "missing_control"


def test_a_candidate_is_no_longer_pending_once_its_deadline_is_over() -> None:
    begun = control("in_flight", started_at=at(4990))
    (early,) = _pairs(begun, as_of=at(100))
    (late,) = _pairs(begun, as_of=at(5000))
    assert (early["state"], early["candidate_pending"]) == ("in_flight", True)
    assert (late["state"], late["candidate_pending"]) == ("in_flight", False)


def test_a_word_that_no_mapping_knows_settles_nothing() -> None:
    for second in (100, 9000):
        assert _state(control("unknown"), candidate(), as_of=at(second)) == "in_flight"


def test_without_its_job_nothing_is_overdue() -> None:
    assert _state(control(), jobs=(), as_of=at(10**6)) == "in_flight"


def test_before_the_record_is_proved_complete_nothing_is_missing() -> None:
    beginning = datetime.fromtimestamp(0, START.tzinfo)
    assert _state(control(), as_of=beginning) == "in_flight"


def test_empty_frames_give_no_pairs() -> None:
    assert _pairs(jobs=()) == []
