"""``shadow waive``: a named person takes the risk of one gate, for a limited time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import EXPIRY, config_option, journal_option, nearest, settings_with
from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.settings import Settings


@click.command()
@click.argument("gate")
@click.option("--by", required=True, metavar="PERSON", help="Who takes the risk.")
@click.option("--reason", help="Why it is worth taking.")
@click.option("--until", type=EXPIRY, help="How long: a date or time in UTC, or 7d from now.")
@click.option("--take-back", is_flag=True, help="The gate counts again.")
@config_option
@journal_option
def waive(
    gate: str,
    by: str,
    reason: str | None,
    until: datetime | None,
    take_back: bool,
    config: Path | None,
    journal: Path | None,
) -> None:
    """Take the risk of one gate by name, for a limited time.

    GATE is named as the report does, such as shadow.complaints. A waived gate no longer holds the
    decision up, is shown as waived with what its evidence says, and is never green. Gates with
    waivable = false cannot be waived.

    \b
    Examples:
      shadow waive dual-write.prefect_errors --by "Ana Ruiz" --until 7d --reason "no Prefect here"
      shadow waive dual-write.prefect_errors --by "Ana Ruiz" --take-back
    """
    said, seq = waived_now(
        settings_with(config, journal), gate,
        by=by, reason=reason or "", until=until, take_back=take_back,
    )  # fmt: skip
    click.echo(said)
    click.echo(f"journaled as seq {seq}", err=True)


def waived_now(
    settings: Settings,
    gate: str,
    *,
    by: str,
    reason: str,
    until: datetime | None,
    take_back: bool,
) -> tuple[str, int]:
    """Append the waiver or its end; what was said, and its seq.

    Raises SettingsError for a gate that is not known or cannot be waived, a usage error where
    something is missing.
    """
    from harness.assess.said import WaivePayload, said_event
    from harness.gates.presets import load_gates
    from harness.journal.store import Journal
    from harness.model import Batch

    gates = load_gates(settings.gates.file, settings.gates.preset)
    known = list(gates.digests)
    if gate not in known:
        raise SettingsError(f"waive {gate}: {nearest(gate, known)}")
    if not by.strip():
        raise click.BadParameter("name a person.", param_hint="--by")
    if not take_back:
        if until is None:
            raise click.UsageError("--until is missing. Say how long it counts, such as 7d.")
        if not reason.strip():
            raise click.UsageError("--reason is missing. Say why the risk is worth taking.")
        if not gates.gate(gate).waivable:
            raise SettingsError(
                f"waive {gate}: this gate cannot be waived (waivable = false in the gates file). "
                "Mend what it shows."
            )
    elif until is not None:
        raise click.UsageError("--take-back has no --until. Leave one of them out.")
    event = said_event(
        WaivePayload(gate=gate, by=by, reason=reason.strip(), until=None if take_back else until),
        at=datetime.now(UTC),
    )
    appended = Journal.open(settings.journal).append(Batch(events=(event,), tier="operator"))
    words = "counts again" if until is None else f"waived until {until:%Y-%m-%d %H:%M} UTC"
    return f"{gate}: {words}, by {by.strip()}", appended.last_seq
