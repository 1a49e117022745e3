"""Shows a report of the conformance kit: as text, and as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from replay.check.model import Case, Finding, Group, Mark, Report

SIGNS = {Mark.BAD: "✗ bad ", Mark.NOTE: "· note", Mark.GOOD: "✓ good"}
_CASE_WIDTH = 25


def as_text(report: Report, *, width: int = 100) -> str:
    """The report for people: by what was asked, the worst first, each bad mark with evidence."""
    lines = [headline(report)]
    for group in Group:
        found = [finding for finding in report.findings if finding.group is group]
        if found:
            lines += ["", f"{group.value}: {_counts(found)}"]
            for finding in sorted(found, key=lambda one: list(SIGNS).index(one.mark)):
                lines += _lines(finding, width)
    return "\n".join(lines)


def headline(report: Report) -> str:
    """One line: which worker, on how many sites, and how often good and bad."""
    sites = len(report.results)
    return (
        f"{report.worker}: {sites} site{'s' if sites != 1 else ''}, "
        f"{_counts(report.findings)}, in {report.elapsed_s:.0f} s"
    )


def as_data(report: Report) -> dict[str, Any]:
    """The report for scripts; what the site received is among it."""
    return {
        "schema_version": 1,
        "worker": report.worker,
        "facts": dict(report.facts),
        "elapsed_s": round(report.elapsed_s, 1),
        "good": report.count(Mark.GOOD),
        "bad": report.count(Mark.BAD),
        "notes": report.count(Mark.NOTE),
        "escapes": report.escapes,
        "overall": [_finding(finding) for finding in report.overall],
        "cases": [
            {
                "name": result.case.name,
                "group": result.case.group,
                "title": result.case.title,
                "teaches": result.case.teaches,
                "findings": [_finding(finding) for finding in result.findings],
                "claim": asdict(result.seen.claim),
                "wall_s": round(result.seen.wall_s, 2),
                "cpu_s": round(result.seen.cpu_s, 2),
                "crashed": result.seen.crashed,
                "stuck": result.seen.stuck,
                "requests": [
                    {
                        "at_s": request.at_s,
                        "method": request.method,
                        "address": request.address,
                        "status": request.status,
                        "accepts": request.accepts,
                    }
                    for request in result.seen.requests
                ],
            }
            for result in report.results
        ],
    }


def listing(cases: tuple[Case, ...]) -> Iterator[str]:
    """One line a case: name, group, what the site does."""
    for case in cases:
        yield f"{case.name:<{_CASE_WIDTH}} {case.group.value:<16} {case.title}"


def _lines(finding: Finding, width: int) -> list[str]:
    start = f"  {SIGNS[finding.mark]}  {finding.case or 'the whole run':<{_CASE_WIDTH}} "
    indent = " " * len(start)
    lines = wrap(finding.sentence, width, initial_indent=start, subsequent_indent=indent)
    if finding.mark is not Mark.GOOD or finding.case is None:
        lines += wrap(finding.evidence, width, initial_indent=indent, subsequent_indent=indent)
    return lines


def _counts(findings: tuple[Finding, ...] | list[Finding]) -> str:
    count = {mark: sum(finding.mark is mark for finding in findings) for mark in Mark}
    notes = "note" if count[Mark.NOTE] == 1 else "notes"
    return f"{count[Mark.GOOD]} good, {count[Mark.BAD]} bad, {count[Mark.NOTE]} {notes}"


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if name != "case"}
