"""Writes the lines of ``shadow follow``: for a person, tab-separated, or an object each."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from harness.cli.table import cell, on_terminal
from harness.cli.told import counted, wanted
from harness.model import Severity

if TYPE_CHECKING:
    from harness.assess.live.changes import CaseChange, DifferenceChange, LiveChanges

COLUMNS = (
    "at", "seq", "change", "what", "severity", "kind", "mode", "job_id", "directory", "field",
    "control_raw", "candidate_raw", "detail", "id",
)  # fmt: skip
_SIGNS = {"appeared": "+", "changed": "~", "gone": "-"}
_COLOURS = {"appeared": "red", "changed": "yellow", "gone": "green"}


class Lines:
    """Writes changes to stdout, and keeps count of them.

    modes, kinds: only these; none are all.
    """

    def __init__(self, *, modes: frozenset[str], kinds: frozenset[str], as_json: bool) -> None:
        self._modes = modes
        self._kinds = kinds
        self._as_json = as_json
        self._counts: Counter[str] = Counter()
        self.worse = False
        """Whether a difference appeared or changed, or a case of a finding worse than info came."""
        if not as_json and not on_terminal():
            click.echo("\t".join(COLUMNS))

    @property
    def told(self) -> str:
        """What was written, in words."""
        counts = ", ".join(f"{counted(self._counts[word], 'line')} {word}" for word in _SIGNS)
        return f"{counts};"

    def show(self, changes: LiveChanges, *, at: datetime | None, seq: int) -> None:
        """Take the changes and write those that are wanted, personal values masked."""
        differences, cases = changes.take()
        for one in differences:
            of = one.difference
            if wanted(of.mode, self._modes, of.kind, self._kinds):
                self.worse |= one.change.value != "gone"
                self._write(_difference(one, changes), at, seq)
        for case in cases:
            if wanted(case.mode, self._modes, case.finding, self._kinds):
                row = _case(case, changes)
                self.worse |= row["change"] == "appeared" and row["severity"] != Severity.INFO
                self._write(row, at, seq)
        sys.stdout.flush()

    def show_recording(self, word: str, words: str, *, at: datetime | None, seq: int) -> None:
        """Write what a program must know that reads these lines; a person reads it on stderr."""
        if on_terminal() and not self._as_json:
            return
        self._write({"change": word, "what": "recording", "detail": words}, at, seq)
        sys.stdout.flush()

    def _write(self, row: dict[str, Any], at: datetime | None, seq: int) -> None:
        from harness.report.json_report import iso_utc

        self._counts[row["change"]] += 1
        row = {**dict.fromkeys(COLUMNS), **row, "at": iso_utc(at) if at else None, "seq": seq}
        if self._as_json:
            click.echo(json.dumps(row, ensure_ascii=False))
        elif on_terminal():
            click.echo(" ".join(_for_a_person(row)))
        else:
            click.echo("\t".join(cell(row[name]) for name in COLUMNS))


def _difference(one: DifferenceChange, changes: LiveChanges) -> dict[str, Any]:
    from harness.report.redact import redact_differences

    (of,) = redact_differences([one.difference], among=changes.of_job(one.difference.job_id))
    return {
        "change": one.change.value, "what": "difference", "kind": of.kind, "mode": of.mode,
        "job_id": of.job_id, "directory": of.directory, "field": of.field,
        "control_raw": of.control_raw, "candidate_raw": of.candidate_raw,
        "detail": of.explanation, "id": of.id,
    }  # fmt: skip


def _case(one: CaseChange, changes: LiveChanges) -> dict[str, Any]:
    from harness.journal.findings import catalogue
    from harness.report.redact import redact_evidence

    severity = {detector.id: detector.severity for detector in catalogue()}[one.finding]
    of = redact_evidence(one.evidence, among=changes.of_job(one.evidence.job_id))
    return {
        "change": one.change.value, "what": "finding", "severity": severity.value,
        "kind": one.finding, "mode": one.mode, "job_id": of.job_id, "directory": of.directory,
        "detail": of.detail,
    }  # fmt: skip


def _for_a_person(row: dict[str, Any]) -> Iterator[str]:
    """The pieces of one line: when, whether it came or went, what it is, where, and in words."""
    from harness.compare.kinds import LATENCY

    yield str(row["at"])[11:19] if row["at"] else "--:--:--"
    word = row["change"]
    yield click.style(_SIGNS[word], fg=_COLOURS[word], bold=True)
    kind = f"{row['severity']}: {row['kind']}" if row["severity"] else row["kind"]
    yield click.style(
        kind, bold=row["severity"] == Severity.CRITICAL, dim=row["severity"] == Severity.INFO
    )
    place = (row["mode"], (row["job_id"] or "")[:8], row["directory"], row["field"])
    yield " ".join(filter(None, place)) + ":"
    yield cell(row["detail"])
    if row["what"] == "difference" and row["field"] not in ("outcome", LATENCY):
        yield f"({cell(row['control_raw'])} → {cell(row['candidate_raw'])})"
