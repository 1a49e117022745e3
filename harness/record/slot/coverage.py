"""Whether decoding shows every change of the recorded tables, and how to mend it if not.

Reads what the catalogue answered; asks nothing itself and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from harness.record.postgres.introspect import Table
from harness.resources import sql_queries


def coverage_query(
    tables: Sequence[Table], *, publication: str | None, schema: str
) -> sql.Composed:
    """Return the statement whose rows `find_trouble` reads."""
    text = sql_queries("postgres/record/slot.sql")["select_coverage"].rstrip(";")
    return sql.SQL(text).format(
        publication=sql.Literal(publication),
        schema=sql.Literal(schema),
        names=sql.Literal([table.name for table in tables]),
    )


def find_trouble(
    covered: Sequence[Mapping[str, Any]],
    tables: Sequence[Table],
    *,
    publication: str | None,
    schema: str,
) -> str | None:
    """Return why some change would not be told, with the mend; None if every one is.

    publication: None for a plugin that reads none.
    """
    if publication and not any(row["publication_present"] for row in covered):
        names = ", ".join(f"{schema}.{table.name}" for table in tables)
        return (
            f"there is no publication {publication}. "
            f"Run as the tables' owner: CREATE PUBLICATION {publication} FOR TABLE {names}"
        )
    for row in covered:
        table = f"{schema}.{row['name']}"
        why = _unpublished(row, table, publication) if publication else _undecoded(row)
        if not row["logged"]:
            why = "an unlogged table leaves no trace in the log"
        if why:
            return f"{table}: {why}"
    return None


def _undecoded(row: Mapping[str, Any]) -> str | None:
    if row["partitioned"]:
        return "its partitions would come under their own names. Use pgoutput"
    return None


def _unpublished(row: Mapping[str, Any], table: str, publication: str) -> str | None:
    alter = f"ALTER PUBLICATION {publication}"
    if row["replica_identity"] == "n" or (
        row["replica_identity"] == "d" and not row["has_primary_key"]
    ):
        return (
            "it has no replica identity, and in a publication production's own UPDATE and DELETE "
            f"of it fail. Keep it out ({alter} DROP TABLE {table}) and add a primary key first, or "
            'set record.slot_plugin = "test_decoding"'
        )
    if not row["every_operation"]:
        return (
            f"publication {publication} leaves operations out. "
            f"Run: {alter} SET (publish = 'insert, update, delete, truncate')"
        )
    if not row["published"]:
        return (
            f"it is not in publication {publication} by its name. "
            f"Run as its owner: {alter} ADD TABLE {table}"
        )
    if row["partial"]:
        return (
            f"publication {publication} leaves rows or columns of it out. "
            f"Run as its owner: {alter} DROP TABLE {table}; {alter} ADD TABLE {table}"
        )
    if row["partitioned"] and not row["by_root"]:
        return (
            "its partitions would come under their own names. "
            f"Run: {alter} SET (publish_via_partition_root = true)"
        )
    return None
