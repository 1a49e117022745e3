"""Findings of a journal that grows: evidence by job, replaced job by job."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from harness.assess.live.changes import LiveChanges, Row
from harness.assessment import Evidence, Finding
from harness.journal.detectors import (
    COLUMNS,
    VIEWS,
    Detector,
    Scope,
    catalogue,
    conditions,
)
from harness.journal.findings import as_findings, evidence_of
from harness.journal.focus import Focus
from harness.resources import sql_queries

_SILENT = "never_enqueued"
"""Whose evidence names every job of which the candidate said nothing before its deadline."""
_JOURNAL_WIDE = (Scope.JOURNAL, Scope.ORDER)


def detectors(*scopes: Scope) -> tuple[Detector, ...]:
    """Those of the catalogue that have one of these scopes."""
    return tuple(detector for detector in catalogue() if detector.scope in scopes)


def kinds_read(*scopes: Scope) -> tuple[str, ...]:
    """The kinds of events that detectors of these scopes read."""
    read = {name for detector in detectors(*scopes) for name in detector.reads}
    return tuple(sorted(read - VIEWS))


JOB_KINDS = kinds_read(Scope.JOB)
JOURNAL_KINDS = kinds_read(*_JOURNAL_WIDE)


class LiveEvidence:
    """What every detector has to say, brought up to date by what changed.

    focus: holds the jobs that changed whenever `jobs_changed` is called. changes: is told of every
    row that is replaced.
    """

    def __init__(
        self,
        focus: Focus,
        *,
        deadline_s: float,
        time_scale: float,
        changes: LiveChanges | None = None,
    ) -> None:
        self._focus = focus
        self._changes = changes
        self._known: dict[str, Any] = {"deadline_s": deadline_s, "time_scale": time_scale}
        self._by_job: dict[str, dict[str | None, list[Row]]] = defaultdict(dict)
        self._whole: dict[str, list[Row]] = {}
        self._kept = pl.DataFrame()
        self._order: list[tuple[datetime, str]] = []
        self._created: dict[str, datetime] = {}
        self._unheard: dict[str, datetime] = {}

    def start(self, findings: Iterable[Finding], *, jobs: pl.DataFrame, kept: pl.DataFrame) -> None:
        """Take over what the detectors found in the whole journal.

        jobs: job_id, created_at and `heard` of every job with a creation, in the control's order.
        kept: the events that ``select_kept`` keeps of all.
        """
        scopes = {detector.id: detector.scope for detector in catalogue()}
        for finding in findings:
            for row in finding.evidence:
                if scopes[finding.id] is Scope.JOB:
                    rows = self._by_job[finding.id].setdefault(row.job_id, [])
                else:
                    rows = self._whole.setdefault(finding.id, [])
                rows.append((finding.mode, row))
        self._kept = kept
        for job_id, created_at, heard in jobs.iter_rows():
            self._order.append((created_at, job_id))
            self._created[job_id] = created_at
            if not heard:
                self._unheard[job_id] = created_at

    def jobs_changed(
        self, jobs: Collection[str | None], present: Collection[str], *, until: datetime
    ) -> None:
        """Look at the jobs in the focus again. present: views and kinds that have a row there."""
        due = self._due(present, until)
        for detector in detectors(Scope.JOB):
            found: dict[str | None, list[Row]] = defaultdict(list)
            if detector.id in due:
                told = self._focus.columns(detector.sql, COLUMNS, until=until, **self._known)
                for row in evidence_of(told):
                    found[row[1].job_id].append(row)
            before = self._by_job[detector.id]
            for job in jobs:
                was, rows = before.pop(job, []), found.get(job, [])
                if rows:
                    before[job] = rows
                if self._changes is not None:
                    self._changes.cases(detector.id, was, rows)

    def _due(self, present: Collection[str], until: datetime) -> set[str]:
        """The detectors that may have something to say of the jobs in the focus."""
        due: set[str] = set()
        for name in present:
            of, sql = conditions(Scope.JOB, name)
            if of:
                (met,) = self._focus.columns(sql, None, until=until, **self._known)
                due.update(detector for detector, yes in zip(of, met, strict=True) if yes)
        return due

    def creations(self, jobs: Iterable[tuple[str, datetime, bool]]) -> None:
        """Take over job_id, created_at and whether the candidate was heard, of changed jobs."""
        for job_id, created_at, heard in jobs:
            if self._created.get(job_id) != created_at:
                insort(self._order, (created_at, job_id))
                self._created[job_id] = created_at
            if heard:
                self._unheard.pop(job_id, None)
            else:
                self._unheard[job_id] = created_at

    def journal_changed(self, events: pl.DataFrame) -> None:
        """Look at what belongs to no job again, where events of the kinds that are read came."""
        if events.is_empty():
            return
        queries = sql_queries("journal/focus.sql")
        came = set(events["kind"].unique())
        self._focus.load(events_now=pl.concat([self._kept, events]))
        self._kept = self._focus.frame(queries["select_kept"])
        self._focus.load(events_now=self._kept)
        for detector in detectors(Scope.JOURNAL):
            if not came.isdisjoint(detector.reads):
                self._run(detector)

    def neighbours_changed(self, *, until: datetime) -> None:
        """Look again at silent jobs in a row, and at what could not be observed."""
        silent = self._silent_in_order()
        for detector in detectors(Scope.ORDER):
            if silent is None:
                self._put(detector, [])
            else:
                self._fill(silent, self._kept)
                self._run(detector, until=until)

    def blind_changed(self) -> None:
        """Count again the jobs that went unheard while nothing could be observed."""
        unheard = pl.DataFrame(
            {"job_id": list(self._unheard), "created_at": list(self._unheard.values())},
            schema={"job_id": pl.String, "created_at": pl.Datetime("us", "UTC")},
        )
        self._fill(unheard.with_columns(from_seq=0), None)
        for detector in detectors(Scope.BLIND):
            self._run(detector)

    def rules_changed(self, oversteps: Sequence[str]) -> None:
        """One sentence for each rule that hides more than it is declared to."""
        for detector in detectors(Scope.RULES):
            self._run(detector, overstepping_rules=list(oversteps))

    def findings(self) -> tuple[Finding, ...]:
        """As `detect` gives them, but that the evidence is in the order of jobs."""
        found: dict[str, Mapping[str, Sequence[Evidence]]] = {}
        for detector in catalogue():
            of_mode: dict[str, list[Evidence]] = defaultdict(list)
            if detector.scope is Scope.JOB:
                jobs = self._by_job[detector.id]
                rows = [row for job in sorted(jobs, key=lambda j: j or "") for row in jobs[job]]
            else:
                rows = self._whole.get(detector.id, [])
            for mode, evidence in rows:
                of_mode[mode].append(evidence)
            found[detector.id] = of_mode
        return as_findings(found)

    def _run(self, detector: Detector, **known: Any) -> None:
        told = self._focus.columns(detector.sql, COLUMNS, **self._known, **known)
        self._put(detector, list(evidence_of(told)))

    def _put(self, detector: Detector, rows: list[Row]) -> None:
        if self._changes is not None:
            self._changes.cases(detector.id, self._whole.get(detector.id, []), rows)
        self._whole[detector.id] = rows

    def _fill(self, jobs: pl.DataFrame, events: pl.DataFrame | None) -> None:
        self._focus.load(jobs_now=jobs, submissions_now=None, events_now=events)

    def _silent_in_order(self) -> pl.DataFrame | None:
        """The silent jobs, and between two that are not neighbours one that is not silent.

        More is not needed to see which of them stand in a row. None where there are no three.
        """
        silent = self._by_job[_SILENT]
        if len(silent) < 3:
            return None
        places = {
            bisect_left(self._order, (self._created[job], job)): rows[0][1].seq
            for job, rows in silent.items()
            if job is not None
        }
        between = {place + 1 for place in places} - places.keys()
        rows: list[tuple[str, datetime, datetime | None, int]] = []
        for place, seq in places.items():
            created_at, job = self._order[place]
            rows.append((job, created_at, None, seq or 0))
        for place in between:
            if place < len(self._order):
                created_at, job = self._order[place]
                rows.append((job, created_at, created_at, 0))
        time = pl.Datetime("us", "UTC")
        return pl.DataFrame(
            rows,
            schema={"job_id": pl.String, "created_at": time, "candidate_finished_at": time,
                    "from_seq": pl.Int64},
            orient="row",
        )  # fmt: skip
