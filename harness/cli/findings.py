"""``shadow findings``: the named faults that the record shows, for a person or a script.

Everything shown comes from the report's own JSON, so that values are masked exactly as there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from harness.cli.options import Moment, chosen, filter_options, json_option, moment_options
from harness.cli.table import on_terminal, print_rows
from harness.cli.told import Row, counted, modes_of, print_json, report_of, say, wanted
from harness.model import Severity

_EVIDENCE = 5


@click.command()
@moment_options
@filter_options("finding")
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
    from harness.journal.detectors import catalogue

    report = report_of(config, journal, as_of)
    kinds = chosen("--kind", kind, [detector.id for detector in catalogue()])
    modes = chosen("--mode", mode, modes_of(report))
    found = [f for f in report["findings"] if wanted(f["mode"], modes, f["id"], kinds)]
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
