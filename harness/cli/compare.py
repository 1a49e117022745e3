"""``shadow diff`` and ``findings``: what the comparison says, for a person or a script.

Everything shown comes from the report's own JSON, so that values are masked exactly as there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from harness.cli.options import F, Moment, chosen, json_option, moment_options
from harness.cli.table import on_terminal, print_rows
from harness.cli.told import (
    Row,
    agreement_of,
    counted,
    print_json,
    report_of,
    say,
    say_agreement,
)
from harness.model import LIVE, Severity

_EVIDENCE = 5


def _filter_options(what: str) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        kind = click.option("--kind", multiple=True, help=f"Only this {what}. Repeatable.")
        mode = click.option(
            "--mode", multiple=True, help="Only live, or this replay run. Repeatable."
        )
        return mode(kind(function))

    return decorate


@click.command()
@moment_options
@_filter_options("kind of difference")
@json_option
def diff(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
    kind: tuple[str, ...],
    as_json: bool,
) -> int:
    """List every difference between control and candidate. Exit 1 if there is one.

    Personal values are masked. Without a terminal: one tab-separated line each.

    \b
    Examples:
      shadow diff --journal week.duckdb
      shadow diff --mode live --kind wrong_value --kind timeout
      shadow diff --as-of -2h --json
    """
    from harness.compare.cluster_words import TITLES

    report = report_of(config, journal, as_of)
    kinds = chosen("--kind", kind, TITLES)
    modes = chosen("--mode", mode, _modes(report))
    found = [d for d in report["differences"] if _wanted(d["mode"], modes, d["kind"], kinds)]
    if as_json:
        print_json(report, agreement=agreement_of(report), differences=found)
    elif found:
        columns = (
            "id", "mode", "kind", "job_id", "directory", "field", "control_raw", "candidate_raw",
            "rules", "seq", "explanation",
        )  # fmt: skip
        brief = ("id", "kind", "job", "directory", "field", "control_raw", "candidate_raw")
        print_rows([{**d, "job": d["job_id"][:8]} for d in found], columns, brief=brief)
    say(f"{counted(len(found), 'difference')} as of seq {report['provenance']['seq']}")
    if not as_json:
        say_agreement(report)
    return 1 if found else 0


@click.command()
@moment_options
@_filter_options("finding")
@json_option
def findings(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    mode: tuple[str, ...],
    kind: tuple[str, ...],
    as_json: bool,
) -> int:
    """List the named faults that the record shows. Exit 1 if one is worse than info.

    Without a terminal: one tab-separated line for each piece of evidence.

    \b
    Examples:
      shadow findings --journal week.duckdb
      shadow findings --kind never_enqueued --kind orphan_submitting
      shadow findings --as-of 2026-11-20T14:05 --json
    """
    from harness.journal.findings import catalogue

    report = report_of(config, journal, as_of)
    kinds = chosen("--kind", kind, [detector.id for detector in catalogue()])
    modes = chosen("--mode", mode, _modes(report))
    found = [f for f in report["findings"] if _wanted(f["mode"], modes, f["id"], kinds)]
    if as_json:
        print_json(report, findings=found)
    elif on_terminal():
        _print_findings(found)
    elif found:
        columns = ("severity", "id", "mode", "job_id", "directory", "seq", "detail")
        rows = [{**f, **evidence} for f in found for evidence in f["evidence"]]
        print_rows(rows, columns, brief=columns)
    say(f"{counted(len(found), 'finding')} as of seq {report['provenance']['seq']}")
    return 1 if any(f["severity"] != Severity.INFO for f in found) else 0


def _modes(report: Row) -> list[str]:
    shown = [row["mode"] for row in (*report["differences"], *report["findings"])]
    return [LIVE, *shown, *(run["run"] for run in report["replays"])]


def _wanted(mode: str, modes: frozenset[str], kind: str, kinds: frozenset[str]) -> bool:
    return (not modes or mode in modes) and (not kinds or kind in kinds)


def _print_findings(found: Iterable[Row]) -> None:
    for finding in found:
        evidence = finding["evidence"]
        click.secho(f"{finding['severity']}: {finding['title']} ({finding['id']})", bold=True)
        for text in (finding["explanation"], f"Mend: {finding['mend']}"):
            click.echo(click.wrap_text(text, initial_indent="  ", subsequent_indent="  "))
        for item in evidence[:_EVIDENCE]:
            where = " ".join(filter(None, [finding["mode"], item["job_id"], item["directory"]]))
            click.echo(f"    {where}: {item['detail']}")
        if len(evidence) > _EVIDENCE:
            click.echo(f"    and {len(evidence) - _EVIDENCE} more")
        click.echo()
