"""Keeps the projections equal to the events: by increment at each append, by rebuild on request.

Sources (``sql/sources``) turn events into facts in canonical columns; a projection folds facts
into versions. Both forms fold with the same macro, and a property test holds them together.
A journal with a mapping of its own has its facts from that instead (``source_mapping``).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from harness.errors import JournalError
from harness.journal.source_mapping import SourceMapping, facts_of, mapping_of, seal_off
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One projection: its SQL files and where its facts come from."""

    name: str
    facts: str
    sources: tuple[tuple[str, str], ...]
    """(file below sql/sources, name of the query) for each source of facts."""
    own: tuple[tuple[str, str], ...] = ()
    """The same of those that are our own events, whichever mapping reads production."""


PROJECTIONS = (
    Projection(name="jobs", facts="job_facts", sources=(("jobs_live.sql", "job_facts"),)),
    Projection(
        name="submissions",
        facts="submission_facts",
        sources=(
            ("control_live.sql", "control_submission_facts"),
            ("candidate_queue_history.sql", "candidate_submission_facts"),
            ("other_writers.sql", "other_submission_facts"),
        ),
        own=(("replay.sql", "replay_submission_facts"),),
    ),
)
"""In the order in which they are brought up to date: submissions look their jobs up."""

_MACROS = (
    ("sources/error_classes.sql", "create_classify_error"),
    ("sources/error_classes.sql", "create_host_of"),
    ("sources/error_classes.sql", "create_moment_of"),
)


def create_projections(con: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables of every projection."""
    for projection in PROJECTIONS:
        con.execute(sql_queries(f"projections/{projection.name}.schema.sql")["create"])
        con.execute("INSERT INTO projection_state VALUES (?, 0)", [projection.name])


def refresh_projections(con: duckdb.DuckDBPyConnection) -> None:
    """Bring every projection up to the newest event, inside the caller's transaction."""
    _create_macros(con)
    mapping = mapping_of(con)
    for projection in PROJECTIONS:
        rows = con.execute(
            "SELECT seq FROM projection_state WHERE name = ?", [projection.name]
        ).fetchall()
        since = int(rows[0][0])
        if _create_facts(con, projection, mapping, since):
            queries = sql_queries(f"projections/{projection.name}.increment.sql")
            for name in ("create_facts", "create_versions", "close", "insert"):
                con.execute(queries[name])
        _mark(con, projection)


def rebuild_projections(con: duckdb.DuckDBPyConnection) -> None:
    """Derive every projection from all events anew, inside the caller's transaction."""
    _create_macros(con)
    mapping = mapping_of(con)
    for projection in PROJECTIONS:
        queries = sql_queries(f"projections/{projection.name}.rebuild.sql")
        con.execute(queries["delete"])
        _create_facts(con, projection, mapping, 0)
        con.execute(queries["create_facts"])
        con.execute(queries["insert"])
        _mark(con, projection)


def _create_macros(con: duckdb.DuckDBPyConnection) -> None:
    for path, name in _MACROS:
        con.execute(sql_queries(path)[name])
    for projection in PROJECTIONS:
        con.execute(sql_queries(f"projections/{projection.name}.schema.sql")["create_fold"])


def prepare_facts(con: duckdb.DuckDBPyConnection, *, since: int) -> None:
    """Create what a source of facts may use: the macros, and the events after `since`."""
    _create_macros(con)
    _create_new_events(con, since)


def _create_new_events(con: duckdb.DuckDBPyConnection, since: int) -> None:
    con.execute("SET VARIABLE facts_since = ?::BIGINT", [since])
    con.execute(
        "CREATE OR REPLACE TEMP VIEW new_events AS "
        "SELECT * FROM events WHERE seq > getvariable('facts_since')"
    )


def _create_facts(
    con: duckdb.DuckDBPyConnection,
    projection: Projection,
    mapping: SourceMapping | None,
    since: int,
) -> int:
    """Create the temp table of facts from events after `since`; return how many there are."""
    _create_new_events(con, since)
    if mapping is None:
        _union(con, projection, _shipped(projection.sources))
    else:
        seal_off(con)
        try:
            _union(con, projection, facts_of(con, mapping, projection.name))
        except _OF_A_MAPPING as error:
            raise JournalError(
                f"the mapping {mapping.shown} that the journal began with cannot read its events: "
                f"{str(error).splitlines()[0]}. Mend the SELECT (TRY_CAST gives NULL for what is "
                "no number) and record into another --journal."
            ) from error
    return int(con.execute(f"SELECT count(*) FROM {projection.facts}").fetchall()[0][0])


_OF_A_MAPPING = (
    ValueError, duckdb.DataError, duckdb.ProgrammingError, duckdb.PermissionException,
)  # fmt: skip
"""What a SELECT can do wrong, as against a disk or a file that fails."""


def _union(con: duckdb.DuckDBPyConnection, projection: Projection, texts: list[str]) -> None:
    every = texts + _shipped(projection.own)
    union = "\nUNION ALL BY NAME\n".join(f"({text})" for text in every)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {projection.facts} AS {union}")


def _shipped(sources: tuple[tuple[str, str], ...]) -> list[str]:
    return [sql_queries(f"sources/{path}")[name].rstrip(";") for path, name in sources]


def _mark(con: duckdb.DuckDBPyConnection, projection: Projection) -> None:
    con.execute(
        "UPDATE projection_state SET seq = (SELECT coalesce(max(last_seq), 0) FROM batches) "
        "WHERE name = ?",
        [projection.name],
    )
