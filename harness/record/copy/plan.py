"""How the first copy reads each table: in which parts, from which on, and what its rows become."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg import sql

from harness.journal.bulk import RowMapping
from harness.model import Source
from harness.record.postgres.connection import Snapshot
from harness.record.postgres.horizon import SnapshotMark
from harness.record.postgres.introspect import Table, customer_link
from harness.record.postgres.tables import make_event
from harness.record.postgres.xids import sweep_age
from harness.resources import sql_queries

_TID_RANGE_SCANS = 140000
"""From this server version on a part of a table is read without reading the rest."""
_END = 2**32 - 1
"""No table has a page of this number."""

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)

_TEXTS = ("uuid", "text", "citext", "name", "character")
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_TIMES = ("timestamp", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a table lies in the database."""

    filenode: int | None
    paged: bool
    """Its rows lie in pages of its own and nowhere else."""
    keyed: bool
    """No two rows have the same key."""
    pages: int
    rows: int
    """An estimate."""
    server_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far the copy of one table is. Soundness rests on `xid` being that of its first snapshot.

    The claim: once `done`, every committed row version that a transaction below X wrote is in the
    journal, unless another version has replaced it; so the sweep that asks for
    ``age(xmin) <= age(X)`` finds all the rest. In one snapshot this is plain. Let the copy break
    off after a part of the table and go on behind it in a later snapshot. Take a version that the
    later snapshot shows in the part that is not read again. If it was there when that part was
    read, it is in the journal. If not, it was invisible then, so its writer was not over at the
    first snapshot and is X or above; or it has moved into the part since, and this is what each way
    of dividing a table has to exclude.

    By pages, in their order: a version never leaves its page, unless the whole table is written
    anew (VACUUM FULL, CLUSTER), and then it has another file. The copy of a table that has another
    file begins again. A file cannot change while a transaction has read from its table, so it is
    asked for after the first reading. Freezing leaves xmin in its place.

    By time, in its order, where rows are only ever added: a version's time never changes, wherever
    it lies. Rows of the last moment are asked for once more, because the chunk may have ended among
    them, and rows without a time as well, because they come last; what is known already is dropped
    by its key.
    """

    xid: int
    filenode: int | None
    page: int = 0
    """Pages below it are in the journal."""
    created: str | None = None
    """Rows created before it are in the journal."""
    rows: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done with one table in this snapshot."""

    table: Table
    form: Form
    state: State
    customers_of: tuple[Table, str] | None
    """As `customer_link`; of the table `customers` only."""


def plan_copy(
    snapshot: Snapshot,
    tables: Sequence[Table],
    remembered: Mapping[str, Mapping[str, Any]],
    mark: SnapshotMark,
) -> dict[str, Plan]:
    """Return table → plan in the order of `tables`, for those that can be copied without Python.

    remembered: table → state of an earlier session. Every table is held from now on. Raises
    SourceError.
    """
    link = customer_link(tables)
    plans = {}
    for table in tables:
        if table.name == "customers" and link is None:
            continue
        form = look_at(snapshot, table)
        if can_be_copied(table, form):
            plans[table.name] = Plan(
                table=table,
                form=form,
                state=resume(remembered.get(table.name), form, mark),
                customers_of=link if table.name == "customers" else None,
            )
    return plans


def look_at(snapshot: Snapshot, table: Table) -> Form:
    """Hold the table's form until the end of the transaction and return it."""
    snapshot.execute(_query("hold_table").format(table=table.identifier))
    name = sql.Literal(table.identifier.as_string(snapshot))
    (row,) = snapshot.execute(_query("select_form").format(name=name)).fetchall()
    rows = row.pop("estimate")
    if rows < 0 or (rows == 0 and row["pages"]):
        # Never analysed.
        (counted,) = snapshot.execute(
            _query("count_rows").format(table=table.identifier)
        ).fetchall()
        rows = counted["rows"]
    return Form(rows=rows, **row)


def can_be_copied(table: Table, form: Form) -> bool:
    """True if the event of a row can be made without Python: plain types, a key that holds."""
    spec = table.spec
    places = (spec.directory_url, spec.directory_name)
    return (
        form.keyed
        and _are(table, table.key, _TEXTS + _WHOLE_NUMBERS)
        and _are(table, spec.job, (*_TEXTS, *_WHOLE_NUMBERS, "json"))
        and _are(table, [place for place in places if place], _TEXTS)
        and _are(table, spec.changed + spec.created, _TIMES)
    )


def resume(state: Mapping[str, Any] | None, form: Form, mark: SnapshotMark) -> State:
    """Return where to go on: as remembered, or from the start where that would not be sound."""
    fresh = State(xid=mark.xmin, filenode=form.filenode)
    if state is None:
        return fresh
    found = State(**state)
    # The age has to be told by the first sweep too, so one that is nearly too old is no use.
    if sweep_age(found.xid, xmin=mark.xmin, xmin_age=mark.xmin_age) is None:
        return fresh
    moved = found.page > 0 and found.filenode != form.filenode
    return fresh if moved and not found.done else found


def statements(
    plan: Plan, mark: SnapshotMark, *, step_pages: int
) -> Iterator[tuple[sql.Composed, int]]:
    """Yield the statements that read what is missing, each with the page up to which it reads."""
    table, form, state = plan.table, plan.form, plan.state
    version: sql.Composable = sql.SQL("NULL")
    if not table.spec.append_only:
        version = _query("version_of").format(raw=sql.SQL("t.xmin"), xmax=sql.Literal(mark.xmax))
    names: dict[str, sql.Composable] = {"version": version, "table": table.identifier}
    if plan.customers_of is not None:
        jobs, link = plan.customers_of
        names |= {"link": sql.Identifier(link), "jobs": jobs.identifier}
        yield _query("copy_customers").format(**names), 0
    elif table.spec.append_only and table.created:
        names |= {"created": sql.Identifier(table.created), "after": sql.Literal(state.created)}
        yield _query("copy_by_time").format(**names), 0
    elif form.paged:
        # An older server would read the whole table for each part of it.
        step = step_pages if form.server_version >= _TID_RANGE_SCANS else _END
        for first in range(state.page, max(form.pages, state.page + 1), step):
            end = first + step if first + step < form.pages else _END
            pages = {"first": _tid(first), "end": _tid(end)}
            yield _query("copy_pages").format(**pages, **names), end
    else:
        yield _query("copy_all").format(**names), 0


def reached(table: Table, state: State, line: bytes) -> State:
    """Return the state once `line` and all that were read before it are journaled."""
    if not (table.spec.append_only and table.created):
        return state
    _, _, row = line.partition(b"\t")
    created = json.loads(row)[table.created]
    return state if created is None else replace(state, created=created)


def row_mapping(table: Table) -> RowMapping:
    """Return what `make_event` makes of a row, in terms of the journal's bulk append."""
    spec = table.spec
    places = tuple(place for place in (spec.directory_url, spec.directory_name) if place)

    def directory_of(values: Sequence[str | None]) -> str | None:
        row = dict(zip(places, values, strict=True))
        return make_event(spec, row, key="", snapshot_at=_ANY_TIME).directory

    return RowMapping(
        source=Source.PRODUCTION,
        kind=spec.kind,
        keys=tuple((column,) for column in table.key),
        jobs=tuple(tuple(path.split(".", 1)) for path in spec.job),
        times=tuple((column,) for column in spec.changed + spec.created),
        places=tuple((column,) for column in places),
        directory_of=directory_of,
    )


def _are(table: Table, paths: Sequence[str], kinds: tuple[str, ...]) -> bool:
    """True if each of the columns that exist has one of these types."""
    columns = {path.partition(".")[0] for path in paths} & table.columns.keys()
    found = [table.columns[name] for name in columns]
    return all(kind.startswith(kinds) and "[]" not in kind for kind in found)


def _tid(page: int) -> sql.Literal:
    return sql.Literal(f"({page},0)")


def _query(name: str) -> sql.SQL:
    # As a part of a statement it must not end one.
    return sql.SQL(sql_queries("postgres/record/copy.sql")[name].rstrip(";"))
