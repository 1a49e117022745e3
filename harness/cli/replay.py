"""``shadow replay``: run what was recorded through the worker, inside the sandbox."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    MOMENT,
    Moment,
    config_option,
    journal_option,
    json_option,
    settings_with,
    worker_code_options,
)
from harness.cli.replay_text import changes, progress, summary
from harness.cli.replay_words import listed, pairs_of, time_of
from harness.cli.stopping import stopping

if TYPE_CHECKING:
    from harness.journal.store import Journal
    from harness.settings import Settings
    from replay.collector.pool import PoolConfig
    from replay.place import AnyWorker
    from replay.run import ReplayConfig, ReplayState
    from replay.versus import Versus

EXIT_CHANGED = 1
EXIT_ESCAPE = 4
AGAIN = ".aa"
"""What the second run of ``--twice`` is called after the first one's name."""
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
@click.option("--since", type=MOMENT, help="Only what the control began then or later.")
@click.option("--until", type=MOMENT, help="Only what the control began before.")
@click.option("--outcome", metavar="WORD,…",
              help="Only what the control ended so: submitted, failed, missing ….")  # fmt: skip
@click.option("--differing", is_flag=True, help="Only pairs that differ in production.")
@click.option("--cluster", metavar="ID", help="Only pairs of this cluster of differences.")
@click.option("--pair", multiple=True, metavar="JOB/DIRECTORY",
              help="Only this pair. Repeatable.")  # fmt: skip
@click.option("--sample", type=click.IntRange(min=1),
              help="So many jobs by chance; a larger sample holds a smaller one.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Only so many submissions.")
@click.option("--seed", type=int, help="Draws the sample and shuffles the submissions.")
@click.option("--schedule", metavar="asap|recorded|xN",
              help="Begin at once, or at recorded distances, N times as fast.")  # fmt: skip
@click.option("--concurrency", type=ConcurrencyType(), help="How many at once. [default: auto]")
@click.option("--max-minutes", type=click.FloatRange(min=0, min_open=True),
              help="Begin nothing more after this time.")  # fmt: skip
@click.option("--run", "name", metavar="NAME", help="Name of the run; a known one is continued.")
@click.option("--resume", metavar="NAME", help="Continue this run; it must exist.")
@click.option("--twice", is_flag=True, help=f"Run it again as NAME{AGAIN}: what differs is noise.")
@click.option("--against", metavar="RUN",
              help="Select what this run selected, and say what ends differently.")  # fmt: skip
@click.option("--evidence", type=click.IntRange(min=0), default=20, show_default=True,
              help="So many that differ are carried out again with evidence on.")  # fmt: skip
@click.option("--evidence-mb", type=click.FloatRange(min=0, min_open=True), default=500,
              show_default=True, help="Keep so much evidence, the newest.")  # fmt: skip
@click.option("--worker", metavar="WORKER", default="playwright", show_default=True,
              help="playwright, python:module:function, command:PROGRAM ARGUMENTS, "
                   "or sqs:PROGRAM ARGUMENTS.")  # fmt: skip
@worker_code_options
@click.option("--engine", type=click.Choice(["local", "prefect"]),
              help="Carry out here or on a Prefect work pool. [default: local]")  # fmt: skip
@click.option("--pool", metavar="NAME", help="The Prefect work pool; see docs/scaling.md.")
@click.option("--collector", metavar="HOST:PORT",
              help="Where those get orders from. [default: a port of 127.0.0.1]")  # fmt: skip
@json_option
def replay(
    config: Path | None,
    journal: Path | None,
    jobs: str | None,
    since: Moment | None,
    until: Moment | None,
    outcome: str | None,
    differing: bool,
    cluster: str | None,
    pair: tuple[str, ...],
    sample: int | None,
    limit: int | None,
    seed: int | None,
    schedule: str | None,
    concurrency: int | str | None,
    max_minutes: float | None,
    name: str | None,
    resume: str | None,
    twice: bool,
    against: str | None,
    evidence: int,
    evidence_mb: float,
    worker: str,
    worker_path: Path | None,
    worker_python: Path | None,
    fast_sleeps: bool,
    engine: str | None,
    pool: str | None,
    collector: str | None,
    as_json: bool,
) -> int:
    """Run recorded jobs through the worker in a sealed sandbox and journal each outcome.

    Ctrl-C ends the run after the submissions in hand; the same name continues it. What differs is
    carried out once more with trace, pictures, requests and console kept: see shadow evidence.

    A worker of your own runs unchanged, as a process that starts its own browser: a function that
    is given job_id, directory, plan and business by name and returns its result as a dict, or a
    program that reads one order a line and prints one result a line, as JSON. sqs: starts a whole
    stack, sends it a message of each submission and reads the outcome from its tables.

    With --engine prefect, machines that work for a Prefect work pool carry the jobs out, and this
    one gathers the results. All of them need the same SHADOW_REPLAY_TOKEN: see docs/scaling.md.

    Exit code 4 if anything tried to leave the sandbox, although it was stopped; 1 if --twice or
    --against found a submission that ended differently.

    \b
    Examples:
      shadow replay --journal week.duckdb
      shadow replay --journal week.duckdb --limit 50 --seed 7 --run sample
      shadow replay --since 2026-11-20T09:00 --outcome failed --schedule x10 --max-minutes 30
      shadow replay --journal week.duckdb --resume sample
      shadow replay --run fixed --against sample
      shadow replay --worker python:worker.runner:run_plan --worker-path ../backend
      shadow replay --engine prefect --pool replay --collector 10.0.0.5:8790
      shadow replay --worker "command:node worker.mjs" --worker-path ../node-worker
      shadow replay --worker "sqs:python -m subscriber" --worker-path ../backend
    """
    from harness.journal.store import Journal
    from replay.run import ReplayConfig
    from replay.schedule import Schedule
    from replay.worker.choose import make_replay_worker, require_shipped_mapping
    from replay.worker.contract import Timeouts

    if name and resume and name != resume:
        raise click.UsageError("--run and --resume name different runs; give one of them.")
    if twice and against:
        raise click.UsageError("--twice and --against both name a second run; give one of them.")
    settings = settings_with(config, journal)
    tested = make_replay_worker(
        worker, settings.stack, folder=worker_path, python=worker_python, fast_sleeps=fast_sleeps
    )
    wanted = settings.replay
    target = Journal.open(settings.journal)
    require_shipped_mapping(tested, target)
    at_once = wanted.concurrency if concurrency is None else concurrency
    chosen = ReplayConfig(
        run=resume or name or f"run-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        jobs=listed(jobs),
        since=time_of(target, since),
        until=time_of(target, until),
        outcomes=listed(outcome),
        pairs=pairs_of(config, journal, differing=differing, cluster=cluster, named=pair),
        sample=sample,
        limit=limit,
        seed=seed,
        like=against,
        schedule=Schedule.parse(schedule) if schedule is not None else None,
        concurrency=at_once if isinstance(at_once, int) else None,
        max_minutes=max_minutes,
        evidence=evidence,
        evidence_mb=evidence_mb,
        browser=wanted.browser,
        sites=wanted.sites,
        archetypes=wanted.archetypes,
        timeouts=Timeouts(
            goto_ms=1000 * wanted.goto_timeout,
            action_ms=1000 * wanted.action_timeout,
            idle_ms=1000 * wanted.idle_timeout,
        ),
        resume=resume is not None,
        pool=_pool(settings, engine=engine, pool=pool, collector=collector),
    )
    if against == chosen.run:
        raise click.UsageError(f"--against {against}: a run does not differ from itself.")
    plans = [chosen]
    if twice:
        second = f"{chosen.run}{AGAIN}"
        plans.append(replace(chosen, run=second, like=chosen.run, evidence=0, resume=False))
    states = _carried_out(target, plans, tested, quiet=as_json)
    found = None
    if against or (twice and len(states) == len(plans)):
        found = _compared(target, against or chosen.run, states[-1].run)
    _print(states, found, as_json=as_json)
    if any(state.escapes for state in states):
        return EXIT_ESCAPE
    return EXIT_CHANGED if found is not None and found.changes else 0


def _pool(
    settings: Settings, *, engine: str | None, pool: str | None, collector: str | None
) -> PoolConfig | None:
    """The pool that is to carry it out; None for this machine."""
    from replay.collector.pool import make_pool

    wanted = settings.replay
    if (engine or wanted.engine) == "local":
        for option, given in (("--pool", pool), ("--collector", collector)):
            if given:
                raise click.UsageError(f"{option} is for the prefect engine: --engine prefect")
        return None
    return make_pool(
        pool or wanted.pool,
        api_url=settings.prefect.api_url,
        listen=collector or wanted.collector,
        url=wanted.collector_url,
        unit=wanted.unit,
        lease_s=wanted.lease,
        environ=os.environ,
    )


def _carried_out(
    journal: Journal,
    plans: list[ReplayConfig],
    worker: AnyWorker | None,
    *,
    quiet: bool,
) -> list[ReplayState]:
    """Carry the runs out one after the other; none after one that did not come to its end."""
    from replay.run import replay as carry_out

    states: list[ReplayState] = []
    stop = threading.Event()
    with stopping(stop, words=_STOPPING):
        for plan in plans:
            if states and (stop.is_set() or not states[-1].finished):
                break
            with progress(quiet=quiet) as tell:
                states.append(
                    carry_out(
                        journal,
                        plan,
                        worker=worker,
                        stop=stop,
                        on_progress=tell,
                    )
                )
    return states


def _compared(journal: Journal, first: str, second: str) -> Versus:
    from replay.versus import compare_runs

    with journal.reader() as reader:
        return compare_runs(reader, first, second)


def _print(states: list[ReplayState], found: Versus | None, *, as_json: bool) -> None:
    if not as_json:
        for state in states:
            click.echo(summary(state))
        if found is not None:
            click.echo(changes(found))
        return
    first, *others = ({"schema_version": 1, **asdict(s), "left": s.left} for s in states)
    if others:
        first["again_as"] = others[0]
    if found is not None:
        first["changes"] = asdict(found)
    click.echo(json.dumps(first, ensure_ascii=False))
