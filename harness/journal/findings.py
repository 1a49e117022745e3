"""Runs the detectors of ``sql/findings`` over a journal as of one moment.

A detector is one SQL file: its header says title, severity, why and mend; its rows are the
evidence (mode, job_id, directory, detail, seq). A new file is a new finding, nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from harness.assessment import Evidence, Finding
from harness.journal.reader import Reader
from harness.model import Severity
from harness.resources import resource

_HEADER = re.compile(r"^-- (title|severity|why|mend): (.*(?:\n--   .*)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One entry of the catalogue of findings."""

    id: str
    title: str
    severity: Severity
    explanation: str
    mend: str
    sql: str


@cache
def catalogue() -> tuple[Detector, ...]:
    """All detectors, by id. ValueError names a file whose header is incomplete."""
    detectors = []
    for file in sorted(resource("sql/findings").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        header = {key: re.sub(r"\n--   ", " ", body) for key, body in _HEADER.findall(text)}
        if set(header) != {"title", "severity", "why", "mend"}:
            raise ValueError(f"{file.name}: the header needs title, severity, why and mend")
        detectors.append(
            Detector(
                id=file.name.removesuffix(".sql"),
                title=header["title"],
                severity=Severity(header["severity"]),
                explanation=header["why"],
                mend=header["mend"],
                sql=text,
            )
        )
    return tuple(detectors)


def detect(
    reader: Reader,
    *,
    until: datetime,
    deadline_s: float,
    time_scale: float,
    overstepping_rules: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Run every detector; one finding per detector and mode that has evidence, worst first.

    until: the moment up to which the record is complete; silence is judged as of then.
    overstepping_rules: one sentence a rule that hides more than it is declared to.
    """
    findings: list[Finding] = []
    for detector in catalogue():
        evidence: dict[str, list[Evidence]] = defaultdict(list)
        frame = reader.frame(
            detector.sql,
            until=until,
            deadline_s=deadline_s,
            time_scale=time_scale,
            overstepping_rules=list(overstepping_rules),
        )
        for row in frame.iter_rows(named=True):
            evidence[row["mode"]].append(
                Evidence(
                    job_id=row["job_id"],
                    directory=row["directory"],
                    detail=row["detail"],
                    seq=row["seq"],
                )
            )
        findings.extend(
            Finding(
                id=detector.id,
                title=detector.title,
                severity=detector.severity,
                explanation=detector.explanation,
                mend=detector.mend,
                mode=mode,
                evidence=tuple(rows),
            )
            for mode, rows in evidence.items()
        )
    rank = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return tuple(sorted(findings, key=lambda f: (rank[f.severity], f.id, f.mode)))
