"""Reads a few jobs out of a long journal, into tables of their own that the same SQL reads.

`Focus` is a database in memory with the names that a `Reader` has: events_now, submissions_now,
jobs_now and blind, filled with what belongs to some jobs. A query that looks at each job by itself
gives there, for these jobs, what it gives over the whole journal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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


_UNIT = ["mode", "side", "job_id", "unit"]
"""What names a submission."""
_UNHELPFUL = (
    "join_order", "build_side_probe_side", "statistics_propagation", "compressed_materialization",
    "common_subplan", "join_filter_pushdown", "late_materialization",
)  # fmt: skip
"""Optimizers that cost more, with a few hundred rows, than they save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRows:
    """What is recorded of some jobs, as of the reader's moment or since an earlier one.

    jobs: every version of a job. submissions: the newest of each.
    """

    events: pl.DataFrame
    jobs: pl.DataFrame
    submissions: pl.DataFrame

    def of(self, jobs: Collection[str | None]) -> JobRows:
        """Those of these jobs; None stands for rows that name none."""
        named = [job for job in jobs if job is not None]

        def wanted(frame: pl.DataFrame) -> pl.DataFrame:
            of_jobs = frame["job_id"].is_in(named)
            return frame.filter(of_jobs | frame["job_id"].is_null() if None in jobs else of_jobs)

        return JobRows(
            events=wanted(self.events),
            jobs=wanted(self.jobs),
            submissions=wanted(self.submissions),
        )

    @classmethod
    def together(cls, parts: Sequence[JobRows]) -> JobRows:
        """All rows of several, of which a later version of a submission counts."""
        if len(parts) == 1:
            return parts[0]
        submissions = pl.concat([part.submissions for part in parts])
        return cls(
            events=pl.concat([part.events for part in parts]),
            jobs=pl.concat([part.jobs for part in parts]),
            submissions=_newest(submissions, _UNIT),
        )

    def jobs_now(self, *, since: datetime | None) -> pl.DataFrame:
        """The newest version of each job; since: as for `Reader.narrow`."""
        newest = _newest(self.jobs, ["job_id"])
        if since is None:
            return newest
        return newest.filter(pl.col("created_at").is_null() | (pl.col("created_at") >= since))

    def submissions_now(self, *, since: datetime | None) -> pl.DataFrame:
        """The newest version of each submission, of jobs that are not older than `since`."""
        if since is None:
            return self.submissions
        older = self.jobs.filter(pl.col("created_at") < since).select("job_id").unique()
        return self.submissions.join(older, on="job_id", how="anti")


def _newest(versions: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Of each key the version that was recorded last. For the few thousand rows of one look."""
    rows = versions.select(*key, "from_seq").rows()
    last: dict[tuple[Any, ...], int] = {}
    for place in sorted(range(len(rows)), key=lambda place: rows[place][-1]):
        last[rows[place][:-1]] = place
    return versions if len(last) == len(rows) else versions[list(last.values())]


def read_places(
    reader: Reader, *, after: int, kinds: Sequence[str]
) -> Iterable[tuple[str | None, int]]:
    """Jobs of which something was recorded after a seq, and the places where it stands.

    None stands for events of these kinds that name no job.
    """
    query = sql_queries("journal/focus.sql")["select_places"]
    return reader.rows(query, after=after, grain=GRAIN, kinds=list(kinds))


@contextmanager
def reading_new(
    reader: Reader, *, after: int, kinds: Sequence[str]
) -> Iterator[Callable[[], JobRows]]:
    """Read everything recorded after a seq, of events only these kinds.

    What is yielded gives it. Jobs and submissions are read meanwhile.
    """
    queries = sql_queries("journal/focus.sql")
    of_jobs = [queries["select_new_jobs"], queries["select_new_submissions"]]
    with reader.beside(of_jobs, after=after, until=reader.as_of_seq) as asked:

        def rows() -> JobRows:
            events = reader.frame(queries["select_new_events"], after=after, kinds=list(kinds))
            jobs, submissions = asked.result()
            return JobRows(events=events, jobs=jobs, submissions=submissions)

        yield rows


def read_jobs(
    reader: Reader,
    jobs: Iterable[str | None],
    places: Iterable[int],
    *,
    kinds: Sequence[str],
    until: int,
) -> JobRows:
    """Read what was recorded of these jobs up to a seq and still counts.

    places: where the jobs stand. kinds: of the events that are wanted.
    """
    queries = sql_queries("journal/focus.sql")
    wanted = list(jobs)
    named = [job for job in wanted if job is not None]
    spans = ranges(places)

    def read(name: str, **params: Any) -> pl.DataFrame:
        frames = [
            reader.frame(queries[name], first=first, last=min(last, until), jobs=named, **params)
            for first, last in spans
        ]
        return pl.concat(frames)

    return JobRows(
        events=read("select_events", kinds=list(kinds), nameless=len(named) < len(wanted)),
        jobs=read("select_jobs"),
        submissions=read("select_submissions"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which journal it is, and the running hash of what it holds; "" where no batch is whole."""

    journal_id: str
    before: str
    """Up to the last whole batch at or before an earlier seq."""
    hash: str
    """Up to the last one at or before the later seq."""


def read_identity(reader: Reader, *, before: int, until: int | None = None) -> Identity:
    """Tell whether what was read up to the seq `before` is what the journal still says.

    until: the later seq; None for the reader's.
    """
    query = sql_queries("journal/focus.sql")["select_identity"]
    seq = reader.as_of_seq if until is None else until
    ((journal_id, older, newest),) = reader.rows(query, before=before, seq=seq)
    return Identity(journal_id=str(journal_id), before=older or "", hash=newest or "")


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


class _Handed:
    """A frame under a name of the database, where another may take its place at any time."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


class Focus:
    """The tables in memory. Queries over them are those over a `Reader`.

    One thread may ask for frames while another asks for `rows` and `columns`.
    """

    def __init__(self, *, since: datetime | None) -> None:
        queries = sql_queries("journal/focus.sql")
        self._con = duckdb.connect(config={"threads": 1})
        self._since = since
        self._empty: dict[str, pl.DataFrame] = {}
        self._handed: dict[str, _Handed] = {}
        self._asked: dict[str, duckdb.DuckDBPyRelation] = {}
        self._con.execute("SET GLOBAL TimeZone = 'UTC'")
        # Nothing but tables is read here, so that no name needs to be looked for in Python.
        self._con.execute("SET GLOBAL python_enable_replacements = false")
        self._con.execute(f"SET disabled_optimizers = '{','.join(_UNHELPFUL)}'")
        for name in ("create_events", "create_blind"):
            self._con.execute(queries[name])
        for name in ("jobs", "submissions"):
            self._con.execute(sql_queries(f"projections/{name}.schema.sql")["create"])
            self._con.execute(f"ALTER TABLE {name} RENAME TO {name}_now")
        for name in ("events_now", "jobs_now", "submissions_now", "blind"):
            self._empty[name] = self._con.table(name).pl()
            self._handed[name] = _Handed(self._empty[name])
        self._beside = self._con.cursor()
        for con in (self._con, self._beside):
            create_macros(con)
            con.execute("SET VARIABLE since = ?::TIMESTAMPTZ", [since])
            for name, handed in self._handed.items():
                # To register a frame takes as long as to read it.
                con.register(f"handed_{name}", handed)

    def load(self, **tables: pl.DataFrame | None) -> None:
        """Fill some of the four tables anew; columns that a frame lacks are NULL."""
        self._load(self._con, tables)

    def _load(
        self, con: duckdb.DuckDBPyConnection, tables: Mapping[str, pl.DataFrame | None]
    ) -> None:
        for name, rows in tables.items():
            empty = self._empty[name]
            if rows is None:
                rows = empty
            elif rows.columns != empty.columns:
                rows = pl.concat([empty, rows], how="diagonal_relaxed")
            self._handed[name].frame = rows
        # Rows that are deleted from a table in memory are read over for a long time after.
        con.execute(
            ";".join(f"CREATE OR REPLACE TABLE {name} AS FROM handed_{name}" for name in tables)
        )

    def load_jobs(self, rows: JobRows) -> None:
        """Fill the tables of jobs and submissions with these; what is blind stays."""
        self.load(
            jobs_now=rows.jobs_now(since=self._since),
            submissions_now=rows.submissions_now(since=self._since),
        )

    def load_events(self, rows: JobRows) -> set[str]:
        """Fill the table of events with these, where `rows` and `columns` are asked for.

        Returns the views and kinds of events that have a row.
        """
        self._load(self._beside, {"events_now": rows.events})
        filled = {name for name in ("jobs_now", "submissions_now")
                  if self._handed[name].frame.height}  # fmt: skip
        return filled.union(rows.events["kind"].to_list())

    def frame(self, sql: str, /, **params: Any) -> pl.DataFrame:
        """As `Reader.frame`."""
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        # What asks for nothing in particular is asked again and again, and bound only once.
        relation = self._asked.get(sql)
        if relation is None:
            relation = self._con.sql(sql, params=used or None)
        if not used:
            self._asked[sql] = relation
        frame: pl.DataFrame = relation.pl()
        return frame

    def rows(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        """As `Reader.rows`."""
        return self._beside.execute(sql, params or None).fetchall()

    def columns(
        self, sql: str, names: Sequence[str] | None, /, **params: Any
    ) -> Iterator[tuple[Any, ...]]:
        """These columns of every row, or all; for few rows half as dear as a frame."""
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        cursor = self._beside.execute(sql, used or None)
        if names is None:
            return iter(cursor.fetchall())
        given = [column[0] for column in cursor.description or ()]
        places = [given.index(name) for name in names]
        return (tuple(row[place] for place in places) for row in cursor.fetchall())

    def close(self) -> None:
        """Free the memory."""
        self._asked.clear()
        self._beside.close()
        self._con.close()
