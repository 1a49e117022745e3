"""``shadow triage``: a named person says what a cluster of differences comes from."""

from __future__ import annotations

import getpass
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import (
    Moment,
    json_option,
    meant,
    moment_options,
    opened,
    settings_with,
)
from harness.cli.table import print_rows
from harness.cli.told import counted, report_of, say
from harness.errors import SettingsError
from harness.model import TriageLabel

if TYPE_CHECKING:
    from harness.assess.triaged import TriagePayload

_COLUMNS = ("target", "label", "state", "author", "at", "seq", "reason", "description")


@click.command()
@click.argument("target", required=False, metavar="[CLUSTER|DIFFERENCE]")
@click.option("--label", type=click.Choice([label.value for label in TriageLabel]),
              help="What it comes from.")  # fmt: skip
@click.option("--reason", metavar="TEXT", help="What that rests on.")
@click.option("--by", metavar="PERSON", help="Who says so. [default: the user of this machine]")
@click.option("--clear", is_flag=True, help="Take back what was said.")
@click.option("--list", "listed", is_flag=True, help="List what counts, and what is gone.")
@moment_options
@json_option
def triage(
    target: str | None,
    label: str | None,
    reason: str | None,
    by: str | None,
    clear: bool,
    listed: bool,
    config: Path | None,
    journal: Path | None,
    as_of: Moment | None,
    as_json: bool,
) -> None:
    """Say what a cluster of differences, or one difference, comes from.

    It stands beside the cluster in diff, report and dashboard for as long as the cluster is there,
    and changes no verdict, no figure and no decision: an accepted difference still counts. The
    newest statement counts. A rule is what makes a difference legitimate.

    \b
    Examples:
      shadow triage 1df29243 --label candidate-bug --reason "no message is sent, see the queue"
      shadow triage 4dca947f0b4a --label accepted --reason "one directory, closed since" --by Ana
      shadow triage 1df29243 --clear --reason "it was the site"
      shadow triage --list --as-of -2h
    """
    if listed:
        if target or label or clear or reason or by:
            raise click.UsageError("--list stands alone, but for --as-of and --json.")
        _list(config, journal, as_of, as_json)
        return
    if as_of is not None or as_json:
        raise click.UsageError("--as-of and --json go with --list.")
    if target is None:
        raise click.UsageError(
            "Name a cluster or a difference (shadow diff lists them), or --list."
        )
    if clear == (label is not None):
        raise click.UsageError("Give either --label or --clear.")
    said, seq = triaged(target, label, reason or "", by or user(), config, journal)
    click.echo(said)
    say(f"journaled as seq {seq}")


def user() -> str:
    """Who uses this machine; UsageError where it names nobody."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise click.UsageError("--by is missing, and this machine names no user.") from None


def triaged(
    target: str,
    label: str | None,
    reason: str,
    by: str,
    config: Path | None,
    journal: Path | None,
) -> tuple[str, int]:
    """Append the statement, None for a label takes it back; what was said, and its seq.

    Raises UsageError where the reason of a label or the person is missing, SettingsError where
    there is no such target.
    """
    if label and not reason.strip():
        raise click.UsageError(f"--label {label} needs a --reason.")
    payload = _payload(target, label, reason, by, config, journal)
    return _append(payload, config, journal)


def _payload(
    target: str,
    label: str | None,
    reason: str,
    by: str,
    config: Path | None,
    journal: Path | None,
) -> TriagePayload:
    """The statement; SettingsError if there is no such target."""
    from harness.assess.comparing import compare_journal
    from harness.assess.triaged import TriagePayload, triages
    from harness.compare.clusters import find_clusters
    from harness.compare.comparison import differences
    from harness.report.redact import mask_text, redact_clusters

    if not by.strip():
        raise click.BadParameter("name a person.", param_hint="--by")
    with opened(config, journal, None) as (reader, criteria, now):
        comparison = compare_journal(reader, criteria, now=now).comparison
        clusters = redact_clusters(find_clusters(comparison).clusters)
        known = {cluster.id: cluster.title for cluster in clusters}
        if target not in known:
            known |= {d.id: f"{d.kind}: {d.directory}, job {d.job_id[:8]}, {d.field}"
                      for d in differences(comparison)}  # fmt: skip
        said = {one.target: one.description for one in triages(reader)}
        seq = reader.as_of_seq
    if label is None and target not in said:
        raise SettingsError(f"triage {target}: nothing was said of it. shadow triage --list.")
    # What is gone can be taken back, and nothing more can be said of it.
    described = known.get(target, said.get(target) if label is None else None)
    if described is None:
        raise SettingsError(
            f"triage {target}: no cluster or difference has that id as of seq {seq}. "
            f"{meant(target, sorted(known))}shadow diff lists them."
        )
    return TriagePayload(
        target=target,
        label=TriageLabel(label) if label else None,
        reason=reason.strip(),
        by=by.strip(),
        description=mask_text(described),
    )


def _append(
    payload: TriagePayload, config: Path | None, journal: Path | None
) -> tuple[str, int]:  # fmt: skip
    from harness.assess.triaged import triage_event
    from harness.journal.store import Journal
    from harness.model import Batch

    # Saying the same again is another statement, so the key is not made of the words.
    key = f"triage:{payload.target}:{uuid.uuid4()}"
    event = triage_event(payload, key=key, at=datetime.now(UTC))
    target = Journal.open(settings_with(config, journal).journal)
    appended = target.append(Batch(events=(event,), tier="operator"))
    word = payload.label.value if payload.label else "cleared"
    return f"{payload.target}: {word}, by {payload.by}: {payload.description}", appended.last_seq


def _list(config: Path | None, journal: Path | None, as_of: Moment | None, as_json: bool) -> None:
    from harness.cli.told import print_json

    report = report_of(config, journal, as_of)
    said: list[dict[str, Any]] = report["triage"]
    if as_json:
        print_json(report, triage=said)
        return
    rows = [{**one, "state": "gone" if one["gone"] else "present"} for one in said]
    if rows:
        print_rows(rows, _COLUMNS, brief=("target", "label", "state", "author", "reason",
                                          "description"))  # fmt: skip
    say(f"{counted(len(rows), 'statement')} as of seq {report['provenance']['seq']}")
