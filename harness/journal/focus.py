"""Reads a few jobs out of a long journal, into tables of their own that the same SQL reads.

`Focus` is a database in memory with the names that a `Reader` has: events_now, submissions_now,
jobs_now and blind, filled with what belongs to some jobs. A query that looks at each job by itself
gives there, for these jobs, what it gives over the whole journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import duckdb
import polars as pl

from harness.journal.reader import Reader, create_macros
from harness.resources import sql_queries

GRAIN = 8192
"""Events in a place: as exactly as it is remembered where in the journal a job stands."""
_MOST_RANGES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRows:
    """Everything that is recorded of some jobs, as of the reader's moment."""

    events: pl.DataFrame
    jobs: pl.DataFrame
    submissions: pl.DataFrame


def read_places(
    reader: Reader, *, after: int, kinds: Sequence[str]
) -> Iterable[tuple[str | None, int]]:
    """Jobs of which something was recorded after a seq, and the places where it stands.

    None stands for events of these kinds that name no job.
    """
    query = sql_queries("journal/focus.sql")["select_places"]
    return reader.rows(query, after=after, grain=GRAIN, kinds=list(kinds))


def read_jobs(
    reader: Reader,
    jobs: Iterable[str | None],
    places: Iterable[int],
    *,
    kinds: Sequence[str],
    since: datetime | None,
) -> JobRows:
    """Read these jobs, which stand in these places and nowhere else.

    kinds: of the events that are wanted. since: as for `Reader.narrow`.
    """
    queries = sql_queries("journal/focus.sql")
    wanted = list(jobs)
    named = [job for job in wanted if job is not None]
    spans = ranges(places)

    def read(name: str, **params: Any) -> pl.DataFrame:
        frames = [
            reader.frame(queries[name], first=first, last=last, jobs=named, **params)
            for first, last in spans
        ]
        return pl.concat(frames)

    versions = read("select_jobs")
    submissions = read("select_submissions")
    now = versions.filter(pl.col("to_seq").is_null() | (pl.col("to_seq") > reader.as_of_seq))
    if since is not None:
        older = versions.filter(pl.col("created_at") < since).select("job_id").unique()
        now = now.filter(pl.col("created_at").is_null() | (pl.col("created_at") >= since))
        submissions = submissions.join(older, on="job_id", how="anti")
    events = read("select_events", kinds=list(kinds), nameless=len(named) < len(wanted))
    return JobRows(events=events, jobs=now, submissions=submissions)


def ranges(places: Iterable[int]) -> list[tuple[int, int]]:
    """First and last seq of each stretch that holds these places, at most `_MOST_RANGES`.

    Of stretches that are too many, those that are nearest are read as one.
    """
    ordered = sorted(set(places)) or [0]
    gaps = sorted(
        (b - a for a, b in pairwise(ordered)), reverse=True
    )[: _MOST_RANGES - 1]  # fmt: skip
    # A row group is looked at as a whole anyway.
    apart = max(gaps[-1] if gaps else 0, 16)
    spans = [[ordered[0], ordered[0]]]
    for place in ordered[1:]:
        if place - spans[-1][1] >= apart and len(spans) < _MOST_RANGES:
            spans.append([place, place])
        else:
            spans[-1][1] = place
    return [(first * GRAIN, (last + 1) * GRAIN - 1) for first, last in spans]


class Focus:
    """The tables in memory. Queries over them are those over a `Reader`."""

    def __init__(self, *, since: datetime | None) -> None:
        queries = sql_queries("journal/focus.sql")
        self._con = duckdb.connect(config={"threads": 1})
        self._con.execute("SET TimeZone = 'UTC'")
        for name in ("create_events", "create_blind"):
            self._con.execute(queries[name])
        for name in ("jobs", "submissions"):
            self._con.execute(sql_queries(f"projections/{name}.schema.sql")["create"])
            self._con.execute(f"ALTER TABLE {name} RENAME TO {name}_now")
        create_macros(self._con)
        self._con.execute("SET VARIABLE since = ?::TIMESTAMPTZ", [since])

    def load(self, name: str, rows: pl.DataFrame | None = None) -> None:
        """Fill one of the four tables anew; columns that `rows` lacks are NULL."""
        self._con.execute(f"DELETE FROM {name}")
        if rows is not None and rows.height:
            self._con.register("rows_in", rows)
            self._con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows_in")
            self._con.unregister("rows_in")

    def load_jobs(self, rows: JobRows) -> None:
        """Fill the tables with these jobs; what is blind stays."""
        self.load("events_now", rows.events)
        self.load("jobs_now", rows.jobs)
        self.load("submissions_now", rows.submissions)

    def frame(self, sql: str, /, **params: Any) -> pl.DataFrame:
        """As `Reader.frame`."""
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        frame: pl.DataFrame = self._con.sql(sql, params=used or None).pl()
        return frame

    def rows(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        """As `Reader.rows`."""
        return self._con.execute(sql, params or None).fetchall()

    def columns(
        self, sql: str, names: Sequence[str], /, **params: Any
    ) -> Iterator[tuple[Any, ...]]:
        """These columns of every row; for few rows half as dear as a frame."""
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        cursor = self._con.execute(sql, used or None)
        given = [column[0] for column in cursor.description or ()]
        places = [given.index(name) for name in names]
        return (tuple(row[place] for place in places) for row in cursor.fetchall())

    def close(self) -> None:
        """Free the memory."""
        self._con.close()
