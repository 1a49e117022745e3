"""``shadow watch``: the dashboard."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import Moment, moment_options, resolved, settings_with
from harness.errors import EnvironmentProblem

if TYPE_CHECKING:
    from harness.assess.criteria import Criteria

_THEMES = ("dark", "light", "high-contrast", "no-colour")


@click.command()
@moment_options
@click.option("--theme", type=click.Choice(_THEMES),
              help="Colours. [default: those of the last time; dark at first]")  # fmt: skip
@click.option(
    "--fresh",
    is_flag=True,
    help="Take up nothing of the last time: view, filter, theme, picture; keep none.",
)
@click.option("--look-only", is_flag=True,
              help="Nothing can be labelled, attested, waived, replayed or written.")  # fmt: skip
def watch(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    theme: str | None,
    fresh: bool,
    look_only: bool,
) -> int:
    """Open the dashboard on a journal, live or as of a moment.

    It follows the journal while others write; q leaves, ? explains. It writes nothing but what a
    person says in it: labels, attestations, waivers, each an event with a name. NO_COLOR and
    --theme no-colour do without colour. Exit code 1 after a fault of the dashboard itself, else 0.

    \b
    Examples:
      shadow watch --journal week.duckdb
      shadow watch --journal week.duckdb --as-of 2026-11-23T08:30
      shadow watch --journal week.duckdb --theme light
    """
    # Textual paints on stderr, so all three must be the terminal; a server that shows it in a
    # browser hands it pipes and says so by its driver.
    served = "TEXTUAL_DRIVER" in os.environ
    if not served and not all(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)):
        raise EnvironmentProblem(
            "watch needs a terminal: stdin, stdout or stderr is redirected. "
            "Use shadow report --stdout instead: it prints the same assessment."
        )
    from harness.tui.starting import collect_later

    collect_later()
    from harness.assess.criteria import load_criteria
    from harness.cli.dashboard_ports import EvidenceBeside
    from harness.cli.operations import JournalOperations
    from harness.tui.beside import DataBeside, journal_data
    from harness.tui.kept.looks import KeptLooks
    from harness.tui.ports import Ports

    settings = settings_with(config, journal)
    criteria = load_criteria(settings)
    looks = None if fresh else KeptLooks(settings.journal, os.environ, criteria)
    data = DataBeside(partial(journal_data, settings.journal, criteria, looks=looks), criteria)
    # It loads what it needs while this process does.
    data.start()
    from harness.tui.app import ShadowApp
    from harness.tui.state import StateFile

    moment: int | datetime | None = None
    if as_of is not None:
        from harness.journal.store import Journal

        moment = resolved(Journal(settings.journal), as_of)

    def judge_by(criteria: Criteria) -> None:
        data.judge_by(criteria)
        if looks:
            looks.judge_by(criteria)

    operations = JournalOperations(config, journal, on_criteria=judge_by)
    app = ShadowApp(
        data,
        as_of=moment,
        operations=None if look_only else operations,
        state=None if fresh else StateFile(settings.journal, os.environ),
        theme=f"shadow-{theme}" if theme else None,
        kept=looks,
        ports=Ports(evidence=EvidenceBeside(settings.journal)),
    )
    try:
        result = app.run()
    finally:
        data.close()
    for trace in app.faults.values():
        click.echo(trace, err=True)
    for process in operations.started:
        if process.poll() is None:
            click.echo(
                f"replay {process.name} goes on as process {process.pid}; it says: {process.log}",
                err=True,
            )
    return app.return_code or 0 if result is None else result
