"""Rows of a frame by job, of which some jobs' rows are replaced again and again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl


class JobChunks:
    """A frame with a column `job_id`, kept as the chunks in which its rows came.

    Two small chunks become one as soon as the later is as large as the earlier, so a replacement
    copies few rows, and there are few chunks however many replacements there were.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self._chunks = {0: rows}
        self._owner: dict[str, int] = {}
        self._next = 1

    def replace(self, jobs: Iterable[str], rows: pl.DataFrame) -> None:
        """Forget the rows of these jobs; `rows` are theirs from now on."""
        self._owner.update(dict.fromkeys(jobs, self._next))
        self._chunks[self._next] = rows
        self._next += 1
        while len(self._chunks) > 2:
            earlier, later = list(self._chunks)[-2:]
            if self._chunks[earlier].height > self._chunks[later].height:
                return
            kept = self._counting(earlier)
            self._owner.update(dict.fromkeys(kept["job_id"].unique(), later))
            self._chunks[later] = pl.concat([kept, self._chunks[later]])
            del self._chunks[earlier]

    def frame(self) -> pl.DataFrame:
        """All rows that count, in no order. Costs what all of them cost, after a replacement."""
        if len(self._chunks) > 1:
            whole = pl.concat([self._counting(number) for number in self._chunks], rechunk=True)
            self._chunks, self._owner = {0: whole}, {}
        return self._chunks[0]

    def _counting(self, number: int) -> pl.DataFrame:
        """The rows of a chunk that no later one has replaced."""
        chunk = self._chunks[number]
        jobs = chunk["job_id"].unique().to_list()
        gone = [job for job in jobs if self._owner.get(job, 0) != number]
        return chunk.filter(~pl.col("job_id").is_in(gone)) if gone else chunk
