"""``shadow report``: the decision, written to files, to stdout or to a CI's own places."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.former import changed_since, read_former
from harness.cli.options import Moment, assess_journal, moment_options, settings_with
from harness.cli.told import say
from harness.errors import BrowserError

if TYPE_CHECKING:
    from harness.assessment import Assessment
    from harness.report.since import Since

_NAMES = ("html", "json", "md", "junit", "slack", "pdf")
_FILES = ("html", "json")
_GITHUB = "github"


@click.command()
@moment_options
@click.option("--out", default="report", show_default=True, metavar="DIR",
              help="Folder for the files; - is the same as --stdout.")  # fmt: skip
@click.option("--format", "formats", multiple=True,
              type=click.Choice([*_NAMES, _GITHUB, "all"]),
              help="Repeatable; all is every file, github the summary and the annotations of a "
              "workflow step. [default: html and json; md on stdout]")  # fmt: skip
@click.option("--phase", metavar="ID",
              help="Decide on this phase. [default: the one that the gates name]")  # fmt: skip
@click.option("--since", "former", type=click.Path(path_type=Path, dir_okay=False),
              metavar="REPORT.json",
              help="Say what changed since this former report of the same journal, and why the "
              "decision moved.")  # fmt: skip
@click.option("--stdout", is_flag=True, help="Print one format and nothing else, write no file.")
def report(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    out: str,
    formats: tuple[str, ...],
    phase: str | None,
    former: Path | None,
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
      shadow report --format junit --format github --out ci
      shadow report --format all --since yesterday/report.json
    """
    stdout = stdout or out == "-"
    chosen = tuple(
        dict.fromkeys(one for name in formats for one in (_NAMES if name == "all" else (name,)))
    )
    if stdout and len(chosen) > 1:
        raise click.UsageError("stdout takes one format. Give one --format, or a folder by --out.")
    if stdout and chosen == ("pdf",) and sys.stdout.isatty():
        raise click.UsageError("a terminal shows no PDF. Redirect stdout, or give --out DIR.")
    # What a million pairs are made of is let go of in large pieces, each at once: this is read when
    # the library that holds them is loaded.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10,muzzy_decay_ms:0")
    from harness.report.redact import redact

    # Before the journal is read: a wrong file is said at once.
    before = read_former(former) if former else None
    assessment = redact(assess_journal(config, journal, as_of, phase=phase))
    since = None
    if before:
        since = changed_since(before, assessment, settings_with(config, journal).journal)
    if stdout:
        _print(assessment, chosen[0] if chosen else "md", since)
        return assessment.decision.exit_code
    optional = "all" in formats and "pdf" not in formats
    _write(assessment, Path(out), chosen or _FILES, since, optional=optional)
    click.echo(f"decision: {assessment.decision.value}")
    say(assessment.reason)
    if since is not None:
        from harness.report.since_text import lines_of

        for line in lines_of(since):
            say(line)
    return assessment.decision.exit_code


def _print(assessment: Assessment, name: str, since: Since | None) -> None:
    from harness.report.github import to_github
    from harness.report.write import render

    if name == _GITHUB:
        click.echo(to_github(assessment, since), nl=False)
        return
    click.echo(render(assessment, name, since), nl=False)


def _write(
    assessment: Assessment,
    folder: Path,
    names: tuple[str, ...],
    since: Since | None,
    *,
    optional: bool,
) -> None:
    """Write every format that is asked for.

    optional: nobody asked for the PDF by name, so one that cannot be printed is only said to be
    missing.
    """
    from harness.report.write import PDF, publish_github, write_report

    late = {PDF} if optional else set()
    files = tuple(name for name in names if name not in {_GITHUB, *late})
    for path in write_report(assessment, folder, files, since).values():
        click.echo(path)
    if late:
        try:
            click.echo(write_report(assessment, folder, (PDF,), since)[PDF])
        except BrowserError as error:
            say(f"report.pdf is left out: {error}")
    if _GITHUB in names:
        for line in publish_github(assessment, os.environ, since):
            click.echo(line)
