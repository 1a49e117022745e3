"""Shows rows that logical decoding gave as text the way the sweeps read them. Knows no event.

The server does it, by each type's own input function and ``to_jsonb``, so that a row is the same
JSON whichever tier found it. What it cannot read any more (a type that was dropped since) stays
text, save for what JSON itself can tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from harness.record.postgres.connection import Snapshot
from harness.record.postgres.horizon import mark_snapshot
from harness.record.postgres.introspect import Table
from harness.record.postgres.xids import full_xid
from harness.record.slot.changes import TypeName, Unchanged, Value
from harness.resources import sql_queries

_UNREADABLE = (psycopg.DataError, psycopg.ProgrammingError)
"""A value that its type does not take, a type that is not there."""
_ANY_LENGTH = {"character": "bpchar", "bit": '"bit"'}
_UNBOUNDED = re.compile(r"^(character|bit)(?=$|\[)")
"""Without a length SQL takes these names for a length of one, and would cut the value."""
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A row, or a part of one, as decoding tells it."""

    types: Mapping[str, TypeName]
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRow:
    """A row version that is in the table now."""

    xid: int
    """64-bit number of its writer, of the savepoint's if there was one."""
    row: Json


class RowReader:
    """Turns text into JSON inside an open snapshot, and remembers the names of types."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, int], str] = {}

    def as_json(self, snapshot: Snapshot, rows: Sequence[TextRow]) -> list[Json]:
        """Return each row's columns as JSON, but for those that were not sent."""
        self._learn(snapshot, rows)
        groups: dict[tuple[tuple[str, str | None], ...], list[int]] = {}
        for place, row in enumerate(rows):
            columns = tuple(
                (name, self._name(row.types.get(name)))
                for name, value in row.values.items()
                if not isinstance(value, Unchanged)
            )
            if columns:
                groups.setdefault(columns, []).append(place)
        found: list[Json] = [{} for _ in rows]
        for columns, places in groups.items():
            texts = [[_text(rows[place].values[name]) for place in places] for name, _ in columns]
            for place, shown in zip(places, _convert(snapshot, columns, texts), strict=True):
                found[place] = shown
        return found

    def current(
        self, snapshot: Snapshot, table: Table, keys: Sequence[tuple[str | None, ...]]
    ) -> list[CurrentRow]:
        """Return the rows of `table` with these keys (text, in the order of the table's key)."""
        next_xid = mark_snapshot(snapshot).xmax
        types = [sql.SQL(table.columns[column]) for column in table.key]
        names = _numbered("k", len(types))
        same = [
            sql.SQL("t.{} = k.{}").format(sql.Identifier(column), name)
            for column, name in zip(table.key, names, strict=True)
        ]
        arrays = [
            sql.SQL("{}::text[]::{}[]").format(sql.Literal(list(texts)), kind)
            for texts, kind in zip(zip(*keys, strict=True), types, strict=True)
        ]
        statement = _query("select_current").format(
            table=table.identifier,
            arrays=sql.SQL(", ").join(arrays),
            names=sql.SQL(", ").join(names),
            same=sql.SQL(" AND ").join(same),
        )
        # A table that is gone and a key whose type has changed since have no such row now.
        rows: list[Any] = []
        with suppress(*_UNREADABLE), snapshot.transaction():
            rows = snapshot.execute(statement).fetchall()
        return [
            CurrentRow(xid=full_xid(row["xmin"], next_xid=next_xid), row=json.loads(row["row"]))
            for row in rows
        ]

    def _learn(self, snapshot: Snapshot, rows: Sequence[TextRow]) -> None:
        asked = {
            kind
            for row in rows
            for kind in row.types.values()
            if isinstance(kind, tuple) and kind not in self._names
        }
        if not asked:
            return
        statement = _query("select_type_names").format(
            types=sql.Literal([kind for kind, _ in asked]),
            modifiers=sql.Literal([modifier for _, modifier in asked]),
        )
        for row in snapshot.execute(statement).fetchall():
            self._names[row["type"], row["modifier"]] = row["name"]

    def _name(self, kind: TypeName | None) -> str | None:
        if isinstance(kind, tuple):
            return self._names.get(kind)
        return _UNBOUNDED.sub(lambda found: _ANY_LENGTH[found.group()], kind) if kind else None


def _convert(
    snapshot: Snapshot,
    columns: Sequence[tuple[str, str | None]],
    texts: Sequence[Sequence[str | None]],
) -> list[Json]:
    """Return one JSON row for each place in the columns' texts."""
    inputs = _numbered("c", len(columns))
    statement = _query("select_as_json").format(
        arrays=sql.SQL(", ").join(sql.SQL("{}::text[]").format(list(one)) for one in texts),
        names=sql.SQL(", ").join(inputs),
        columns=sql.SQL(", ").join(
            # The type's name is the server's own word, with the quotes that it needs.
            sql.SQL("u.{}::{} AS {}").format(source, sql.SQL(kind or "text"), sql.Identifier(name))
            for source, (name, kind) in zip(inputs, columns, strict=True)
        ),
    )
    try:
        with snapshot.transaction():
            return [json.loads(row["row"]) for row in snapshot.execute(statement).fetchall()]
    except _UNREADABLE:
        return [
            {name: plain_json(text, kind) for (name, kind), text in zip(columns, row, strict=True)}
            for row in zip(*texts, strict=True)
        ]


def plain_json(text: str | None, kind: str | None) -> Any:
    """Return a value as near to ``to_jsonb`` as can be told without the server.

    kind: the type as SQL writes it, None if it is not known. What JSON has no form for is text.
    """
    if text is None or kind is None:
        return text
    if kind == "boolean":
        return text in ("t", "true")
    if kind.startswith("timestamp"):
        zone = ":00" if text[-3:-2] in "+-" else ""
        return text.replace(" ", "T", 1) + zone
    if kind in ("json", "jsonb") or kind.split("(")[0] in _NUMBERS:
        try:
            return json.loads(text, parse_constant=str)
        except ValueError:
            return text
    return text


def _text(value: Value) -> str | None:
    return None if isinstance(value, Unchanged) else value


def _numbered(letter: str, count: int) -> list[sql.Identifier]:
    return [sql.Identifier(f"{letter}{number}") for number in range(count)]


def _query(name: str) -> sql.SQL:
    return sql.SQL(sql_queries("postgres/record/slot.sql")[name].rstrip(";"))
