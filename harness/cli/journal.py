"""``shadow journal``: is the record whole, what is in it, and how it is kept in shape."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from harness.cli.options import (
    Moment,
    config_option,
    journal_option,
    json_option,
    mapping_of,
    moment_options,
    resolved,
    settings_with,
)


@click.group()
def journal() -> None:
    """Verify, rebuild, count or compact a journal.

    \b
    Examples:
      shadow journal verify --journal week.duckdb
      shadow journal rebuild --journal week.duckdb
      shadow journal stats --json
      shadow journal compact --journal week.duckdb
    """


@journal.command()
@config_option
@journal_option
@click.option("--quick", is_flag=True, help="Do not derive the projections; a fifth of the time.")
@json_option
def verify(config: Path | None, journal: Path | None, quick: bool, as_json: bool) -> int:
    """Check that nothing recorded is missing, doubled or altered. Exit 1 if it is.

    Recomputes the hashes over events and batches, and derives every projection once more.

    \b
    Example:
      shadow journal verify --journal week.duckdb
    """
    from harness.journal.store import Journal
    from harness.journal.verify import verify as check

    path = settings_with(config, journal).journal
    result = check(Journal.open(path).path, projections=not quick)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "clean": result.clean,
                    "events": result.events,
                    "batches": result.batches,
                    "sealed": result.sealed,
                    "hash": result.hash,
                    "problems": result.problems,
                }
            )
        )
    else:
        for problem in result.problems:
            click.echo(f"problem: {problem}")
        state = "clean" if result.clean else f"{len(result.problems)} problem(s)"
        click.echo(
            f"{path}: {state}; {result.events} events in {result.batches} batches "
            f"({result.sealed} sealed), hash {result.hash[:16]}…"
        )
    return 0 if result.clean else 1


@journal.command()
@config_option
@journal_option
def rebuild(config: Path | None, journal: Path | None) -> None:
    """Derive every projection from the events anew. No event is touched.

    Refused where source.mapping names another mapping than the journal was recorded with.

    \b
    Example:
      shadow journal rebuild --journal week.duckdb
    """
    from harness.journal.store import Journal

    settings = settings_with(config, journal)
    target = Journal.open(settings.journal)
    mapping_of(settings, target)
    target.rebuild()
    click.echo(f"{target.path}: projections rebuilt from {target.head().seq} events")


@journal.command()
@moment_options
@json_option
def stats(config: Path | None, journal: Path | None, as_of: Moment | None, as_json: bool) -> None:
    """Count events by kind, source and tier; say span, gaps and size.

    \b
    Examples:
      shadow journal stats --journal week.duckdb
      shadow journal stats --as-of -2h --json
    """
    from harness.journal.stats import journal_stats
    from harness.journal.store import Journal

    target = Journal.open(settings_with(config, journal).journal)
    with target.reader(resolved(target, as_of)) as reader:
        found = journal_stats(reader, target.path)
    if as_json:
        click.echo(json.dumps(asdict(found), default=datetime.isoformat))
        return
    for title, counts in (("kind", found.kinds), ("source", found.sources), ("tier", found.tiers)):
        click.echo(f"by {title}")
        for name, count in counts.items():
            click.echo(f"  {name:24} {count:>12,}")
    click.echo(f"{'all':26} {found.seq:>12,} of {found.jobs:,} jobs in {found.batches:,} batches")
    for name, first, last in (
        ("occurred", found.first_occurred_at, found.last_occurred_at),
        ("recorded", found.first_recorded_at, found.last_recorded_at),
    ):
        if first and last:
            click.echo(f"{name:26} {_utc(first)} to {_utc(last)}")
    for source, until in found.complete_until.items():
        click.echo(f"{'complete':26} {source} until {_utc(until)}")
    for gap in found.gaps:
        click.echo(f"{'gap':26} {gap.what}, {gap.since} to {gap.until}: {gap.why}")
    click.echo(f"{'size':26} {found.bytes / 1e6:.1f} MB")


@journal.command()
@config_option
@journal_option
@json_option
def compact(config: Path | None, journal: Path | None, as_json: bool) -> None:
    """Rewrite the journal without dead space. No event, batch or hash changes.

    The new file takes the old one's place once it is proved whole. Refused while a recorder runs.

    \b
    Example:
      shadow journal compact --journal week.duckdb
    """
    from harness.journal.compact import compact as rewrite
    from harness.journal.store import Journal
    from harness.record.lock import recorder_lock

    path = Journal.open(settings_with(config, journal).journal).path
    with recorder_lock(path):
        done = rewrite(path)
    if as_json:
        click.echo(json.dumps({"journal": str(path), **asdict(done)}))
        return
    click.echo(
        f"{path}: {done.before_bytes / 1e6:.1f} MB, now {done.after_bytes / 1e6:.1f} MB; "
        f"{done.events:,} events, hash {done.hash[:16]}…"
    )


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
