"""Rows that are replaced job by job are those that were given last."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.assess.live.chunks import JobChunks

SCHEMA = {"job_id": pl.String, "value": pl.Int64}
JOBS = [f"job-{number}" for number in range(6)]
steps = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(JOBS), st.integers(0, 3)), st.booleans()),
    max_size=25,
)  # fmt: skip


def _frame(rows: dict[str, list[int]]) -> pl.DataFrame:
    flat = [(job, value) for job, values in rows.items() for value in values]
    return pl.DataFrame(flat, schema=SCHEMA, orient="row")


@settings(max_examples=200, deadline=None)
@given(first=st.dictionaries(st.sampled_from(JOBS), st.integers(0, 3)), steps=steps)
def test_a_frame_has_the_rows_that_each_job_was_given_last(
    first: dict[str, int], steps: list[tuple[dict[str, int], bool]]
) -> None:
    number = 0
    expected: dict[str, list[int]] = {}

    def rows(sizes: dict[str, int]) -> pl.DataFrame:
        nonlocal number
        new = {}
        for job, size in sizes.items():
            new[job] = list(range(number, number + size))
            number += size
        expected.update(new)
        return _frame(new)

    chunks = JobChunks(rows(first))
    for sizes, looked_at in steps:
        chunks.replace(sizes, rows(sizes))
        if looked_at:
            assert sorted(chunks.frame().rows()) == sorted(_frame(expected).rows())
    assert sorted(chunks.frame().rows()) == sorted(_frame(expected).rows())


def test_many_replacements_leave_few_chunks() -> None:
    chunks = JobChunks(_frame({"job-0": [0]}))
    for number in range(500):
        job = f"job-{number}"
        chunks.replace([job], _frame({job: [number]}))
    assert len(chunks._chunks) < 12
    assert chunks.frame().height == 500
