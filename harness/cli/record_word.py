"""What ``shadow record`` does besides recording: tell its health, take a person's word."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from harness.errors import SettingsError


def tell_health(journal: Path, *, as_json: bool) -> int:
    """Print whether the recorder of `journal` is well; return 0 if it is, 1 if not."""
    from harness.record.status import read_health

    health = read_health(journal, datetime.now(UTC))
    if as_json:
        said = {"well": health.well, "words": health.words, "status": dict(health.status)}
        click.echo(json.dumps(said))
    else:
        click.echo(health.words)
    return 0 if health.well else 1


def take_word(journal: Path, *, by: str | None, note: str | None) -> int:
    """Journal that `by` accepts a source that went back; return 0."""
    from harness.journal.store import Journal
    from harness.record.reconcile.rewinds import acknowledge

    if not by or not note:
        missing = "--by" if not by else "--note"
        raise SettingsError(
            f"{missing} is missing. An acknowledgement bears a name and a reason: "
            'shadow record --acknowledge --by "Ana Ruiz" --note "restored from last night"'
        )
    accepted = acknowledge(Journal.open(journal), by=by, note=note)
    for rewind in accepted:
        click.echo(f"accepted: {rewind.why}")
    if not accepted:
        click.echo(f"{journal}: nothing waits for a word; nothing was written.")
    return 0
