"""Copies what production holds when recording begins, table by table; then the tiers take over.

Rows go from ``COPY … TO STDOUT`` through chunks on disk into the journal without a Python object
for any of them. Knows no schedule.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import SourceError
from harness.journal.bulk import Limits, RowFile, RowMapping, append_rows
from harness.journal.store import Journal
from harness.model import Batch, Watermark
from harness.record.copy.plan import Plan, State, plan_copy, reached, row_mapping, statements
from harness.record.copy.spool import Conveyor, Lines, room_for, workplace
from harness.record.postgres.connection import Snapshot, SourceConnection
from harness.record.postgres.horizon import SnapshotMark, mark_snapshot
from harness.record.postgres.introspect import Table

PRODUCTION_COPY = "production:copy"
"""Watermark of the first copy; it proves nothing by itself. Its position tells which server that
was, where its last snapshot stands, and how far each table is."""

_NOTHING_COMPLETE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """How far the first copy is; what it counts is in the journal."""

    table: str
    rows: int
    """Of this table, earlier sessions included."""
    expected: int
    """Of this table; an estimate until it is done."""
    all_rows: int
    all_expected: int
    bytes: int
    """Of all tables, read from production in this session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyResult:
    """What the first copy proved."""

    xids: Mapping[str, int]
    """Of each copied table X: what a transaction below X wrote is in the journal. A table whose key
    or times are of no plain type is missing here; the first sweep copies it."""
    mark: SnapshotMark
    """Where the last snapshot stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLimits:
    """How much of this machine and of production's time the first copy takes at once."""

    chunk_rows: int = 122_880
    """Rows of one batch at most: what DuckDB stores in one piece. Fewer would be written twice."""
    chunk_bytes: int = 48 * 2**20
    spool_bytes: int = 2**30
    """What may wait for the journal. Beyond it reading waits, and production's snapshot lasts."""
    memory_mb: int = 90
    """For DuckDB; the rest of the process takes nearly twice as much."""
    step_pages: int = 8192
    """Pages asked for at once, 64 MiB; what was read of them is read again after a break."""
    statement_s: float = 1800.0


def copy_first(
    connection: SourceConnection,
    journal: Journal,
    tables: Sequence[Table],
    *,
    identity: str | None,
    stop: threading.Event,
    on_progress: Callable[[CopyProgress], None],
    limits: CopyLimits | None = None,
) -> CopyResult | None:
    """Copy every row of `tables` in one snapshot, or go on where an earlier call broke off.

    identity: that of the server, to be remembered. Returns None if `stop` was set midway; the chunk
    in hand is finished. `on_progress` is called from another thread. The caller holds the
    recorder's lock. Raises SourceError, JournalBusyError, EnvironmentProblem; what was journaled
    until then stays, and the next call goes on behind it, in a snapshot of its own.
    """
    limits = limits or CopyLimits()
    remembered = journal.watermark(PRODUCTION_COPY)
    position = remembered.position if remembered else {"identity": None, "tables": {}}
    if position["identity"] and identity and position["identity"] != identity:
        raise SourceError(
            f"{connection.place} is not the database that this journal was begun from. "
            "Give another --journal, or point SHADOW_DSN at the first one."
        )
    with workplace(journal.path) as folder:
        room = room_for(folder, most_bytes=limits.spool_bytes)
        with (
            # Outside, so that production's snapshot ends before what is left has been journaled.
            Conveyor(most_bytes=room, stop=stop) as conveyor,
            connection.snapshot(statement_timeout_s=limits.statement_s) as snapshot,
        ):
            mark = mark_snapshot(snapshot)
            plans = plan_copy(snapshot, tables, position["tables"], mark)
            record = _Record(
                journal,
                plans,
                identity=identity or position["identity"],
                mark=mark,
                limits=Limits(memory_mb=limits.memory_mb, spill=folder),
                on_progress=on_progress,
            )
            for plan in plans.values():
                with closing(_read(snapshot, plan, mark, limits, folder)) as chunks:
                    for lines, state in chunks:
                        conveyor.give(lines, record.step(plan.table, lines, state))
                        if stop.is_set():
                            return None
    if conveyor.skipped:
        return None
    return CopyResult(xids={name: plan.state.xid for name, plan in plans.items()}, mark=mark)


def _read(
    snapshot: Snapshot, plan: Plan, mark: SnapshotMark, limits: CopyLimits, folder: Path
) -> Generator[tuple[Lines, State], None, None]:
    """Yield rows with the state that is true once they are journaled; with the last it is done."""
    table, state = plan.table, plan.state
    if state.done:
        return
    lines = Lines(folder)
    try:
        for statement, page in statements(plan, mark, step_pages=limits.step_pages):
            with snapshot.cursor() as cursor, cursor.copy(statement) as blocks:
                for block in blocks:
                    if not lines.write(bytes(block)):
                        continue
                    if lines.count >= limits.chunk_rows or lines.size >= limits.chunk_bytes:
                        state = reached(table, state, lines.last)
                        state = replace(state, rows=state.rows + lines.count)
                        # What is yielded is no longer ours to close.
                        full, lines = lines, Lines(folder)
                        yield full, state
            state = replace(state, page=page)
        state = replace(state, rows=state.rows + lines.count, done=True)
        full, lines = lines, Lines(folder)
        yield full, state
    finally:
        lines.close()


class _Record:
    """Writes one chunk after the other, each with the position behind it."""

    def __init__(
        self,
        journal: Journal,
        plans: Mapping[str, Plan],
        *,
        identity: str | None,
        mark: SnapshotMark,
        limits: Limits,
        on_progress: Callable[[CopyProgress], None],
    ) -> None:
        self._journal = journal
        self._plans = plans
        self._states = {name: plan.state for name, plan in plans.items()}
        self._mark = mark
        self._standing = {
            "identity": identity,
            "xid": mark.xmin,
            "xmax": mark.xmax,
            "lsn": mark.lsn,
        }
        self._limits = limits
        self._on_progress = on_progress
        self._bytes = 0

    def step(self, table: Table, lines: Lines, state: State) -> Callable[[Lines], None]:
        """Return what journals `lines`; to be called in the order of reading."""
        self._states[table.name] = state
        self._bytes += lines.size
        tables = {name: asdict(one) for name, one in self._states.items()}
        mark = Watermark(
            source=PRODUCTION_COPY,
            position={**self._standing, "tables": tables},
            complete_until=_NOTHING_COMPLETE,
        )
        progress = self._progress(table.name)
        mapping = row_mapping(table)

        def journaled(lines: Lines) -> None:
            self._append(lines, mapping, mark)
            self._on_progress(progress)

        return journaled

    def _append(self, lines: Lines, mapping: RowMapping, mark: Watermark) -> None:
        if lines.count == 0:
            self._journal.append(Batch(events=(), watermarks=(mark,), tier="copy"))
            return
        append_rows(
            self._journal,
            RowFile(path=lines.path, longest_line=lines.longest, read_at=self._mark.at),
            mapping,
            limits=self._limits,
            watermarks=[mark],
            tier="copy",
        )

    def _progress(self, name: str) -> CopyProgress:
        expected = {
            one: state.rows if state.done else max(state.rows, self._plans[one].form.rows)
            for one, state in self._states.items()
        }
        return CopyProgress(
            table=name,
            rows=self._states[name].rows,
            expected=expected[name],
            all_rows=sum(state.rows for state in self._states.values()),
            all_expected=sum(expected.values()),
            bytes=self._bytes,
        )
