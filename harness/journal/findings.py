"""Runs the detectors of ``sql/findings`` over a journal as of one moment.

A detector is one SQL file: its header says title, severity, why and mend; its rows are the
evidence (mode, job_id, directory, detail, seq). A new file is a new finding, nothing else.

Two more lines of the header are for whoever looks again and again. ``scope`` says what one row of
evidence depends on: ``job`` (the events, submissions and row of its job alone), ``journal`` (events
of the kinds that are read), ``order`` (jobs and their neighbours), ``blind`` (when nothing could be
observed) or ``rules``. ``reads`` names views and kinds of events, set apart by semicolons, each
with a condition; where no row of any of them meets it there is no evidence. A condition may use the
parameters of `detect` about time. It is tried on rows of other kinds too and must not raise there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from harness.assessment import Evidence, Finding
from harness.journal.reader import Reader
from harness.model import Severity
from harness.resources import resource

COLUMNS = ("mode", "job_id", "directory", "detail", "seq")
"""Of every detector's rows."""
VIEWS = frozenset({"jobs_now", "submissions_now", "blind", "rules"})
"""What a detector reads that is no kind of events."""
_FIELDS = {"title", "severity", "why", "mend", "scope", "reads"}
_HEADER = re.compile(r"^-- (title|severity|why|mend|scope|reads): (.*(?:\n--   .*)*)", re.MULTILINE)


class Scope(StrEnum):
    """What one row of evidence depends on."""

    JOB = "job"
    JOURNAL = "journal"
    ORDER = "order"
    BLIND = "blind"
    RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One entry of the catalogue of findings."""

    id: str
    title: str
    severity: Severity
    explanation: str
    mend: str
    scope: Scope
    reads: Mapping[str, str]
    """Views and kinds of events, each with a condition in SQL; where no row of any of them meets
    its condition there is no evidence."""
    sql: str


@cache
def of_the_record() -> frozenset[str]:
    """Ids of the findings that say what could not be seen: evidence that is missing, no fault."""
    return frozenset(one.id for one in catalogue() if one.scope is Scope.BLIND)


@cache
def catalogue() -> tuple[Detector, ...]:
    """All detectors, by id. ValueError names a file whose header is incomplete."""
    detectors = []
    for file in sorted(resource("sql/findings").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        header = {key: re.sub(r"\n--   ", " ", body) for key, body in _HEADER.findall(text)}
        if set(header) != _FIELDS:
            raise ValueError(
                f"{file.name}: the header needs title, severity, why, mend, scope and reads"
            )
        detectors.append(
            Detector(
                id=file.name.removesuffix(".sql"),
                title=header["title"],
                severity=Severity(header["severity"]),
                explanation=header["why"],
                mend=header["mend"],
                scope=Scope(header["scope"]),
                reads=_reads(header["reads"]),
                sql=text,
            )
        )
    return tuple(detectors)


def _reads(text: str) -> dict[str, str]:
    """Name and condition of each entry; ``true`` where the header tells none."""
    reads = {}
    for entry in text.split(";"):
        names, _, condition = entry.partition(" where ")
        reads.update(dict.fromkeys(names.split(), " ".join(condition.split()) or "true"))
    return reads


@cache
def conditions(scope: Scope, name: str) -> tuple[tuple[str, ...], str]:
    """The detectors of a scope that read a view or kind, and a query that tells which have to run.

    Its only row says of each, in this order, whether some row meets the condition; the rows are
    read once for all of them.
    """
    of = {d.id: d.reads[name] for d in catalogue() if d.scope is scope and name in d.reads}
    met = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in of.values())
    source = name if name in VIEWS else f"events_now WHERE kind = '{name}'"
    return tuple(of), f"SELECT {met} FROM {source}"


def detect(
    reader: Reader,
    *,
    until: datetime,
    deadline_s: float,
    time_scale: float,
    overstepping_rules: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Run every detector that can find anything; one finding per detector and mode, worst first.

    until: the moment up to which the record is complete; silence is judged as of then.
    overstepping_rules: one sentence a rule that hides more than it is declared to.
    """
    found: dict[str, dict[str, list[Evidence]]] = {}
    times = {"until": until, "deadline_s": deadline_s, "time_scale": time_scale}
    idle = _idle(reader, times)
    for detector in catalogue():
        if detector.id in idle:
            continue
        evidence = found.setdefault(detector.id, defaultdict(list))
        frame = reader.frame(detector.sql, **times, overstepping_rules=list(overstepping_rules))
        for mode, row in evidence_of(frame.select(COLUMNS).iter_rows()):
            evidence[mode].append(row)
    reader.let_go()
    return as_findings(found)


def _idle(reader: Reader, times: Mapping[str, Any]) -> set[str]:
    """Detectors of single jobs whose header says that there is nothing for them to find.

    Each table or kind is read once for all of them, which is much less than they would read.
    """
    of_jobs = [detector for detector in catalogue() if detector.scope is Scope.JOB]
    needed: set[str] = set()
    for name in dict.fromkeys(name for detector in of_jobs for name in detector.reads):
        ids, query = conditions(Scope.JOB, name)
        if name in ("blind", "rules"):
            needed.update(ids)
            continue
        used = {key: value for key, value in times.items() if f"${key}" in query}
        (met,) = reader.rows(query, **used)
        needed.update(one for one, here in zip(ids, met, strict=True) if here)
    return {detector.id for detector in of_jobs} - needed


def evidence_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, Evidence]]:
    """Mode and evidence of each row of `COLUMNS` that a detector gives."""
    for mode, job_id, directory, detail, seq in rows:
        yield mode, Evidence(job_id=job_id, directory=directory, detail=detail, seq=seq)


def as_findings(found: Mapping[str, Mapping[str, Sequence[Evidence]]]) -> tuple[Finding, ...]:
    """One finding per detector and mode with evidence, worst first.

    found: by the id of the detector and the mode.
    """
    rank = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
    findings = [
        Finding(
            id=detector.id,
            title=detector.title,
            severity=detector.severity,
            explanation=detector.explanation,
            mend=detector.mend,
            mode=mode,
            evidence=tuple(rows),
        )
        for detector in catalogue()
        for mode, rows in found.get(detector.id, {}).items()
        if rows
    ]
    return tuple(sorted(findings, key=lambda f: (rank[f.severity], f.id, f.mode)))
