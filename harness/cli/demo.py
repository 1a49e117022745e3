"""``shadow demo``: rehearse a shadow week and print what came of it."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.main import EXIT_INTERRUPTED
from harness.cli.options import json_option
from harness.cli.stopping import stopping
from harness.cli.table import print_rows

if TYPE_CHECKING:
    from harness.demo.faults import Fault
    from harness.demo.rehearsal import Rehearsal, RehearsalResult

_LINE_EVERY_S = 5.0
_STOPPING = "Stopping: finishing what is in hand …"


def _chosen_faults(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[Fault, ...]:
    from harness.demo.faults import choose

    try:
        return choose(name.strip() for value in values for name in value.split(","))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _list_faults(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value:
        return
    from harness.demo.faults import load_faults

    rows = [
        {
            "id": fault.id,
            "named by": fault.finding or "cannot be staged",
            "fault": fault.title,
            "seen": fault.seen,
        }
        for fault in load_faults()
    ]
    print_rows(rows, ("id", "named by", "fault", "seen"), brief=("id", "named by", "fault"))
    context.exit()


def _length(jobs: int | None, faults: tuple[Fault, ...], *, faithful: bool) -> int:
    """How many jobs the week has. Raises UsageError for a week that cannot hold its faults."""
    from harness.demo.faults import jobs_needed
    from harness.demo.week import JOBS

    if not faults:
        return jobs or JOBS
    if faithful:
        raise click.UsageError("--faithful plants nothing, so it cannot stage a --fault.")
    needed = jobs_needed(faults)
    if jobs is not None and jobs < needed:
        raise click.UsageError(f"--jobs {jobs}: these faults need {needed} jobs or more.")
    return jobs or needed


@click.command()
@click.option(
    "--jobs",
    type=click.IntRange(1, 5000),
    help="How many jobs the week has. [default: 60; with --fault as many as it takes]",
)
@click.option("--speed", type=click.FloatRange(1, 1000), default=100.0, show_default=True,
              help="How many seconds of the week pass in one.")  # fmt: skip
@click.option("--faithful", is_flag=True, help="Plant no fault: both sides do the same.")
@click.option(
    "--fault",
    "wanted",
    multiple=True,
    metavar="ID[,ID…]",
    callback=_chosen_faults,
    help="Stage these known faults and nothing else; 'all' for every one. Repeatable.",
)
@click.option(
    "--list-faults",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_list_faults,
    help="List the faults that can be staged, and exit.",
)
@click.option("--no-browser", is_flag=True, help="Skip the replay, and say what is missing.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False),
              help="Folder for journal and report. [default: a temporary one]")  # fmt: skip
@json_option
def demo(
    jobs: int | None,
    speed: float,
    faithful: bool,
    wanted: tuple[Fault, ...],
    no_browser: bool,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Rehearse a shadow week on real parts: tables, queue, recorder, browser, decision, report.

    On a terminal the dashboard shows it all; elsewhere progress lines go to stderr. The last
    lines of stdout name the report, the decision, and how many planted faults were found.
    Exit code 0 if all of them were found without a false alarm, else 1.

    \b
    Examples:
      shadow demo --keep demo-output
      shadow demo --faithful --jobs 20 --no-browser
      shadow demo --fault B09,B22 --no-browser
      shadow demo --json | jq .decision
    """
    from harness.demo.rehearsal import Rehearsal, RehearsalOptions

    options = RehearsalOptions(
        jobs=_length(jobs, wanted, faithful=faithful),
        speed=speed,
        faithful=faithful,
        faults=wanted,
        browser=not no_browser,
    )
    rehearsal = Rehearsal(options, keep or Path(tempfile.gettempdir()))
    if no_browser:
        click.echo(
            "--no-browser: nothing is replayed. What the new worker claims is not checked against "
            "what a site received, and faults that only a replay can show are not looked for.",
            err=True,
        )
    watched = not as_json and all(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr))
    result = _run_watched(rehearsal) if watched else _run_plain(rehearsal)
    if result is None:
        click.echo(f"Stopped. The journal so far is valid: {rehearsal.journal.path}", err=True)
        return EXIT_INTERRUPTED
    _tell(result, as_json=as_json)
    return 0 if result.score.perfect else 1


def _run_plain(rehearsal: Rehearsal) -> RehearsalResult | None:
    with stopping(rehearsal.stop, words=_STOPPING), _progress_lines(rehearsal):
        return rehearsal.run()


def _run_watched(rehearsal: Rehearsal) -> RehearsalResult | None:
    """The rehearsal in a thread, the dashboard in front; leaving it stops the rehearsal."""
    from harness.tui.app import ShadowApp
    from harness.tui.data import DashboardData

    outcome: list[RehearsalResult | BaseException | None] = []

    def work() -> None:
        try:
            outcome.append(rehearsal.run())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, name="rehearsal")
    with stopping(rehearsal.stop, words=_STOPPING):
        thread.start()
        try:
            ShadowApp(
                DashboardData(rehearsal.journal.path, rehearsal.criteria), task=rehearsal
            ).run()
        finally:
            if not rehearsal.finished():
                click.echo(_STOPPING, err=True)
                rehearsal.stop.set()
            thread.join()
    (ended,) = outcome
    if isinstance(ended, BaseException):
        raise ended
    return ended


def _tell(result: RehearsalResult, *, as_json: bool) -> None:
    score, decision = result.score, result.assessment.decision
    if as_json:
        click.echo(
            json.dumps(
                {
                    "report": str(result.report),
                    "journal": str(result.journal),
                    "config": str(result.config),
                    "decision": decision.value,
                    "reason": result.assessment.reason,
                    "planted": score.planted,
                    "found": score.found,
                    "missed": [fault.id for fault in score.missed],
                    "false_alarms": [str(claim) for claim in score.false_alarms],
                    "missing_parts": list(result.assessment.missing_parts),
                }
            )
        )
        return
    for fault in score.missed:
        click.echo(f"missed: {fault.id}: {fault.note}", err=True)
    for claim in score.false_alarms:
        click.echo(f"false alarm: {claim}", err=True)
    for part in result.assessment.missing_parts:
        click.echo(f"missing: {part}", err=True)
    click.echo(f"look at it again: shadow watch --config {result.config}", err=True)
    click.echo(f"reason: {result.assessment.reason}")
    click.echo(f"report: {result.report}")
    click.echo(f"decision: {decision.value}")
    click.echo(
        f"planted: {score.planted} found: {score.found} false alarms: {len(score.false_alarms)}"
    )


@contextmanager
def _progress_lines(rehearsal: Rehearsal) -> Iterator[None]:
    ended = threading.Event()

    def tell() -> None:
        last = ""
        while not ended.wait(_LINE_EVERY_S if last else 0.5):
            last = rehearsal.status()
            share = rehearsal.progress() or 0.0
            click.echo(f"{100 * share:3.0f} %  {last}", err=True)

    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
