"""Pairs and findings of a journal that grows, brought up to date by what changed.

The result is that of `compare_journal` and `detect` over the whole journal, for what both do is
done to each job by itself. So a look compares, with the same code and the same SQL, the jobs of
which something was recorded since, and those whose silence fell due meanwhile. What makes this
untrue (another journal, an earlier moment, other periods in which nothing could be observed) makes
a look start over, and it says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from harness.assess.comparing import BEGINNING, compare_journal
from harness.assess.criteria import Criteria
from harness.assess.health import blind_periods
from harness.assess.live.chunks import JobChunks
from harness.assess.live.due import DueJobs
from harness.assess.live.evidence import JOB_KINDS, JOURNAL_KINDS, LiveEvidence
from harness.assess.live.rules import HiddenPairs
from harness.assessment import Finding
from harness.compare.clusters import Clustering, find_clusters
from harness.compare.comparison import Comparison, compare
from harness.compare.rules import refuse_expired
from harness.compare.silence import BlindPeriod
from harness.journal.findings import detect
from harness.journal.focus import Focus, JobRows, read_jobs, read_places
from harness.journal.reader import Reader
from harness.model import Verdict
from harness.resources import sql_queries

_OBSERVABILITY = ("record.started", "schema.drift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What a look did."""

    started_over: str | None
    """Why everything was read again; None where only what changed was."""
    jobs: int
    """Jobs that were compared."""
    spent_ms: Mapping[str, float]
    """By step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    journal_id: str
    hash: str
    seq: int
    until: datetime
    blind: tuple[BlindPeriod, ...]


class LiveComparison:
    """Pairs, differences and findings as of the newest look; the state of one process."""

    def __init__(self, criteria: Criteria) -> None:
        self._criteria = criteria
        self._at: _Moment | None = None
        self._focus: Focus | None = None
        self._spent: dict[str, float] = {}
        self._clusters: Clustering | None = None

    @property
    def seq(self) -> int:
        """The last event that counts; 0 before the first look."""
        return self._at.seq if self._at else 0

    @property
    def verdicts(self) -> dict[tuple[str, str], int]:
        """Number of pairs by mode and verdict."""
        return {key: count for key, count in self._verdicts.items() if count}

    def advance(self, reader: Reader, *, now: datetime | None = None) -> Advanced:
        """Bring everything to the reader's moment.

        now: as for `compare_journal`. Raises SettingsError for a rule that has expired.
        """
        self._spent = {}
        refuse_expired(
            self._criteria.rules,
            on=(now or reader.as_of_time).astimezone(UTC).date(),
            origin=self._criteria.rules_origin,
        )
        with self._timed("changes"):
            mark = reader.watermark("production")
            until = mark.complete_until if mark else BEGINNING
            why = self._why_over(reader, until)
            events = None if why else self._new_events(reader)
            if why is None and self._sight_changed(reader, events):
                why = "the periods in which nothing could be observed are others"
        if why is not None:
            with self._timed("whole"):
                jobs = self._start(reader, now)
        else:
            jobs = self._continue(reader, until, events)
        return Advanced(started_over=why, jobs=jobs, spent_ms=dict(self._spent))

    def comparison(self) -> Comparison:
        """The whole comparison, as `compare` gives it; costs what all pairs cost."""
        pairs = self._pairs.frame().sort(
            "mode", "created_at", "job_id", "directory", nulls_last=True
        )
        return Comparison(pairs=pairs, rules=self._criteria.rules)

    def clusters(self) -> Clustering:
        """Found anew where a compared cell changed; costs what all pairs cost."""
        if self._clusters is None:
            self._clusters = find_clusters(self.comparison())
        return self._clusters

    def findings(self) -> tuple[Finding, ...]:
        """As `detect` gives them, but that the evidence is in the order of jobs."""
        return self._evidence.findings()

    def _why_over(self, reader: Reader, until: datetime) -> str | None:
        at = self._at
        if at is None:
            return "this is the first look"
        if reader.journal_id() != at.journal_id:
            return "it is another journal"
        if reader.as_of_seq < at.seq or until < at.until:
            return "the moment is an earlier one"
        if at.hash != _hash_at(reader, at.seq):
            return "the journal has another history"
        return None

    def _new_events(self, reader: Reader) -> pl.DataFrame:
        query = sql_queries("journal/focus.sql")["select_events_after"]
        kinds = sorted({*JOURNAL_KINDS, *_OBSERVABILITY})
        return reader.frame(query, after=self.seq, kinds=kinds)

    def _sight_changed(self, reader: Reader, events: pl.DataFrame | None) -> bool:
        if events is None or events.filter(pl.col("kind").is_in(_OBSERVABILITY)).is_empty():
            return False
        return self._at is not None and blind_periods(reader) != self._at.blind

    def _start(self, reader: Reader, now: datetime | None) -> int:
        criteria = self._criteria
        compared = compare_journal(reader, criteria, now=now)
        if self._focus is not None:
            self._focus.close()
        self._focus = focus = Focus(since=criteria.since)
        focus.load("blind", reader.frame("SELECT seq, from_at, to_at FROM blind"))
        self._at = _moment(reader, compared.until, compared.blind)
        comparison = compared.comparison
        self._pairs = JobChunks(comparison.pairs)
        self._clusters = None
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._of_job: dict[str, list[tuple[tuple[str, str], int]]] = {}
        self._count((), comparison.pairs)
        self._hidden = HiddenPairs(criteria.rules)
        self._hidden.replace((), comparison)
        self._places: dict[str | None, set[int]] = {}
        for job, place in read_places(reader, after=0, kinds=JOB_KINDS):
            self._places.setdefault(job, set()).add(place)
        self._due = DueJobs()
        self._set_due(reader, (), comparison.pairs, compared.until)
        self._evidence = LiveEvidence(
            focus, deadline_s=criteria.deadline_s, time_scale=criteria.time_scale
        )
        self._evidence.start(
            detect(
                reader,
                until=compared.until,
                deadline_s=criteria.deadline_s,
                time_scale=criteria.time_scale,
                overstepping_rules=self._oversteps(),
            ),
            jobs=_creations(compared.jobs),
            kept=reader.frame(sql_queries("journal/focus.sql")["select_kept"]),
        )
        return compared.jobs.height

    def _continue(self, reader: Reader, until: datetime, events: pl.DataFrame | None) -> int:
        if self._at is None or self._focus is None or events is None:
            raise AssertionError("a look that never began cannot go on")
        with self._timed("changes"):
            touched: set[str | None] = set()
            for job, place in read_places(reader, after=self._at.seq, kinds=JOB_KINDS):
                self._places.setdefault(job, set()).add(place)
                touched.add(job)
            touched |= self._due.pop(until)
        blind = self._at.blind
        self._at = _moment(reader, until, blind)
        if touched:
            with self._timed("read"):
                places = {place for job in touched for place in self._places.get(job, ())}
                rows = read_jobs(
                    reader, touched, places, kinds=JOB_KINDS, since=self._criteria.since
                )
                self._focus.load_jobs(rows)
            with self._timed("pairs"):
                self._compare(touched, until, blind)
            with self._timed("findings"):
                self._evidence.jobs_changed(touched, _present(rows), until=until)
                created = self._focus.frame(
                    sql_queries("views/select_submissions.sql")["select_jobs"]
                )
                self._evidence.creations(_creations(created).iter_rows())
        with self._timed("findings"):
            self._evidence.journal_changed(events.filter(pl.col("kind").is_in(JOURNAL_KINDS)))
            if touched or not events.is_empty():
                self._evidence.neighbours_changed(until=until)
            if touched and blind:
                self._evidence.blind_changed()
            if touched and self._hidden.counts_any:
                self._evidence.rules_changed(self._oversteps())
        return len(touched)

    def _compare(
        self, touched: Collection[str | None], until: datetime, blind: tuple[BlindPeriod, ...]
    ) -> None:
        if self._focus is None:
            raise AssertionError("there is nothing to compare")
        criteria = self._criteria
        queries = sql_queries("views/select_submissions.sql")
        comparison = compare(
            self._focus.frame(queries["select_submissions"]),
            self._focus.frame(queries["select_jobs"]),
            criteria.rules,
            as_of=until,
            deadline_s=criteria.deadline_s,
            time_scale=criteria.time_scale,
            blind=blind,
        )
        jobs = [job for job in touched if job is not None]
        self._pairs.replace(jobs, comparison.pairs)
        self._clusters = None
        self._count(jobs, comparison.pairs)
        self._hidden.replace(jobs, comparison)
        self._set_due(self._focus, jobs, comparison.pairs, until)

    def _count(self, jobs: Collection[str], pairs: pl.DataFrame) -> None:
        for job in jobs:
            for key, count in self._of_job.pop(job, ()):
                self._verdicts[key] -= count
        for job, mode, verdict, count in pairs.group_by("job_id", "mode", "verdict").len().rows():
            self._of_job.setdefault(job, []).append(((mode, verdict), count))
            self._verdicts[mode, verdict] += count

    def _set_due(
        self, rows: Reader | Focus, jobs: Collection[str], pairs: pl.DataFrame, until: datetime
    ) -> None:
        open_ = pairs.filter(
            (pl.col("state") == Verdict.IN_FLIGHT.value) | pl.col("candidate_pending")
        )
        moments = rows.rows(
            sql_queries("views/select_due.sql")["select_due"],
            until=until,
            deadline_s=self._criteria.deadline_s,
            time_scale=self._criteria.time_scale,
            waiting=open_["job_id"].unique().to_list(),
        )
        for job in jobs:
            self._due.put(job, None)
        for job, due in moments:
            self._due.put(job, due.astimezone(UTC))

    def _oversteps(self) -> list[str]:
        waiting = Verdict.IN_FLIGHT.value
        compared = sum(n for (_, verdict), n in self._verdicts.items() if verdict != waiting)
        return self._hidden.oversteps(compared)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        took_ms = (time.perf_counter() - began) * 1000
        self._spent[step] = self._spent.get(step, 0.0) + took_ms


def _moment(reader: Reader, until: datetime, blind: tuple[BlindPeriod, ...]) -> _Moment:
    return _Moment(
        journal_id=reader.journal_id(),
        hash=_hash_at(reader, reader.as_of_seq),
        seq=reader.as_of_seq,
        until=until,
        blind=blind,
    )


def _hash_at(reader: Reader, seq: int) -> str:
    """The running hash up to the last whole batch at or before a seq."""
    found = reader.rows(sql_queries("journal/read.sql")["select_head_as_of"], seq=seq)
    return str(found[0][1]) if found else ""


def _creations(jobs: pl.DataFrame) -> pl.DataFrame:
    """job_id, created_at and whether the candidate was heard of the job itself."""
    return jobs.select(
        "job_id",
        "created_at",
        heard=pl.any_horizontal(
            pl.col("claimed_at", "triggered_at", "flow_started_at").is_not_null()
        ),
    )


def _present(rows: JobRows) -> set[str]:
    """The views and kinds of events that have a row."""
    present = set(rows.events["kind"].unique())
    if rows.jobs.height:
        present.add("jobs_now")
    if rows.submissions.height:
        present.add("submissions_now")
    return present
