"""Where submissions are lost: planted losses come first, and every judged pair is counted once."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from harness.assess.breakdown import break_down
from harness.assessment import Breakdown
from harness.model import LIVE, Verdict

PAIR = st.fixed_dictionaries(
    {
        "mode": st.sampled_from([LIVE, "demo"]),
        "directory": st.sampled_from(["a.example", "b.example", "c.test", ""]),
        "archetype": st.sampled_from(["wizard", "login_wall", None]),
        "package_size": st.sampled_from([50, 100, None]),
        "verdict": st.sampled_from([verdict.value for verdict in Verdict]),
        "control_outcome": st.sampled_from(["submitted", "failed", "skipped", None]),
        "candidate_outcome": st.sampled_from(["submitted", "failed", "skipped", None]),
    }
)
SCHEMA = {
    "mode": pl.String, "directory": pl.String, "archetype": pl.String,
    "package_size": pl.Int32, "verdict": pl.String,
    "control_outcome": pl.String, "candidate_outcome": pl.String,
}  # fmt: skip


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def pair(directory: str, verdict: str, control: str, candidate: str | None) -> dict[str, object]:
    return {
        "mode": LIVE, "directory": directory, "archetype": None, "package_size": 50,
        "verdict": verdict,
        "control_outcome": control, "candidate_outcome": candidate,
    }  # fmt: skip


def test_the_directory_that_loses_most_comes_first_and_what_has_no_verdict_is_not_counted() -> None:
    found = break_down(
        frame(
            [
                *[pair("quiet.example", "agree", "submitted", "submitted")] * 3,
                *[pair("leaky.example", "missing_candidate", "submitted", None)] * 2,
                pair("leaky.example", "agree", "failed", "failed"),
                pair("better.example", "mismatch", "failed", "skipped"),
                pair("better.example", "in_flight", "submitted", None),
                pair("better.example", "excluded", "submitted", "failed"),
            ]
        )
    )
    directories = [one for one in found if one.dimension == "directory"]
    assert [one.name for one in directories] == ["leaky.example", "quiet.example", "better.example"]
    assert directories[0] == Breakdown(
        dimension="directory", name="leaky.example", submissions=3, agreeing=1,
        control_submitted=2, candidate_submitted=0,
    )  # fmt: skip
    assert directories[2].submissions == directories[2].candidate_submitted == 1


def test_sizes_stand_in_their_own_order_with_the_unknown_last() -> None:
    rows = [pair("a.example", "agree", "submitted", "submitted") for _ in range(4)]
    for row, size in zip(rows, (500, None, 50, 100), strict=True):
        row["package_size"] = size
    found = break_down(frame(rows))
    assert [one.name for one in found if one.dimension == "package_size"] == [
        "50", "100", "500", "unknown",
    ]  # fmt: skip


@given(st.lists(PAIR, max_size=60))
def test_each_dimension_counts_every_judged_live_pair_once_in_any_order(
    rows: list[dict[str, object]],
) -> None:
    found = break_down(frame(rows))
    judged = [
        row
        for row in rows
        if row["mode"] == LIVE and row["verdict"] not in ("in_flight", "excluded")
    ]
    for dimension in ("directory", "archetype", "package_size"):
        parts = [one for one in found if one.dimension == dimension]
        if dimension == "archetype" and not any(row["archetype"] for row in judged):
            # Nobody has declared a kind of site.
            assert not parts
            continue
        assert sum(one.submissions for one in parts) == len(judged)
        assert sum(one.agreeing for one in parts) == sum(r["verdict"] == "agree" for r in judged)
        assert sum(one.candidate_submitted for one in parts) == sum(
            row["candidate_outcome"] in ("submitted", "skipped") for row in judged
        )
        assert len({one.name for one in parts}) == len(parts)
    assert break_down(frame(rows[::-1])) == found
