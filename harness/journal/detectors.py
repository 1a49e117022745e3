"""The detectors of ``sql/findings``: what each finds, and what it reads.

A detector is one SQL file: its header says title, severity, why and mend; its rows are the
evidence (mode, job_id, directory, detail, seq). A new file is a new finding, nothing else.

Two more lines of the header are for whoever looks again and again. ``scope`` says what one row of
evidence depends on: ``job`` (the events, submissions and row of its job alone), ``journal`` (events
of the kinds that are read), ``order`` (jobs and their neighbours), ``blind`` (when nothing could be
observed) or ``rules``. ``reads`` names views and kinds of events, set apart by semicolons, each
with a condition; where no row of any of them meets it there is no evidence. ``where false`` marks
what only words are taken from. A condition on rows of a view may use the parameters of `detect`
about time; one on events looks at the event alone, so that it is tried once on each. It is tried on
rows of other kinds too and must not raise there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

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


TRIED = (Scope.JOB, Scope.ORDER)
"""Whose detectors would read every job; those of other scopes read little."""


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
    of = conditions_on(scope, name)
    met = ", ".join(f"coalesce(bool_or({condition}), false)" for condition in of.values())
    source = name if name in VIEWS else f"events_now WHERE kind = '{name}'"
    return tuple(of), f"SELECT {met} FROM {source}"


def conditions_on(scope: Scope, name: str) -> dict[str, str]:
    """The condition of each detector of a scope on a view or kind, by the id of the detector."""
    return {d.id: d.reads[name] for d in catalogue() if d.scope is scope and name in d.reads}


def tried_in(scope: Scope) -> set[str]:
    """Views and kinds of which a row may tell that a detector of a scope has to run."""
    return {
        name
        for detector in catalogue()
        if detector.scope is scope
        for name, condition in detector.reads.items()
        if condition != "false"
    }
