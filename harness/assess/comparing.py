"""Reads a journal as of one moment and compares its two sides by the criteria."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from harness.assess.criteria import Criteria
from harness.assess.eras import deployments_of, stages_of
from harness.assess.health import blind_periods, recording_health
from harness.assess.said import marks
from harness.assess.sample import unsampled_jobs
from harness.assessment import Mark, RecordingHealth
from harness.compare.comparison import Comparison, compare_pairs
from harness.compare.pairing import join_sides, with_state
from harness.compare.rules import refuse_expired
from harness.compare.silence import BlindPeriod
from harness.compare.texts import places_in, written
from harness.journal.reader import Reader
from harness.resources import sql_queries

BEGINNING = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison, and what it was made from."""

    comparison: Comparison
    jobs: pl.DataFrame
    """``select_jobs``, in the control's order."""
    submissions: pl.DataFrame | None
    """``select_submissions``; None where they were not to be kept."""
    health: RecordingHealth
    until: datetime
    """The moment as of which silence was judged."""
    blind: tuple[BlindPeriod, ...]
    older: int
    """Jobs left out because they were created before the shadow week began."""
    unsampled: frozenset[str]
    """Jobs left out because nothing shows that the candidate was meant to get them."""
    marks: tuple[Mark, ...]
    first_job: datetime | None
    """When the first recorded job of the week was created."""


def compare_journal(
    reader: Reader,
    criteria: Criteria,
    *,
    now: datetime | None = None,
    unsampled_too: bool = False,
    keep_submissions: bool = False,
) -> Compared:
    """Compare what the reader sees.

    unsampled_too: keep the jobs that the candidate was perhaps never meant to get.
    keep_submissions: give what was read back too, which takes as much memory as the pairs.
    now: the moment that is asked about, as of which a rule may have expired; None for that of the
    reader's last event. Raises SettingsError for an expired rule before anything is compared.
    """
    refuse_expired(
        criteria.rules,
        on=(now or reader.as_of_time).astimezone(UTC).date(),
        origin=criteria.rules_origin,
    )
    older = reader.narrow(criteria.since) if criteria.since else 0
    health = recording_health(reader, time_scale=criteria.time_scale)
    # Silence is judged at the moment up to which the record is proved complete: what happened
    # after that may simply not have been recorded yet. Without a proof, nothing is overdue.
    until = health.complete_until or BEGINNING
    queries = sql_queries("views/select_submissions.sql")
    jobs = reader.frame(queries["select_jobs"])
    documents = None
    if keep_submissions:
        submissions = reader.frame(queries["select_submissions"])
    else:
        submissions, documents = _with_documents(reader)
    blind, said = blind_periods(reader), marks(reader)
    unsampled = frozenset[str]()
    if not unsampled_too:
        unsampled = unsampled_jobs(jobs, submissions, stages_of(said))
    first_job = jobs["created_at"].min()
    if unsampled:
        left = ~pl.col("job_id").is_in(list(unsampled))
        jobs, submissions = jobs.filter(left), submissions.filter(left)
    kept = submissions if keep_submissions else None
    pairs, sent = join_sides(submissions, jobs, documents=documents, use_up=kept is None)
    del submissions
    pairs = with_state(
        pairs,
        as_of=until,
        deadline_s=criteria.deadline_s,
        time_scale=criteria.time_scale,
        blind=blind,
        deployments=deployments_of(said),
    )
    return Compared(
        comparison=compare_pairs(pairs, sent, criteria.rules),
        jobs=jobs,
        submissions=kept,
        health=health,
        until=until,
        blind=blind,
        older=older,
        unsampled=unsampled,
        marks=said,
        first_job=first_job.astimezone(UTC) if isinstance(first_job, datetime) else None,
    )


def _with_documents(reader: Reader) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The submissions with the number of the document that each sent, and what those say."""
    queries = sql_queries("views/select_submissions.sql")
    rows = reader.large_frame(queries["select_documents"])
    texts = written(rows["sent"].unique().drop_nulls())
    with reader.table("documents", texts.to_frame().with_row_index("number")):
        documents = reader.frame(queries["select_sent"])
    numbers = pl.Series("sent", places_in(rows["sent"], texts), pl.UInt32)
    rows = rows.with_columns(numbers.set(numbers == len(texts), None))
    return rows, documents.with_columns(pl.all().cast(rows["mode"].dtype))
