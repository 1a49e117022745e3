"""``shadow gates``: the shipped gates, and a check of a file of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from harness.cli.options import config_option, journal_option, settings_with
from harness.cli.table import print_rows


@click.group()
def gates() -> None:
    """Show the shipped gates, or check a file of your own.

    \b
    Examples:
      shadow gates list
      shadow gates list --preset strict
      shadow gates show runbook
      shadow gates check our-gates.toml
      shadow gates note --journal week.duckdb
    """


@gates.command("list")
@click.option("--preset", metavar="NAME", help="A shipped one instead of the one in use.")
@config_option
def list_(preset: str | None, config: Path | None) -> None:
    """List the gates in use, phase by phase, with their thresholds and why.

    \b
    Examples:
      shadow gates list
      shadow gates list --preset strict
    """
    from harness.gates.presets import load_gates, preset_names

    settings = settings_with(config)
    file = None if preset else settings.gates.file
    found = load_gates(file, preset or settings.gates.preset)
    deciding = found.deciding()
    rows = [
        {
            "gate": f"{phase.id}.{gate.id}",
            "part": "decides" if phase.id in deciding and gate.required else "shown",
            "asks_for": _asks(gate.model_dump()),
            "owner": gate.owner,
            "why": gate.why,
        }
        for phase in found.phase
        for gate in phase.gate
    ]
    columns = ("gate", "part", "asks_for", "owner", "why")
    print_rows(rows, columns, brief=columns)
    click.echo(f"version {found.version}; presets: {', '.join(preset_names())}", err=True)


@gates.command()
@click.argument("preset")
def show(preset: str) -> None:
    """Print a shipped gates file, to be copied and edited.

    \b
    Examples:
      shadow gates show runbook
    """
    from harness.gates.presets import preset_text

    click.echo(preset_text(preset), nl=False)


@gates.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check(file: Path) -> None:
    """Check a gates file; every mistake is one line with its mend.

    \b
    Examples:
      shadow gates check our-gates.toml
    """
    from harness.gates.presets import load_gates

    found = load_gates(file)
    count = sum(len(phase.gate) for phase in found.phase)
    click.echo(f"{file}: {len(found.phase)} phases, {count} gates, version {found.version}")


@gates.command()
@config_option
@journal_option
def note(config: Path | None, journal: Path | None) -> None:
    """Note in the journal that these rules and gates are in force from now on.

    A running recorder does so by itself within a minute of a change. What is not noted counts as
    made after looking.

    \b
    Examples:
      shadow gates note --journal week.duckdb
    """
    from harness.assess.criteria import load_criteria
    from harness.assess.in_force import criteria_event, is_noted
    from harness.journal.store import Journal
    from harness.model import Batch

    settings = settings_with(config, journal)
    criteria = load_criteria(settings)
    target = Journal.open(settings.journal)
    with target.reader() as reader:
        noted = is_noted(reader, criteria)
    words = f"rules {criteria.rules.digest} and gates {criteria.gates.version}"
    if noted:
        click.echo(f"{words}: noted already")
        return
    event = criteria_event(criteria, at=datetime.now(UTC))
    appended = target.append(Batch(events=(event,), tier="operator"))
    click.echo(f"{words}: noted")
    click.echo(f"journaled as seq {appended.last_seq}", err=True)


def _asks(gate: dict[str, object]) -> str:
    match gate["kind"]:
        case "mean_at_least":
            return f"{gate['measure']} at least {100 * float(str(gate['threshold'])):g} %"
        case "quantile_below":
            share = 100 * float(str(gate["quantile"]))
            return f"P{share:g} below {float(str(gate['threshold_s'])):g} s"
        case "steady_for":
            return f"{gate['measure']} at most {gate['at_most']} for {gate['hours']:g} h"
        case "unused_for":
            return f"unused for {gate['days']:g} days"
        case "ramp":
            stages = gate["stages"]
            assert isinstance(stages, tuple)
            return f"stages {', '.join(f'{stage:g} %' for stage in stages)}"
        case "attestation":
            limit = gate["at_most_s"]
            words = f"{gate['name']} attested"
            return words if limit is None else f"{words}, at most {limit:g} s"
        case "all_processed":
            return "every job processed"
        case _:
            return f"no {str(gate['measure']).replace('_', ' ')}"
