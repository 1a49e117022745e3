"""``shadow attest``: a named person states what no machine can measure, for a limited time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import (
    DURATION,
    EXPIRY,
    config_option,
    journal_option,
    nearest,
    settings_with,
)
from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.gates.definition import GateSet
    from harness.settings import Settings


@click.command()
@click.argument("name")
@click.option("--by", required=True, metavar="PERSON", help="Who says so.")
@click.option("--until", required=True, type=EXPIRY,
              help="How long it counts: a date or time in UTC, or 7d from now.")  # fmt: skip
@click.option("--none/--contrary", "holds", default=True,
              help="It holds (the default), or the contrary is true.")  # fmt: skip
@click.option("--took", type=DURATION, metavar="DURATION",
              help="What a drill took, such as 200s, where the gate has a limit.")  # fmt: skip
@click.option("--note", help="What it rests on.")
@config_option
@journal_option
def attest(
    name: str,
    by: str,
    until: datetime,
    holds: bool,
    took: float | None,
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
      shadow attest rollback_ready --by "Ana Ruiz" --until 14d --took 200s --note "drill of Monday"
    """
    said, seq = attested_now(
        settings_with(config, journal), name,
        by=by, until=until, holds=holds, took_s=took, note=note,
    )  # fmt: skip
    click.echo(said)
    click.echo(f"journaled as seq {seq}", err=True)


def attested_now(
    settings: Settings,
    name: str,
    *,
    by: str,
    until: datetime,
    holds: bool,
    took_s: float | None,
    note: str | None,
) -> tuple[str, int]:
    """Append the attestation; what was said, and its seq.

    Raises SettingsError where no gate asks for `name`, BadParameter without a person.
    """
    from harness.assess.said import AttestPayload, said_event
    from harness.gates.presets import load_gates
    from harness.journal.store import Journal
    from harness.model import Batch

    known = attestable(load_gates(settings.gates.file, settings.gates.preset))
    if name not in known:
        raise SettingsError(f"attest {name}: {nearest(name, known)}")
    if not by.strip():
        raise click.BadParameter("name a person.", param_hint="--by")
    event = said_event(
        AttestPayload(name=name, holds=holds, by=by, until=until, note=note, took_s=took_s),
        at=datetime.now(UTC),
    )
    appended = Journal.open(settings.journal).append(Batch(events=(event,), tier="operator"))
    state = "holds" if holds else "contrary"
    said = f"{name}: {state}, by {by.strip()}, until {until:%Y-%m-%d %H:%M} UTC"
    return said, appended.last_seq


def attestable(gates: GateSet) -> list[str]:
    """The names that gates ask a person for, in the order of the file."""
    from harness.gates.kinds import AttestationGate

    return [
        gate.name
        for phase in gates.phase
        for gate in phase.gate
        if isinstance(gate, AttestationGate)
    ]
