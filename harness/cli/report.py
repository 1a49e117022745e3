"""``shadow report``: the decision, written to files or to stdout."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import Moment, assess_journal, moment_options

_NAMES = ("html", "json", "md")
_FILES = ("html", "json")


@click.command()
@moment_options
@click.option("--out", default="report", show_default=True, metavar="DIR",
              help="Folder for the files; - is the same as --stdout.")  # fmt: skip
@click.option("--format", "formats", multiple=True, type=click.Choice([*_NAMES, "all"]),
              help="Repeatable. [default: html and json; md on stdout]")  # fmt: skip
@click.option("--phase", metavar="ID",
              help="Decide on this phase. [default: the one that the gates name]")  # fmt: skip
@click.option("--stdout", is_flag=True, help="Print one format and nothing else, write no file.")
def report(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    out: str,
    formats: tuple[str, ...],
    phase: str | None,
    stdout: bool,
) -> int:
    """Write the go/no-go report and name the decision.

    Exit code 0 for GO, 1 for NO-GO, 3 for UNDECIDED.

    \b
    Examples:
      shadow report --journal week.duckdb --out report
      shadow report --phase cutover
      shadow report --format json --out -
      shadow report --format md --stdout --as-of 2026-11-23T08:30
    """
    from harness.report.write import FORMATS, write_report

    stdout = stdout or out == "-"
    names = _NAMES if "all" in formats else tuple(dict.fromkeys(formats))
    if stdout and len(names) > 1:
        raise click.UsageError("stdout takes one format. Give one --format, or a folder by --out.")
    assessment = assess_journal(config, journal, as_of, phase=phase)
    if stdout:
        click.echo(FORMATS[names[0] if names else "md"](assessment), nl=False)
        return assessment.decision.exit_code
    for path in write_report(assessment, Path(out), names or _FILES).values():
        click.echo(path)
    click.echo(f"decision: {assessment.decision.value}")
    click.echo(assessment.reason, err=True)
    return assessment.decision.exit_code
