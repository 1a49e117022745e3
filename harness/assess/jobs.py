"""One page of jobs, and one job in full, compared by the very code that compares all of them.

A few jobs are read out of the journal and compared by themselves, which gives for each what the
whole comparison gives; hundreds of thousands of others are never loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Any

import polars as pl

from harness.assess.comparing import BEGINNING
from harness.assess.criteria import Criteria
from harness.assess.detail import event_text
from harness.assess.eras import stages_of
from harness.assess.health import blind_periods
from harness.assess.job_search import JobSearch
from harness.assess.said import marks
from harness.assess.sample import unsampled_jobs
from harness.assessment import JobDetail, JobEvent, JobPage, JobRow, JobSubmission
from harness.compare.beside import job_statuses
from harness.compare.comparison import compare
from harness.journal.focus import GRAIN, Focus, read_jobs
from harness.journal.reader import Reader
from harness.model import LIVE, EventKind, Side, Verdict
from harness.resources import sql_queries

MOST_EVENTS = 1000
"""Newest events of one job; a looping one may have many thousands."""

_LANES = {
    EventKind.JOBS.value: "job",
    EventKind.DIRECTORY_SUBMISSIONS.value: Side.CONTROL.value,
    EventKind.JOB_RESULTS.value: Side.CANDIDATE.value,
    EventKind.QUEUE_HISTORY.value: Side.CANDIDATE.value,
    EventKind.PREFECT_FLOW_RUN.value: Side.CANDIDATE.value,
    EventKind.SQS_DEAD_LETTER.value: Side.CANDIDATE.value,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Some jobs by themselves."""

    pairs: pl.DataFrame
    statuses: Mapping[str, tuple[str, str]]
    """By job: the status on either side, by one rule."""
    unsampled: frozenset[str]


def job_page(
    reader: Reader, criteria: Criteria, search: JobSearch, *, offset: int, limit: int
) -> JobPage:
    """The jobs that `search` finds, the newest first, `limit` of them from `offset` on.

    Raises ValueError for a search that was not understood.
    """
    if search.wrong:
        raise ValueError(search.wrong)
    if criteria.since:
        reader.narrow(criteria.since)
    params = asdict(search)
    del params["wrong"]
    params["words"], params["directories"] = list(search.words), list(search.directories)
    rows = reader.frame(
        sql_queries("views/jobs.sql")["select_page"], **params, limit=limit, offset=offset
    )
    jobs, found = rows.select("jobs", "found").row(0)
    named = rows.filter(pl.col("job_id").is_not_null())
    return JobPage(
        seq=reader.as_of_seq,
        found=found,
        jobs=jobs,
        offset=offset,
        rows=_rows(named, _compared(reader, criteria, named["job_id"].to_list())),
    )


def job_detail(reader: Reader, criteria: Criteria, job_id: str) -> JobDetail | None:
    """Everything about one job; None where none of that id counts as of the reader's moment."""
    if criteria.since:
        reader.narrow(criteria.since)
    queries = sql_queries("views/jobs.sql")
    found = reader.frame(queries["select_job"], job_id=job_id)
    if found.is_empty():
        return None
    compared = _compared(reader, criteria, [job_id])
    events = reader.rows(queries["select_events"], job_id=job_id, most=MOST_EVENTS)
    return JobDetail(
        seq=reader.as_of_seq,
        row=_rows(found, compared)[0],
        submissions=tuple(_submissions(compared.pairs, criteria.time_scale)),
        events=tuple(
            JobEvent(
                seq=seq,
                occurred_at=at.astimezone(UTC),
                lane="replay" if source.startswith("replay:") else _LANES.get(kind, "other"),
                directory=directory,
                text=event_text(kind, json.loads(payload)),
            )
            for seq, at, source, kind, directory, payload, _ in events
        ),
        events_before=events[0][-1] - len(events) if events else 0,
    )


def _compared(reader: Reader, criteria: Criteria, job_ids: Sequence[str]) -> _Compared:
    until_mark = reader.watermark("production")
    until = until_mark.complete_until if until_mark else BEGINNING
    queries = sql_queries("views/select_submissions.sql")
    focus = Focus(since=criteria.since)
    try:
        places = range(reader.as_of_seq // GRAIN + 1)
        focus.load_jobs(read_jobs(reader, job_ids, places, kinds=(), until=reader.as_of_seq))
        jobs = focus.frame(queries["select_jobs"])
        submissions = focus.frame(queries["select_submissions"])
    finally:
        focus.close()
    unsampled = unsampled_jobs(jobs, submissions, stages_of(marks(reader)))
    comparison = compare(
        submissions,
        jobs,
        criteria.rules,
        as_of=until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
        blind=blind_periods(reader),
    )
    pairs = comparison.narrow
    statuses = job_statuses(pairs).filter(pl.col("mode") == LIVE).drop("mode")
    return _Compared(
        pairs=pairs,
        statuses={job: (old, new) for job, old, new in statuses.iter_rows()},
        unsampled=unsampled,
    )


def _rows(jobs: pl.DataFrame, compared: _Compared) -> tuple[JobRow, ...]:
    live = compared.pairs.filter(pl.col("mode") == LIVE)
    counts: dict[str, dict[str, int]] = {}
    for job_id, verdict, number in live.group_by("job_id", "verdict").len().iter_rows():
        counts.setdefault(job_id, {})[verdict] = number
    rows = []
    for row in jobs.iter_rows(named=True):
        mine = counts.get(row["job_id"], {})
        old, new = compared.statuses.get(row["job_id"], (None, None))
        rows.append(
            JobRow(
                job_id=row["job_id"],
                created_at=row["created_at"].astimezone(UTC),
                package_size=row["package_size"],
                priority=row["priority"],
                control_word=row["control_status"],
                candidate_word=row["candidate_status"],
                control_status=old,
                candidate_status=new,
                verdicts=tuple((verdict, mine.get(verdict.value, 0)) for verdict in Verdict),
                sampled=row["job_id"] not in compared.unsampled,
            )
        )
    return tuple(rows)


def _submissions(pairs: pl.DataFrame, scale: float) -> Iterable[JobSubmission]:
    rows = sorted(
        pairs.iter_rows(named=True),
        key=lambda row: (row["mode"] != LIVE, str(row["mode"]), str(row["directory"])),
    )
    for row in rows:
        yield JobSubmission(
            mode=row["mode"],
            directory=row["directory"],
            verdict=Verdict(row["verdict"]),
            control_outcome=row["control_outcome"],
            candidate_outcome=row["candidate_outcome"],
            control_error=row["control_error_class"],
            candidate_error=row["candidate_error_class"],
            control_s=_seconds(row, Side.CONTROL, scale),
            candidate_s=_seconds(row, Side.CANDIDATE, scale),
            excluded_by=row["excluded_by"] or "",
        )


def _seconds(row: Mapping[str, Any], side: Side, scale: float) -> float | None:
    """As latencies count it: what the side states, else from its start to its end."""
    stated = row[f"{side.value}_duration_ms"]
    if stated is not None:
        return float(stated) / 1000.0
    begun, ended = row[f"{side.value}_started_at"], row[f"{side.value}_finished_at"]
    return float((ended - begun).total_seconds()) * scale if begun and ended else None
