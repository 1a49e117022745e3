"""What of the source can be read now, and what changed since the last look at it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.record.chunk import Problem
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.introspect import (
    Survey,
    Table,
    customer_link,
    describe_drift,
    shape_of,
    survey_tables,
)
from harness.record.postgres.mapping import describe_mapping, mapping_payload
from harness.record.postgres.tables import TABLES, TableSpec


def survey_source(
    snapshot: Snapshot,
    *,
    schema: str,
    expected: Collection[str],
    shape: Mapping[str, Mapping[str, Any]],
    halted: Mapping[str, str],
    specs: Sequence[TableSpec] = TABLES,
) -> tuple[Survey, dict[str, dict[str, Any]]]:
    """Return what can be read now, without what is halted, and the shape to remember.

    expected, shape: tables and columns of earlier looks; halted: table → why it is not read.
    """
    survey = survey_tables(snapshot, schema=schema, expected=expected, specs=specs)
    found = related(survey.tables)
    now = shape_of(found, before=shape, absent=survey.absent)
    problems = tuple(Problem(table=name, why=why) for name, why in halted.items())
    usable = tuple(table for table in found if table.name not in halted)
    return replace(survey, tables=usable, problems=survey.problems + problems), now


def drift_of(
    before: Mapping[str, Mapping[str, Any]],
    now: Mapping[str, Mapping[str, Any]],
    tables: Sequence[Table],
) -> tuple[Mapping[str, Any], ...]:
    """What changed since the last sweep, with the mapping that fits each table now."""
    if not before:
        return ()
    fits = mapping_payload(describe_mapping(tables))
    return tuple(
        change | {"mapping": fits.get(change["table"])} for change in describe_drift(before, now)
    )


def changed_since(tables: Sequence[Table], survey: Survey) -> dict[str, Problem]:
    """Return which of `tables`, as an earlier survey found them, can no longer be asked like that.

    By name, each with what is to be said of it.
    """
    now = {table.name: table for table in survey.tables}
    problems = {problem.table: problem for problem in survey.problems}
    why = "was changed or made anew; ticks leave it out until the next sweep has looked at it."
    return {
        table.name: problems.get(table.name) or Problem(table=table.name, why=f"{table.name} {why}")
        for table in tables
        if now.get(table.name) != table
    }


def unseen(table: str) -> Problem:
    """A table that got a new file between the snapshot and the reading."""
    return Problem(
        table=table,
        why=f"{table} was written anew or emptied while the recorder waited for it; it is read "
        "again at once.",
    )


def related(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Customers are recorded for their jobs; where no job names one, none is."""
    link = customer_link(tables)
    return tuple(table for table in tables if table.name != "customers" or link)
