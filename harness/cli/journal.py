"""``shadow journal``: is the record whole, and what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.options import config_option, journal_option, json_option, settings_with


@click.group()
def journal() -> None:
    """Verify, rebuild or count a journal.

    \b
    Examples:
      shadow journal verify --journal week.duckdb
      shadow journal rebuild --journal week.duckdb
      shadow journal stats --json
    """


@journal.command()
@config_option
@journal_option
@json_option
def verify(config: Path | None, journal: Path | None, as_json: bool) -> int:
    """Check that no event is missing, doubled or altered. Exit 1 if one is.

    \b
    Example:
      shadow journal verify --journal week.duckdb
    """
    from harness.journal.store import Journal
    from harness.journal.verify import verify as check

    path = settings_with(config, journal).journal
    result = check(Journal.open(path).path)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "clean": result.clean,
                    "events": result.events,
                    "batches": result.batches,
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
            f"{path}: {state}; {result.events} events in {result.batches} batches, "
            f"hash {result.hash[:16]}…"
        )
    return 0 if result.clean else 1


@journal.command()
@config_option
@journal_option
def rebuild(config: Path | None, journal: Path | None) -> None:
    """Derive every projection from the events anew. No event is touched.

    \b
    Example:
      shadow journal rebuild --journal week.duckdb
    """
    from harness.journal.store import Journal

    target = Journal.open(settings_with(config, journal).journal)
    target.rebuild()
    click.echo(f"{target.path}: projections rebuilt from {target.head().seq} events")


@journal.command()
@config_option
@journal_option
@json_option
def stats(config: Path | None, journal: Path | None, as_json: bool) -> None:
    """Count events by kind.

    \b
    Example:
      shadow journal stats --journal week.duckdb
    """
    from harness.journal.store import Journal
    from harness.resources import sql_queries

    target = Journal.open(settings_with(config, journal).journal)
    with target.reader() as reader:
        rows = reader.rows(sql_queries("views/recording_health.sql")["count_events_by_kind"])
        seq = reader.as_of_seq
    if as_json:
        click.echo(json.dumps({"seq": seq, "kinds": dict(rows)}))
        return
    for kind, count in rows:
        click.echo(f"{kind:24} {count:>10}")
    click.echo(f"{'all':24} {seq:>10}   {target.path.stat().st_size / 1e6:.1f} MB")
