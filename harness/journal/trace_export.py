"""Exports a slice of a journal as a trace, and makes redacted traces of raw ones.

The journal is held only while the slice is copied into a scratch folder that nobody else may read;
redaction and sorting work there, customer by customer, whatever the size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import JournalError
from harness.journal.reader import Reader
from harness.journal.selection import Selection
from harness.journal.store import Journal
from harness.journal.trace import (
    Manifest,
    Mark,
    Redaction,
    Tell,
    check_content,
    check_target,
    memory_database,
    read_manifest,
    write_trace,
)
from harness.model import EventKind
from harness.privacy.fakes import Faker
from harness.privacy.policy import Policy, shown
from harness.privacy.redact import Redactor, Row
from harness.resources import sql_queries

_MOST_MARKS = 500
"""Watermarks of one source in a manifest: enough to look back, few enough for metadata."""
_ROWS_AT_ONCE = 10_000
_NOBODYS = 1000
"""Rows of no customer that are redacted together."""
_NO_POLICY = (
    ", and what of its tables is personal is not declared anywhere, so that it cannot be redacted. "
    "Export it with --raw, and keep it as you keep production."
)
_REDACTED = pa.schema(
    [
        pa.field("seq", pa.int64()),
        pa.field("key", pa.string()),
        pa.field("job_id", pa.string()),
        pa.field("directory", pa.string()),
        pa.field("payload", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """How a trace is redacted."""

    policy: Policy
    secret: bytes
    region: str = "US"
    """Of phone numbers that are written without a country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where a slice comes from, for its manifest."""

    journal: str
    as_of_seq: int
    watermarks: tuple[Mark, ...]
    selection: Selection

    def told(self, name: Callable[[str], str]) -> dict[str, Any]:
        """As the manifest of a raw trace says it. name: how journals and jobs are called there."""
        return {
            "journal": name(self.journal),
            "as_of_seq": self.as_of_seq,
            "watermarks": self.watermarks,
            "selection": self.selection.shown(name),
            "redaction": None,
        }


Choose = Callable[[Reader], frozenset[str]]
"""Which jobs an assessment of the journal singles out."""


def export_trace(
    journal: Journal,
    out: Path,
    selection: Selection,
    privacy: Privacy | None,
    *,
    choose: Choose | None = None,
    as_of: int | datetime | None = None,
    force: bool = False,
    on_progress: Tell | None = None,
) -> Manifest:
    """Write the selected slice to `out`, as of a moment. privacy: None exports it raw.

    Raises JournalError if nothing is selected or `out` exists, EnvironmentProblem if a folder
    cannot be written.
    """
    check_target(out, force=force)
    if privacy is not None and (mapping := journal.mapping()) is not None:
        raise JournalError(f"{journal.path} is read by the mapping {mapping.shown}{_NO_POLICY}")
    queries = sql_queries("journal/trace.sql")
    with _scratch(journal.path.parent) as folder:
        with journal.reader(as_of) as reader:
            marks = reader.frame(queries["select_marks"], seq=reader.as_of_seq, most=_MOST_MARKS)
            origin = _Origin(
                journal=reader.journal_id(),
                as_of_seq=reader.as_of_seq,
                watermarks=tuple(Mark(**mark) for mark in marks.iter_rows(named=True)),
                selection=selection,
            )
            reader.rows("SET VARIABLE trace_jobs = $jobs", jobs=_jobs(reader, selection, choose))
            reader.rows(queries["create_events_of_journal"])
            reader.rows("SET memory_limit = '1GB'")
            reader.rows("SET temp_directory = $spill", spill=str(folder))
            reader.rows(_copy(queries["select_slice"], folder / "staged.parquet"))
        return _write(folder, out, origin, privacy, on_progress)


def redact_trace(
    source: Path,
    out: Path,
    privacy: Privacy,
    *,
    force: bool = False,
    on_progress: Tell | None = None,
) -> Manifest:
    """Write a redacted trace of a raw one."""
    check_target(out, force=force)
    manifest = read_manifest(source)
    if not manifest.raw:
        raise JournalError(f"{source} is redacted already. Give a trace exported with --raw.")
    if EventKind.SOURCE_MAPPING in manifest.by_kind:
        raise JournalError(f"{source} holds a mapping of its own{_NO_POLICY}")
    check_content(source, manifest)
    told = dict(manifest.selection)
    origin = _Origin(
        journal=manifest.journal,
        as_of_seq=manifest.as_of_seq,
        watermarks=manifest.watermarks,
        selection=Selection(jobs=frozenset(told.pop("jobs", ())), also=told),
    )
    queries = sql_queries("journal/trace.sql")
    with _scratch(out.parent) as folder:
        with memory_database(folder) as con:
            con.execute("SET VARIABLE trace = ?", [str(source)])
            con.execute(queries["create_events_of_trace"])
            con.execute(_copy(queries["select_slice"], folder / "staged.parquet"))
        return _write(folder, out, origin, privacy, on_progress)


def _jobs(reader: Reader, selection: Selection, choose: Choose | None) -> list[str] | None:
    """The selected jobs, or None for all."""
    known = dict(reader.rows(sql_queries("journal/trace.sql")["select_jobs"]))
    unknown = sorted(selection.jobs - known.keys())
    if unknown:
        raise JournalError(
            f"--job {unknown[0]}: the journal holds no event of this job as of then. "
            "Give the id of a recorded job."
        )
    chosen = sorted(job for job, created in known.items() if selection.holds(job, created))
    if choose is not None:
        wanted = choose(reader)
        chosen = [job for job in chosen if job in wanted]
    if len(chosen) == len(known):
        return None
    if not chosen:
        raise JournalError(f"None of the {len(known)} recorded jobs is selected. Ask for less.")
    return chosen


def _copy(query: str, target: Path) -> str:
    path = str(target).replace("'", "''")
    return f"COPY ({query.rstrip().rstrip(';')}) TO '{path}' (FORMAT parquet)"


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix=".shadow-trace-", dir=beside)
    except OSError:
        # A journal may lie where one may only read.
        folder = tempfile.TemporaryDirectory(prefix="shadow-trace-")
    with folder as name:
        yield Path(name)


def _write(
    folder: Path,
    out: Path,
    origin: _Origin,
    privacy: Privacy | None,
    on_progress: Tell | None,
) -> Manifest:
    queries = sql_queries("journal/trace.sql")
    staged = folder / "staged.parquet"
    with memory_database(folder) as con:
        con.execute("SET VARIABLE staged = ?", [str(staged)])
        if privacy is None:
            con.execute(queries["create_raw"])
            return write_trace(con, out, origin.told(str), on_progress=on_progress)
        faker = Faker(privacy.secret, region=privacy.region)
        public = con.execute(queries["select_public_hosts"], {"staged": str(staged)}).fetchall()
        redactor = Redactor(
            privacy.policy, faker, public_hosts=frozenset(host for (host,) in public)
        )
        redacted = folder / "redacted.parquet"
        total = pq.read_metadata(staged).num_rows
        pieces = con.sql(
            queries["select_by_group"], params={"staged": str(staged)}
        ).to_arrow_reader(_ROWS_AT_ONCE)
        _redact(pieces, redacted, redactor, total=total, on_progress=on_progress)
        con.execute("SET VARIABLE redacted = ?", [str(redacted)])
        con.execute(queries["create_redacted"])
        done = Redaction(
            policy=privacy.policy.digest,
            own_rules=shown(privacy.policy),
            values={action.value: count for action, count in sorted(redactor.counts.items())},
            unknown_fields=dict(sorted(redactor.unknown.items())),
        )
        facts = origin.told(faker.identifier) | {"redaction": done}
        return write_trace(con, out, facts)


def _redact(
    pieces: pa.RecordBatchReader,
    target: Path,
    redactor: Redactor,
    *,
    total: int,
    on_progress: Tell | None,
) -> None:
    done = 0
    ready: list[tuple[int, Row]] = []
    with pq.ParquetWriter(target, _REDACTED, compression="zstd") as writer:

        def flush() -> None:
            if ready:
                columns = {
                    "seq": [seq for seq, _ in ready],
                    **{
                        name: [getattr(row, name) for _, row in ready]
                        for name in ("key", "job_id", "directory", "payload")
                    },
                }
                writer.write_table(pa.table(columns, schema=_REDACTED))
                ready.clear()

        for seqs, rows in _groups(pieces):
            ready.extend(zip(seqs, redactor.redact(rows), strict=True))
            done += len(rows)
            if len(ready) >= _ROWS_AT_ONCE:
                flush()
                if on_progress is not None:
                    on_progress(done, total)
        flush()


def _groups(pieces: pa.RecordBatchReader) -> Iterator[tuple[Sequence[int], Sequence[Row]]]:
    """Rows that may quote one another, all of a customer at once."""
    seqs: list[int] = []
    rows: list[Row] = []
    current: str | None = None
    for piece in pieces:
        for item in piece.to_pylist():
            group, seq = item.pop("grp"), item.pop("seq")
            if rows and (group != current or (group is None and len(rows) >= _NOBODYS)):
                yield seqs, rows
                seqs, rows = [], []
            current = group
            seqs.append(seq)
            rows.append(Row(**item))
    if rows:
        yield seqs, rows
