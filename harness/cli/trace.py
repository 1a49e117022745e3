"""``shadow trace``: portable slices of a journal, redacted unless one asks otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    MOMENT,
    F,
    Moment,
    chosen,
    config_option,
    json_option,
    moment_options,
    resolved,
    settings_with,
)
from harness.cli.trace_text import described, print_written
from harness.settings import Settings

if TYPE_CHECKING:
    from harness.journal.reader import Reader
    from harness.journal.store import Journal
    from harness.journal.trace_export import Choose, Privacy

_PATH = click.Path(path_type=Path, dir_okay=False)
Tell = Callable[[int, int], None]


class ShareType(click.ParamType[float, Any]):
    """A share of all jobs, written as ``10%`` or ``0.1``."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 < share <= 1:
            self.fail(f"{text!r} is no share of the jobs. Write 10% or 0.1.", param, ctx)
        return share


def _writing_options(function: F) -> F:
    """Where a trace goes, and what keeps its fakes the same."""
    out = click.option("--out", type=_PATH, required=True, help="The file to write.")
    force = click.option("--force", is_flag=True, help="Replace --out if it exists.")
    secret = click.option("--secret-file", type=_PATH, help="The secret behind fakes and hashes.")
    return out(force(secret(function)))


@click.group()
def trace() -> None:
    """Export, import or redact a portable slice of a journal.

    A trace is one Parquet file that tells in its metadata what it holds. Personal values are
    redacted unless --raw is given.

    \b
    Examples:
      shadow trace export --journal week.duckdb --out week.parquet
      shadow trace info week.parquet
      shadow trace import week.parquet --journal copy.duckdb
    """


@trace.command()
@moment_options
@_writing_options
@click.option("--from", "since", type=MOMENT, help="Only jobs created at or after this time.")
@click.option("--to", "until", type=MOMENT, help="Only jobs created before this time.")
@click.option("--job", "jobs", multiple=True, help="Only this job. Repeatable.")
@click.option("--outcome", "outcomes", multiple=True,
              help="Only jobs with this verdict or outcome. Repeatable.")  # fmt: skip
@click.option("--cluster", "clusters", multiple=True,
              help="Only jobs with a difference in this cluster. Repeatable.")  # fmt: skip
@click.option("--sample", type=ShareType(),
              help="Only this share of the jobs; 10% is a part of 20%.")  # fmt: skip
@click.option("--raw", is_flag=True, help="Keep personal values as they were recorded.")
@json_option
def export(
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    out: Path,
    force: bool,
    secret_file: Path | None,
    since: Moment | None,
    until: Moment | None,
    jobs: tuple[str, ...],
    outcomes: tuple[str, ...],
    clusters: tuple[str, ...],
    sample: float | None,
    raw: bool,
    as_json: bool,
) -> None:
    """Write events of the selected jobs, and those of no job, to a file.

    Without a selection it holds all of them. Redacted by the shipped policy and [privacy] in
    shadow.toml, with a secret beside the journal, so that traces of one journal can be joined.

    \b
    Examples:
      shadow trace export --journal week.duckdb --out week.parquet
      shadow trace export --from 2026-11-20 --outcome mismatch --out odd.parquet
      shadow trace export --sample 10% --as-of -2h --out sample.parquet
    """
    from harness.journal.secret import secret_path
    from harness.journal.selection import Selection
    from harness.journal.store import Journal
    from harness.journal.trace_export import export_trace

    settings = settings_with(config, journal)
    target = Journal.open(settings.journal)
    also = {"outcome": sorted(outcomes), "cluster": sorted(clusters)}
    selection = Selection(
        created_from=_created("--from", target, since),
        created_to=_created("--to", target, until),
        jobs=frozenset(jobs),
        share=sample,
        also={key: words for key, words in also.items() if words},
    )
    privacy = None if raw else _privacy(settings, secret_file or secret_path(target.path))
    with _progress("exporting", quiet=as_json) as tell:
        manifest = export_trace(
            target,
            out,
            selection,
            privacy,
            choose=_choice(settings, outcomes, clusters),
            as_of=resolved(target, as_of),
            force=force,
            on_progress=tell,
        )
    print_written(out, manifest, as_json=as_json)


@trace.command("import")
@click.argument("file", type=_PATH)
@click.option("--journal", type=_PATH, required=True, help="The journal to make or to add to.")
@json_option
def import_(file: Path, journal: Path, as_json: bool) -> None:
    """Make a journal of a trace, or add the trace to one. Twice is once.

    \b
    Example:
      shadow trace import week.parquet --journal copy.duckdb
    """
    from harness.journal.trace_import import import_trace

    with _progress("checking", quiet=as_json) as tell:
        done = import_trace(file, journal, on_progress=tell)
    if as_json:
        told = {"journal": str(journal), "new": done.new, "known": done.known}
        click.echo(json.dumps({**told, "last_seq": done.last_seq}))
    else:
        click.echo(
            f"{journal}: {done.new:,} events added, {done.known:,} known before, "
            f"seq {done.last_seq}"
        )


@trace.command()
@click.argument("file", type=_PATH)
@json_option
def info(file: Path, as_json: bool) -> None:
    """Say what a trace holds and how it was redacted.

    \b
    Examples:
      shadow trace info week.parquet
      shadow trace info week.parquet --json
    """
    from harness.journal.trace import read_manifest

    manifest = read_manifest(file)
    if as_json:
        click.echo(manifest.model_dump_json(indent=2))
        return
    for name, text in described(manifest):
        click.echo(f"{name:13} {text}")


@trace.command()
@config_option
@click.argument("file", type=_PATH)
@_writing_options
@json_option
def redact(
    config: Path | None,
    file: Path,
    out: Path,
    force: bool,
    secret_file: Path | None,
    as_json: bool,
) -> None:
    """Write a redacted trace of a raw one.

    Without --secret-file nobody keeps the secret: the result joins with no other trace.

    \b
    Example:
      shadow trace redact raw.parquet --out week.parquet
    """
    from harness.journal.trace_export import redact_trace

    privacy = _privacy(settings_with(config), secret_file)
    with _progress("redacting", quiet=as_json) as tell:
        manifest = redact_trace(file, out, privacy, force=force, on_progress=tell)
    print_written(out, manifest, as_json=as_json)


def _privacy(settings: Settings, secret_file: Path | None) -> Privacy:
    from harness.assess.criteria import load_criteria
    from harness.compare.rules import PhoneRule
    from harness.journal.secret import fresh_secret, journal_secret
    from harness.journal.trace_export import Privacy
    from harness.privacy.policy import Action, parse_policy, with_rules
    from harness.resources import package_text

    shipped = parse_policy(package_text("privacy/default-policy.toml"))
    own = {action: getattr(settings.privacy, action.value) for action in Action}
    rules = load_criteria(settings).rules.rule
    regions = [rule.region for rule in rules if isinstance(rule, PhoneRule)]
    return Privacy(
        policy=with_rules(shipped, own),
        secret=journal_secret(secret_file) if secret_file else fresh_secret(),
        region=regions[0] if regions else "US",
    )


def _choice(
    settings: Settings, outcomes: tuple[str, ...], clusters: tuple[str, ...]
) -> Choose | None:
    if not outcomes and not clusters:
        return None
    from harness.assess.criteria import load_criteria
    from harness.assess.selecting import OUTCOMES, jobs_of

    criteria = load_criteria(settings)
    words = chosen("--outcome", outcomes, OUTCOMES)

    def choose(reader: Reader) -> frozenset[str]:
        return jobs_of(reader, criteria, outcomes=words, clusters=clusters)

    return choose


def _created(option: str, journal: Journal, moment: Moment | None) -> datetime | None:
    if isinstance(moment, int):
        raise click.UsageError(f"{option} {moment}: jobs are created at a time. Give one, or -2h.")
    if isinstance(moment, timedelta):
        with journal.reader() as reader:
            return reader.as_of_time + moment
    return moment


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[Tell | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
