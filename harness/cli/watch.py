"""``shadow watch``: the dashboard."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.options import Moment, moment_options, resolved, settings_with
from harness.errors import EnvironmentProblem


@click.command()
@moment_options
def watch(config: Path | None, journal: Path | None, as_of: Moment | None) -> int:
    """Open the dashboard on a journal, live or as of a moment.

    It only reads, and follows the journal while others write; q leaves, ? explains. Exit code 1
    after a fault of the dashboard itself, else 0.

    \b
    Examples:
      shadow watch --journal week.duckdb
      shadow watch --journal week.duckdb --as-of 2026-11-23T08:30
    """
    # Textual paints on stderr, so all three must be the terminal.
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise EnvironmentProblem(
            "watch needs a terminal: stdin, stdout or stderr is redirected. "
            "Use shadow report --stdout instead: it prints the same assessment."
        )
    from harness.assess.criteria import load_criteria
    from harness.journal.store import Journal
    from harness.tui.app import ShadowApp
    from harness.tui.data import DashboardData

    settings = settings_with(config, journal)
    data = DashboardData(settings.journal, load_criteria(settings))
    app = ShadowApp(data, as_of=resolved(Journal(settings.journal), as_of))
    result = app.run()
    for trace in app.faults.values():
        click.echo(trace, err=True)
    return app.return_code or 0 if result is None else result
