"""``shadow mark``: a named person says what happens now, which no table shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from harness.cli.options import config_option, journal_option, settings_with

_VALUES = {
    "ramp": "the percent of traffic that goes to the new system, such as 50",
    "deployment": "the version of the new system, such as 2.4.1",
    "note": "the words to show",
}


@click.command()
@click.argument("what", type=click.Choice(["ramp", "deployment", "cutover", "note"]))
@click.argument("value", required=False)
@click.option("--by", required=True, metavar="PERSON", help="Who says so.")
@click.option("--note", help="More words.")
@config_option
@journal_option
def mark(
    what: str,
    value: str | None,
    by: str,
    note: str | None,
    config: Path | None,
    journal: Path | None,
) -> None:
    """Say what happens now: a step of the ramp, a deployment, the cut-over.

    It counts from the moment in which it is journaled, so say it when it happens. A deployment of
    the new system starts every count anew; a step of the ramp starts latency anew; the cut-over
    begins the phases after it.

    \b
    Examples:
      shadow mark ramp 10 --by "Ana Ruiz"
      shadow mark deployment 2.4.1 --by "Ana Ruiz" --note "waits for the form"
      shadow mark cutover --by "Ana Ruiz"
      shadow mark note "directory moved its form" --by "Ana Ruiz"
    """
    from harness.assess.said import MarkPayload, said_event
    from harness.journal.store import Journal
    from harness.model import Batch

    if not by.strip():
        raise click.BadParameter("name a person.", param_hint="--by")
    payload = MarkPayload.model_validate(
        {"what": what, "value": _value(what, value), "by": by, "note": note}
    )
    event = said_event(payload, at=datetime.now(UTC))
    journal_path = settings_with(config, journal).journal
    appended = Journal.open(journal_path).append(Batch(events=(event,), tier="operator"))
    shown = f"{payload.value} %" if what == "ramp" else payload.value
    click.echo(" ".join(filter(None, (what, shown, "by", by.strip()))))
    click.echo(f"journaled as seq {appended.last_seq}", err=True)


def _value(what: str, value: str | None) -> str:
    text = (value or "").strip().rstrip("%").strip()
    if what == "cutover":
        if text:
            raise click.UsageError("cutover has no value. Leave it out, or use --note.")
        return ""
    if not text:
        raise click.UsageError(f"{what} has no value. Give {_VALUES[what]}.")
    if what == "ramp":
        try:
            percent = float(text)
        except ValueError:
            percent = -1.0
        if not 0.0 < percent <= 100.0:
            raise click.UsageError(f"ramp {value}: is no percentage. Give {_VALUES[what]}.")
        return f"{percent:g}"
    return text
