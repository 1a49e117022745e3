"""Writes the lines of ``shadow follow``: for a person, tab-separated, or an object each."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from harness.cli.table import cell, on_terminal
from harness.cli.told import wanted
from harness.model import Severity

if TYPE_CHECKING:
    from harness.assess.live.changes import CaseChange, DifferenceChange, LiveChanges
    from harness.assessment import Difference

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
        return "told " + ", ".join(f"{self._counts[word]:,} {word}" for word in _SIGNS)

    def show(self, changes: LiveChanges, *, at: datetime | None, seq: int) -> None:
        """Take the changes and write those that are wanted, personal values masked."""
        differences, cases = changes.take()
        # What is gone may be quoted still.
        was: defaultdict[str | None, list[Difference]] = defaultdict(list)
        for one in differences:
            was[one.difference.job_id] += [one.difference, *filter(None, [one.former])]
        for one in differences:
            of, former = one.difference, one.former or one.difference
            if any(wanted(of.mode, self._modes, kind, self._kinds)
                   for kind in (of.kind, former.kind)):  # fmt: skip
                self.worse |= one.change.value != "gone"
                among = [*changes.of_job(of.job_id), *was[of.job_id]]
                self._write(_difference(one, among), at, seq)
        everywhere = list(chain.from_iterable(was.values()))
        for case in cases:
            if wanted(case.mode, self._modes, case.finding, self._kinds):
                job = case.evidence.job_id
                row = _case(case, [*changes.of_job(job), *(was[job] if job else everywhere)])
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


def _difference(one: DifferenceChange, among: Sequence[Difference]) -> dict[str, Any]:
    """among: differences whose values it may quote."""
    from harness.report.redact import redact_differences

    (of,) = redact_differences([one.difference], among=among)
    return {
        "change": one.change.value, "what": "difference", "kind": of.kind, "mode": of.mode,
        "job_id": of.job_id, "directory": of.directory, "field": of.field,
        "control_raw": of.control_raw, "candidate_raw": of.candidate_raw,
        "detail": of.explanation, "id": of.id,
    }  # fmt: skip


def _case(one: CaseChange, among: Sequence[Difference]) -> dict[str, Any]:
    """among: as of `_difference`."""
    from harness.journal.detectors import catalogue
    from harness.report.redact import redact_evidence

    severity = {detector.id: detector.severity for detector in catalogue()}[one.finding]
    of = redact_evidence(one.evidence, among=among)
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
