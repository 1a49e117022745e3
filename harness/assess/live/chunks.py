"""Rows of a frame by job, of which some jobs' rows are replaced again and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl


class JobChunks:
    """A frame with a column `job_id`, kept as the chunks in which its rows came."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._chunks = [rows]
        self._owner: dict[str, int] = {}

    def replace(self, jobs: Iterable[str], rows: pl.DataFrame) -> None:
        """Forget the rows of these jobs; `rows` are theirs from now on. Costs what they cost."""
        self._owner.update(dict.fromkeys(jobs, len(self._chunks)))
        self._chunks.append(rows)

    def frame(self) -> pl.DataFrame:
        """All rows that count, in no order. Costs what all of them cost, after a replacement."""
        if len(self._chunks) > 1:
            owners = pl.DataFrame(
                {"job_id": list(self._owner), "owner": list(self._owner.values())},
                schema={"job_id": pl.String, "owner": pl.Int64},
            )
            parts = [
                chunk.join(owners, on="job_id", how="left", maintain_order="left")
                .filter(pl.col("owner").fill_null(0) == number)
                .drop("owner")
                for number, chunk in enumerate(self._chunks)
            ]
            self._chunks, self._owner = [pl.concat(parts)], {}
        return self._chunks[0]
