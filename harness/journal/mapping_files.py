"""Reads a mapping from its folder and proves that it can be used, before anything is recorded."""

from __future__ import annotations

import tomllib
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import SettingsError
from harness.journal.projections import create_projections, prepare_facts
from harness.journal.source_mapping import (
    QUERIES,
    MappedTable,
    SourceMapping,
    facts_of,
    seal_off,
)
from harness.model import EventKind
from harness.resources import sql_queries

_FILE = "mapping.toml"


class _Head(BaseModel):
    """What ``mapping.toml`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    table: tuple[MappedTable, ...] = Field(min_length=1)


def load_mapping(folder: Path) -> SourceMapping:
    """Read the four files of a mapping; SettingsError names the file, the field and the mend."""
    head_file = folder / _FILE
    try:
        head = _Head.model_validate(tomllib.loads(_read(head_file)))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{head_file}: not valid TOML ({error}). Mend that line.") from None
    except ValidationError as error:
        raise SettingsError(f"{head_file}: {_first_problem(error)}") from None
    _check_names(head_file, [table.name for table in head.table])
    mapping = SourceMapping(
        name=head.name,
        tables=head.table,
        queries={name: _read(folder / f"{name}.sql") for name in QUERIES},
    )
    _check_queries(folder, mapping)
    return mapping


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: cannot be read ({error}). source.mapping names a folder with {_FILE} and "
            f"{', '.join(f'{name}.sql' for name in QUERIES)}."
        ) from error


def _first_problem(error: ValidationError) -> str:
    item = error.errors()[0]
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = MappedTable.model_fields if item["loc"][0] == "table" else _Head.model_fields
        return f"{key} is not known. Known: {', '.join(known)}."
    if item["type"] == "missing":
        return f"{key} is missing. Add it."
    return f"{key} = {item['input']!r}: {item['msg'].removeprefix('Value error, ')}."


def _check_names(path: Path, names: list[str]) -> None:
    shipped = {kind.value for kind in EventKind}
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{path}: table.name = {name!r} stands twice. Remove one.")
        if name in shipped:
            # Detectors of the shipped mapping know these by name and would misread its rows.
            raise SettingsError(
                f"{path}: table.name = {name!r} is a table of the shipped mapping, which reads it "
                "in a way of its own. Leave source.mapping out, or map other tables."
            )


def _check_queries(folder: Path, mapping: SourceMapping) -> None:
    """Let DuckDB take each SELECT over no events at all."""
    con = duckdb.connect(":memory:")
    try:
        con.execute("SET TimeZone = 'UTC'")
        schema = sql_queries("journal/schema.sql")
        con.execute(schema["create_events"])
        con.execute(schema["create_projection_state"])
        create_projections(con)
        seal_off(con)
        prepare_facts(con, since=0)
        for name, (projection, _) in QUERIES.items():
            path = folder / f"{name}.sql"
            only = mapping.model_copy(update={"queries": {**_EMPTY, name: mapping.queries[name]}})
            try:
                for text in facts_of(con, only, projection):
                    con.execute(text)
            except ValueError as error:
                raise SettingsError(f"{path}: {error}.") from None
            except duckdb.Error as error:
                (line, *_) = str(error).splitlines()
                raise SettingsError(f"{path}: {line}. Mend the SELECT.") from None
    finally:
        con.close()


_EMPTY = {
    name: "SELECT "
    + ", ".join(
        f"NULL::{column.type} AS {key}" for key, column in columns.items() if column.default is None
    )
    for name, (_, columns) in QUERIES.items()
}
"""A SELECT in place of each that is not looked at."""
