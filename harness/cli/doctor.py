"""``shadow doctor``: what recording needs, what of it is missing, and how to mend that."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import config_option, journal_option, json_option, settings_with
from harness.errors import SettingsError

if TYPE_CHECKING:
    from harness.doctor.check import Diagnosis

NOT_READY = 2


@click.command()
@config_option
@journal_option
@click.option("--schema", default="public", show_default=True, help="Where the tables are.")
@click.option("--sql", "as_sql", is_flag=True,
              help="Print only the SQL of all mends, for the owner to run.")  # fmt: skip
@json_option
def doctor(
    config: Path | None, journal: Path | None, schema: str, as_sql: bool, as_json: bool
) -> int:
    """Look at everything that recording needs, and say how to mend what is missing.

    Reads only, for a few seconds, and shows no password. OK is as it should be, LOOK is worth a
    look, MISSING comes first. Exit code 0 if recording can begin, 2 if it cannot.

    \b
    Examples:
      export SHADOW_DSN=postgresql://shadow_recorder@db.example/app
      shadow doctor --journal week.duckdb
      shadow doctor --sql | less
      shadow doctor --json | jq .ready
    """
    from harness.cli.doctor_text import DoctorPrinter
    from harness.doctor.examine import examine
    from harness.doctor.plan import Plan
    from harness.journal.mapping_files import load_mapping

    if as_sql and as_json:
        raise SettingsError("--sql and --json are two different outputs. Give one of them.")
    variable = "SHADOW_DSN" if os.environ.get("SHADOW_DSN") else "DATABASE_URL"
    settings = settings_with(config, journal)
    folder = settings.source.mapping
    plan = Plan(
        settings=settings,
        dsn=os.environ.get(variable),
        variable=variable,
        schema=schema,
        mapping=load_mapping(folder) if folder else None,
    )
    if as_sql or as_json:
        diagnosis = examine(plan)
        click.echo(_as_json(diagnosis) if as_json else diagnosis.script)
    else:
        printer = DoctorPrinter()
        diagnosis = examine(plan, tell=printer.check)
        printer.verdict(diagnosis)
    return 0 if diagnosis.ready else NOT_READY


def _as_json(diagnosis: Diagnosis) -> str:
    return json.dumps(
        {
            "schema_version": 1,
            "ready": diagnosis.ready,
            "verdict": diagnosis.verdict,
            "checks": [asdict(check) for check in diagnosis.checks],
        },
        ensure_ascii=False,
    )
