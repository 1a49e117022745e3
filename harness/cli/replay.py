"""``shadow replay``: run what was recorded through the worker, inside the sandbox."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import config_option, journal_option, json_option, settings_with
from harness.cli.stopping import stopping

if TYPE_CHECKING:
    from replay.run import ReplayState

EXIT_ESCAPE = 4
_LINE_EVERY_S = 10.0
_STOPPING = "Stopping: ending what is in hand …"


class ConcurrencyType(click.ParamType[int | str, Any]):
    """A number from 1, or ``auto`` to fit it to the machine."""

    name = "n|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if value == "auto":
            return "auto"
        if not str(value).isdigit() or int(value) < 1:
            self.fail(f"{value!r} is no number from 1, and not auto.", param, ctx)
        return int(value)


@click.command()
@config_option
@journal_option
@click.option("--jobs", metavar="ID,…", help="Only these jobs.")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many submissions.")
@click.option("--seed", type=int, help="Shuffle the submissions by this number, then limit them.")
@click.option("--concurrency", type=ConcurrencyType(), help="How many at once. [default: auto]")
@click.option("--run", "name", metavar="NAME", help="Name of the run; a known one is continued.")
@click.option("--resume", metavar="NAME", help="Continue this run; it must exist.")
@click.option(
    "--worker", type=click.Choice(["playwright"]), default="playwright", help="The worker to test."
)
@json_option
def replay(
    config: Path | None,
    journal: Path | None,
    jobs: str | None,
    limit: int | None,
    seed: int | None,
    concurrency: int | str | None,
    name: str | None,
    resume: str | None,
    worker: str,
    as_json: bool,
) -> int:
    """Run recorded jobs through the worker in a sealed sandbox and journal each outcome.

    Ctrl-C ends the run after the submissions in hand; the same name continues it. Exit code 4 if
    anything tried to leave the sandbox, although it was stopped.

    \b
    Examples:
      shadow replay --journal week.duckdb
      shadow replay --journal week.duckdb --limit 50 --seed 7 --run sample
      shadow replay --journal week.duckdb --resume sample
    """
    from harness.journal.store import Journal
    from replay.run import ReplayConfig
    from replay.run import replay as carry_out
    from replay.worker.contract import Timeouts

    if name and resume and name != resume:
        raise click.UsageError("--run and --resume name different runs; give one of them.")
    settings = settings_with(config, journal)
    wanted = settings.replay
    at_once = wanted.concurrency if concurrency is None else concurrency
    chosen = ReplayConfig(
        run=resume or name or f"run-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        jobs=tuple(filter(None, map(str.strip, (jobs or "").split(",")))),
        limit=limit,
        seed=seed,
        concurrency=at_once if isinstance(at_once, int) else None,
        browser=wanted.browser,
        timeouts=Timeouts(
            goto_ms=1000 * wanted.goto_timeout,
            action_ms=1000 * wanted.action_timeout,
            idle_ms=1000 * wanted.idle_timeout,
        ),
        resume=resume is not None,
    )
    stop = threading.Event()
    with (
        stopping(stop, words=_STOPPING),
        progress(quiet=as_json) as tell,
    ):
        state = carry_out(Journal.open(settings.journal), chosen, stop=stop, on_progress=tell)
    if as_json:
        click.echo(json.dumps({"schema_version": 1, **asdict(state), "left": state.left}))
    else:
        click.echo(summary(state))
    return EXIT_ESCAPE if state.escapes else 0


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[ReplayState], None]]:
    """Yield what shows a state: a bar on a terminal, else a line now and then; all on stderr."""
    if quiet:
        yield lambda state: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[ReplayState], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[run]}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TextColumn("{task.fields[alarm]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None, run="opening the sandbox", rate="", alarm="")

        def tell(state: ReplayState) -> None:
            shown.update(
                task,
                total=state.selected,
                completed=state.done + state.excluded,
                run=state.run,
                rate=f"{state.rate_per_s:.1f}/s" if state.rate_per_s else "",
                alarm=f"{state.escapes} escapes" if state.escapes else "",
            )

        yield tell


def _lines() -> Callable[[ReplayState], None]:
    told_at = -_LINE_EVERY_S

    def tell(state: ReplayState) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _LINE_EVERY_S:
            told_at = time.monotonic()
            done = state.done + state.excluded
            click.echo(f"{state.run}: {done} of {state.selected}", err=True)

    return tell


def summary(state: ReplayState) -> str:
    """What a person wants to know at the end, some lines."""
    speed = f", {state.rate_per_s:.1f} a second" if state.rate_per_s else ""
    lines = [
        f"{state.run}: {state.done} of {state.selected} submissions replayed, "
        f"{state.excluded} excluded, in {state.elapsed_s:.0f} s{speed}",
        f"same outcome as the control: {state.agreeing} of {state.done}",
    ]
    if state.unconfirmed:
        lines.append(f"claimed submitted, never received: {state.unconfirmed}")
    if state.crashed:
        lines.append(f"crashes of the browser or the worker: {state.crashed}")
    if state.left:
        lines.append(f"not done yet: {state.left}; go on with: shadow replay --resume {state.run}")
    lines.append(
        f"ATTEMPTS TO LEAVE THE SANDBOX, all stopped: {state.escapes}"
        if state.escapes
        else "nothing tried to leave the sandbox"
    )
    return "\n".join(lines)
