"""``shadow record``: copy production into a journal until told to stop."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import DURATION, config_option, journal_option, json_option, settings_with
from harness.settings import Settings, production_dsn

if TYPE_CHECKING:
    from harness.record.progress import RecorderConfig, RecorderProgress


def _positive(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    if value is not None and value <= 0:
        raise click.BadParameter(f"{value:g} is no length of time. Give more than 0, such as 0.5s.")
    return value


@click.command()
@config_option
@journal_option
@click.option("--for", "for_s", type=DURATION, callback=_positive,
              help="Stop after this long. [default: never]")  # fmt: skip
@click.option("--until-idle", "until_idle_s", type=DURATION, callback=_positive,
              help="Stop once nothing new came for this long.")  # fmt: skip
@click.option("--tick", "tick_s", type=DURATION, callback=_positive,
              help="Pause between two polls. [default: record.tick, 2s]")  # fmt: skip
@click.option("--schema", default="public", show_default=True, help="Where the tables are.")
@click.option("--journal-wait", "journal_wait_s", type=DURATION, callback=_positive, default="30s",
              show_default=True, help="Wait this long for a locked journal.")  # fmt: skip
@json_option
def record(
    config: Path | None,
    journal: Path | None,
    for_s: float | None,
    until_idle_s: float | None,
    tick_s: float | None,
    schema: str,
    journal_wait_s: float,
    as_json: bool,
) -> None:
    """Copy production into the journal, exactly once, until stopped.

    Reads only. The DSN comes from SHADOW_DSN (else DATABASE_URL), the queues from SQS_QUEUE_URL and
    SQS_DLQ_URL. Ctrl-C and SIGTERM finish the batch in hand and leave exit code 0; started again,
    it goes on where it was.

    \b
    Examples:
      export SHADOW_DSN=postgresql://shadow_recorder@db.example/app
      shadow record --journal week.duckdb
      shadow record --until-idle 5s --json
    """
    from harness.cli.record_status import showing_progress
    from harness.cli.stopping import stopping
    from harness.journal.store import Journal
    from harness.record.recorder import Recorder

    settings = settings_with(config, journal)
    dsn = production_dsn(os.environ)
    target = Journal(settings.journal, busy_timeout_s=journal_wait_s)
    recorder = Recorder(_recorder_config(settings, dsn, schema=schema, tick_s=tick_s), target)
    stop = threading.Event()
    began_s = time.monotonic()
    with stopping(stop, words="Stopping: finishing the batch …"), showing_progress() as tell:
        ended = recorder.run(for_s=for_s, until_idle_s=until_idle_s, stop=stop, on_progress=tell)
    summary = _summary(ended, target.path, elapsed_s=time.monotonic() - began_s)
    click.echo(json.dumps(summary) if as_json else _sentence(summary))


def _recorder_config(
    settings: Settings, dsn: str, *, schema: str, tick_s: float | None
) -> RecorderConfig:
    from harness.record.progress import RecorderConfig

    return RecorderConfig(
        dsn=dsn,
        schema=schema,
        tick_s=tick_s or settings.record.tick,
        sweep_min_interval_s=settings.record.sweep_every,
        sweep_max_share=settings.record.sweep_share,
        sample_every_s=settings.record.sample_every,
        queue_url=settings.queue.url,
        dlq_url=settings.queue.dlq_url,
        aws_region=settings.queue.region,
        endpoint_url=settings.queue.endpoint_url,
    )


def _summary(ended: RecorderProgress, journal: Path, *, elapsed_s: float) -> dict[str, object]:
    return {
        "journal": str(journal),
        "rows": ended.rows,
        "last_seq": ended.last_seq,
        "complete_until": ended.complete_until.isoformat() if ended.complete_until else None,
        "polls": ended.polls,
        "sweeps": ended.sweeps,
        "cost_ms": round(ended.cost_total_ms, 3),
        "sweeps_cost_ms": round(ended.sweeps_cost_ms, 3),
        "elapsed_s": round(elapsed_s, 3),
        "provisional": ended.provisional,
        "failing": ended.failing,
        "queue_depth": ended.queue_depth,
        "dlq_depth": ended.dlq_depth,
    }


def _sentence(summary: dict[str, object]) -> str:
    complete = summary["complete_until"] or "never: the first copy is not finished"
    return (
        f"{summary['journal']}: {summary['rows']} rows recorded, seq {summary['last_seq']}, "
        f"complete until {complete}; {summary['polls']} polls cost the source "
        f"{summary['cost_ms']} ms in {summary['elapsed_s']} s"
    )
