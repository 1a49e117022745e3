"""Reads a journal as of one moment: events and projections, nothing later than that seq."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import duckdb
import polars as pl

from harness.errors import DroppedError
from harness.model import Watermark, require_aware
from harness.resources import sql_queries

_PIECE = 50_000
"""Rows that are converted at once."""


class Reader:
    """An open journal, frozen at `as_of_seq`. Valid only inside ``Journal.reader()``."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, *, as_of_seq: int, as_of_time: datetime
    ) -> None:
        self.as_of_seq = as_of_seq
        self.as_of_time = as_of_time
        """When the last counted event was recorded: the only clock a decision may look at."""
        self.dropped: Callable[[], bool] = lambda: False
        """Asked before each query: once it says so, DroppedError ends the reading."""
        self._con = con

    def frame(self, sql: str, /, **params: Any) -> pl.DataFrame:
        """Run a SELECT over events_now, submissions_now, jobs_now or blind; params are named."""
        frame: pl.DataFrame = self._relation(sql, params).pl()
        return frame

    def large_frame(self, sql: str, /, **params: Any) -> pl.DataFrame:
        """Like `frame`, for millions of rows whose texts mostly repeat: these come as Categorical.

        All texts share one set of categories, so that columns compare with each other. Read piece
        by piece, so that no text stands in memory twice for each of its rows.
        """
        text = pl.Categorical(pl.Categories.random())
        with self._relation(sql, params).to_arrow_reader(_PIECE) as pieces:
            # Arrow lets go of a piece as a whole only: what is kept of it as it is, is copied.
            own = pl.exclude(pl.String).gather(pl.int_range(pl.len()))
            frames = []
            for piece in chain([pieces.schema.empty_table()], pieces):
                frame = pl.DataFrame(pl.from_arrow(piece, rechunk=False))
                frames.append(frame.with_columns(pl.col(pl.String).cast(text), own))
        self.let_go()
        return pl.concat(frames, rechunk=False)

    @contextmanager
    def beside(
        self, queries: Sequence[str], /, **params: Any
    ) -> Iterator[Future[list[pl.DataFrame]]]:
        """Run SELECTs over the journal's own tables while others run here; frames in their order.

        They have a connection of their own, which knows no view, macro or variable of this one.
        """
        con = self._con.cursor()

        def run() -> list[pl.DataFrame]:
            return [con.sql(query, params=params).pl() for query in queries]

        try:
            with ThreadPoolExecutor(1) as thread:
                yield thread.submit(run)
        finally:
            con.close()

    def let_go(self) -> None:
        """Give back the memory in which the database keeps what it has read of the file.

        After one look at most of the file: beside what was made of it, it need not be held too.
        """
        # Pages are only ever let go of for the sake of a limit.
        self._con.execute("SET memory_limit = '1MB'")
        self._con.execute("RESET memory_limit")

    def rows(self, sql: str, /, **params: Any) -> list[tuple[Any, ...]]:
        """Like `frame`, as plain tuples."""
        self.go_on()
        cursor = self._con.execute(sql, params) if params else self._con.execute(sql)
        return cursor.fetchall()

    @contextmanager
    def table(self, name: str, frame: pl.DataFrame) -> Iterator[None]:
        """Let queries read a frame by a name."""
        self._con.register(name, frame)
        try:
            yield
        finally:
            self._con.unregister(name)

    def go_on(self) -> None:
        """Raise DroppedError where nobody wants any more what is read here."""
        if self.dropped():
            raise DroppedError("What was being read is not wanted any more.")

    def _relation(self, sql: str, params: dict[str, Any]) -> duckdb.DuckDBPyRelation:
        self.go_on()
        used = {name: value for name, value in params.items() if f"${name}" in sql}
        return self._con.sql(sql, params=used or None)

    def narrow(self, since: datetime) -> int:
        """Hide jobs created before `since` and their submissions; return how many jobs that are."""
        at = require_aware("since", since)
        self._con.execute("SET VARIABLE since = ?::TIMESTAMPTZ", [at])
        query = sql_queries("journal/read.sql")["count_older_jobs"]
        return int(self.rows(query, seq=self.as_of_seq, since=at)[0][0])

    def watermark(self, source: str) -> Watermark | None:
        """The newest watermark of `source` as of this moment."""
        query = sql_queries("journal/read.sql")["select_watermark"]
        found = self.rows(query, source=source, seq=self.as_of_seq)
        if not found:
            return None
        return Watermark(
            source=found[0][0],
            position=json.loads(found[0][1]),
            complete_until=found[0][2].astimezone(UTC),
        )

    def journal_hash(self) -> str:
        """The running hash up to the last whole batch at or before this moment."""
        query = sql_queries("journal/read.sql")["select_head_as_of"]
        found = self.rows(query, seq=self.as_of_seq)
        return str(found[0][1]) if found else "0" * 64

    def journal_id(self) -> str:
        """The random name the journal got when it was created."""
        return str(self.rows(sql_queries("journal/read.sql")["select_meta"])[0][0])


def create_macros(con: duckdb.DuckDBPyConnection) -> None:
    """What every query over a reader may call: host_of, moment_of, path_of, sent_of, is_…_word."""
    queries = sql_queries("sources/error_classes.sql")
    for name in ("create_host_of", "create_moment_of", "create_path_of", "create_sent_of",
                 "create_is_job_word", "create_is_event_word"):  # fmt: skip
        con.execute(queries[name])


def open_reader(con: duckdb.DuckDBPyConnection, as_of: int | datetime | None) -> Reader:
    """Freeze an open connection at `as_of`: a seq, an aware time, or None for the newest event.

    A time lands at or before the wish; a seq beyond the end lands on the end.
    """
    queries = sql_queries("journal/read.sql")
    head = int(con.execute("SELECT coalesce(max(last_seq), 0) FROM batches").fetchall()[0][0])
    if as_of is None:
        seq = head
    elif isinstance(as_of, datetime):
        at = require_aware("as_of", as_of)
        seq = int(con.execute(queries["select_seq_at"], {"at": at}).fetchall()[0][0])
    else:
        seq = max(0, min(as_of, head))
    (found,) = con.execute(queries["select_time_of_seq"], {"seq": seq}).fetchall()[0]
    at_time = found.astimezone(UTC) if found else datetime.fromtimestamp(0, UTC)
    con.execute("SET VARIABLE as_of_seq = ?::BIGINT", [seq])
    create_macros(con)
    for name in ("create_events_now", "create_submissions_now", "create_jobs_now", "create_blind"):
        con.execute(queries[name])
    return Reader(con, as_of_seq=seq, as_of_time=at_time)
