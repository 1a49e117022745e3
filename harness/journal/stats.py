"""Counts what a journal holds: by kind, source and tier, with its span, gaps and size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.journal.reader import Reader
from harness.resources import sql_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedGap:
    """For a while a source was not recorded."""

    what: str | None
    since: str | None
    until: str | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStats:
    """What a journal holds as of a moment. Times are None where there is no event."""

    seq: int
    jobs: int
    kinds: dict[str, int]
    sources: dict[str, int]
    tiers: dict[str, int]
    """Events by what found them."""
    batches: int
    first_recorded_at: datetime | None
    last_recorded_at: datetime | None
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    complete_until: dict[str, datetime]
    """By source."""
    gaps: tuple[RecordedGap, ...]
    bytes: int
    """Of the file and of its write-ahead log, as they are now."""


def journal_stats(reader: Reader, path: Path) -> JournalStats:
    """Count the journal at `path` as the reader sees it."""
    queries = sql_queries("journal/stats.sql")
    ((first, last, earliest, latest, jobs),) = reader.rows(queries["select_span"])
    tiers = reader.rows(queries["count_by_tier"], seq=reader.as_of_seq)
    files = (path, path.with_name(path.name + ".wal"))
    return JournalStats(
        seq=reader.as_of_seq,
        jobs=jobs,
        kinds=dict(reader.rows(queries["count_by_kind"])),
        sources=dict(reader.rows(queries["count_by_source"])),
        tiers={tier: events for tier, _, events in tiers},
        batches=sum(batches for _, batches, _ in tiers),
        first_recorded_at=_utc(first),
        last_recorded_at=_utc(last),
        first_occurred_at=_utc(earliest),
        last_occurred_at=_utc(latest),
        complete_until={
            source: until.astimezone(UTC)
            for source, until in reader.rows(queries["select_completeness"], seq=reader.as_of_seq)
        },
        gaps=tuple(
            RecordedGap(what=what, since=since, until=until, why=why)
            for what, since, until, why in reader.rows(queries["select_gaps"])
        ),
        bytes=sum(file.stat().st_size for file in files if file.exists()),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
