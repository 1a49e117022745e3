"""The rows that count of what was read of some jobs."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from harness.journal.focus import JobRows

VERSIONS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([None, "x", "y"]), st.booleans())
)


@given(VERSIONS, st.randoms())
def test_of_each_job_and_submission_the_version_recorded_last_counts(
    versions: list[tuple[str, str | None, bool]], random: object
) -> None:
    numbered = [
        (job, unit, "control" if control else "candidate", "live", seq)
        for seq, (job, unit, control) in enumerate(versions)
    ]
    random.shuffle(numbered)  # type: ignore[attr-defined]
    schema = {"job_id": pl.String, "unit": pl.String, "side": pl.String, "mode": pl.String,
              "from_seq": pl.Int64}  # fmt: skip
    rows = pl.DataFrame(numbered, schema=schema, orient="row")
    nothing = pl.DataFrame(schema={"seq": pl.Int64, "job_id": pl.String})
    half = len(numbered) // 2
    parts = (rows[:half], rows[half:])
    together = JobRows.together(
        [JobRows(events=nothing, jobs=part, submissions=part) for part in parts]
    )

    newest = rows.sort("from_seq")
    key = ["mode", "side", "job_id", "unit"]
    assert together.submissions.sort("from_seq").equals(
        newest.unique(key, keep="last").sort("from_seq")
    )
    assert (
        together.jobs_now(since=None)
        .sort("from_seq")
        .equals(newest.unique("job_id", keep="last").sort("from_seq"))
    )
    wanted = together.of(["a", None])
    assert wanted.jobs.equals(together.jobs.filter(pl.col("job_id") == "a"))
