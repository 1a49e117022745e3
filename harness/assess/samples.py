"""What the samples of the queues and of Prefect say, and how far they cover the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from harness.assess.gaps import RecordedGap
from harness.gates.inputs import SAMPLES_APART_S, Sampling
from harness.gates.wording import counted
from harness.journal.reader import Reader
from harness.model import Source
from harness.resources import sql_queries

_BEGINNING = datetime.fromtimestamp(0, UTC)
_SETTLED = timedelta(minutes=1)
"""A run that was triggered so short before the last sample may not have been asked for."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSpan:
    """The time of which the record must tell: from its beginning, or that of the shadow week."""

    start: datetime
    end: datetime | None
    """Up to which the record of production is proved complete; None without a proof."""


def record_span(
    reader: Reader, *, complete_until: datetime | None, since: datetime | None
) -> RecordSpan:
    """The recorded time; it begins nowhere where no recorder began."""
    ((begun,),) = reader.rows(_queries()["select_first_start"])
    starts = [at.astimezone(UTC) for at in (begun, since) if at is not None]
    return RecordSpan(
        start=max(starts, default=_BEGINNING), end=complete_until if begun is not None else None
    )


def dead_letters_seen(reader: Reader, span: RecordSpan) -> int | None:
    """The most dead letters that any sample saw, or that were read; None if none were counted."""
    ((most, read),) = reader.rows(_queries()["count_dead_letters"], since=span.start)
    return None if most is None else max(int(most), int(read))


def dlq_sampling(reader: Reader, span: RecordSpan, gaps: Sequence[RecordedGap]) -> Sampling:
    """How far samples that counted the dead letters cover the record."""
    times = [at.astimezone(UTC) for (at,) in reader.rows(_queries()["select_dlq_samples"])]
    return _sampling(times, span, gaps, source=Source.SHADOW_QUEUE)


def prefect_errors(reader: Reader, span: RecordSpan) -> dict[str, int] | None:
    """Flow runs that failed, crashed or were late, and whether the deployment was ever missing.

    None if Prefect was never asked.
    """
    (row,) = reader.rows(_queries()["count_prefect_errors"], since=span.start)
    samples, undeployed, failed, crashed, late = row
    if not samples:
        return None
    return {"failed": failed, "crashed": crashed, "late": late, "no_deployment": int(undeployed)}


def prefect_sampling(reader: Reader, span: RecordSpan, gaps: Sequence[RecordedGap]) -> Sampling:
    """How far samples of Prefect cover the record, and which of its flow runs they left out."""
    rows = reader.rows(_queries()["select_prefect_samples"])
    times = [row[0].astimezone(UTC) for row in rows]
    unseen = []
    if rows:
        covered = [
            (start.astimezone(UTC), end.astimezone(UTC))
            for _, start, end, _, _ in rows
            if start is not None and end is not None
        ]
        unseen = [
            f"flow runs that ended between {start:%d %B %H:%M:%S} and {end:%d %B %H:%M:%S} UTC"
            for start, end in _holes(covered, since=span.start)
        ]
        _, _, _, open_complete, waiting = rows[-1]
        if open_complete is False:
            unseen.append("some of the flow runs that have not ended")
        if waiting:
            unseen.append(f"earlier states of {counted(waiting, 'flow run')}")
        if covered and (unknown := _unknown_runs(reader, span, min(times[-1], covered[-1][1]))):
            unseen.append(f"{counted(unknown, 'flow run')} that the candidate triggered")
    return _sampling(times, span, gaps, source=Source.PREFECT, unseen=tuple(unseen))


def _unknown_runs(reader: Reader, span: RecordSpan, until: datetime) -> int:
    ((unknown,),) = reader.rows(
        _queries()["count_unknown_flow_runs"], since=span.start, until=until - _SETTLED
    )
    return int(unknown)


def _sampling(
    times: Sequence[datetime],
    span: RecordSpan,
    gaps: Sequence[RecordedGap],
    *,
    source: Source,
    unseen: tuple[str, ...] = (),
) -> Sampling:
    if not times or span.end is None:
        return Sampling(samples=len(times), unseen=unseen)
    length_s = (span.end - span.start).total_seconds()
    # A sample tells of the time before it: the first of several reaches back to the beginning.
    bounds = [span.start, *times] if len(times) > 1 else times
    close = [
        (max(one, span.start), min(next_one, span.end))
        for one, next_one in pairwise(bounds)
        if (next_one - one).total_seconds() <= SAMPLES_APART_S
    ]
    away = _merged(
        (gap.since, gap.until)
        for gap in gaps
        if gap.what == source.value and gap.since is not None and gap.until is not None
    )
    seen_s = sum(_length_s(one) - sum(_length_s(_both(one, gap)) for gap in away) for one in close)
    return Sampling(
        samples=len(times),
        share=min(1.0, max(0.0, seen_s / length_s)) if length_s > 0 else 0.0,
        behind_s=max(0.0, (span.end - times[-1]).total_seconds()),
        unseen=unseen,
    )


def _holes(spans: Sequence[Span], *, since: datetime) -> list[Span]:
    """What lies between `since` and the end of the last span and in none of them."""
    holes = []
    reached = since
    for start, end in _merged(spans):
        if start > reached:
            holes.append((reached, start))
        reached = max(reached, end)
    return holes


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _both(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _length_s(span: Span) -> float:
    return max(0.0, (span[1] - span[0]).total_seconds())


def _queries() -> dict[str, str]:
    return sql_queries("views/recording_health.sql")
