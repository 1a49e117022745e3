"""Faults planted in copies of recorded events, each in a scratch journal that is thrown away.

A fault is one SQL file in ``sql/calibration``. Its header says what goes wrong; ``select_places``
where it can be planted; ``select_planted`` what then would have been recorded instead of `copies`.
The finding that has to name it has the name of the file, or the one that its header tells. What its
header calls innocent may change no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import duckdb
import polars as pl

from harness.journal.reader import Reader
from harness.journal.store import Journal
from harness.resources import resource, sql_queries

_HEADER = re.compile(r"^-- (fault|effect|finding): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFault:
    """One entry of the catalogue of faults of events."""

    id: str
    fault: str
    innocent: bool
    finding: str
    """What has to name it; of an innocent change nothing may."""
    places_sql: str
    planted_sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One copy with a fault. `job_id` None: the fault is of no job."""

    mutant: int
    fault: EventFault
    job_id: str | None
    directory: str | None
    """The directory that it is planted in; None for the whole job."""

    @property
    def copy(self) -> str | None:
        """The job id that the copy has in the scratch journal."""
        return None if self.job_id is None else f"{self.job_id}\x1f{self.mutant}"

    @property
    def twin(self) -> str | None:
        """The job id of the same copy without the fault."""
        return None if self.job_id is None else f"{self.job_id}\x1f{-self.mutant}"


@cache
def event_faults() -> tuple[EventFault, ...]:
    """All faults of events, by id. ValueError names a file whose header is incomplete."""
    faults = []
    for file in sorted(resource("sql/calibration").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        header = dict(_HEADER.findall(file.read_text(encoding="utf-8")))
        if "fault" not in header or header.get("effect", "innocent") != "innocent":
            raise ValueError(f"{file.name}: the header needs a fault, and no effect but innocent")
        queries = sql_queries(f"calibration/{file.name}")
        faults.append(
            EventFault(
                id=file.name.removesuffix(".sql"),
                fault=header["fault"],
                innocent="effect" in header,
                finding=header.get("finding", file.name.removesuffix(".sql")),
                places_sql=queries["select_places"],
                planted_sql=queries["select_planted"],
            )
        )
    return tuple(faults)


def places(
    reader: Reader, fault: EventFault, *, until: datetime, deadline_s: float, time_scale: float
) -> list[tuple[str | None, str | None]]:
    """(job, directory) wherever a fault can be planted, in a stable order."""
    found = reader.frame(
        fault.places_sql, until=until, deadline_s=deadline_s, time_scale=time_scale
    )
    return [tuple(row) for row in found.unique().sort("job_id", "directory").iter_rows()]


def count_events(reader: Reader) -> dict[str, int]:
    """How many events each job has."""
    return dict(reader.rows(sql_queries("journal/scratch.sql")["count_events_by_job"]))


def select_copies(reader: Reader, planted: Sequence[Planted]) -> pl.DataFrame:
    """The recorded events of every copy and twin, and what tells of the record as a whole.

    Columns: mutant (negative: its twin), planted (the fault's id), and those of an event.
    """
    queries = sql_queries("journal/scratch.sql")
    twins = [p for p in planted if p.job_id is not None]
    copies = reader.frame(
        queries["select_copies"],
        mutants=[*(p.mutant for p in planted), *(-p.mutant for p in twins)],
        kinds=[*(p.fault.id for p in planted), *(None for _ in twins)],
        jobs=[*(p.job_id for p in planted), *(p.job_id for p in twins)],
        places=[*(p.directory for p in planted), *(p.directory for p in twins)],
    )
    return pl.concat([reader.frame(queries["select_looks"]), copies])


@contextmanager
def scratch(
    copies: pl.DataFrame, planted: Sequence[Planted], folder: Path, *, until: datetime
) -> Iterator[tuple[Reader, frozenset[int]]]:
    """Yield a reader of a journal in `folder` that holds every copy and its untouched twin.

    copies: of `select_copies`. Beside the reader come the numbers of those mutants of which the
    fault changed anything.
    """
    changed: set[int] = set()
    queries = sql_queries("journal/scratch.sql")
    journal = Journal.create(folder / "scratch.duckdb")
    for query in ("create_drafts", "create_again"):
        stage = partial(
            _stage, copies=copies, planted=planted, drafts=queries[query], until=until,
            changed=changed,
        )  # fmt: skip
        journal.append_staged(stage, watermarks=(), tier="-")
    with journal.reader() as scratched:
        yield scratched, frozenset(changed)


def _stage(
    con: duckdb.DuckDBPyConnection,
    *,
    copies: pl.DataFrame,
    planted: Sequence[Planted],
    drafts: str,
    until: datetime,
    changed: set[int],
) -> int:
    """Make `drafts` of the copies as each fault would have left them; add to `changed`."""
    queries = sql_queries("journal/scratch.sql")
    con.register("all_copies", copies)
    con.execute(queries["create_planted"])
    con.execute(queries["create_copies"])
    for fault in sorted({p.fault.id: p.fault for p in planted}.values(), key=lambda f: f.id):
        con.execute("SET VARIABLE planted = ?::VARCHAR", [fault.id])
        params = {"until": until} if "$until" in fault.planted_sql else None
        con.execute(f"INSERT INTO planted BY NAME {fault.planted_sql.rstrip(';')}", params)
    changed.update(number for (number,) in con.execute(queries["select_changed"]).fetchall())
    con.execute(drafts)
    ((count,),) = con.execute("SELECT count(*) FROM drafts").fetchall()
    return int(count)
