"""``shadow worker check``: what a worker does well and badly, on small sites that each ask one."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import click

from harness.cli.options import (
    config_option,
    json_option,
    nearest,
    settings_with,
    worker_code_options,
)
from harness.errors import ReplayError

EXIT_BAD = 1
EXIT_ESCAPE = 4


@click.group()
def worker() -> None:
    """Try a worker before it is trusted with a replay, or with production.

    \b
    Examples:
      shadow worker check --list
      shadow worker check
    """


@worker.command()
@config_option
@click.option("--worker", metavar="WORKER", default="playwright", show_default=True,
              help="The worker to try, as for shadow replay.")  # fmt: skip
@worker_code_options
@click.option("--case", "wanted", multiple=True, metavar="NAME", help="Only this. Repeatable.")
@click.option("--list", "only_list", is_flag=True, help="List the cases and run nothing.")
@json_option
def check(
    config: Path | None,
    worker: str,
    worker_path: Path | None,
    worker_python: Path | None,
    fast_sleeps: bool,
    wanted: tuple[str, ...],
    only_list: bool,
    as_json: bool,
) -> int:
    """Run a worker against small sites and say what it does well and badly, with evidence.

    Each site asks one thing: does it wait, does it send twice, does it call a refusal a success.
    The sites are sealed like those of a replay. Exit code 0 if nothing is bad, 1 if something is,
    2 if it could not be run, 4 if the worker tried to leave the sandbox.

    \b
    Examples:
      shadow worker check
      shadow worker check --case slow_answer --case values
      shadow worker check --worker "command:node worker.mjs" --worker-path ../node-worker
      shadow worker check --json --case accepts
    """
    from replay.check.cases import CASES
    from replay.check.render import as_data, as_text, listing

    names = [case.name for case in CASES]
    for one in wanted:
        if one not in names:
            raise ReplayError(f"--case {one}: {nearest(one, names)}")
    cases = tuple(case for case in CASES if not wanted or case.name in wanted)
    if only_list:
        click.echo("\n".join(listing(cases)))
        return 0
    from replay.browser import find_browser
    from replay.check.model import Mark
    from replay.check.run import check as carry_out
    from replay.worker.choose import make_worker
    from replay.worker.contract import Timeouts
    from replay.worker.playwright_worker import PlaywrightWorker

    settings = settings_with(config).replay
    timeouts = Timeouts(
        goto_ms=1000 * settings.goto_timeout,
        action_ms=1000 * settings.action_timeout,
        idle_ms=1000 * settings.idle_timeout,
    )
    tested = make_worker(worker, folder=worker_path, python=worker_python, fast_sleeps=fast_sleeps)
    # So that browser and temporary folder go when a supervisor ends this, as on Ctrl-C.
    former = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        report = carry_out(
            tested or PlaywrightWorker(timeouts),
            cases,
            browser=find_browser(settings.browser),
            timeouts=timeouts,
            on_case=lambda case: click.echo(f"{case.name}: {case.title} …", err=True),
        )
    finally:
        signal.signal(signal.SIGTERM, former)
    click.echo(json.dumps(as_data(report)) if as_json else as_text(report))
    if report.escapes:
        return EXIT_ESCAPE
    return EXIT_BAD if report.count(Mark.BAD) else 0
