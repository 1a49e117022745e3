"""Makes the sources that a recorder's settings ask for. Decides nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import SettingsError
from harness.journal.store import Journal
from harness.record.pace import Pace
from harness.record.postgres.connection import SourceConnection
from harness.record.postgres.source import PostgresSource
from harness.record.postgres.tables import specs_of
from harness.record.progress import RecorderConfig
from harness.record.samples.sampler import Sampler
from harness.record.slot.recorded import JournalVersions
from harness.record.slot.replication_slot import SlotOptions
from harness.record.slot.source import SlotSource, SweepingSource


def make_samplers(config: RecorderConfig, environ: Mapping[str, str]) -> tuple[Sampler, ...]:
    """Return the sampled sources that are set. The key of Prefect is read from the environment.

    Raises SettingsError or SourceError if one cannot be used as it is set.
    """
    # Imported here: each brings a client of its own that a record without it need not load.
    samplers: list[Sampler] = []
    if config.queue_url or config.dlq_url:
        from harness.record.samples.sqs import QueueSource

        samplers.append(
            QueueSource(
                queue_url=config.queue_url,
                dlq_url=config.dlq_url,
                region=config.aws_region,
                endpoint_url=config.endpoint_url,
            )
        )
    if config.prefect_url:
        from harness.record.samples.prefect import PrefectSource

        samplers.append(
            PrefectSource(
                api_url=config.prefect_url,
                deployment=config.prefect_deployment,
                late_after_s=config.prefect_late_after_s,
                api_key=environ.get("PREFECT_API_KEY"),
            )
        )
    return tuple(samplers)


def make_production(
    config: RecorderConfig, connection: SourceConnection, journal: Journal, *, pace: Pace
) -> PostgresSource | SlotSource:
    """Return what reads the tables of production in the mode that is set."""
    if config.mode == "poll":
        return PostgresSource(
            connection,
            pace=pace,
            schema=config.schema,
            chunk_rows=config.chunk_rows,
            specs=specs_of(config.mapping),
        )
    if config.mapping is not None:
        raise SettingsError(
            'record.mode = "slot": only the shipped tables are recorded by a slot. Set record.mode '
            '= "poll" for a mapping of your own.'
        )
    return SlotSource(
        SweepingSource(connection, pace=pace, schema=config.schema, chunk_rows=config.chunk_rows),
        SlotOptions(
            name=config.slot,
            plugin=config.slot_plugin,
            publication=config.slot_publication,
            warn_mb=config.slot_warn_mb,
            drop_mb=config.slot_drop_mb,
        ),
        schema=config.schema,
        recorded=JournalVersions(journal),
    )
