"""Two runs as the sides of a comparison, and one share per job and field."""

from __future__ import annotations

import numpy as np
import polars as pl

from harness.compare.comparison import Comparison, compare
from harness.compare.noise import field_shares, runs_as_sides
from harness.model import LIVE
from tests.support.events import at
from tests.support.frames import (
    Row,
    candidate,
    control,
    job,
    jobs_frame,
    observed,
    submissions_frame,
)
from tests.support.journals import criteria

A, B = "a.example", "b.example"
OTHER = "22222222-1111-4111-8111-111111111111"
JOBS = jobs_frame([job(OTHER), job(created_at=at(9))])


def compared(rows: pl.DataFrame) -> Comparison:
    return compare(rows, JOBS, criteria().rules, as_of=at(100), deadline_s=2400)


def replayed(run: str, host: str, outcome: str = "submitted", **columns: str) -> list[Row]:
    where: Row = {"mode": run, "directory": host}
    return [candidate(outcome, **where), observed(**where, **columns)]


def test_the_first_run_plays_the_control_with_what_its_sites_received() -> None:
    rows = submissions_frame(
        [
            control(directory=A, sent_name="Maple Joinery"),
            *replayed("one", A, sent_name="Maple"),
            *replayed("two", A, sent_name="Birch"),
            *replayed("three", A, sent_name="Cedar"),
        ]
    )
    sides = runs_as_sides(rows, first="one", second="two")
    found = {(r["mode"], r["side"], r["sent_name"]) for r in sides.iter_rows(named=True)}
    assert found == {
        (LIVE, "control", "Maple"), ("two", "candidate", None), ("two", "observed", "Birch"),
    }  # fmt: skip
    cells = compared(sides).cells.filter(pl.col("mode") == "two")
    differs = dict(cells.select("field", "differs").iter_rows())
    assert differs == {"outcome": False, "values.name": True}


def test_the_same_rules_judge_both_comparisons() -> None:
    rows = submissions_frame(
        [
            *replayed("one", A, sent_phone="+1 202-555-0142"),
            *replayed("two", A, sent_phone="(202) 555-0142"),
        ]
    )
    cells = compared(runs_as_sides(rows, first="one", second="two")).cells
    assert not cells["differs"].any()
    assert "values.phone" in cells["field"].to_list()


def test_shares_stand_in_the_controls_order_and_by_field() -> None:
    rows = submissions_frame(
        [
            *(control(directory=host) for host in (A, B)),
            control(directory=A, job_id=OTHER),
            *replayed("one", A, "failed"),
            *replayed("one", B),
            *replayed("two", A),
            *replayed("two", B),
            candidate(job_id=OTHER, directory=A, mode="one"),
        ]
    )
    again = compared(runs_as_sides(rows, first="one", second="two"))
    shares = field_shares(compared(rows), again, JOBS, mode="one", run="two")
    assert set(shares) == {("outcome",)}
    outcome = shares["outcome",]
    # The other job was created first, so it stands first; no run repeats it.
    assert outcome.raw_low.tolist() == outcome.raw_high.tolist() == [0.0, 0.5]
    assert outcome.noise.tolist() == [0.0, 0.5]
    assert outcome.has_raw.tolist() == [True, True]
    assert outcome.has_noise.tolist() == [False, True]
    by = ("field", "directory")
    apart = field_shares(compared(rows), again, JOBS, mode="one", run="two", by=by)
    assert {key: s.raw_low.tolist() for key, s in apart.items()} == {
        ("outcome", A): [0.0, 1.0], ("outcome", B): [0.0],
    }  # fmt: skip
    assert apart["outcome", A].noise[1] == 1.0
    assert apart["outcome", B].noise.tolist() == [0.0]


def test_what_is_in_flight_may_still_differ() -> None:
    rows = submissions_frame(
        [
            *(control(directory=host) for host in (A, B)),
            candidate("failed", directory=A, error_class="captcha", attempts=4),
            candidate("in_flight", directory=B),
            *replayed("one", A),
            *replayed("two", A),
        ]
    )
    again = compared(runs_as_sides(rows, first="one", second="two"))
    shares = field_shares(compared(rows), again, JOBS, mode=LIVE, run="two")["outcome",]
    # The other job has no row at all, on either side.
    np.testing.assert_array_equal(shares.raw_low, [0.5])
    np.testing.assert_array_equal(shares.raw_high, [1.0])


def test_a_ceiling_is_no_difference_between_two_sides() -> None:
    rows = submissions_frame(
        [control(directory=A), candidate(directory=A, duration_ms=900_000.0), *replayed("one", A)]
    )
    live = compared(rows)
    assert "latency_s" in live.cells["field"].to_list()
    again = compared(runs_as_sides(rows, first="one", second="two"))
    assert set(field_shares(live, again, JOBS, mode=LIVE, run="two")) == {("outcome",)}
