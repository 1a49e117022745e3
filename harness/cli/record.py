"""``shadow record``: copy production into a journal until told to stop."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import (
    DURATION,
    config_option,
    journal_option,
    json_option,
    mapping_of,
    positive,
    settings_with,
)
from harness.cli.record_word import take_word, tell_health
from harness.settings import Settings, production_dsn

if TYPE_CHECKING:
    from harness.record.progress import RecorderConfig, RecorderProgress


@click.command()
@config_option
@journal_option
@click.option("--for", "for_s", type=DURATION, callback=positive,
              help="Stop after this long. [default: never]")  # fmt: skip
@click.option("--until-idle", "until_idle_s", type=DURATION, callback=positive,
              help="Stop once nothing new came for this long.")  # fmt: skip
@click.option("--tick", "tick_s", type=DURATION, callback=positive,
              help="Pause between two polls. [default: record.tick, 2s]")  # fmt: skip
@click.option("--schema", default="public", show_default=True, help="Where the tables are.")
@click.option("--journal-wait", "journal_wait_s", type=DURATION, callback=positive, default="30s",
              show_default=True, help="Wait this long for a locked journal.")  # fmt: skip
@click.option("--status", is_flag=True,
              help="Only say whether this journal's recorder is well; else exit 1.")  # fmt: skip
@click.option("--acknowledge", is_flag=True,
              help="Only accept, by name, that the source went back in time.")  # fmt: skip
@click.option("--by", metavar="NAME", help="Who acknowledges.")
@click.option("--note", metavar="TEXT", help="Why that is meant.")
@json_option
def record(
    config: Path | None,
    journal: Path | None,
    for_s: float | None,
    until_idle_s: float | None,
    tick_s: float | None,
    schema: str,
    journal_wait_s: float,
    status: bool,
    acknowledge: bool,
    by: str | None,
    note: str | None,
    as_json: bool,
) -> int:
    """Copy production into the journal, exactly once, until stopped.

    Reads only. The DSN comes from SHADOW_DSN (else DATABASE_URL), the queues from SQS_QUEUE_URL and
    SQS_DLQ_URL, Prefect from PREFECT_API_URL. Ctrl-C and SIGTERM finish the batch in hand and leave
    exit code 0; started again, it goes on where it was.

    \b
    Examples:
      export SHADOW_DSN=postgresql://shadow_recorder@db.example/app
      shadow record --journal week.duckdb
      shadow record --until-idle 5s --json
      shadow record --status --journal week.duckdb
      shadow record --acknowledge --by "Ana Ruiz" --note "failover on Tuesday"
    """
    settings = settings_with(config, journal)
    if status:
        return tell_health(settings.journal, as_json=as_json)
    if acknowledge:
        return take_word(settings.journal, by=by, note=note)
    from harness.assess.noting import CriteriaSampler
    from harness.cli.record_status import showing_progress
    from harness.cli.stopping import stopping
    from harness.journal.store import Journal
    from harness.record.recorder import Recorder
    from harness.record.sources import make_samplers

    dsn = production_dsn(os.environ)
    target = Journal(settings.journal, busy_timeout_s=journal_wait_s)
    config_now = replace(
        _recorder_config(settings, dsn, schema=schema, tick_s=tick_s),
        mapping=mapping_of(settings, target),
    )
    samplers = (*make_samplers(config_now, os.environ), CriteriaSampler(settings))
    recorder = Recorder(config_now, target, samplers=samplers)
    stop = threading.Event()
    began_s = time.monotonic()
    with stopping(stop, words="Stopping: finishing the batch …"), showing_progress() as tell:
        ended = recorder.run(for_s=for_s, until_idle_s=until_idle_s, stop=stop, on_progress=tell)
    summary = _summary(ended, target.path, elapsed_s=time.monotonic() - began_s)
    click.echo(json.dumps(summary) if as_json else _sentence(summary))
    return 0


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
        reconcile_every_s=settings.record.reconcile_every,
        mode=settings.record.mode,
        slot=settings.record.slot,
        slot_plugin=settings.record.slot_plugin,
        slot_publication=settings.record.slot_publication,
        slot_warn_mb=settings.record.slot_warn_mb,
        slot_drop_mb=settings.record.slot_drop_mb,
        queue_url=settings.queue.url,
        dlq_url=settings.queue.dlq_url,
        aws_region=settings.queue.region,
        endpoint_url=settings.queue.endpoint_url,
        prefect_url=settings.prefect.api_url,
        prefect_deployment=settings.prefect.deployment,
        prefect_late_after_s=settings.prefect.late_after,
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
        "rewound": ended.rewound,
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
