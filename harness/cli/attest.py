"""``shadow attest``: a named person states what no machine can measure, for a limited time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import config_option, journal_option, nearest, settings_with
from harness.errors import SettingsError
from harness.settings import parse_duration_s

if TYPE_CHECKING:
    from harness.gates.definition import GateSet


class ExpiryType(click.ParamType[datetime, Any]):
    """A date, an ISO time (UTC where no zone is given), or ``7d`` from now; never in the past."""

    name = "expiry"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        now = datetime.now(UTC)
        try:
            until = now + timedelta(seconds=parse_duration_s(value))
        except (ValueError, OverflowError):
            try:
                until = datetime.fromisoformat(str(value))
            except ValueError:
                self.fail(f"{value!r} is no expiry. Give a date (2026-12-01) or 7d.", param, ctx)
        until = until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
        if until <= now:
            self.fail(f"{value!r} is over already. Give a moment in the future.", param, ctx)
        return until


@click.command()
@click.argument("name")
@click.option("--by", required=True, metavar="PERSON", help="Who says so.")
@click.option("--until", required=True, type=ExpiryType(),
              help="How long it counts: a date or time in UTC, or 7d from now.")  # fmt: skip
@click.option("--none/--contrary", "holds", default=True,
              help="It holds (the default), or the contrary is true.")  # fmt: skip
@click.option("--note", help="What it rests on.")
@config_option
@journal_option
def attest(
    name: str,
    by: str,
    until: datetime,
    holds: bool,
    note: str | None,
    config: Path | None,
    journal: Path | None,
) -> None:
    """Say by name what no machine can measure, until it expires.

    NAME is what a gate of the gates file asks for. The newest statement of a name counts.

    \b
    Examples:
      shadow attest no_customer_complaints --by "Ana Ruiz" --until 7d --note "support inbox read"
      shadow attest no_customer_complaints --by "Ana Ruiz" --until 2099-12-01 --contrary
    """
    from harness.gates.presets import load_gates
    from harness.journal.store import Journal
    from harness.model import Batch, EventDraft, EventKind, Source

    settings = settings_with(config, journal)
    known = attestable(load_gates(settings.gates.file))
    if name not in known:
        raise SettingsError(f"attest {name}: {nearest(name, known)}")
    if not by.strip():
        raise click.BadParameter("name a person.", param_hint="--by")
    event = EventDraft(
        source=Source.OPERATOR,
        kind=EventKind.ATTEST,
        # Saying the same again is another statement, so the key is not made of the words.
        key=f"attest:{name}:{uuid.uuid4()}",
        occurred_at=datetime.now(UTC),
        payload={
            "name": name,
            "holds": holds,
            "by": by.strip(),
            "until": until.isoformat(),
            "note": note,
        },
    )
    appended = Journal.open(settings.journal).append(Batch(events=(event,), tier="operator"))
    state = "holds" if holds else "contrary"
    click.echo(f"{name}: {state}, by {by.strip()}, until {until:%Y-%m-%d %H:%M} UTC")
    click.echo(f"journaled as seq {appended.last_seq}", err=True)


def attestable(gates: GateSet) -> list[str]:
    """The names that gates ask a person for, in the order of the file."""
    from harness.gates.kinds import AttestationGate

    return [
        gate.name
        for phase in gates.phase
        for gate in phase.gate
        if isinstance(gate, AttestationGate)
    ]
