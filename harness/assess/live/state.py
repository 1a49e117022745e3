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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import polars as pl

from harness.assess.comparing import BEGINNING, compare_journal
from harness.assess.criteria import Criteria
from harness.assess.eras import deployments_of
from harness.assess.health import blind_periods
from harness.assess.live.changes import LiveChanges
from harness.assess.live.chunks import JobChunks
from harness.assess.live.clusters import LiveClusters
from harness.assess.live.due import ROUNDING, DueJobs
from harness.assess.live.evidence import JOB_KINDS, JOURNAL_KINDS, LiveEvidence
from harness.assess.live.over import Over
from harness.assess.live.recent import RecentRows
from harness.assess.live.rules import HiddenPairs
from harness.assess.said import marks
from harness.assessment import Cluster, Finding
from harness.compare.comparison import Comparison, compare
from harness.compare.rules import refuse_expired
from harness.compare.silence import BlindPeriod
from harness.journal.findings import detect
from harness.journal.focus import (
    GRAIN,
    Focus,
    Identity,
    JobRows,
    read_identity,
    read_jobs,
    read_places,
    reading_new,
)
from harness.journal.reader import Reader
from harness.model import EventKind, Verdict
from harness.resources import sql_queries

_OBSERVABILITY = ("record.started", "schema.drift")
_Moments: TypeAlias = tuple[str, bool, datetime | None, datetime | None]
"""A row of ``select_due``: job, whether something of it is open, `waited` and `own`."""
_KINDS = tuple(sorted({*JOB_KINDS, *JOURNAL_KINDS, *_OBSERVABILITY, EventKind.MARK.value}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """What a look did."""

    started_over: Over | None
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
    deployments: tuple[tuple[datetime, str], ...]


class LiveComparison:
    """Pairs, differences and findings as of the newest look; the state of one process.

    changes: is told what each look changes, which costs the first look all differences.
    """

    def __init__(self, criteria: Criteria, *, changes: LiveChanges | None = None) -> None:
        self._criteria = criteria
        self._changes = changes
        self._at: _Moment | None = None
        self._failed = False
        self._focus: Focus | None = None
        self._spent: dict[str, float] = {}
        self._clusters = LiveClusters()
        self._beside = ThreadPoolExecutor(1)

    @property
    def seq(self) -> int:
        """The last event that counts; 0 before the first look."""
        return self._at.seq if self._at else 0

    @property
    def verdicts(self) -> dict[tuple[str, str], int]:
        """Number of pairs by mode and verdict."""
        return {key: count for key, count in self._verdicts.items() if count}

    @property
    def modes(self) -> frozenset[str]:
        """``live`` and the replays of which something is known."""
        return frozenset(mode for mode, _ in self.verdicts).union(
            finding.mode for finding in self.findings()
        )

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
        with (
            self._timed("changes"),
            reading_new(reader, after=self._read_up_to(reader), kinds=_KINDS) as new_rows,
        ):
            mark = reader.watermark("production")
            until = mark.complete_until if mark else BEGINNING
            identity = read_identity(reader, before=self.seq)
            why = self._why_over(reader, until, identity)
            new = None if why else new_rows()
            came = set() if new is None else set(new.events["kind"].to_list())
            if self._sight_changed(reader, came):
                why = Over.SIGHT
            if self._version_changed(reader, came):
                why = Over.VERSION
        try:
            if new is None or why is not None:
                with self._timed("whole"):
                    before = self.findings() if why is not None and why.same_record else None
                    jobs = self._start(reader, now, identity)
                    self._tell_findings(before)
            else:
                jobs = self._continue(reader, until, new, identity)
        except BaseException:
            # What was half brought up to date is never gone on with.
            self._at, self._failed = None, True
            raise
        return Advanced(started_over=why, jobs=jobs, spent_ms=dict(self._spent))

    def comparison(self) -> Comparison:
        """The whole comparison, as `compare` gives it; costs what all pairs cost."""
        pairs = self._pairs.frame().sort(
            "mode", "created_at", "job_id", "directory", nulls_last=True
        )
        return Comparison(pairs=pairs, rules=self._criteria.rules)

    def clusters(self) -> tuple[Cluster, ...]:
        """As `find_clusters` ranks them in the whole comparison."""
        return self._clusters.clusters()

    def cluster_members(self) -> pl.DataFrame:
        """As `Clustering.members`, in no order; costs what all differences cost."""
        return self._clusters.members()

    def findings(self) -> tuple[Finding, ...]:
        """As `detect` gives them, but that the evidence is in the order of jobs."""
        return self._evidence.findings()

    def _read_up_to(self, reader: Reader) -> int:
        """The seq behind which everything is new; before the first look, nothing needs to be."""
        return reader.as_of_seq if self._at is None else self._at.seq

    def _why_over(self, reader: Reader, until: datetime, identity: Identity) -> Over | None:
        at = self._at
        if at is None:
            return Over.FAILED if self._failed else Over.FIRST
        if identity.journal_id != at.journal_id:
            return Over.JOURNAL
        if reader.as_of_seq < at.seq or until < at.until:
            return Over.EARLIER
        if at.hash != identity.before:
            return Over.HISTORY
        return None

    def _sight_changed(self, reader: Reader, came: Set[str]) -> bool:
        if came.isdisjoint(_OBSERVABILITY):
            return False
        return self._at is not None and blind_periods(reader) != self._at.blind

    def _version_changed(self, reader: Reader, came: Set[str]) -> bool:
        if EventKind.MARK.value not in came:
            return False
        return self._at is not None and deployments_of(marks(reader)) != self._at.deployments

    def _start(self, reader: Reader, now: datetime | None, identity: Identity) -> int:
        criteria = self._criteria
        compared = compare_journal(reader, criteria, now=now)
        if self._focus is not None:
            self._focus.close()
        self._focus = focus = Focus(since=criteria.since)
        focus.load(blind=reader.frame("SELECT seq, from_at, to_at FROM blind"))
        self._at = _Moment(
            journal_id=identity.journal_id,
            hash=identity.hash,
            seq=reader.as_of_seq,
            until=compared.until,
            blind=compared.blind,
            deployments=deployments_of(compared.marks),
        )
        comparison = compared.comparison
        self._pairs = JobChunks(comparison.pairs)
        self._clusters = LiveClusters()
        self._clusters.replace((), comparison)
        self._verdicts: Counter[tuple[str, str]] = Counter()
        self._of_job: dict[str, list[tuple[tuple[str, str], int]]] = {}
        self._count((), comparison.pairs)
        self._hidden = HiddenPairs(criteria.rules)
        self._hidden.replace((), comparison)
        self._places: dict[str | None, set[int]] = {}
        for job, place in read_places(reader, after=0, kinds=JOB_KINDS):
            self._places.setdefault(job, set()).add(place)
        self._recent = RecentRows()
        self._due = DueJobs()
        self._set_due((), comparison.pairs, self._moments(reader, compared.until))
        self._evidence = LiveEvidence(
            focus,
            deadline_s=criteria.deadline_s,
            time_scale=criteria.time_scale,
            changes=self._changes,
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
            kept=reader.frame(sql_queries("journal/focus.sql")["select_kept"]).drop(
                "recorded_at", "key"
            ),
        )
        if self._changes is not None:
            self._changes.replace(None, comparison)
        return compared.jobs.height

    def _tell_findings(self, before: Sequence[Finding] | None) -> None:
        """Hold all findings against those before; None: what was before is nothing to compare."""
        if self._changes is None:
            return
        if before is None:
            self._changes.take()
        else:
            self._changes.findings(before, self.findings())

    def _continue(self, reader: Reader, until: datetime, new: JobRows, identity: Identity) -> int:
        if self._at is None or self._focus is None:
            raise AssertionError("a look that never began cannot go on")
        before, blind = self._at.seq, self._at.blind
        self._at = replace(self._at, hash=identity.hash, seq=reader.as_of_seq, until=until)
        kind = new.events["kind"]
        of_jobs = replace(new, events=new.events.filter(kind.is_in(JOB_KINDS)))
        events = new.events.filter(kind.is_in(JOURNAL_KINDS))
        with self._timed("read"):
            places = _places(of_jobs)
            touched = places.keys() | self._due.pop(until)
            rows = self._rows(reader, of_jobs, touched, before=before)
            for job, where in places.items():
                self._places.setdefault(job, set()).update(where)
        if touched:
            with self._timed("read"):
                self._focus.load_jobs(rows)
                queries = sql_queries("views/select_submissions.sql")
                created = self._focus.frame(queries["select_jobs"])
                submissions = self._focus.frame(queries["select_submissions"])
            jobs = [job for job in touched if job is not None]
            # What comes now is either the database's or not, so that both are done side by side.
            asked = self._beside.submit(self._ask, touched, rows, until)
            try:
                with self._timed("pairs"):
                    comparison = self._compare(jobs, submissions, created, until, blind)
                with self._timed("clusters"):
                    self._clusters.replace(jobs, comparison)
            finally:
                # Whoever goes on closes or fills what is asked there.
                wait([asked])
            with self._timed("findings"):
                moments = asked.result()
                self._evidence.creations(_creations(created).iter_rows())
            with self._timed("pairs"):
                self._set_due(jobs, comparison.pairs, moments)
        with self._timed("findings"):
            self._evidence.journal_changed(events)
            if touched or not events.is_empty():
                self._evidence.neighbours_changed(until=until)
            if touched and blind:
                self._evidence.blind_changed()
            if touched and self._hidden.counts_any:
                self._evidence.rules_changed(self._oversteps())
        return len(touched)

    def _rows(
        self, reader: Reader, new: JobRows, touched: Collection[str | None], *, before: int
    ) -> JobRows:
        """All that is recorded of these jobs. new: what of it came after the seq `before`."""
        forgotten = {job for job in touched if job in self._places and job not in self._recent}
        parts = [new, *self._recent.of(touched)]
        if forgotten:
            places = {place for job in forgotten for place in self._places[job]}
            parts.append(read_jobs(reader, forgotten, places, kinds=JOB_KINDS, until=before))
        rows = JobRows.together(parts)
        self._recent.put(touched, rows)
        return rows

    def _ask(
        self, touched: Collection[str | None], rows: JobRows, until: datetime
    ) -> list[_Moments]:
        """Ask the focus for findings and moments of what it holds, while others take its frames."""
        if self._focus is None:
            raise AssertionError("there is nobody to ask")
        present = self._focus.load_events(rows)
        self._evidence.jobs_changed(touched, present, until=until)
        return self._moments(self._focus, until)

    def _compare(
        self,
        jobs: Collection[str],
        submissions: pl.DataFrame,
        created: pl.DataFrame,
        until: datetime,
        blind: tuple[BlindPeriod, ...],
    ) -> Comparison:
        """Compare these jobs anew, and count what came of it."""
        if self._at is None:
            raise AssertionError("there is nothing to compare")
        criteria = self._criteria
        comparison = compare(
            submissions,
            created,
            criteria.rules,
            as_of=until,
            deadline_s=criteria.deadline_s,
            time_scale=criteria.time_scale,
            blind=blind,
            deployments=self._at.deployments,
        )
        self._pairs.replace(jobs, comparison.pairs)
        self._count(jobs, comparison.pairs)
        self._hidden.replace(jobs, comparison)
        if self._changes is not None:
            self._changes.replace(jobs, comparison)
        return comparison

    def _count(self, jobs: Collection[str], pairs: pl.DataFrame) -> None:
        for job in jobs:
            for key, count in self._of_job.pop(job, ()):
                self._verdicts[key] -= count
        for job, mode, verdict, count in pairs.group_by("job_id", "mode", "verdict").len().rows():
            self._of_job.setdefault(job, []).append(((mode, verdict), count))
            self._verdicts[mode, verdict] += count

    @property
    def _deadline(self) -> timedelta:
        return timedelta(seconds=self._criteria.deadline_s / self._criteria.time_scale)

    def _moments(self, rows: Reader | Focus, until: datetime) -> list[_Moments]:
        """What ``select_due`` tells of each job."""
        query, since = sql_queries("views/select_due.sql")["select_due"], until - ROUNDING
        return rows.rows(query, since=since, heard=since - self._deadline)

    def _set_due(
        self, jobs: Collection[str], pairs: pl.DataFrame, moments: Iterable[_Moments]
    ) -> None:
        open_ = (pairs["state"] == Verdict.IN_FLIGHT.value) | pairs["candidate_pending"]
        waiting = set(pairs["job_id"].filter(open_).to_list())
        for job in jobs:
            self._due.put(job, None)
        for job, is_open, waited, own in moments:
            due = [] if own is None else [own]
            if waited is not None and (is_open or job in waiting):
                due.append(waited + self._deadline)
            if due:
                self._due.put(job, min(due).astimezone(UTC))

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


def _places(rows: JobRows) -> dict[str | None, set[int]]:
    """Where in the journal each job stands that has a row; a place is `GRAIN` events long."""
    places: dict[str | None, set[int]] = {}
    for frame, seq in ((rows.events, "seq"), (rows.jobs, "from_seq"),
                       (rows.submissions, "from_seq")):  # fmt: skip
        for job, at in zip(frame["job_id"].to_list(), frame[seq].to_list(), strict=True):
            places.setdefault(job, set()).add(at // GRAIN)
    return places


def _creations(jobs: pl.DataFrame) -> pl.DataFrame:
    """job_id, created_at and whether the candidate was heard of the job itself."""
    return jobs.select(
        "job_id",
        "created_at",
        heard=pl.any_horizontal(
            pl.col("claimed_at", "triggered_at", "flow_started_at").is_not_null()
        ),
    )
