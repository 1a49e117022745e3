"""Runs the detectors of ``sql/findings`` over a journal as of one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from harness.assessment import Evidence, Finding
from harness.journal.detectors import COLUMNS, TRIED, VIEWS, catalogue, conditions, tried_in
from harness.journal.first_met import FirstMet
from harness.journal.reader import Reader
from harness.model import Severity


def detect(
    reader: Reader,
    *,
    until: datetime,
    deadline_s: float,
    time_scale: float,
    overstepping_rules: Sequence[str] = (),
    first_met: FirstMet | None = None,
) -> tuple[Finding, ...]:
    """Run every detector that can find anything; one finding per detector and mode, worst first.

    until: the moment up to which the record is complete; silence is judged as of then.
    overstepping_rules: one sentence a rule that hides more than it is declared to.
    first_met: what former looks read of the events, which need not be read again then.
    """
    found: dict[str, dict[str, list[Evidence]]] = {}
    times = {"until": until, "deadline_s": deadline_s, "time_scale": time_scale}
    idle = _idle(reader, times, first_met or FirstMet())
    for detector in catalogue():
        if detector.id in idle:
            continue
        evidence = found.setdefault(detector.id, defaultdict(list))
        frame = reader.frame(detector.sql, **times, overstepping_rules=list(overstepping_rules))
        for mode, row in evidence_of(frame.select(COLUMNS).iter_rows()):
            evidence[mode].append(row)
    reader.let_go()
    return as_findings(found)


def _idle(reader: Reader, times: Mapping[str, Any], first_met: FirstMet) -> set[str]:
    """Detectors of jobs whose header says that there is nothing for them to find.

    Each view or kind is read once for all of them, which is much less than they would read.
    """
    needed = first_met.by(reader)
    for scope in TRIED:
        for name in tried_in(scope) & VIEWS:
            ids, query = conditions(scope, name)
            if name in ("blind", "rules"):
                needed.update(ids)
                continue
            used = {key: value for key, value in times.items() if f"${key}" in query}
            (met,) = reader.rows(query, **used)
            needed.update(one for one, here in zip(ids, met, strict=True) if here)
    return {detector.id for detector in catalogue() if detector.scope in TRIED} - needed


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
